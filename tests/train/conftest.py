"""Small tasks that a network can learn in a moment."""

import numpy as np
import polars as pl
import pytest
from PIL import Image

import burnish

torch = pytest.importorskip("torch")

from burnish.data.dataset import make_dataset  # noqa: E402
from burnish.geometry import rle  # noqa: E402
from burnish.testing.datasets import labels_folder  # noqa: E402
from burnish.train.policies.settings import TrainConfig  # noqa: E402
from burnish.train.train import train  # noqa: E402

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


SIZES = ((32, 32), (40, 24), (32, 32), (48, 48))


@pytest.fixture(scope="session")
def squares():
    """Makes datasets of 16 pictures of several sizes with bright squares as masks: 8 to train, 4 to validate, 4 to test."""
    return _squares


@pytest.fixture(scope="session")
def mask_run(tmp_path_factory):
    """A dataset of one class of masks, and the run folder of a tiny U-Net that was trained on it."""
    return _trained(_squares(tmp_path_factory.mktemp("squares"), ("cell",)), tmp_path_factory.mktemp("mask_run"))


@pytest.fixture(scope="session")
def two_class_run(tmp_path_factory):
    """The same with two classes of masks."""
    return _trained(_squares(tmp_path_factory.mktemp("pairs"), ("cell", "debris")), tmp_path_factory.mktemp("two_class_run"))


@pytest.fixture(scope="session")
def overlap_run(tmp_path_factory):
    """The same where a pixel may have both classes."""
    data = {"workers": 0, "mode": "multilabel"}
    return _trained(_squares(tmp_path_factory.mktemp("overlaps"), ("cell", "debris")), tmp_path_factory.mktemp("overlap_run"), data=data)


@pytest.fixture(scope="session")
def many_tags_run(tmp_path_factory):
    """A dataset whose pictures may have several classes, and the run folder of a small classifier."""
    folder = labels_folder(tmp_path_factory.mktemp("many"), ("red", "green", "blue") * 8)
    data = {"workers": 0, "mode": "multilabel"}
    return _trained(_split(burnish.open(folder)), tmp_path_factory.mktemp("many_run"), size=24, epochs=2, data=data)


@pytest.fixture(scope="session")
def tag_run(tmp_path_factory):
    """A dataset of three colours as classes, and the run folder of a small classifier."""

    folder = labels_folder(tmp_path_factory.mktemp("tags"), ("red", "green", "blue") * 8)
    return _trained(_split(burnish.open(folder)), tmp_path_factory.mktemp("tag_run"), size=24, epochs=2)


def _trained(dataset, folder, **settings):
    network = {} if "size" in settings else {"network": {"name": "unet", "width": 4, "depth": 2}}
    chosen = {"size": 32, "epochs": 3, "batch_size": 4, "data": {"workers": 0}, "hardware": {"device": "cpu"}, **network, **settings}
    result = train(dataset, TrainConfig.make(**chosen), work=folder)
    return dataset, folder, result


def _squares(root, names, seed=0, splits=("train",) * 8 + ("val",) * 4 + ("test",) * 4):
    rng = np.random.default_rng(seed)
    media, images, annotations = [], [], []
    for number, split in enumerate(splits, start=1):
        width, height = SIZES[number % len(SIZES)]
        pixels = rng.integers(0, 60, (height, width, 3), dtype=np.uint8)
        for place in range(len(names)):
            x, y = rng.integers(0, width - 10), rng.integers(0, height - 10)
            mask = np.zeros((height, width), np.bool_)
            mask[y : y + 9, x : x + 9] = True
            pixels[mask, place] = 220
            box = {"x1": float(x), "y1": float(y), "x2": x + 9.0, "y2": y + 9.0}
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image": number,
                    "class": place + 1,
                    "kind": "mask",
                    **box,
                    "mask": rle.compress(rle.encode(mask)),
                }
            )
        Image.fromarray(pixels).save(root / f"{number}.png")
        media.append({"id": number, "path": f"{number}.png", "kind": "image"})
        images.append({"id": number, "media": number, "width": width, "height": height, "split": split})
    classes = [{"id": number, "name": name} for number, name in enumerate(names, start=1)]
    frames = {"media": media, "images": images, "annotations": annotations, "classes": classes}
    return make_dataset(root, **{name: pl.DataFrame(rows) for name, rows in frames.items()})


def _split(dataset):
    images = dataset.images.with_columns(
        pl.Series("split", [("train", "train", "val", "test")[number % 4] for number in range(dataset.images.height)])
    )
    tables = {name: getattr(dataset, name) for name in ("media", "annotations", "classes")}
    return make_dataset(dataset.root, images=images, origin=dataset.origin, **tables)
