"""Boxes that cannot be meant as they stand: what every reader of boxes reports, and leaves as it is."""

from __future__ import annotations

import polars as pl

from burnish.data.findings import join_findings

OUTSIDE_TOLERANCE = 0.5
"""Pixels that a box may reach over the picture's edge before it is reported: rounding in the source makes up to that much."""


def box_findings(annotations: pl.DataFrame, images: pl.DataFrame) -> pl.DataFrame:
    """Findings "box_inverted", "box_empty" and "box_outside" on annotations with coordinates; the rows themselves are kept.

    Args:
        annotations: With id, image, kind, x1, y1, x2, y2, and optionally path and position of the source, which are passed on.
        images: With id, width, height.
    """
    where = [name for name in ("path", "position") if name in annotations.columns]
    wide, high = pl.col("x2") - pl.col("x1"), pl.col("y2") - pl.col("y1")
    inverted = (wide < 0) | (high < 0)
    empty = ~inverted & ((wide == 0) | (high == 0)) & pl.col("kind").is_in(["box", "polygon", "mask", "ellipse"])
    sizes = images.lazy().select(pl.col("id").alias("image"), "width", "height")
    right, lower = pl.col("x2") - pl.col("width"), pl.col("y2") - pl.col("height")
    over = pl.max_horizontal(-pl.min_horizontal("x1", "y1"), right, lower)
    odd = (
        annotations.lazy()
        .filter(pl.col("x1").is_not_null() & (pl.col("kind") != "tag"))
        .join(sizes, on="image", how="left")
        .with_columns(inverted=inverted, empty=empty, outside=~inverted & (over > OUTSIDE_TOLERANCE), over=over)
        .filter(pl.any_horizontal("inverted", "empty", "outside"))
        .collect()
    )
    said = pl.format("{} x {} pixels", wide.round(2), high.round(2))
    reach = "The box reaches {} pixels over the edge of the picture of {} x {}."
    return join_findings(
        _marked(odd.filter("inverted"), "box_inverted", pl.format("The box has a negative side: {}.", said), where),
        _marked(odd.filter("empty"), "box_empty", pl.format("The box has no area: {}.", said), where),
        _marked(odd.filter("outside"), "box_outside", pl.format(reach, pl.col("over").round(2), "width", "height"), where),
    )


def _marked(rows: pl.DataFrame, kind: str, reason: pl.Expr, where: list[str]) -> pl.DataFrame:
    corners = pl.format("{}, {}, {}, {}", *[pl.col(name).round(3) for name in ("x1", "y1", "x2", "y2")])
    said = {"kind": pl.lit(kind), "score": pl.lit(1.0), "is_issue": pl.lit(True), "reason": reason, "given": corners}
    return rows.select(*where, "image", pl.col("id").alias("annotation"), **said)
