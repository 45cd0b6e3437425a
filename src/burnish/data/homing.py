"""The way home: labels or predictions on samples, carried back to the pictures and frames that these were taken of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from burnish.data.findings import finding, findings_table
from burnish.data.sampled import window_of
from burnish.data.schema import ANNOTATIONS, CLASSES, dtypes
from burnish.data.windows import BOX, CHANGED, Window, shape_out
from burnish.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from burnish.data.dataset import Dataset
    from burnish.geometry.arrays import Floats, Ints

_TILE: Final = ("left", "top", "right", "bottom")


def carried_home(labels: Dataset, manifest: pl.DataFrame, source: Dataset, *, merge: float | None = 0.6) -> tuple[Dataset, pl.DataFrame]:
    """Put the annotations of samples where they belong on the pictures and frames of the dataset that the samples were made of.

    Args:
        labels: Annotated samples, for instance a model's predictions; pictures are found by the ends of their paths.
        manifest: Of the samples (`burnish.formats.sample_manifest.read_manifest`).
        source: The dataset of the sources; its own annotations are left out, its classes stay and new ones are added by name.
        merge: Shapes of one class and kind from two samples of a picture are one object when their boxes overlap this much
            (intersection over union) where both samples look; the surest stays, of equally sure ones the largest, and grows around
            the others if it is an upright box. None keeps all.

    Returns:
        The dataset of the sources with what came home, and findings: pictures that are no samples of the manifest, and samples whose
        source the dataset does not have.

    Raises:
        DataError: No picture is a sample of the manifest.
    """
    placed, strangers = _placed(labels, manifest)
    targets, lost = _targets(placed, source)
    classes, number_of = _classes(labels, source)
    rows = _rows(labels, targets)
    rows = rows if merge is None else _joined(rows, merge)
    fresh = rows.with_columns(
        old=pl.col("id"),
        id=pl.int_range(pl.len(), dtype=pl.Int64),
        parent=pl.lit(None, dtype=pl.Int64),
        jobs=pl.lit(None, dtype=pl.List(pl.Int32)),
    ).with_columns(pl.col("class").replace_strict(number_of, default=None, return_dtype=pl.Int32))
    attributes = labels.attributes.join(fresh.select("id", annotation="old"), on="annotation", how="inner", maintain_order="left")
    made = source.with_tables(
        annotations=fresh.select(c.name for c in ANNOTATIONS),
        attributes=attributes.with_columns(annotation=pl.col("id")).drop("id"),
        classes=classes,
        extras=source.extras.filter(pl.col("table") != "annotations"),
    )
    return made, findings_table([*strangers, *lost])


def _placed(labels: Dataset, manifest: pl.DataFrame) -> tuple[pl.DataFrame, list[dict[str, Any]]]:
    """The manifest's rows of pictures that are samples, with the pictures' ids as `picture`."""
    by_end = _by_end(manifest["sample"].to_list())
    files = labels.image_files().filter(pl.col("kind") == "image").select("image", "path").iter_rows()
    found: dict[int, int] = {}
    strangers: list[dict[str, Any]] = []
    for image, path in files:
        row = _row_of(path, by_end)
        if row is None:
            strangers.append(
                finding("unknown_sample", "The manifest has no sample of this name, so nothing of it came home.", image=image, path=path)
            )
        else:
            found[image] = row
    if not found and strangers:
        raise DataError(
            f"None of the {len(strangers)} pictures is a sample of the manifest (first: {strangers[0]['path']}; the manifest begins with "
            f"{manifest['sample'].first()}). Name the manifest that was written with these samples."
        )
    rows = manifest[list(found.values())] if found else manifest.clear()
    return rows.with_columns(picture=pl.Series(list(found), dtype=pl.Int64)), strangers


def _by_end(samples: list[str]) -> Mapping[str, int | None]:
    """Row of each path and of each end of it; None where several end alike."""
    ends: dict[str, int | None] = {}
    for row, sample in enumerate(samples):
        parts = sample.split("/")
        for first in range(len(parts)):
            end = "/".join(parts[first:])
            ends[end] = row if end not in ends else None
    return {**ends, **{sample: row for row, sample in enumerate(samples)}}


def _row_of(path: str, by_end: Mapping[str, int | None]) -> int | None:
    parts = path.split("/")
    return next((row for first in range(len(parts)) if (row := by_end.get("/".join(parts[first:]))) is not None), None)


def _targets(placed: pl.DataFrame, source: Dataset) -> tuple[pl.DataFrame, list[dict[str, Any]]]:
    """The placed rows with the id of their source picture as `target`."""
    names = source.tasks.select("name", task="id")
    files = source.media.select("path", media="id")
    pictures = source.images.select("media", "true_frame", "task", target="id").join(files, on="media").join(names, on="task", how="left")
    keyed = pictures.select("target", "true_frame", source="path", task="name").unique(["source", "true_frame", "task"], keep="first")
    joined = placed.join(keyed, on=["source", "true_frame", "task"], how="left", nulls_equal=True, maintain_order="left")
    lost = joined.filter(pl.col("target").is_null()).select("picture", "sample", "source", "true_frame").iter_rows()
    text = "The dataset has no frame {} of {}, so nothing of this sample came home."
    findings = [finding("unknown_source", text.format(frame, path), image=image, path=sample) for image, sample, path, frame in lost]
    return joined.filter(pl.col("target").is_not_null()), findings


def _classes(labels: Dataset, source: Dataset) -> tuple[pl.DataFrame, dict[int, int]]:
    """The source's classes and what comes new by name; and the new number of each class."""
    known = {name: number for number, name in source.class_names().items()}
    highest = max(known.values(), default=-1)
    fresh = [name for name in labels.class_names().values() if name not in known]
    known |= {name: highest + 1 + place for place, name in enumerate(fresh)}
    own = labels.classes.filter(pl.col("name").is_in(fresh)).with_columns(
        pl.col("name").replace_strict(known, default=None, return_dtype=pl.Int32).alias("id")
    )
    merged = pl.concat([source.classes, own.select(c.name for c in CLASSES)])
    return merged, {number: known[name] for number, name in labels.class_names().items()}


def _rows(labels: Dataset, targets: pl.DataFrame) -> pl.DataFrame:
    """Annotations in the pixels of their sources, with `row` (their number) and `picture` (the sample)."""
    parts = labels.annotations.partition_by("image", as_dict=True, maintain_order=True)
    schema = {"row": pl.Int64, "picture": pl.Int64, **dict.fromkeys(_TILE, pl.Float64), **dtypes(ANNOTATIONS)}
    made: list[dict[str, Any]] = []
    for sample in targets.iter_rows(named=True):
        window = window_of(sample)
        tile = dict(zip(_TILE, _extent(sample, window), strict=True))
        for row in () if (part := parts.get((sample["picture"],))) is None else part.iter_rows(named=True):
            home = {name: row[name] for name in CHANGED} if window is None else shape_out(row, window)
            made.append({**row, **home, **tile, "row": len(made), "picture": sample["picture"], "image": sample["target"]})
    return pl.DataFrame(made, schema=schema)


def _extent(sample: Mapping[str, Any], window: Window | None) -> list[float]:
    """What a sample shows, in the pixels of its source."""
    if window is None:
        return [0.0, 0.0, float(sample["source_width"] or np.inf), float(sample["source_height"] or np.inf)]
    return window.out(np.array(window.tile, dtype=np.float64).reshape(2, 2) - window.corner).ravel().tolist()


def _joined(rows: pl.DataFrame, merge: float) -> pl.DataFrame:
    """One row for each object that several samples of a picture show."""
    tags = rows.filter(pl.col("kind") == "tag").unique(["image", "class"], keep="first", maintain_order=True)
    shapes = rows.filter(pl.col("kind") != "tag")
    placed = pl.all_horizontal(pl.col(*BOX).is_finite().fill_null(value=False))
    mixed = shapes.filter(placed).filter(pl.col("picture").n_unique().over("image") > 1)
    alone = shapes.filter(~pl.col("row").is_in(mixed["row"].implode()))
    joined = [_without_copies(part, merge) for part in mixed.partition_by("image", "class", "kind", maintain_order=True)]
    return pl.concat([tags, alone, *joined]).sort("row")


def _without_copies(part: pl.DataFrame, merge: float) -> pl.DataFrame:
    """Let the surest, then largest, view of each object take in the others; upright boxes grow around them."""
    boxes, tiles, pictures = part.select(BOX).to_numpy().copy(), part.select(_TILE).to_numpy(), part["picture"].to_numpy()
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    order = np.lexsort([-areas, -part["score"].fill_null(1.0).to_numpy()])
    alike = np.where(pictures[:, None] != pictures, _alike(boxes, tiles), 0.0)
    alike[alike < merge] = 0.0
    free = np.ones(len(part), dtype=np.bool_)
    kept: list[int] = []
    upright = ((part["kind"] == "box") & (part["rotation"] == 0)).to_numpy()
    for at in order.tolist():
        if not free[at]:
            continue
        kept.append(at)
        views = _linked(at, alike * free, pictures)
        free[views] = False
        if upright[at]:
            boxes[at] = [*boxes[views, :2].min(axis=0), *boxes[views, 2:].max(axis=0)]
    kept.sort()
    return part[kept].with_columns(pl.Series(name, boxes[kept, place]) for place, name in enumerate(BOX))


def _linked(start: int, alike: Floats, pictures: Ints) -> list[int]:
    """Every view that is the same object as the first, or as one that is: tiles far apart may show ends that never meet.

    A sample tells its objects apart, so it adds one view at most: that which is most alike.
    """
    found = [start]
    for at in found:
        near = np.argsort(-alike[at], kind="stable")[: np.count_nonzero(alike[at])]
        for other in near.tolist():
            if pictures[other] not in pictures[found]:
                found.append(other)
    return found


def _alike(boxes: Floats, tiles: Floats) -> Floats:
    """How alike two views are where both samples look: `(n, n)`, intersection over union within what is common to both."""
    low = np.maximum(tiles[:, None, :2], tiles[None, :, :2])
    high = np.minimum(tiles[:, None, 2:], tiles[None, :, 2:])
    one = np.concatenate([np.maximum(boxes[:, None, :2], low), np.minimum(boxes[:, None, 2:], high)], axis=2)
    two = one.transpose(1, 0, 2)
    common = _areas(np.concatenate([np.maximum(one[..., :2], two[..., :2]), np.minimum(one[..., 2:], two[..., 2:])], axis=2))
    union = _areas(one) + _areas(two) - common
    return np.divide(common, union, out=np.zeros_like(common), where=common > 0)


def _areas(boxes: Floats) -> Floats:
    return np.prod(np.maximum(boxes[..., 2:] - boxes[..., :2], 0.0), axis=2)
