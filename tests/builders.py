"""Small datasets for tests, with real picture files."""

from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

from burnish.data.dataset import Dataset, make_dataset


def write_picture(path: Path, seed: int = 0, size: tuple[int, int] = (32, 24)) -> None:
    """A picture with coarse random structure, which survives JPEG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(seed).integers(0, 255, (4, 4, 3), dtype=np.uint8)
    Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(path, quality=95)


def boxes_dataset(root: Path, pictures: int = 4, classes: tuple[str, ...] = ("car", "person")) -> Dataset:
    """Pictures of 32 x 24 with two boxes each, classes in turn."""
    for number in range(pictures):
        write_picture(root / f"images/{number}.jpg", number)
    ids = list(range(1, pictures + 1))
    return make_dataset(
        root,
        media=pl.DataFrame({"id": ids, "path": [f"images/{n}.jpg" for n in range(pictures)]}),
        images=pl.DataFrame({"id": ids, "media": ids, "width": [32] * pictures, "height": [24] * pictures}),
        annotations=pl.DataFrame(
            {
                "id": list(range(1, 2 * pictures + 1)),
                "image": [i for i in ids for _ in range(2)],
                "class": [n % len(classes) for n in range(2 * pictures)],
                "kind": ["box"] * (2 * pictures),
                "x1": [2.0, 10.5] * pictures,
                "y1": [3.0, 4.0] * pictures,
                "x2": [9.0, 30.25] * pictures,
                "y2": [12.0, 20.0] * pictures,
            }
        ),
        classes=pl.DataFrame({"id": list(range(len(classes))), "name": list(classes)}),
    )


def tags_dataset(root: Path, labels: list[str]) -> Dataset:
    """One picture a label."""
    names = list(dict.fromkeys(labels))
    ids = list(range(1, len(labels) + 1))
    for number in ids:
        write_picture(root / f"images/{number}.jpg", number)
    return make_dataset(
        root,
        media=pl.DataFrame({"id": ids, "path": [f"images/{n}.jpg" for n in ids]}),
        images=pl.DataFrame({"id": ids, "media": ids, "width": [32] * len(ids), "height": [24] * len(ids)}),
        annotations=pl.DataFrame({"id": ids, "image": ids, "class": [names.index(label) for label in labels], "kind": ["tag"] * len(ids)}),
        classes=pl.DataFrame({"id": list(range(len(names))), "name": names}),
    )
