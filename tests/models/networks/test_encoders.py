"""Encoders take weights from every source, are frozen wholly, and bring their own normalisation."""

import pytest
import timm
import torch
from network_builders import DECODERS, pictures, smp

from burnish.errors import ConfigError, WeightsError
from burnish.models.networks.building import build_network, network_licences
from burnish.models.networks.encoders import find_encoder, normalisation_of

SIZE = (40, 48)


def unet(encoder, **more):
    settings = {"name": "smp", "encoder": encoder, "options": {"decoder_channels": (16, 8, 8, 8, 8)}, **more}
    return build_network(settings, outputs=2, image_size=SIZE)


@pytest.fixture
def offline(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("resnet34", "resnet34"),
        ("timm/resnet34", "tu-resnet34"),
        ("tu-resnet34", "tu-resnet34"),
        ("convnext_tiny", "tu-convnext_tiny"),
        ("efficientnet-b0", "efficientnet-b0"),
    ],
)
def test_names_of_smp_come_first_and_a_prefix_takes_those_of_timm(name, found):
    assert find_encoder(name) == found


def test_an_unknown_encoder_is_told_the_nearest():
    with pytest.raises(ConfigError, match=r"no encoder 'resnet33'\. Did you mean .*resnet34"):
        unet("resnet33")


def test_a_network_without_halved_features_is_no_encoder_of_a_unet():
    with pytest.raises(ConfigError, match="decoder unet cannot stand on the encoder 'timm/test_vit'"):
        unet("timm/test_vit")


@pytest.mark.parametrize("source", ["file", "folder"])
@pytest.mark.parametrize("in_channels", [3, 1])
def test_a_timm_encoder_takes_the_weights_of_its_classifier(tmp_path, source, in_channels):
    torch.manual_seed(1)
    whole = timm.create_model("test_resnet", num_classes=7)
    torch.save(whole.state_dict(), tmp_path / "model.pth")
    weights = tmp_path if source == "folder" else tmp_path / "model.pth"
    model = unet("timm/test_resnet", encoder_weights=weights, in_channels=in_channels)
    assert torch.equal(model.network.encoder.model.layer2[0].conv1.weight, whole.layer2[0].conv1.weight)
    if in_channels == 1:
        first = next(model.network.encoder.parameters())
        assert torch.allclose(first, next(whole.parameters()).sum(1, keepdim=True), atol=1e-6)


def test_an_encoder_of_smp_takes_the_weights_of_its_classifier(tmp_path):
    torch.manual_seed(1)
    whole = timm.create_model("resnet18", num_classes=7)
    torch.save(whole.state_dict(), tmp_path / "resnet18.pth")
    model = unet("resnet18", encoder_weights=tmp_path / "resnet18.pth")
    assert torch.equal(model.network.encoder.layer4[0].conv1.weight, whole.layer4[0].conv1.weight)


def test_a_transformer_takes_the_weights_of_its_classifier(tmp_path):
    torch.manual_seed(1)
    whole = timm.create_model("test_vit", num_classes=7)
    torch.save(whole.state_dict(), tmp_path / "vit.pth")
    settings = {**smp("dpt").settings, "encoder_weights": tmp_path / "vit.pth"}
    model = build_network(settings, outputs=2, image_size=SIZE)
    assert torch.equal(model.network.encoder.model.blocks[0].attn.qkv.weight, whole.blocks[0].attn.qkv.weight)


@pytest.mark.parametrize("name", ["resnet18", "timm/test_resnet"])
def test_an_encoder_takes_the_weights_of_a_network_around_it(tmp_path, name):
    source = unet(name)
    torch.save(source.state_dict(), tmp_path / "a.pt")
    model = build_network({"name": "UNetAttention", "encoder_name": name, "encoder_weights": str(tmp_path / "a.pt")}, outputs=4)
    own, other = model.network.encoder.state_dict(), source.network.encoder.state_dict()
    assert all(torch.equal(own[key], other[key]) for key in own)


@pytest.mark.parametrize("name", ["resnet18", "timm/test_resnet"])
def test_encoder_weights_of_another_network_are_refused_with_names(tmp_path, name):
    torch.save(timm.create_model("test_convnext").state_dict(), tmp_path / "other.pth")
    with pytest.raises(WeightsError, match=r"other\.pth does not fit .*conv1"):
        unet(name, encoder_weights=tmp_path / "other.pth")


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("name", ["resnet18", "timm/test_resnet"])
@pytest.mark.parametrize("weights", ["pretrained", "imagenet", "somebody/something"])
def test_pretrained_weights_without_a_network_say_how_to_bring_them(name, weights):
    with pytest.raises(WeightsError, match=r"There is no copy of the weights of .*cannot be reached.*HF_HOME"):
        unet(name, encoder_weights=weights)


@pytest.mark.parametrize("decoder", DECODERS)
def test_a_frozen_encoder_stays_as_it_is_through_training(decoder):
    model = build_network({**smp(decoder).settings, "freeze_encoder": True}, outputs=2, image_size=SIZE).train()
    encoder = model.network.encoder
    before = {key: value.clone() for key, value in encoder.state_dict().items()}
    optimiser = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1, weight_decay=0.1)
    model(pictures(smp(decoder))).square().mean().backward()
    optimiser.step()
    assert not encoder.training
    assert all(torch.equal(value, before[key]) for key, value in encoder.state_dict().items())


def test_an_encoder_brings_its_own_normalisation():
    white = torch.full((1, 3, 2, 2), 255, dtype=torch.uint8)
    assert torch.allclose(normalisation_of("xception", 3)(white), torch.ones(1))
    assert torch.allclose(normalisation_of("resnet34", 3)(white)[0, :, 0, 0], torch.tensor([2.2489, 2.4286, 2.6400]), atol=1e-4)
    config = timm.get_pretrained_cfg("convnext_tiny")
    own = (torch.tensor(1.0) - torch.tensor(config.mean)) / torch.tensor(config.std)
    assert torch.allclose(normalisation_of("convnext_tiny", 3)(white)[0, :, 0, 0], own, atol=1e-5)


def test_the_deeper_stages_that_a_decoder_leaves_alone_are_not_trained():
    model = build_network({"name": "smp", "decoder": "pspnet", "encoder": "resnet18"}, outputs=2, image_size=SIZE)
    trained = {name.split(".")[2] for name, parameter in model.named_parameters() if parameter.requires_grad and ".encoder." in name}
    assert {"layer1", "layer2"} <= trained
    assert not {"layer3", "layer4"} & trained


def test_weights_that_are_not_free_are_told():
    assert "non-commercial" in network_licences({"name": "smp", "encoder": "mit_b0"}).weights
