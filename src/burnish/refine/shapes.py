"""A refined set as shapes to be looked at: each connected part of a mask, with its source, what made it and how sure that was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import polars as pl

from burnish.data import tables
from burnish.data.dataset import make_dataset
from burnish.data.schema import ANNOTATIONS
from burnish.geometry import masks, rle
from burnish.media.images import probe_image
from burnish.refine.sets import read_mask, read_provenance

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from burnish.data.dataset import Dataset
    from burnish.geometry.arrays import Bools
    from burnish.refine.settings import ShapesConfig

_FULL: Final = 255
_SIDES: Final = ("x1", "y1", "x2", "y2")


class Shape(NamedTuple):
    """A connected part of a soft mask: place of its class, pixels (H, W), and their mean belief from 0 to 1."""

    number: int
    pixels: Bools
    score: float


def find_shapes(beliefs: NDArray[np.uint8], config: ShapesConfig) -> Iterator[Shape]:
    """The parts of soft masks (K, H, W) that are believed enough and large enough, class by class, uppermost first."""
    for number, one in enumerate(beliefs):
        for pixels in masks.components(one >= config.threshold * _FULL, min_area=config.least):
            yield Shape(number, pixels, float(one[pixels].mean()) / _FULL)


def shapes_of(folders: Sequence[Path], config: ShapesConfig) -> Dataset:
    """Refined sets as one dataset of masks, without augmented copies.

    Masks by hand keep the source manual; all others are auto, made by the model that the provenance names.

    Args:
        folders: The sets, beside one another in one folder. Their pictures get no split, so that a server gets one task of them.
        config: Which pixels and parts count.
    """
    media: list[dict[str, Any]] = []
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    classes: tuple[str, ...] = ()
    for folder in folders:
        told = read_provenance(folder)
        classes = tuple(told["classes"])
        for row in told["pictures"]:
            if row["copy_of"] is not None:
                continue
            number, info = len(images), probe_image(folder / row["file"])
            media.append({"id": number, "path": f"{folder.name}/{row['file']}", "width": info.width, "height": info.height})
            sides = {"width": info.width, "height": info.height}
            images.append({"id": number, "media": number, **sides})
            made = {"source": "manual"} if row["origin"] == "manual" else {"source": "auto", "produced_by": told.get("model")}
            beliefs = read_mask(folder, row["name"], classes, soft=bool(told.get("soft")))
            annotations += [{"image": number, **_row(shape), **made} for shape in find_shapes(beliefs, config)]
    rows = [{"id": number, **row, **({"score": None} if row["source"] == "manual" else {})} for number, row in enumerate(annotations)]
    return make_dataset(
        folders[0].parent,
        media=pl.DataFrame(media),
        images=pl.DataFrame(images),
        annotations=tables.from_rows(ANNOTATIONS, rows),
        classes=pl.DataFrame({"id": list(range(len(classes))), "name": list(classes)}),
    )


def _row(shape: Shape) -> dict[str, Any]:
    corners = dict(zip(_SIDES, masks.box(shape.pixels)[0].tolist(), strict=True))
    return {
        "class": shape.number,
        "kind": "mask",
        **corners,
        "mask": rle.compress(rle.encode(shape.pixels)),
        "score": round(shape.score, 6),
    }
