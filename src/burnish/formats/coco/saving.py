"""Writing COCO: one JSON file a split, with the pictures in images/.

Standard fields say what COCO can say. Columns that it has no field for go through a field "burnish" of the same row, which other tools
pass over and our reader takes back, so that nothing is lost between us.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import orjson
import polars as pl

from burnish.data.findings import finding, findings_table, join_findings
from burnish.formats.coco.heads import NAME, picture_records, split_file, splits_of, top_fields
from burnish.formats.coco.layout import source_of
from burnish.formats.coco.objects import annotation_objects
from burnish.formats.coco.panoptic_saving import write_panoptic
from burnish.formats.placing import HowPlaced, place_media, target_paths

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from burnish.data.dataset import Dataset
    from burnish.formats.painting import PaintOrder

WrittenTask: TypeAlias = Literal["instances", "panoptic"]
_FOLDER: Final = "images"


def write(
    dataset: Dataset,
    folder: Path,
    *,
    media: HowPlaced = "copy",
    task: WrittenTask = "instances",
    paint: PaintOrder = "priority",
    stuff: Sequence[str] = (),
) -> pl.DataFrame:
    """Write annotations/instances_SPLIT.json (or panoptic_SPLIT.json) for each split, and the pictures into images/.

    Class labels of whole pictures and captions go to annotations/labels_SPLIT.json: evaluation tools expect a box of every row of an
    instances file.

    Args:
        dataset: What to write.
        folder: An empty folder, or one that is not there.
        media: Whether pictures are copied, linked, or left; where they are left, file names are as in the dataset.
        task: instances, or panoptic: every pixel belongs to one object, told by PNG files (`write_panoptic`).
        paint: What decides first where objects overlap in panoptic files.
        stuff: Classes of panoptic files whose objects are not told apart.

    Returns:
        Findings: what other tools see less exactly ("approximated"), what is not written ("not_carried"), missing pictures.
    """
    targets = target_paths(dataset, below=_FOLDER)
    placed = place_media(dataset, folder, targets, media)
    paths = dict(dataset.image_files().select("image", "path").iter_rows())
    names = {i: paths[i] if media == "none" else target.removeprefix(_FOLDER + "/") for i, target in targets.items()}
    if task == "panoptic":
        return join_findings(placed, write_panoptic(dataset, folder, names, paint=paint, stuff=stuff), _foreign(dataset))
    top = top_fields(dataset)
    made = annotation_objects(dataset)
    (folder / "annotations").mkdir(parents=True, exist_ok=True)
    for split in splits_of(dataset):
        images = dataset.images.filter(pl.col("split").eq_missing(pl.lit(split)))
        file = split_file("instances", split)
        picture_rows = picture_records(dataset, images, names, source_of(folder / file).split)
        ids = set(images["id"].to_list())
        shapes = [row for row in made.shapes if row["image_id"] in ids]
        tags = [row for row in made.tags if row["image_id"] in ids]
        if shapes or not tags:
            _write(folder / "annotations" / file, {**top, "images": picture_rows, "annotations": shapes})
        if tags:
            _write(folder / "annotations" / split_file("labels", split), {**top, "images": picture_rows, "annotations": tags})
    return join_findings(placed, made.findings, _foreign(dataset))


def _write(path: Path, value: dict[str, Any]) -> None:
    path.write_bytes(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS))


def _foreign(dataset: Dataset) -> pl.DataFrame:
    """What readers of other formats kept aside stays behind, and is counted."""
    counted = dataset.extras.filter(pl.col("format") != NAME).group_by("format", "table").len().sort("format", "table")
    reason = "Fields that the format '{}' left with {} rows of {} are not written."
    return findings_table(finding("not_carried", reason.format(form, n, table), is_issue=False) for form, table, n in counted.iter_rows())
