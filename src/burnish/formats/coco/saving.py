"""Writing COCO: one JSON file a split, with the pictures in images/.

Standard fields say what COCO can say. Columns that it has no field for go through a field "burnish" of the same row, which other tools
pass over and our reader takes back, so that nothing is lost between us.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import orjson
import polars as pl

from burnish.data.dataset import extra_fields
from burnish.data.findings import finding, findings_table, join_findings
from burnish.engine.names import safe_name
from burnish.formats.coco.categories import category_of
from burnish.formats.coco.layout import source_of
from burnish.formats.coco.objects import annotation_objects
from burnish.formats.coco.pictures import OWN_COLUMNS
from burnish.formats.placing import HowPlaced, place_media, target_paths

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from burnish.data.dataset import Dataset

NAME: Final = "coco"
_FOLDER: Final = "images"


def write(dataset: Dataset, folder: Path, *, media: HowPlaced = "copy") -> pl.DataFrame:
    """Write annotations/instances_SPLIT.json for each split, and the pictures into images/.

    Class labels of whole pictures and captions go to annotations/labels_SPLIT.json: evaluation tools expect a box of every row of an
    instances file.

    Args:
        dataset: What to write.
        folder: An empty folder, or one that is not there.
        media: Whether pictures are copied, linked, or left; where they are left, file names are as in the dataset.

    Returns:
        Findings: what other tools see less exactly ("approximated"), what is not written ("not_carried"), missing pictures.
    """
    targets = target_paths(dataset, below=_FOLDER)
    placed = place_media(dataset, folder, targets, media)
    paths = dict(dataset.image_files().select("image", "path").iter_rows())
    names = {i: paths[i] if media == "none" else target.removeprefix(_FOLDER + "/") for i, target in targets.items()}
    top = _top(dataset)
    made = annotation_objects(dataset)
    (folder / "annotations").mkdir(parents=True, exist_ok=True)
    for split in _splits(dataset):
        images = dataset.images.filter(pl.col("split").eq_missing(pl.lit(split)))
        file = _file_name("instances", split)
        picture_rows = _picture_rows(dataset, images, names, source_of(folder / file).split)
        ids = set(images["id"].to_list())
        shapes = [row for row in made.shapes if row["image_id"] in ids]
        tags = [row for row in made.tags if row["image_id"] in ids]
        if shapes or not tags:
            _write(folder / "annotations" / file, {**top, "images": picture_rows, "annotations": shapes})
        if tags:
            _write(folder / "annotations" / _file_name("labels", split), {**top, "images": picture_rows, "annotations": tags})
    return join_findings(placed, made.findings, _foreign(dataset))


def _write(path: Path, value: dict[str, Any]) -> None:
    path.write_bytes(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS))


def _file_name(task: str, split: str | None) -> str:
    return f"{task}.json" if split is None else f"{task}_{safe_name(split)}.json"


def _splits(dataset: Dataset) -> list[str | None]:
    return dataset.images["split"].unique(maintain_order=True).to_list() or [None]


def _top(dataset: Dataset) -> dict[str, Any]:
    """What every file begins with: info, licences, categories."""
    extras = extra_fields(dataset, NAME, "classes")
    rows = dataset.classes.iter_rows(named=True)
    whole = dataset.extras.filter((pl.col("format") == NAME) & (pl.col("table") == "dataset"))["value"].to_list()
    merged = {key: value for text in reversed(whole) for key, value in json.loads(text).items()}
    return {"info": {}, "licenses": [], **merged, "categories": [category_of(row, extras.get(row["id"], {})) for row in rows]}


def _picture_rows(dataset: Dataset, images: pl.DataFrame, names: Mapping[int, str], split: str | None) -> list[dict[str, Any]]:
    extras = extra_fields(dataset, NAME, "images")
    usual = {"split": split, "frame": 0, "true_frame": 0}
    rows: list[dict[str, Any]] = []
    for row in images.select("id", "width", "height", *OWN_COLUMNS).iter_rows(named=True):
        own = {name: row[name] for name in OWN_COLUMNS if row[name] != usual.get(name)}
        picture = {"id": row["id"], "file_name": names[row["id"]], "width": row["width"], "height": row["height"]}
        rows.append(picture | extras.get(row["id"], {}) | ({"burnish": own} if own else {}))
    return rows


def _foreign(dataset: Dataset) -> pl.DataFrame:
    """What readers of other formats kept aside stays behind, and is counted."""
    counted = dataset.extras.filter(pl.col("format") != NAME).group_by("format", "table").len().sort("format", "table")
    reason = "Fields that the format '{}' left with {} rows of {} are not written."
    return findings_table(finding("not_carried", reason.format(form, n, table), is_issue=False) for form, table, n in counted.iter_rows())
