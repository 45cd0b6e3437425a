"""Small tasks that a network can learn in a moment."""

import numpy as np
import pytest
from PIL import Image

import burnish

torch = pytest.importorskip("torch")
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def coloured():
    """120 noisy pictures of 16 x 16 pixels in three colours, and their classes; the third class is rare."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [60, 48, 12])
    pixels = rng.integers(0, 120, (len(labels), 16, 16, 3), dtype=np.uint8)
    pixels[np.arange(len(labels)), :, :, labels] += 100
    order = rng.permutation(len(labels))
    return pixels[order], labels[order]


def _discs(folder, count, *, seed, side=32, split=None):
    """Bright discs on dark noise, with their masks, as pictures and mask pictures."""
    rng = np.random.default_rng(seed)
    for name in ("images", "masks"):
        (folder / name / (split or "")).mkdir(parents=True, exist_ok=True)
    rows, columns = np.mgrid[:side, :side]
    for number in range(count):
        y, x, radius = [*rng.integers(8, side - 8, 2).tolist(), int(rng.integers(4, 8))]
        disc = (rows - y) ** 2 + (columns - x) ** 2 <= radius**2
        picture = rng.integers(0, 60, (side, side, 3)) + disc[..., None] * 150
        Image.fromarray(picture.astype(np.uint8)).save(folder / "images" / (split or "") / f"{number}.png")
        Image.fromarray(disc.astype(np.uint8) * 255).save(folder / "masks" / (split or "") / f"{number}.png")
    return folder


@pytest.fixture(scope="session")
def discs(tmp_path_factory):
    """16 pictures to train on and 4 to test, with binary masks."""
    folder = tmp_path_factory.mktemp("discs")
    _discs(folder, 16, seed=1, split="train")
    _discs(folder, 4, seed=2, split="test")
    return burnish.open(folder)


@pytest.fixture
def make_discs(tmp_path):
    return lambda name, count, **more: _discs(tmp_path / name, count, **{"seed": 5, **more})


@pytest.fixture(scope="session")
def colours(tmp_path_factory):
    """Folders of red, green and blue pictures."""
    folder = tmp_path_factory.mktemp("colours")
    rng = np.random.default_rng(3)
    for place, name in enumerate(("red", "green", "blue")):
        (folder / name).mkdir()
        for number in range(8):
            picture = rng.integers(0, 90, (16, 16, 3))
            picture[..., place] += 140
            Image.fromarray(picture.astype(np.uint8)).save(folder / name / f"{number}.png")
    return burnish.open(folder)
