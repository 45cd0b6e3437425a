"""Decoded rows of one file to columns: annotations, their attributes, and what the tables have no column for."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
import numpy as np
import orjson
import polars as pl

from burnish.data.schema import ANNOTATIONS, dtypes
from burnish.formats.coco.fields import Fields, grouped_fields, no_fields, texts_of_lines
from burnish.formats.coco.segmentations import Segmentations, segmentations
from burnish.formats.coco.shapes import areas, corners_of, differs
from burnish.formats.lists import list_column

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from burnish.formats.coco.records import Rows

_IDS: Final = {"id": "id", "image_id": "image", "category_id": "class"}
_TYPES: Final = dtypes(ANNOTATIONS)
OWN_COLUMNS: Final = (
    *("kind", "points", "parts", "visibility", "rotation", "source", "produced_by", "keyframe", "outside", "occluded", "track"),
    *("z_order", "group", "parent", "x2", "y2"),
)
"""Columns that COCO has no field for, or not for every kind, or (x2, y2) not to the last bit; they go through the field "burnish"."""


class Columns(NamedTuple):
    """One file's annotations, each known by its row from 0.

    Attributes:
        table: Columns of the annotations table, with `id`, `image` and `class` as the file has them, and `row`.
        attributes: Columns row, name, value.
        extras: Columns row and value, a JSON object.
        remarks: row, kind of finding, reason, given.
        mask_sizes: Row -> width and height of the picture that its mask is for.
    """

    table: pl.DataFrame
    attributes: pl.DataFrame
    extras: pl.DataFrame
    remarks: list[tuple[int, str, str, str]]
    mask_sizes: dict[int, tuple[int, int]]


def annotation_columns(pieces: Iterable[Rows]) -> Columns:
    """All columns of one file's annotations, which are decoded piece by piece on the way."""
    parts: list[Columns] = []
    first = 0
    for fields in grouped_fields(pieces):
        parts.append(_shifted(_columns(fields), first))
        first += fields.height
    parts = parts or [_columns(no_fields())]
    return Columns(
        pl.concat([part.table for part in parts], how="diagonal_relaxed", rechunk=True),
        pl.concat([part.attributes for part in parts]),
        pl.concat([part.extras for part in parts]),
        [remark for part in parts for remark in part.remarks],
        {row: size for part in parts for row, size in part.mask_sizes.items()},
    )


def _columns(fields: Fields) -> Columns:
    count, lists = fields.height, fields.lists
    skeletons, visible, skeletal = _skeletons(lists.get("keypoints", []), count)
    drawn = lists.get("segmentation", [])
    aside = {row: drawn[row] for row in np.flatnonzero(skeletal).tolist() if drawn and drawn[row]}
    shapes = segmentations([None if row in aside else value for row, value in enumerate(drawn)] if aside else drawn, count)
    aside.update({row: drawn[row] for row in shapes.bad})
    boxes = fields.boxes
    columns = {"kind": _kinds(boxes, shapes, skeletal), **_corners(boxes, shapes), **shapes.columns, **_flags(lists)}
    if skeletal.any():
        columns["points"] = _either(skeletons, columns.get("points"))
        columns["visibility"] = visible
    attributes, from_attributes, rest = _attributes(lists.get("attributes", []), lists.get("caption", []))
    own = [value or {} for value in lists.get("burnish", [])]
    table = pl.DataFrame({"row": np.arange(count), **{_IDS[f]: ids for f, ids in fields.identities.items()}, **columns})
    table = _overridden(_overridden(table, from_attributes), dict(enumerate(own)))
    more = {"segmentation": _texts(aside, count), "attributes": _texts(rest, count), **_undeclared(fields, table)}
    return Columns(table, attributes, extra_objects(fields.raw, more), _remarks(fields, shapes), shapes.mask_sizes)


def _shifted(columns: Columns, first: int) -> Columns:
    """The same columns with rows counted from the beginning of the file."""
    if not first:
        return columns
    row = pl.col("row") + first
    return Columns(
        columns.table.with_columns(row),
        columns.attributes.with_columns(row),
        columns.extras.with_columns(row),
        [(at + first, kind, reason, given) for at, kind, reason, given in columns.remarks],
        {at + first: size for at, size in columns.mask_sizes.items()},
    )


def extra_objects(raw: Mapping[str, bytes], more: dict[str, pl.Series | None]) -> pl.DataFrame:
    """Fields without a column as JSON objects: columns row and value, for the rows that have any.

    Args:
        raw: Fields as they stand in the file, see `Fields.raw`.
        more: Further fields as JSON texts, null where a row has none.
    """
    fields = {**{f: texts_of_lines(lines) for f, lines in raw.items()}, **{f: text for f, text in more.items() if text is not None}}
    if not fields:
        return pl.DataFrame(schema={"row": pl.Int64, "value": pl.String})
    texts = pl.DataFrame([text.alias(str(number)) for number, text in enumerate(fields.values())])
    names = [orjson.dumps(name).decode() + ":" for name in fields]
    if not sum(texts.null_count().row(0)):
        commas = ["{", *[","] * len(names)]
        pieces = [
            piece
            for comma, name, column in zip(commas, names, texts.columns, strict=False)
            for piece in (pl.lit(comma + name), pl.col(column))
        ]
        return texts.select(pl.int_range(pl.len()).alias("row"), value=pl.concat_str([*pieces, pl.lit("}")]))
    said = [pl.lit(name) + pl.col(column) for column, name in zip(texts.columns, names, strict=True)]
    value = pl.lit("{") + pl.concat_str(said, separator=",", ignore_nulls=True) + pl.lit("}")
    some = pl.any_horizontal(pl.all().is_not_null())
    return texts.lazy().select(pl.int_range(pl.len()).alias("row"), some=some, value=value).filter("some").drop("some").collect()


def _texts(given: dict[int, Any], count: int) -> pl.Series | None:
    if not given:
        return None
    texts: list[str | None] = [None] * count
    for row, value in given.items():
        texts[row] = msgspec.json.encode(value).decode()
    return pl.Series(texts, dtype=pl.String)


def _corners(boxes: NDArray[np.float64], shapes: Segmentations) -> dict[str, pl.Series]:
    corners = corners_of(boxes)
    missing = np.isnan(corners[:, 0])
    if missing.any():
        corners[missing] = shapes.bounds[missing]
    return {name: pl.Series(corners[:, side].copy(), nan_to_null=True) for side, name in enumerate(("x1", "y1", "x2", "y2"))}


def _kinds(boxes: NDArray[np.float64], shapes: Segmentations, skeletal: NDArray[np.bool_]) -> pl.Series:
    placed = ~np.isnan(boxes[:, 0]) | ~np.isnan(shapes.bounds[:, 0])
    number = np.where(placed, 1, 0)
    for code, rows in ((2, shapes.polygon), (3, shapes.masked), (4, skeletal)):
        number[rows] = code
    names = pl.Series(["tag", "box", "polygon", "mask", "skeleton"], dtype=_TYPES["kind"])
    return names.gather(pl.Series(number))


def _skeletons(given: list[Any], count: int) -> tuple[pl.Series, pl.Series, NDArray[np.bool_]]:
    """Points, visibilities, and which rows have them: x, y, visibility in turn."""
    if not any(given):
        return pl.Series(), pl.Series(), np.zeros(count, dtype=np.bool_)
    sound = [points if points and len(points) % 3 == 0 else () for points in given]
    lengths = np.fromiter(map(len, sound), dtype=np.int64, count=count) // 3
    flat = np.fromiter(chain.from_iterable(sound), dtype=np.float64).reshape(-1, 3)
    points = list_column(flat[:, :2].ravel(), lengths * 2, pl.Float64)
    visible = list_column(np.clip(flat[:, 2], 0, 2).astype(np.uint8), lengths, pl.UInt8)
    return points, visible, lengths > 0


def _either(first: pl.Series, second: pl.Series | None) -> pl.Series:
    return first if second is None else pl.select(pl.coalesce(first, second).alias("points"))["points"]


def _flags(lists: Mapping[str, list[Any]]) -> dict[str, pl.Series]:
    columns: dict[str, pl.Series] = {}
    if "iscrowd" in lists:
        columns["crowd"] = pl.Series(list(map(bool, lists["iscrowd"])))
    if "score" in lists:
        columns["score"] = pl.Series(lists["score"], dtype=pl.Float64)
    if "track_id" in lists:
        columns["track"] = pl.Series(lists["track_id"], dtype=pl.Int64)
    return columns


def _attributes(given: list[Any], captions: list[Any]) -> tuple[pl.DataFrame, dict[int, dict[str, Any]], dict[int, Any]]:
    """Attribute rows, what CVAT writes among the attributes though we have columns for it, and values that are no scalars."""
    found: list[tuple[int, str, str]] = [(row, "caption", text) for row, text in enumerate(captions) if text is not None]
    columns: dict[int, dict[str, Any]] = {}
    rest: dict[int, Any] = {}
    for row, fields in enumerate(given):
        for name, value in (fields or {}).items():
            column = _COLUMN_ATTRIBUTES.get(name)
            if column and isinstance(value, column[1]) and not (isinstance(value, bool) and column[1] is not bool):
                columns.setdefault(row, {})[column[0]] = value
            elif isinstance(value, str | bool | int | float):
                found.append((row, name, value if isinstance(value, str) else orjson.dumps(value).decode()))
            else:
                rest.setdefault(row, {})[name] = value
    return pl.DataFrame(found, schema={"row": pl.Int64, "name": pl.String, "value": pl.String}, orient="row"), columns, rest


_COLUMN_ATTRIBUTES: Final[dict[str, tuple[str, Any]]] = {
    "occluded": ("occluded", bool),
    "track_id": ("track", int),
    "rotation": ("rotation", int | float),
    "keyframe": ("keyframe", bool),
}


def _overridden(table: pl.DataFrame, given: dict[int, dict[str, Any]]) -> pl.DataFrame:
    """Set columns of single rows; names that are no columns of ours are left alone."""
    names = [name for name in OWN_COLUMNS if any(name in fields for fields in given.values())]
    if not names:
        return table
    rows = [row for row, fields in given.items() if fields]
    fresh = pl.DataFrame(
        {"row": rows, **{n: pl.Series([given[r].get(n) for r in rows], dtype=_TYPES[n], strict=False) for n in names}},
        schema_overrides={"row": pl.Int64},
    )
    joined = table.join(fresh, on="row", how="left", suffix="_own", maintain_order="left")
    both = [name for name in names if name in table.columns]
    return joined.with_columns(pl.coalesce(f"{name}_own", name).alias(name) for name in both).drop(f"{name}_own" for name in both)


def _undeclared(fields: Fields, table: pl.DataFrame) -> dict[str, pl.Series | None]:
    """Declared values that the shapes themselves would not give: area, and the number of labelled keypoints."""
    declared = fields.areas
    other = differs(declared, areas(table))
    kept = {"area": pl.Series(np.where(other, declared, np.nan), nan_to_null=True).cast(pl.String) if other.any() else None}
    numbers = fields.lists.get("num_keypoints")
    if numbers and "visibility" in table.columns:
        labelled = table["visibility"].list.eval(pl.element() > 0).list.sum().fill_null(0)
        numbers_given = pl.Series(numbers, dtype=pl.Int64)
        kept["num_keypoints"] = pl.select(pl.when(numbers_given != labelled).then(numbers_given).alias("n"))["n"].cast(pl.String)
    return kept


def _remarks(fields: Fields, shapes: Segmentations) -> list[tuple[int, str, str, str]]:
    def all_remarks() -> Iterator[tuple[int, str, str, str]]:
        for row, reason in shapes.bad.items():
            yield row, "bad_mask" if reason.startswith("Its mask") else "bad_polygon", reason, ""
        for row, said in fields.odd.items():
            yield row, "odd_value", "; ".join(said)[:1].upper() + "; ".join(said)[1:] + ".", ""
        for row, points in enumerate(fields.lists.get("keypoints", [])):
            if points and len(points) % 3:
                yield row, "bad_keypoints", f"It has {len(points)} numbers of keypoints, which is no multiple of three.", str(points)

    return list(all_remarks())
