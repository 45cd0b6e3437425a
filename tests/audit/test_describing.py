"""The embedder is a real DINOv2 class, built tiny with random weights."""

import numpy as np
import pytest
import torch
from PIL import Image

import burnish
from burnish.audit.settings import DedupeConfig
from burnish.errors import ConfigError
from burnish.testing.datasets import write_picture

transformers = pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    torch.manual_seed(0)
    tiny = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    folder = tmp_path_factory.mktemp("dinov2")
    transformers.Dinov2Model(transformers.Dinov2Config(**tiny, image_size=56, patch_size=14)).save_pretrained(folder)
    size = {"height": 56, "width": 56}
    transformers.BitImageProcessor(size={"shortest_edge": 56}, crop_size=size).save_pretrained(folder)
    return folder


@pytest.fixture
def folder(tmp_path):
    for number in range(60):
        write_picture(tmp_path / f"{number:02d}.png", seed=number, size=(96, 96))
    # With its halves exchanged it is no turn, crop or scaling, so that hashes do not see it; its parts are the same.
    pixels = np.asarray(Image.open(tmp_path / "07.png"))
    Image.fromarray(np.roll(pixels, 48, axis=1)).save(tmp_path / "exchanged.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    return tmp_path


def near_pairs(folder, **config) -> set[tuple[str, str]]:
    pairs = burnish.dedupe(burnish.open(folder), DedupeConfig(**config)).pairs
    return {(first, second) for first, second in pairs.select("first", "second").iter_rows()}


def test_with_an_embedder_copies_are_found_that_hashes_do_not_see(folder, network):
    assert near_pairs(folder) == set()
    assert near_pairs(folder, embedder=str(network)) == {("07.png", "exchanged.png")}


def test_an_embedder_that_is_not_there_is_told(folder):
    with pytest.raises(ConfigError, match=r"'./nowhere' is no embedder"):
        near_pairs(folder, embedder="./nowhere")
