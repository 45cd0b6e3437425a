"""What every network by name must keep."""

import re

import pytest
import torch
from network_builders import CASES, CLASSIFICATION, DETECTION, SEGMENTATION, answers, built, pictures, total

from burnish.errors import ConfigError, DataError, WeightsError
from burnish.models.networks.building import build_network, network_licences
from burnish.models.networks.names import NETWORKS
from burnish.train.policies.settings import TrainConfig

every_network = pytest.mark.parametrize("case", CASES, ids=str)


def stirred(model):
    """Every parameter away from zero: some networks begin with branches that give nothing."""
    generator = torch.Generator().manual_seed(2)
    for parameter in model.parameters():
        parameter.data += 0.02 * torch.randn(parameter.shape, generator=generator)
    return model


def test_every_network_is_tried_here():
    named = {name for kind in NETWORKS.values() for name in kind.entries}
    assert {case.settings["name"] for case in CASES} == named


@pytest.mark.parametrize("case", CLASSIFICATION, ids=str)
def test_a_classifier_gives_one_output_for_each_class(case):
    assert [tuple(found.shape) for found in answers(built(case), case)] == [(2, 3)]


@pytest.mark.parametrize("case", SEGMENTATION, ids=str)
@pytest.mark.parametrize("size", [(45, 38), (64, 96), (33, 131)], ids=str)
def test_masks_have_the_size_of_their_pictures_whatever_it_is(case, size):
    model = built(case).eval()
    with torch.inference_mode():
        found = model(pictures(case, 1, size=size))
    assert found.shape == (1, 3, *size)
    assert torch.isfinite(found).all()


@pytest.mark.parametrize("case", DETECTION, ids=str)
@pytest.mark.parametrize("size", [(45, 38), (64, 96), (33, 131)], ids=str)
def test_objects_lie_within_their_pictures_surest_first(case, size):
    model = built(case).eval()
    for boxes, scores, classes, masks in model.detect(pictures(case, size=size), threshold=0.0):
        assert boxes.shape == (len(scores), 4)
        assert len(scores) == len(classes)
        assert len(scores) > 0 or size == (33, 131)  # where much is filled up, a network that has learned nothing may look only there
        assert (boxes[:, 2:] > boxes[:, :2]).all()
        assert (boxes >= 0).all()
        assert (boxes[:, 2:] <= torch.tensor([size[1], size[0]])).all()
        assert (scores[:-1] >= scores[1:]).all()
        assert set(classes.tolist()) <= {0, 1, 2}
        assert (masks is not None) == model.gives_masks
        if masks is not None:
            assert masks.shape == (len(scores), *size)


@every_network
def test_gradients_reach_every_trainable_parameter(case):
    model = stirred(built(case)).train()
    total(model, case).backward()
    trainable = {name: parameter.grad for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert [name for name, gradient in trainable.items() if gradient is None] == []
    assert all(torch.isfinite(gradient).all() for gradient in trainable.values())
    silent = [name for name, gradient in trainable.items() if not gradient.any()]
    assert len(silent) <= len(trainable) // 10  # a ReLU may be dead in so small a network


@every_network
def test_evaluation_gives_the_same_twice(case):
    model = built(case)
    first, second = answers(model, case), answers(model, case)
    assert all(torch.equal(one, other) for one, other in zip(first, second, strict=True))


@every_network
def test_a_saved_network_is_built_again_from_its_file(case, tmp_path):
    model = stirred(built(case))
    torch.save(model.state_dict(), tmp_path / "best.pt")
    for source in (tmp_path / "best.pt", tmp_path):
        again = built(case, weights=source)
        assert all(torch.equal(one, other) for one, other in zip(answers(model, case), answers(again, case), strict=True))


@every_network
def test_weights_of_another_network_are_refused_with_names(case, tmp_path):
    torch.save({"somebody.else": torch.zeros(3), "second": torch.ones(2)}, tmp_path / "other.pt")
    with pytest.raises(WeightsError, match=r"other\.pt does not fit (?s:.*)(missing|Missing)"):
        built(case, weights=tmp_path / "other.pt")


@every_network
def test_the_licences_of_code_and_weights_are_told(case):
    found = network_licences(case.settings)
    assert found.code
    assert found.weights


@every_network
def test_another_number_of_channels_is_refused(case):
    with pytest.raises((DataError, RuntimeError)):
        built(case)(pictures(case, channels=7))


@pytest.mark.parametrize("case", SEGMENTATION, ids=str)
def test_a_network_takes_as_many_channels_as_its_description_says(case):
    model = built(case, in_channels=5).eval()
    with torch.inference_mode():
        assert model(pictures(case, 1, channels=5)).shape == (1, 3, *case.size)
    with pytest.raises(DataError, match=r"expected \(N, 5, H, W\)"):
        model(pictures(case, 1))


@pytest.mark.parametrize(("name", "hint"), [("unett", "unet"), ("atention_unet", "attention_unet"), ("UnetAttention", "UNetAttention")])
def test_an_unknown_name_is_told_the_nearest(name, hint):
    with pytest.raises(ConfigError, match=f"no network '{name}'.*(?i:'{hint}')"):
        build_network(name, outputs=2)


@pytest.mark.parametrize(("name", "library"), [("resnet50", "torchvision"), ("convnext_tiny.fb_in22k", "timm"), ("timm/resnet18", "timm")])
def test_the_name_of_a_classifier_is_told_how_it_is_chosen(name, library):
    told = f"no network '{name}'. {name} is a classifier of {library}, which is chosen as network: {{name: classifier, network: {name}}}"
    with pytest.raises(ConfigError, match=re.escape(told)):
        build_network(name, outputs=2)
    with pytest.raises(ConfigError, match=re.escape(told)):
        TrainConfig.make(network={"name": name, "weights": "pretrained"})


def test_an_unknown_setting_is_told_the_nearest():
    with pytest.raises(ConfigError, match=r"widht.*width"):
        build_network({"name": "unet", "widht": 8}, outputs=2)


def test_a_network_for_another_task_is_refused():
    with pytest.raises(ConfigError, match="'unet' is a network for segmentation; for classification there are: classifier"):
        build_network("unet", outputs=2, task="classification")


def test_a_whole_network_has_no_pretrained_weights():
    with pytest.raises(WeightsError, match="no pretrained weights for the whole network unet"):
        build_network({"name": "unet", "weights": "pretrained"}, outputs=2)


def test_the_head_is_new_where_the_classes_are_others(tmp_path):
    source = build_network({"name": "unet", "width": 4}, outputs=2)
    torch.save(source.state_dict(), tmp_path / "a.pt")
    model = build_network({"name": "unet", "width": 4, "weights": tmp_path / "a.pt"}, outputs=5)
    assert torch.equal(model.network.encoder.levels[0][0].weight, source.network.encoder.levels[0][0].weight)
    assert model.network.segmentation_head.weight.shape[0] == 5
