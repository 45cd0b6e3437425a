"""Classifiers are the real networks: their heads fit, their normalisation is inside, their weights are checked."""

import pytest
import timm
import torch
from safetensors.torch import save_file
from torchvision.models import resnet18

from burnish.errors import ConfigError, WeightsError
from burnish.models.classifiers import build_classifier, licences

SMALL = "mobilenetv3_small_050"


@pytest.fixture
def offline(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    torch_home = torch.hub.get_dir()
    torch.hub.set_dir(str(tmp_path / "hub"))
    yield
    torch.hub.set_dir(torch_home)


def outputs(model, side=32):
    with torch.inference_mode():
        return model.eval()(torch.randint(0, 256, (2, 3, side, side), dtype=torch.uint8))


@pytest.mark.parametrize("name", ["ResNet18", SMALL, "small_net", "timm/test_vit"])
def test_a_network_gives_one_output_for_each_class(name):
    assert outputs(build_classifier(name, 9, image_size=(32, 32))).shape == (2, 9)


def test_pictures_are_normalised_inside():
    model = build_classifier("timm/test_vit", 3, image_size=(32, 32)).eval()
    pictures = torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8)
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (model.mean, model.std))
    with torch.inference_mode():
        assert torch.allclose(model(pictures), model.network((pictures / 255 - mean) / std), atol=1e-4)


def test_the_normalisation_of_a_network_is_its_own():
    assert build_classifier("mobilenetv3_large_100", 2, image_size=(32, 32)).mean == (0.485, 0.456, 0.406)
    assert build_classifier("timm/test_vit", 2, image_size=(32, 32)).mean == (0.5, 0.5, 0.5)


def test_a_size_that_a_network_cannot_take_is_told_before_training():
    with pytest.raises(ConfigError, match=r"alexnet cannot take pictures of 16 x 16 pixels.*resize\.size"):
        build_classifier("AlexNet", 2, image_size=(16, 16))


def test_a_torchvision_file_of_other_classes_gives_all_but_the_head(tmp_path):
    source = resnet18(num_classes=4)
    torch.save(source.state_dict(), tmp_path / "resnet18.pth")
    model = build_classifier("ResNet18", 9, weights=tmp_path / "resnet18.pth", image_size=(32, 32))
    assert torch.equal(model.network.conv1.weight, source.conv1.weight)
    assert model.network.fc.weight.shape == (9, 512)


def test_a_timm_file_of_other_classes_gives_all_but_the_head(tmp_path):
    source = timm.create_model(SMALL, num_classes=4)
    save_file(source.state_dict(), tmp_path / "model.safetensors")
    model = build_classifier(SMALL, 9, weights=tmp_path, image_size=(32, 32))
    assert torch.equal(model.network.conv_stem.weight, source.conv_stem.weight)
    assert model.network.classifier.weight.shape[0] == 9


def test_a_timm_file_of_the_same_classes_gives_the_head_too(tmp_path):
    source = timm.create_model(SMALL, num_classes=9)
    torch.save(source.state_dict(), tmp_path / "a.pth")
    model = build_classifier(SMALL, 9, weights=tmp_path / "a.pth", image_size=(32, 32))
    assert torch.equal(model.network.classifier.weight, source.classifier.weight)


def test_position_embeddings_are_fitted_to_the_picture_size(tmp_path):
    source = timm.create_model("test_vit", num_classes=4, img_size=160)
    torch.save(source.state_dict(), tmp_path / "a.pth")
    model = build_classifier("timm/test_vit", 4, weights=tmp_path / "a.pth", image_size=(96, 64))
    assert model.network.pos_embed.shape[1] < source.pos_embed.shape[1]


@pytest.mark.parametrize("name", ["ResNet18", SMALL, "small_net"])
def test_weights_of_another_network_are_refused(tmp_path, name):
    torch.save(timm.create_model("test_resnet", num_classes=4).state_dict(), tmp_path / "other.pth")
    with pytest.raises(WeightsError, match=r"other\.pth does not fit"):
        build_classifier(name, 4, weights=tmp_path / "other.pth", image_size=(32, 32))


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize(("name", "advice"), [("ResNet18", "TORCH_HOME"), ("timm/resnet18", "HF_HOME")])
def test_pretrained_weights_without_a_network_say_how_to_bring_them(name, advice):
    with pytest.raises(WeightsError, match=f"no copy of the weights.*cannot be reached.*{advice}"):
        build_classifier(name, 4, weights="pretrained")


def test_a_network_without_pretrained_weights_says_so():
    with pytest.raises(WeightsError, match="small_net has no pretrained weights"):
        build_classifier("small_net", 4, weights="pretrained")


def test_licences_of_code_and_weights_are_told():
    assert licences("timm/vit_small_patch16_dinov3").weights == "dinov3-license"
    assert licences("ResNet18").code == "BSD-3-Clause"
