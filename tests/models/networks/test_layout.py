"""Networks learn in the layout that is quickest for them, and say the same in either."""

import copy

import pytest
import torch
from network_builders import Case, built, pictures

from burnish.models.networks.layout import placed_to_learn

CPU = torch.device("cpu")
GROUP, BATCH = (Case({"name": "unet", "width": 4, "depth": 2, "norm": norm}) for norm in ("group", "batch"))


def layout_of_features(network, given):
    """How the features of the first convolution lie that has several."""
    found = []

    def seen(module, given, features):
        del module, given
        found.append(features.is_contiguous(memory_format=torch.channels_last) and not features.is_contiguous())

    first = next(module for module in network.modules() if isinstance(module, torch.nn.Conv2d))
    first.register_forward_hook(seen)
    network(given.to(memory_format=torch.channels_last))  # as they come from a loader
    return "channels last" if found[0] else "channels first"


@pytest.mark.parametrize(("case", "layout"), [(GROUP, "channels first"), (BATCH, "channels last")])
def test_group_normalisation_on_a_cpu_has_whole_channels_one_after_the_other(case, layout):
    assert layout_of_features(placed_to_learn(built(case), CPU), pictures(case)) == layout


def test_the_layout_changes_no_prediction():
    network = built(GROUP).eval()
    last = copy.deepcopy(network).to(memory_format=torch.channels_last)
    with torch.inference_mode():
        torch.testing.assert_close(placed_to_learn(network, CPU)(pictures(GROUP)), last(pictures(GROUP)))
