"""What the status of a class asks for: objects of unused classes are skipped, pictures with an object of a forbidden one are left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from burnish.data import tables
from burnish.data.findings import join_findings, no_findings
from burnish.data.schema import FINDINGS

if TYPE_CHECKING:
    from burnish.data.dataset import Dataset

SKIPPED: Final = "unused_class"
LEFT_OUT: Final = "forbidden_class"


def without_skipped(dataset: Dataset) -> tuple[Dataset, pl.DataFrame]:
    """The dataset with nothing but used classes, as every exporter writes it.

    Elements of a skipped object, such as those of a skeleton, go with it. A picture whose objects are all skipped stays without any.

    Returns:
        The dataset, and findings: one of kind "unused_class" for each object that is skipped, one of kind "forbidden_class" for each object
        that keeps its picture out.
    """
    if bool((dataset.classes["status"] == "used").all()):
        return dataset, no_findings()
    status = dataset.classes.select(pl.col("id").alias("class"), "name", "status")
    told = dataset.annotations.join(status, on="class", how="left", maintain_order="left")
    # A tracked object that has left the picture does not forbid it.
    forbidden = told.filter((pl.col("status") == "forbidden") & ~pl.col("outside"))
    out = forbidden["image"].unique()
    unused = told.filter((pl.col("status") != "used") & ~pl.col("image").is_in(out.implode()))
    kept = _without(dataset, out, unused["id"])
    findings = join_findings(
        _findings(unused, SKIPPED, "Its class '{}' is not used, so the object is skipped."),
        _findings(forbidden, LEFT_OUT, "Its class '{}' is forbidden, so the whole picture is left out."),
    )
    return kept, findings


def _without(dataset: Dataset, pictures: pl.Series, objects: pl.Series) -> Dataset:
    """The dataset without some pictures and objects, and whatever hangs on them."""
    images = dataset.images.filter(~pl.col("id").is_in(pictures.implode()))
    alone = dataset.images.filter(pl.col("id").is_in(pictures.implode()))["media"]
    media = dataset.media.filter(~pl.col("id").is_in(alone.implode()) | pl.col("id").is_in(images["media"].implode()))
    rows = dataset.annotations.filter(~pl.col("image").is_in(pictures.implode()) & ~pl.col("id").is_in(objects.implode()))
    rows = _without_orphans(dataset, rows)
    classes = dataset.classes.filter(pl.col("status") == "used")
    kept = {"media": media, "images": images, "annotations": rows, "classes": classes}
    lost = {name: dataset.table(name).filter(~pl.col("id").is_in(table["id"].implode()))["id"] for name, table in kept.items()}
    hangs = pl.any_horizontal((pl.col("table") == name) & pl.col("row").is_in(ids.cast(pl.Int64).implode()) for name, ids in lost.items())
    attributes = dataset.attributes.filter(pl.col("annotation").is_in(rows["id"].implode()))
    return dataset.with_tables(**kept, attributes=attributes, extras=dataset.extras.filter(~hangs.fill_null(value=False)))


def _without_orphans(dataset: Dataset, rows: pl.DataFrame) -> pl.DataFrame:
    """Elements whose object was taken away go too, however deep they lie; those whose parent never was are left alone."""
    known = dataset.annotations["id"].implode()
    while True:
        orphan = pl.col("parent").is_in(known) & ~pl.col("parent").is_in(rows["id"].implode())
        kept = rows.filter(~orphan.fill_null(value=False))
        if kept.height == rows.height:
            return rows
        rows = kept


def _findings(rows: pl.DataFrame, kind: str, reason: str) -> pl.DataFrame:
    frame = rows.select(
        kind=pl.lit(kind),
        score=0.0,
        is_issue=False,
        reason=pl.format(reason, pl.col("name")),
        given=pl.col("name"),
        image=pl.col("image"),
        annotation=pl.col("id"),
    )
    return tables.conform(FINDINGS, frame)
