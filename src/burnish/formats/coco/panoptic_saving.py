"""Writing panoptic COCO: a PNG of segment numbers for each picture, beside a JSON file for each split."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import orjson
import polars as pl

from burnish.data.dataset import extra_fields
from burnish.data.findings import finding, findings_table, join_findings
from burnish.engine.files import write_bytes
from burnish.errors import DataError
from burnish.formats.carrying import not_carried
from burnish.formats.coco.heads import picture_records, split_file, splits_of, top_fields
from burnish.formats.coco.layout import source_of
from burnish.formats.painting import PAINTED, Layers, Painted, PaintOrder, covered_findings, layers_of, paint_objects, rasterised_findings
from burnish.geometry import masks
from burnish.media.images import encode_png

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from burnish.data.dataset import Dataset

CARRIES: Final = frozenset({"mask", "polygon", "parts", "split", "superclass", "colour", "z_order", "priority", "crowd"})


class _Writing(NamedTuple):
    """What all pictures share."""

    folder: Path
    layers: Layers
    stuff: frozenset[int]


def write_panoptic(
    dataset: Dataset, folder: Path, names: Mapping[int, str], *, paint: PaintOrder = "priority", stuff: Sequence[str] = ()
) -> pl.DataFrame:
    """Write annotations/panoptic_SPLIT.json, and a PNG for each picture into annotations/panoptic_SPLIT/.

    The number of a pixel's segment is red + 256 green + 65536 blue, 0 where nothing is labelled or it is not clear what is there.

    Args:
        dataset: Its masks, polygons, ellipses and boxes are painted.
        folder: The folder to fill.
        names: File name of each picture, by image id.
        paint: What decides first where objects overlap, the priority of classes or the z order of objects.
        stuff: Classes whose objects are not told apart, such as road or sky: one segment a picture. So are those that a COCO file
            called no things.

    Returns:
        Findings: covered pixels, and what is not carried.

    Raises:
        DataError: There is no class of a name.
    """
    writing_stuff = _stuff(dataset, stuff)
    rows_of = dataset.annotations.filter(pl.col("kind").cast(pl.String).is_in(PAINTED)).partition_by(
        "image", as_dict=True, maintain_order=True
    )
    top = top_fields(dataset)
    top["categories"] = [{**category, "isthing": int(category["id"] not in writing_stuff)} for category in top["categories"]]
    found: list[dict[str, Any]] = []
    for split in splits_of(dataset):
        file = folder / "annotations" / split_file("panoptic", split)
        images = dataset.images.filter(pl.col("split").eq_missing(pl.lit(split)))
        writing = _Writing(file.with_suffix(""), layers_of(dataset, paint), writing_stuff)
        entries: list[dict[str, Any]] = []
        for image, width, height in images.select("id", "width", "height").iter_rows():
            rows = rows_of[image,].to_dicts() if (image,) in rows_of else []
            if width is None or height is None:
                found.append(finding("not_carried", "The size of the picture is not known, so there are no segments of it.", image=image))
                continue
            painted = paint_objects(rows, (width, height), writing.layers)
            found += covered_findings(painted)
            entries.append(_entry(image, names[image], painted, writing))
        pictures = picture_records(dataset, images, names, source_of(file).split)
        write_bytes(file, orjson.dumps({**top, "images": pictures, "annotations": entries}, option=orjson.OPT_NON_STR_KEYS))
    return join_findings(findings_table(found), rasterised_findings(dataset), not_carried(dataset, "coco", CARRIES))


def _stuff(dataset: Dataset, names: Sequence[str]) -> frozenset[int]:
    known = {name: number for number, name in dataset.class_names().items()}
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise DataError(f"Classes that are to be stuff are not among those that are written: {unknown}.", table="classes")
    told = {number for number, fields in extra_fields(dataset, "coco", "classes").items() if fields.get("isthing") == 0}
    return frozenset({known[name] for name in names} | {number for number in told if number is not None})


def _entry(image: int, name: str, painted: Painted, writing: _Writing) -> dict[str, Any]:
    """One picture's PNG and its record."""
    numbers = _numbers(painted, writing.stuff)
    values = np.array([0, *numbers], dtype=np.int64)[painted.owners]
    inner = posixpath.splitext(name)[0] + ".png"
    coloured = np.stack([values & 255, values >> 8 & 255, values >> 16], axis=2).astype(np.uint8)
    write_bytes(writing.folder / inner, encode_png(coloured))
    return {"image_id": image, "file_name": inner, "segments_info": list(_segments(painted, numbers, values))}


def _numbers(painted: Painted, stuff: frozenset[int]) -> list[int]:
    """Number of each painted object's segment from 1; objects of one class of stuff share one, what has no class has 0."""
    first: dict[int, int] = {}
    numbers: list[int] = []
    for place, row in enumerate(painted.rows, start=1):
        number = row["class"]
        numbers.append(0 if number is None else first.setdefault(number, place) if number in stuff else place)
    return numbers


def _segments(painted: Painted, numbers: Sequence[int], values: np.ndarray[Any, np.dtype[np.int64]]) -> Iterator[dict[str, Any]]:
    for number in sorted(set(numbers) - {0}):
        pixels = values == number
        if not pixels.any():
            continue
        x1, y1, x2, y2 = masks.box(pixels)[0].astype(int).tolist()
        row = painted.rows[number - 1]
        yield {
            "id": number,
            "category_id": row["class"],
            "area": int(np.count_nonzero(pixels)),
            "bbox": [x1, y1, x2 - x1, y2 - y1],
            "iscrowd": int(row["crowd"]),
        }
