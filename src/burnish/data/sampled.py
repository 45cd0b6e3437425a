"""Labels of samples: what each of them shows of its source's objects, as a dataset of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import polars as pl

from burnish.data import tables
from burnish.data.schema import ANNOTATIONS, IMAGES, MEDIA, dtypes
from burnish.data.windows import BOX, CHANGED, Window, shape_into

if TYPE_CHECKING:
    from collections.abc import Mapping

    from burnish.data.dataset import Dataset
    from burnish.data.samples import Sampling
    from burnish.geometry.arrays import Floats

PLAN: Final = "samples"
"""Under this name the origin of a dataset of samples holds its plan."""

_BOXED: Final = ("box", "mask", "polygon", "ellipse", "polyline", "points")
"""Kinds whose pixels and points all lie in their boxes."""

_KEPT_EXTRAS: Final = ("dataset", "classes")


class Sampled(NamedTuple):
    """A dataset of samples, and the plan of those that it holds, with their image ids in the column `image`."""

    dataset: Dataset
    plan: pl.DataFrame


def sampled(dataset: Dataset, plan: pl.DataFrame, sampling: Sampling, root: Path | str) -> Sampled:
    """Make the dataset of the samples of a plan, one picture each.

    Pictures and annotations keep their ids where each is taken once, otherwise they are numbered anew. Tasks and jobs are left
    behind, tracks are kept. Samples of one picture, and frames of one video, form a scene, so that no split parts them.

    Args:
        dataset: What is sampled.
        plan: Made by `burnish.data.samples.plan_samples`.
        sampling: How much of an object must be seen, and how many tiles may show none.
        root: Where the samples lie or will lie.
    """
    numbered = plan.rename({"image": "taken"}).with_row_index("number").with_columns(pl.col("number").cast(pl.Int64))
    rows = pl.concat([_whole_rows(dataset, numbered), _window_rows(dataset, numbered, sampling)]).sort("number", "order", "piece")
    kept = _with_quota(numbered, rows, sampling)
    once = bool(kept["taken"].is_unique().all())
    kept = kept.with_columns(image=pl.col("taken") if once else pl.col("number"))
    rows = rows.join(kept.select("number", new_image="image"), on="number", how="inner", maintain_order="left")
    own_ids = bool(rows["id"].is_unique().all())
    rows = rows.with_columns(old=pl.col("id"), image=pl.col("new_image"))
    rows = rows if own_ids else rows.with_columns(id=pl.int_range(pl.len(), dtype=pl.Int64))
    annotations = rows if own_ids else rows.with_columns(parent=pl.lit(None, dtype=pl.Int64))
    attributes = dataset.attributes.join(rows.select("id", annotation="old"), on="annotation", how="inner", maintain_order="left")
    own_extras = [*_KEPT_EXTRAS, *(["images"] if once else []), *(["annotations"] if own_ids else [])]
    made = dataset.with_tables(
        media=_media(kept),
        images=_images(dataset, kept),
        annotations=annotations.select(c.name for c in ANNOTATIONS),
        attributes=attributes.with_columns(annotation=pl.col("id")).drop("id"),
        extras=dataset.extras.filter(pl.col("table").is_in(own_extras)),
        tasks=dataset.tasks.clear(),
        jobs=dataset.jobs.clear(),
    )
    told = kept.drop("number", "taken")
    origin = MappingProxyType({**dataset.origin, PLAN: told})
    return Sampled(replace(made, root=Path(root), origin=origin), told)


def window_of(row: Mapping[str, Any]) -> Window | None:
    """The window of a row of a plan or manifest; None where the sample is its source as it is."""
    size, scaled = (row["source_width"], row["source_height"]), (row["scaled_width"], row["scaled_height"])
    if size == scaled and row["x1"] is None:
        return None
    return Window(size, scaled, (0, 0, *scaled) if row["x1"] is None else (row["x1"], row["y1"], row["x2"], row["y2"]))


def _is_whole() -> pl.Expr:
    same = pl.col("source_width").eq_missing(pl.col("scaled_width")) & pl.col("source_height").eq_missing(pl.col("scaled_height"))
    return same & pl.col("x1").is_null()


def _ordered(dataset: Dataset) -> pl.DataFrame:
    return dataset.annotations.with_row_index("order").with_columns(pl.col("order").cast(pl.Int64))


def _whole_rows(dataset: Dataset, plan: pl.DataFrame) -> pl.DataFrame:
    whole = plan.filter(_is_whole()).select("number", image="taken")
    rows = _ordered(dataset).join(whole, on="image", how="inner")
    return rows.with_columns(piece=pl.lit(0, dtype=pl.Int64))


def _window_rows(dataset: Dataset, plan: pl.DataFrame, sampling: Sampling) -> pl.DataFrame:
    """What scaled and cut samples show, shape by shape."""
    changed = plan.filter(~_is_whole())
    wanted = _ordered(dataset).filter(pl.col("image").is_in(changed["taken"].unique().implode()))
    names = dataset.class_names()
    parts = wanted.partition_by("image", as_dict=True, maintain_order=True)
    made: list[dict[str, Any]] = []
    held = _Held(None, [], np.zeros((0, 4)))
    for sample in changed.iter_rows(named=True):
        if held.picture != sample["taken"]:
            part = parts.get((sample["taken"],))
            held = _Held(sample["taken"], [], np.zeros((0, 4))) if part is None else _Held(sample["taken"], part.to_dicts(), _reach(part))
        window = window_of(sample)
        if window is None:
            continue
        for row in held.near(window):
            least = sampling.min_visible_of.get(names.get(row["class"], ""), sampling.min_visible)
            shown = shape_into(row, window, least)
            made += [{"number": sample["number"], "order": row["order"], "piece": piece, **columns} for piece, columns in enumerate(shown)]
    schema = dtypes(ANNOTATIONS)
    fresh = pl.DataFrame(made, schema={**dict.fromkeys(("number", "order", "piece"), pl.Int64), **{name: schema[name] for name in CHANGED}})
    rows = fresh.join(wanted.drop(CHANGED), on="order", how="left", maintain_order="left")
    return rows.select(_whole_rows(dataset.with_tables(annotations=dataset.annotations.clear()), plan).columns)


class _Held(NamedTuple):
    """The rows of one picture, and how far each may reach: many tiles ask for few rows each."""

    picture: int | None
    rows: list[dict[str, Any]]
    reach: Floats

    def near(self, window: Window) -> list[dict[str, Any]]:
        """The rows that the window may show."""
        left, top, right, bottom = window.out(np.array(window.tile, dtype=np.float64).reshape(2, 2) - window.corner).ravel()
        x1, y1, x2, y2 = self.reach.T
        # A pixel more than needed: what is shown exactly is decided shape by shape.
        near = (x2 >= left - 1) & (x1 <= right + 1) & (y2 >= top - 1) & (y1 <= bottom + 1)
        return [self.rows[place] for place in np.flatnonzero(near).tolist()]


def _reach(part: pl.DataFrame) -> Floats:
    """A box `(n, 4)` that surely holds each shape, however it is turned; everything where no box is known or points may lie beside it."""
    corners = [part[name].fill_null(np.nan).to_numpy() for name in BOX]
    x, y = (corners[0] + corners[2]) / 2, (corners[1] + corners[3]) / 2
    half_width, half_height = np.abs(corners[2] - corners[0]) / 2, np.abs(corners[3] - corners[1]) / 2
    turned = (part["rotation"].fill_null(0.0) != 0).to_numpy()
    radius = np.hypot(half_width, half_height)
    half_width, half_height = np.where(turned, radius, half_width), np.where(turned, radius, half_height)
    boxes = np.stack([x - half_width, y - half_height, x + half_width, y + half_height], axis=1)
    # Points of skeletons and cuboids may lie outside of their boxes.
    sure = part["kind"].cast(pl.String).is_in(_BOXED).to_numpy() & np.isfinite(boxes).all(axis=1)
    return np.where(sure[:, None], boxes, [-np.inf, -np.inf, np.inf, np.inf])


def _with_quota(plan: pl.DataFrame, rows: pl.DataFrame, sampling: Sampling) -> pl.DataFrame:
    """Leave out tiles without an object that are more than the quota allows, the same ones whatever the order of work."""
    if sampling.background is None:
        return plan
    filled = pl.col("number").is_in(rows["number"].unique().implode())
    # Pictures that show no object at all are negatives, which have a dial of their own.
    bare = (~filled & pl.col("x1").is_not_null() & filled.any().over("taken")).alias("bare")
    told = plan.with_columns(bare)
    most = round(told.filter(pl.col("x1").is_not_null() & filled).height * sampling.background)
    drawn = told.filter("bare").select("number", draw=pl.col("sample").hash(sampling.seed)).sort("draw", "number")["number"]
    return told.filter(~pl.col("number").is_in(drawn[most:].implode())).drop("bare")


def _media(plan: pl.DataFrame) -> pl.DataFrame:
    width = pl.when(pl.col("x1").is_null()).then(pl.col("scaled_width")).otherwise(pl.col("x2") - pl.col("x1"))
    height = pl.when(pl.col("y1").is_null()).then(pl.col("scaled_height")).otherwise(pl.col("y2") - pl.col("y1"))
    return tables.conform(MEDIA, plan.select(id="image", path="sample", kind=pl.lit("image"), width=width, height=height))


def _images(dataset: Dataset, plan: pl.DataFrame) -> pl.DataFrame:
    several = pl.len().over("taken") > 1
    moving = pl.col("kind") != "image"
    group = pl.when(several | moving).then(pl.col("source"))
    told = dataset.images.select("scene", "subset", "split", taken="id")
    sizes = _media(plan).select("width", "height", image="id")
    rows = plan.select("image", "taken", group=group).join(told, on="taken", how="left", maintain_order="left")
    rows = rows.join(sizes, on="image", how="left", maintain_order="left")
    images = rows.select("width", "height", "split", "subset", id="image", media="image", scene=pl.coalesce("scene", "group"))
    return tables.conform(IMAGES, images)
