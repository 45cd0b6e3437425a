"""Writing LabelMe's JSON files beside the pictures."""

from __future__ import annotations

import base64
import json
import posixpath
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import polars as pl

from burnish.data.dataset import extra_fields
from burnish.data.findings import join_findings
from burnish.engine.files import write_text
from burnish.formats.carrying import lost_annotations, not_carried
from burnish.formats.escapes import write_names
from burnish.formats.labelme.reading import LABELS
from burnish.formats.labelme.shapes import KINDS, points_text, usual_type, writable
from burnish.formats.placing import HowPlaced, place_media, target_paths

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from burnish.data.dataset import Dataset

CARRIES: Final = frozenset({*KINDS, "tag", "score", "group", "attributes"})

_VERSION: Final = "5.5.0"
_BOOLEANS: Final = {"true": True, "false": False}


class _Known(NamedTuple):
    """What the files need beside the annotations: names by class, attributes by annotation, extras by row."""

    names: Mapping[int, str]
    attributes: Mapping[int, Mapping[str, str]]
    images: Mapping[int | None, dict[str, Any]]
    annotations: Mapping[int | None, dict[str, Any]]


def write(dataset: Dataset, folder: Path, *, media: HowPlaced = "copy", embed: bool = False) -> pl.DataFrame:
    """Write a JSON file for every picture, and labels.txt.

    Args:
        dataset: What to write.
        folder: The folder to fill.
        media: Whether pictures are copied, linked or left.
        embed: Whether each JSON file holds its picture too (imageData).

    Returns:
        Findings on what is not carried, for instance ellipses that are no circles.
    """
    targets = target_paths(dataset, one_stem=True)
    placed = place_media(dataset, folder, targets, media)
    known = _known(dataset)
    rows_of = dataset.annotations.partition_by("image", as_dict=True, maintain_order=True)
    sources = dict(dataset.image_files().select("image", "path").iter_rows())
    lost: list[int] = []
    for image, width, height in dataset.images.select("id", "width", "height").iter_rows():
        rows = rows_of[image,].to_dicts() if (image,) in rows_of else []
        shapes = [row for row in rows if row["kind"] in KINDS]
        lost += [row["id"] for row in shapes if not _fits(row, (width, height))]
        kept = [_shape_text(row, (width, height), known) for row in shapes if _fits(row, (width, height))]
        about: dict[str, Any] = {
            "imagePath": PurePosixPath(targets[image]).name,
            "imageData": _embedded(dataset.root / sources[image]) if embed else None,
            "imageHeight": height,
            "imageWidth": width,
        }
        text = _file_text(about, _flags(rows, known, image), kept, known.images.get(image, {}))
        write_text(folder / (posixpath.splitext(targets[image])[0] + ".json"), text)
    write_names(folder / LABELS, dataset.class_names().values())
    reason = "LabelMe has no place for this shape: turned, of several rings, empty, no circle, or a corner is missing or not finite."
    unwritable = lost_annotations(dataset.annotations.filter(pl.col("id").is_in(lost)), reason)
    return join_findings(placed, unwritable, not_carried(dataset, "labelme", CARRIES | {"parts", "rotation"}))


def _fits(row: Mapping[str, Any], size: tuple[int | None, int | None]) -> bool:
    return writable(row) and (row["kind"] != "mask" or None not in size)


def _known(dataset: Dataset) -> _Known:
    attributes: dict[int, dict[str, str]] = {}
    for annotation, name, value in dataset.attributes.select("annotation", "name", "value").iter_rows():
        attributes.setdefault(annotation, {})[name] = value
    images, annotations = (extra_fields(dataset, "labelme", table) for table in ("images", "annotations"))
    return _Known(dataset.class_names(), attributes, images, annotations)


def _flags(rows: Sequence[Mapping[str, Any]], known: _Known, image: int) -> dict[str, Any]:
    tags = {known.names[row["class"]]: True for row in rows if row["kind"] == "tag" and row["class"] is not None}
    return {**known.images.get(image, {}).get("flags", {}), **tags}


def _shape_text(row: Mapping[str, Any], size: tuple[int | None, int | None], known: _Known) -> str:
    """One shape; its numbers are texts with their own digits, which json.dumps would turn into doubles."""
    points, mask = points_text(row, size)
    extras = known.annotations.get(row["id"], {})
    attributes = known.attributes.get(row["id"], {})
    flags = {name: _BOOLEANS[value] for name, value in attributes.items() if value in _BOOLEANS}
    others = {name: value for name, value in attributes.items() if name not in flags}
    fields: dict[str, Any] = {
        "label": None if row["class"] is None else known.names[row["class"]],
        "group_id": row["group"] or None,
        "shape_type": usual_type(row),
        "flags": flags,
        **({"mask": mask} if mask is not None else {}),
        **({"score": row["score"]} if row["score"] is not None else {}),
        **({"attributes": others} if others else {}),
        **extras,
    }
    text = json.dumps(fields, ensure_ascii=False)
    return f'{{"points": {points}, {text[1:]}'


def _file_text(about: Mapping[str, Any], flags: Mapping[str, Any], shapes: Sequence[str], kept: Mapping[str, Any]) -> str:
    broken = [json.dumps(shape, ensure_ascii=False) for shape in kept.get("shapes", [])]
    fields = {**about, **{key: value for key, value in kept.items() if key not in {"flags", "shapes"}}}
    listed = ",\n    ".join([*shapes, *broken])
    rest = json.dumps(fields, ensure_ascii=False, indent=2)[2:]
    head = f'{{\n  "version": "{_VERSION}",\n  "flags": {json.dumps(dict(flags), ensure_ascii=False)},\n'
    return f'{head}  "shapes": [\n    {listed}\n  ],\n{rest}\n' if listed else f'{head}  "shapes": [],\n{rest}\n'


def _embedded(path: Path) -> str | None:
    return base64.b64encode(path.read_bytes()).decode("ascii") if path.is_file() else None
