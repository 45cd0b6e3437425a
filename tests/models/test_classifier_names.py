"""Networks are found however they are spelled."""

import pytest

from burnish.errors import ConfigError
from burnish.models.classifier_names import find_network, network_names


@pytest.mark.parametrize(
    ("written", "library", "name"),
    [
        ("EfficientNetV2_s", "torchvision", "efficientnet_v2_s"),
        ("efficientnet_v2_s", "torchvision", "efficientnet_v2_s"),
        ("ResNet18", "torchvision", "resnet18"),
        ("timm/resnet18", "timm", "resnet18"),
        ("timm/convnext_tiny", "timm", "convnext_tiny"),
        ("torchvision/ConvNeXt_Tiny", "torchvision", "convnext_tiny"),
        ("mobilenetv3_small_100", "timm", "mobilenetv3_small_100"),
        ("resnet18.a1_in1k", "timm", "resnet18.a1_in1k"),
        ("SmallNet", "burnish", "small_net"),
        ("small", "burnish", "small_net"),
    ],
)
def test_a_network_is_found(written, library, name):
    assert find_network(written) == (library, name)


def test_a_misspelled_network_is_told_the_nearest():
    with pytest.raises(ConfigError, match=r"There is no network 'EficientNetV2_s'\. Did you mean efficientnet_v2_s"):
        find_network("EficientNetV2_s")


def test_a_name_of_another_library_is_refused():
    with pytest.raises(ConfigError, match="with timm/ or torchvision/ before it"):
        find_network("keras/ResNet50")


def test_a_spelling_that_fits_two_networks_is_refused():
    with pytest.raises(ConfigError, match="regnet_x_16gf or regnet_x_1_6gf"):
        find_network("RegNetX16GF")


def test_all_names_lead_to_themselves():
    names = network_names()
    assert len(names) > 1000
    assert all(find_network(f"{library}/{name}") == (library, name) for library, name in names[:300] if library != "burnish")
