"""Tiny datasets with real picture files, quick to make and the same every time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from PIL import Image

from burnish.data.dataset import Dataset, make_dataset
from burnish.media.colours import class_colour

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

SIZE: Final = (32, 24)
"""Width and height of the pictures."""


def write_picture(path: Path, seed: int = 0, size: tuple[int, int] = SIZE) -> None:
    """Write a picture with coarse random structure, which survives JPEG; another seed gives a picture that nobody takes for a copy."""
    coarse = np.random.default_rng(seed).integers(0, 255, (4, 4, 3), dtype=np.uint8)
    _save(path, np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)))


def write_class_picture(path: Path, name: str, seed: int = 0, size: tuple[int, int] = SIZE) -> None:
    """Write a picture that tells its class: a wavy surface in the class's own colour, no two alike."""
    draw = np.random.default_rng(seed)
    height, width = size[1], size[0]
    coarse = draw.integers(-60, 60, (4, 4), dtype=np.int16).astype(np.float32)
    waves = np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))
    colour = np.array(class_colour(name), dtype=np.float32) + draw.uniform(-20, 20, 3)
    _save(path, np.clip(colour + waves[..., None] + draw.normal(0, 8, (height, width, 3)), 0, 255).astype(np.uint8))


def boxes_dataset(root: Path, pictures: int = 4, classes: Sequence[str] = ("car", "person")) -> Dataset:
    """Pictures of 32 x 24 with two boxes each, classes in turn.

    Args:
        root: Where the pictures go, below images/.
        pictures: How many.
        classes: Names of the classes.
    """
    ids = list(range(1, pictures + 1))
    for number in range(pictures):
        write_picture(root / f"images/{number}.jpg", number)
    boxes = pl.DataFrame(
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
    )
    return _made(root, [f"images/{n}.jpg" for n in range(pictures)], boxes, classes)


def tags_dataset(root: Path, labels: Sequence[str]) -> Dataset:
    """One picture of 32 x 24 for each label, below images/; the picture does not tell the label."""
    names = list(dict.fromkeys(labels))
    ids = list(range(1, len(labels) + 1))
    for number in ids:
        write_picture(root / f"images/{number}.jpg", number)
    tags = pl.DataFrame({"id": ids, "image": ids, "class": [names.index(label) for label in labels], "kind": ["tag"] * len(ids)})
    return _made(root, [f"images/{n}.jpg" for n in ids], tags, names)


def labels_folder(root: Path, labels: Sequence[str], *, wrong: Mapping[int, str] | None = None, seed: int = 0) -> Path:
    """A folder with images/ and labels.jsonl, in which each picture tells its class, as `burnish audit` needs it.

    Args:
        root: The folder to make.
        labels: True class of each picture.
        wrong: Label to write instead, by the picture's index.
        seed: Another seed gives other pictures.

    Returns:
        The folder.
    """
    lines: list[dict[str, str]] = []
    for index, label in enumerate(labels):
        write_class_picture(root / f"images/{index:03d}.jpg", label, seed * 100_003 + index)
        lines.append({"image": f"images/{index:03d}.jpg", "label": (wrong or {}).get(index, label)})
    write_lines(root / "labels.jsonl", lines)
    return root


def write_lines(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    """Write JSON objects, one a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def _made(root: Path, paths: Sequence[str], annotations: pl.DataFrame, names: Sequence[str]) -> Dataset:
    ids, number = list(range(1, len(paths) + 1)), len(paths)
    return make_dataset(
        root,
        media=pl.DataFrame({"id": ids, "path": list(paths)}),
        images=pl.DataFrame({"id": ids, "media": ids, "width": [SIZE[0]] * number, "height": [SIZE[1]] * number}),
        annotations=annotations,
        classes=pl.DataFrame({"id": list(range(len(names))), "name": list(names)}),
    )


def _save(path: Path, pixels: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, quality=95)
