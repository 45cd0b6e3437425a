"""What a format cannot carry, told for each annotation, so that nothing vanishes in silence.

Each format module says in `CARRIES` what it does carry: kinds of annotations (box, tag, ...), names of columns (score, crowd, split,
superclass, ...), and "attributes" for attribute values. What follows from the rest, such as a polygon's box, is not named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from burnish.data import tables
from burnish.data.findings import finding, findings_table, join_findings
from burnish.data.schema import FINDINGS, column

if TYPE_CHECKING:
    from collections.abc import Collection

    from burnish.data.dataset import Dataset

_ANNOTATION_COLUMNS: Final = (
    *("rotation", "parts", "visibility", "score", "source", "produced_by", "track", "keyframe", "outside", "occluded", "crowd"),
    *("z_order", "group", "parent"),
)
_IMAGE_COLUMNS: Final = ("split", "scene", "subset", "deleted")
_CLASS_COLUMNS: Final = ("superclass", "colour", "status", "priority", "skeleton")


def not_carried(dataset: Dataset, form: str, carries: Collection[str]) -> pl.DataFrame:
    """Findings of kind "not_carried": one for each annotation or value that a format has no place for.

    Args:
        dataset: What is to be written.
        form: Name of the format, for the reasons and for its own extras, which it does carry.
        carries: What the format carries; see the head of this module.
    """
    kept = dataset.annotations.filter(pl.col("kind").cast(pl.String).is_in(list(carries)))
    columns = [c for c in _ANNOTATION_COLUMNS if c not in carries]
    return join_findings(
        _lost_kinds(dataset, form, carries),
        *(_lost_values(kept, form, c) for c in columns),
        *(_lost_rows(dataset, form, "images", c, carries) for c in _IMAGE_COLUMNS),
        *(_lost_rows(dataset, form, "classes", c, carries) for c in _CLASS_COLUMNS),
        _lost_attributes(dataset, kept, form, carries),
        _lost_tasks(dataset, form, carries),
        _lost_extras(dataset, form),
    )


def lost_annotations(rows: pl.DataFrame, reason: str) -> pl.DataFrame:
    """One finding "not_carried" for each row of an annotations table."""
    frame = rows.select(
        kind=pl.lit("not_carried"), score=1.0, is_issue=True, reason=pl.lit(reason), image=pl.col("image"), annotation=pl.col("id")
    )
    return tables.conform(FINDINGS, frame)


def _lost_kinds(dataset: Dataset, form: str, carries: Collection[str]) -> pl.DataFrame:
    parts = dataset.annotations.with_columns(pl.col("kind").cast(pl.String)).partition_by("kind", as_dict=True, maintain_order=True)
    lost = {kind: rows for (kind,), rows in parts.items() if kind not in carries}
    return join_findings(
        *(lost_annotations(rows, f"{form} has no place for a {kind}; {rows.height} are not written.") for kind, rows in lost.items())
    )


def _lost_values(kept: pl.DataFrame, form: str, name: str) -> pl.DataFrame:
    rows = kept.filter(_says_something("annotations", name))
    if rows.is_empty():
        return findings_table([])
    shown = pl.col(name).cast(pl.String) if rows.schema[name] != pl.List else pl.lit(None, dtype=pl.String)
    reason = f"{form} has no place for '{name}'; that of {rows.height} annotations is not written."
    return lost_annotations(rows, reason).with_columns(given=rows.select(shown.alias("given"))["given"])


def _lost_rows(dataset: Dataset, form: str, table: str, name: str, carries: Collection[str]) -> pl.DataFrame:
    if name in carries:
        return findings_table([])
    rows = dataset.scan(table).filter(_says_something(table, name)).collect()
    reason = f"{form} has no place for '{name}' of {table}; {rows.height} are not written."
    values = rows.select("id", pl.col(name).cast(pl.String)).iter_rows()
    where = "image" if table == "images" else None
    return findings_table(
        finding("not_carried", reason, given=value, position=f"{table} {row}", **({where: row} if where else {})) for row, value in values
    )


def _lost_attributes(dataset: Dataset, kept: pl.DataFrame, form: str, carries: Collection[str]) -> pl.DataFrame:
    if "attributes" in carries:
        return findings_table([])
    rows = dataset.attributes.join(kept.select(annotation="id", image="image"), on="annotation", how="inner", maintain_order="left")
    reason = f"{form} has no place for attributes; {rows.height} are not written."
    return findings_table(
        finding("not_carried", reason, annotation=annotation, image=image, given=f"{name} = {value}")
        for annotation, name, value, image in rows.select("annotation", "name", "value", "image").iter_rows()
    )


def _lost_tasks(dataset: Dataset, form: str, carries: Collection[str]) -> pl.DataFrame:
    if "tasks" in carries or dataset.tasks.is_empty():
        return findings_table([])
    reason = f"{form} has no place for {dataset.tasks.height} tasks and {dataset.jobs.height} jobs; the pictures are written without them."
    return findings_table([finding("not_carried", reason, is_issue=False)])


def _lost_extras(dataset: Dataset, form: str) -> pl.DataFrame:
    """One finding for each row would repeat what another format left; one for each format and table says as much."""
    counted = dataset.extras.filter(pl.col("format") != form).group_by("format", "table", maintain_order=True).len()
    return findings_table(
        finding("not_carried", f"{number} rows of fields that only {other} knows ({table}) are not written to {form}.", is_issue=False)
        for other, table, number in counted.iter_rows()
    )


def _says_something(table: str, name: str) -> pl.Expr:
    default = column(table, name).default
    return pl.col(name).is_not_null() if default is None else pl.col(name).ne_missing(default)
