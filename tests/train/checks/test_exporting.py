"""Exports and quantised networks, made for real: `make test-slow` installs what is needed, and without it these tests fail."""

import pytest
import torch
from check_builders import example, loss, segmenter
from network_builders import CASES, built, pictures
from torch import nn
from training_builders import same, weights

from burnish.train.checks.exporting import int8, onnx_export
from burnish.train.checks.finding import Example

pytestmark = pytest.mark.slow

BY_NAME = {str(case): case for case in CASES}
FAMILIES = (
    "classifier-timm/test_resnet",
    "unet",
    "attention_unet",
    "smp-unet-timm/test_resnet",
    "centres",
    "heatmaps",
    "rt_detr",
    "d_fine",
    "rf_detr",
)
QUANTISED = ("classifier-timm/test_resnet", "unet", "centres")


def network_and_example(name):
    return built(BY_NAME[name]), Example(pictures(BY_NAME[name], 3).float(), None)


def grown_up(model):
    """As after some training, when places differ in their scores: no weights are all the same, and features reach the end."""
    chance = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.min() == weight.max():
                weight.add_(0.1 * torch.randn(weight.shape, generator=chance))
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, generator=chance)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
    return model


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_exports_for_any_number_of_pictures_and_gives_the_same(name):
    model, given = network_and_example(name)
    before = weights(grown_up(model))
    found = onnx_export(model, given, loss)
    assert (found.status, found.advice) == ("ok", ""), str(found)
    assert "with any number of pictures at a time, and gives the same" in found.found
    assert same(before, weights(model))


@pytest.mark.parametrize("name", QUANTISED)
def test_networks_quantise_and_lose_little(name):
    found = int8(*network_and_example(name), loss)
    assert found.status == "ok", str(found)
    assert "It can be quantised" in found.found


def test_a_network_that_branches_on_values_cannot_be_exported():
    class Branching(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = segmenter()

        def forward(self, inputs):
            return self.inner(inputs) if inputs.sum() > 0 else inputs

    found = onnx_export(Branching(), example(), loss)
    assert found.status == "error"
    assert "branches" in found.advice


def test_a_network_of_one_number_of_pictures_is_exported_for_that_number_and_told():
    class Frozen(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = segmenter()

        def forward(self, inputs):
            return self.inner(inputs).view(3, 2, 24, 24)

    found = onnx_export(Frozen(), example(), loss)
    assert found.status == "warning"
    assert "with just 3 pictures at a time, and gives the same" in found.found
    assert "numbers of the batch in reshape and view" in found.advice
    assert int8(Frozen(), example(), loss).status == "ok"


def test_something_computed_while_exporting_is_found():
    class Kept(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = segmenter()

        def forward(self, inputs):
            if torch.compiler.is_exporting():
                return self.inner(inputs) + 1
            return self.inner(inputs)

    found = onnx_export(Kept(), example(), loss)
    assert found.status == "error"
    assert "differs by" in found.found


def test_a_detector_that_picks_among_equal_scores_is_not_called_wrong():
    class Picking(nn.Module):
        def __init__(self):
            super().__init__()
            self.scores, self.boxes = nn.Conv2d(3, 1, 1), nn.Conv2d(3, 1, 1)
            nn.init.zeros_(self.scores.weight)

        def forward(self, inputs):
            best = self.scores(inputs).flatten(1).topk(5).indices
            return self.boxes(inputs).flatten(1).gather(1, best)

    found = onnx_export(Picking(), example(), loss)
    assert found.status == "warning", str(found)
    assert "cannot be told, since the network's own results change" in found.found
    assert "trained weights" in found.advice
