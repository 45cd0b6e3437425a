"""Embedders are the real model classes, built tiny with random weights, saved as their libraries save them, and loaded back."""

import json

import numpy as np
import pytest
import timm
import torch
from timm.data import create_transform, resolve_model_data_config
from timm.models import save_for_hf

from burnish.errors import ConfigError, ModelError, WeightsError
from burnish.models.embedders import load_embedder
from burnish.models.protocols import Embedder

transformers = pytest.importorskip("transformers")

TINY = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
VISION = {**TINY, "image_size": 32, "patch_size": 8}
TEXT = {**TINY, "vocab_size": 50, "bos_token_id": 1, "eos_token_id": 2}


@pytest.fixture(autouse=True)
def quiet():
    transformers.utils.logging.disable_progress_bar()


def pictures():
    return np.random.default_rng(0).integers(0, 256, (5, 40, 50, 3), dtype=np.uint8)


def saved(folder, model, side=32):
    model.save_pretrained(folder)
    size = {"height": side, "width": side}
    transformers.BitImageProcessor(size={"shortest_edge": side}, crop_size=size).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def dinov2(tmp_path_factory):
    transformers.utils.logging.disable_progress_bar()
    torch.manual_seed(0)
    config = transformers.Dinov2Config(**TINY, image_size=56, patch_size=14)
    return saved(tmp_path_factory.mktemp("dinov2"), transformers.Dinov2Model(config), side=56)


def test_dinov2_gives_the_class_token_of_its_own_preprocessing(dinov2):
    model = transformers.Dinov2Model.from_pretrained(dinov2).eval()
    inputs = transformers.AutoImageProcessor.from_pretrained(dinov2)(images=list(pictures()), return_tensors="pt")
    with torch.inference_mode():
        expected = model(**inputs).last_hidden_state[:, 0].numpy()
    embedder = load_embedder(dinov2, device="cpu", batch_size=2)
    assert isinstance(embedder, Embedder)
    assert embedder.embed(pictures()) == pytest.approx(expected, abs=1e-5)


def test_pictures_may_differ_in_size(dinov2):
    embedder = load_embedder(dinov2, device="cpu")
    mixed = [pictures()[0], pictures()[1, :20], pictures()[2, :, :9]]
    vectors = embedder.embed(mixed)
    assert vectors.shape == (3, embedder.dimension)
    assert vectors[0] == pytest.approx(embedder.embed(pictures()[:1])[0], abs=1e-5)


def test_no_pictures_give_no_vectors(dinov2):
    assert load_embedder(dinov2, device="cpu").embed([]).shape == (0, 32)


def clip():
    return transformers.CLIPModel(transformers.CLIPConfig(text_config=TEXT, vision_config=VISION, projection_dim=16))


def siglip():
    return transformers.SiglipModel(transformers.SiglipConfig(text_config=TEXT, vision_config=VISION))


def clip_vision():
    return transformers.CLIPVisionModel(transformers.CLIPVisionConfig(**VISION))


def convnext():
    return transformers.ConvNextModel(transformers.ConvNextConfig(hidden_sizes=[8, 12, 16, 24], depths=[1, 1, 1, 1]))


@pytest.mark.parametrize(("build", "dimension"), [(clip, 16), (siglip, 32), (clip_vision, 32), (convnext, 24)])
def test_other_families_load_from_a_folder(tmp_path, build, dimension):
    embedder = load_embedder(saved(tmp_path, build()), device="cpu")
    assert embedder.embed(pictures()).shape == (5, dimension)


def test_a_pooling_that_was_never_trained_is_not_used(tmp_path):
    torch.manual_seed(0)
    classifier = transformers.ViTForImageClassification(transformers.ViTConfig(**VISION))
    first, second = (load_embedder(saved(tmp_path, classifier), device="cpu").embed(pictures()) for _ in range(2))
    assert np.array_equal(first, second)


def test_a_masked_autoencoder_is_refused_because_it_looks_elsewhere_each_time(tmp_path):
    config = transformers.ViTMAEConfig(**VISION, decoder_hidden_size=16, decoder_num_hidden_layers=1, decoder_num_attention_heads=2)
    folder = saved(tmp_path, transformers.ViTMAEModel(config))
    with pytest.raises(ModelError, match="other vectors each time"):
        load_embedder(folder, device="cpu")


def test_timm_loads_from_a_folder_and_from_a_file_with_its_own_preprocessing(tmp_path):
    torch.manual_seed(0)
    network = timm.create_model("test_vit", num_classes=7).eval()
    save_for_hf(network, tmp_path / "folder", safe_serialization=True)
    torch.save(network.state_dict(), tmp_path / "file.pth")
    transform = create_transform(**resolve_model_data_config(network), is_training=False)
    network.reset_classifier(0)
    from PIL import Image  # noqa: PLC0415 - the oracle of this test alone

    with torch.inference_mode():
        expected = network(torch.stack([transform(Image.fromarray(picture)) for picture in pictures()])).numpy()
    assert load_embedder(tmp_path / "folder", device="cpu").embed(pictures()) == pytest.approx(expected, abs=1e-5)
    assert load_embedder(tmp_path / "file.pth", name="test_vit", device="cpu").embed(pictures()) == pytest.approx(expected, abs=1e-5)


def test_a_file_alone_asks_for_the_network(tmp_path):
    torch.save({"a": torch.zeros(1)}, tmp_path / "a.pth")
    with pytest.raises(WeightsError, match=r"holds weights alone\. Say which network"):
        load_embedder(tmp_path / "a.pth")


def test_a_folder_without_a_config_says_what_is_missing(tmp_path):
    with pytest.raises(WeightsError, match=r"no config\.json"):
        load_embedder(tmp_path)


def test_a_folder_without_its_preprocessing_is_refused(tmp_path):
    folder = saved(tmp_path, clip_vision())
    (folder / "preprocessor_config.json").unlink()
    with pytest.raises(WeightsError, match=r"no preprocessor_config\.json"):
        load_embedder(folder, device="cpu")


def test_weights_that_lack_a_part_are_refused(tmp_path):
    folder = saved(tmp_path, transformers.CLIPVisionModel(transformers.CLIPVisionConfig(**VISION)))
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 2}), encoding="utf-8")
    with pytest.raises(WeightsError, match="lacks 16 tensors"):
        load_embedder(folder, device="cpu")


def test_a_hub_name_without_a_network_says_how_to_bring_it(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(WeightsError, match=r"no copy of the model someone/never-downloaded.*hf download someone/never-downloaded"):
        load_embedder("someone/never-downloaded")


def test_what_is_neither_name_nor_folder_nor_file_is_refused():
    with pytest.raises(ConfigError, match="'nothing' is no embedder"):
        load_embedder("nothing")
