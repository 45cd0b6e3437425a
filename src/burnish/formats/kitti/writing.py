"""Writing KITTI: a text file of boxes for each picture, in a folder for each split."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from burnish.data.findings import join_findings
from burnish.engine.files import write_text
from burnish.formats.carrying import lost_annotations, not_carried
from burnish.formats.decimals import decimal_text, exact
from burnish.formats.escapes import escaped
from burnish.formats.indexed import colour_channels, voc_colour
from burnish.formats.kitti.layout import FOLDERS, LABEL_COLOURS, LABELS, PICTURES
from burnish.formats.kitti.lines import ATTRIBUTES, fits, line_text
from burnish.formats.placing import HowPlaced, distinct_paths, place_media, target_paths

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from burnish.data.dataset import Dataset

CARRIES: Final = frozenset({"box", "occluded", "score", "split", "colour"})
"""Attributes that a line has a place for are carried too: see `ATTRIBUTES`."""

_CORNERS: Final = ("x1", "y1", "x2", "y2")
_WHOLE: Final = pl.all_horizontal(pl.col(*_CORNERS).is_finite().fill_null(value=False))


def write(dataset: Dataset, folder: Path, *, media: HowPlaced = "copy") -> pl.DataFrame:
    """Write boxes as lines; pictures without a box have an empty file, and those without a split lie in the folder itself.

    Returns:
        Findings on what is not carried, for instance masks.
    """
    targets = _targets(dataset)
    placed = place_media(dataset, folder, targets, media)
    told = _attributes(dataset)
    names = dataset.class_names()
    rows_of = dataset.annotations.filter((pl.col("kind") == "box") & _WHOLE).partition_by("image", as_dict=True, maintain_order=True)
    for image, target in targets.items():
        rows = rows_of[image,].to_dicts() if (image,) in rows_of else []
        lines = [_line(row, names, told.get(row["id"], {})) for row in rows]
        write_text(folder / _label_path(target), "".join(lines))
    write_text(folder / LABEL_COLOURS, _label_colours(dataset))
    return join_findings(placed, _losses(dataset))


def _targets(dataset: Dataset) -> dict[int, str]:
    """Each picture below the folder of its split, without the format's own folders in its old path."""
    splits = dict(dataset.scan("images", "id", "split").collect().iter_rows())
    wanted: dict[int, str] = {}
    for image, path in target_paths(dataset).items():
        home = FOLDERS.get(splits[image] or "", (splits[image] or "").replace("/", "_"))
        inner = path.rpartition(f"{PICTURES}/")[2]
        wanted[image] = posixpath.join(home, PICTURES, inner)
    return distinct_paths(wanted, one_stem=True)


def _label_path(target: str) -> str:
    head, _, inner = target.partition(f"{PICTURES}/")
    return f"{head}{LABELS}/{posixpath.splitext(inner)[0]}.txt"


def _line(row: Mapping[str, Any], names: Mapping[int, str], told: Mapping[str, str]) -> str:
    corners = [decimal_text(exact(row[side])) for side in _CORNERS]
    score = None if row["score"] is None else decimal_text(exact(row["score"]))
    return line_text(names.get(row["class"]), corners, told, occluded=row["occluded"], score=score)


def _attributes(dataset: Dataset) -> dict[int, dict[str, str]]:
    told: dict[int, dict[str, str]] = {}
    for annotation, name, value in dataset.attributes.select("annotation", "name", "value").iter_rows():
        told.setdefault(annotation, {})[name] = value
    return told


def _label_colours(dataset: Dataset) -> str:
    rows: Sequence[tuple[str, str | None]] = dataset.classes.select("name", "colour").rows()
    lines = ["0 0 0 background"]
    for number, (name, colour) in enumerate(rows, start=1):
        channels = colour_channels(colour) if colour else voc_colour(number)
        lines.append(f"{' '.join(map(str, channels))} {escaped(name)}")
    return "\n".join(lines) + "\n"


def _losses(dataset: Dataset) -> pl.DataFrame:
    """What has no place: other attributes, values that are no numbers, and boxes without corners."""
    kept = [key in ATTRIBUTES and fits(key, value) for key, value in dataset.attributes.select("name", "value").iter_rows()]
    others = dataset.attributes.filter(~pl.Series(kept, dtype=pl.Boolean))
    broken = dataset.annotations.filter((pl.col("kind") == "box") & ~_WHOLE)
    return join_findings(
        not_carried(dataset.with_tables(attributes=others), "kitti", CARRIES),
        lost_annotations(broken, "A corner of the box is missing or not finite, so there is nothing to write."),
    )
