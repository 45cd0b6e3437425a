"""Decoded rows taken apart field by field: ids, boxes and areas as arrays, fields that nobody knows as JSON texts."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import msgspec
import numpy as np
import polars as pl

from burnish.formats.coco.records import Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

_LINES: Final = msgspec.json.Encoder()
_NOTHING: Final = msgspec.Raw(b"")
_SHORT_LIST: Final = 1 << 4
_LONG_LIST: Final = 1 << 16
_GROUP: Final = 100_000
"""Rows that become columns together: fewer cost more calls, more cost more memory."""


class Fields(NamedTuple):
    """Some rows of a file, field by field.

    Attributes:
        height: Number of rows.
        identities: id, image_id and category_id as integers or text.
        boxes: (height, 4) float64 x, y, width, height; NaN where a row has none.
        areas: (height,) float64; NaN where a row has none.
        lists: Values of the other known fields by name; a field that says nothing in these rows is left out.
        raw: JSON texts of unknown fields by name, one a line, an empty line where a row has none.
        odd: Row number -> what was odd about it.
    """

    height: int
    identities: dict[str, pl.Series]
    boxes: NDArray[np.float64]
    areas: NDArray[np.float64]
    lists: dict[str, list[Any]]
    raw: dict[str, bytes]
    odd: dict[int, list[str]]


def grouped_fields(pieces: Iterable[Rows]) -> Iterator[Fields]:
    """Take pieces apart as they come, while they are fresh in the processor's cache, and join them to groups."""
    waiting: list[Fields] = []
    for rows in pieces:
        waiting.append(_taken_apart(rows))
        if sum(part.height for part in waiting) >= _GROUP:
            yield _joined(waiting)
            waiting = []
    if waiting:
        yield _joined(waiting)


def no_fields() -> Fields:
    """The fields of a list without rows."""
    return _taken_apart(Rows([], {}, [], {}))


def values(rows: Rows, field: str) -> list[Any]:
    """The values of one field, or nothing where no row of the piece has it."""
    if field not in rows.fields:
        return []
    usual = _USUAL.get(field)
    return usual(rows.rows) if usual else list(map(attrgetter(rows.fields[field]), rows.rows))


def identities(rows: Rows, field: str) -> pl.Series:
    """Ids as integers, or as text where one of them is text."""
    given = values(rows, field)
    try:
        return pl.Series(given, dtype=pl.Int64, strict=True)
    except (TypeError, OverflowError):
        text = any(isinstance(value, str) for value in given)
        return pl.Series([str(v) if text and v is not None else v for v in given], dtype=pl.String if text else pl.Int64)


def raw_lines(rows: Rows) -> dict[str, bytes]:
    """Values of unknown fields as they stand in the file, one a line."""
    return {field: _lines(values(rows, field)) for field in rows.raw}


def texts_of_lines(lines: bytes) -> pl.Series:
    """One text a line, null of an empty one; cutting all at once is many times faster than taking one after the other."""
    if not lines:
        return pl.Series(dtype=pl.String)
    texts = pl.select(pl.lit(lines[:-1]).cast(pl.String).str.split("\n").explode().alias("text"))["text"]
    has_empty = b"\n\n" in lines or lines[:1] == b"\n"
    return pl.select(pl.when(texts != "").then(texts).alias("text"))["text"] if has_empty else texts


_USUAL: Final[dict[str, Callable[[list[Any]], list[Any]]]] = {
    # Written out, an attribute is taken in half the time that a getter needs.
    "id": lambda rows: [row.id for row in rows],
    "image_id": lambda rows: [row.image_id for row in rows],
    "category_id": lambda rows: [row.category_id for row in rows],
    "bbox": lambda rows: [row.bbox for row in rows],
    "area": lambda rows: [row.area for row in rows],
    "iscrowd": lambda rows: [row.iscrowd for row in rows],
    "segmentation": lambda rows: [row.segmentation for row in rows],
}
_IDENTITIES: Final = ("id", "image_id", "category_id")


def _taken_apart(rows: Rows) -> Fields:
    boxes, areas = values(rows, "bbox"), values(rows, "area")
    others = [f for f in rows.fields if f not in {*_IDENTITIES, "bbox", "area"} and f not in rows.raw]
    return Fields(
        height=len(rows.rows),
        identities={field: identities(rows, field) for field in _IDENTITIES},
        boxes=_floats(boxes, 4),
        areas=_floats(areas, 1)[:, 0],
        lists={field: found for field in others if _says_something(field, found := values(rows, field))},
        raw=raw_lines(rows),
        odd=rows.odd,
    )


def _says_something(field: str, found: list[Any]) -> bool:
    return any(found) if field in {"iscrowd", "segmentation"} else found.count(None) < len(found)


def _floats(given: list[Any], width: int) -> NDArray[np.float64]:
    """`(n, width)` of a list of tuples of floats, or of floats alone, without looking at each from Python; NaN for None.

    msgpack writes a float as one byte and eight more, and a tuple of fewer than sixteen with one byte before it: a list of them is an
    array with a fixed step. Encoding and viewing it so takes a tenth of the time of numpy's own conversion.
    """
    if not given:
        return np.zeros((0, width))
    dtype = np.dtype([("head", "u1", (1 if width > 1 else 0,)), ("body", [("mark", "u1"), ("value", ">f8")], (width,))])
    packed = memoryview(msgspec.msgpack.encode(given))
    begin = len(packed) - len(given) * dtype.itemsize
    if begin != _list_head(len(given)):
        nothing = (np.nan,) * width if width > 1 else np.nan
        return _floats([nothing if value is None else value for value in given], width)
    return np.frombuffer(packed[begin:], dtype=dtype)["body"]["value"].astype(np.float64)


def _list_head(length: int) -> int:
    """Bytes that msgpack writes before a list's items."""
    return 1 if length < _SHORT_LIST else 3 if length < _LONG_LIST else 5


def _lines(given: list[Any]) -> bytes:
    try:
        lines = _LINES.encode_lines(given)
    except TypeError:  # some rows lack the field
        lines = _LINES.encode_lines([_NOTHING if value is msgspec.UNSET else value for value in given])
    if lines.count(b"\n") == len(given):
        return lines
    # A value is itself written over several lines. Between the parts of a JSON value a line's end means no more than a space.
    flat = [_NOTHING if v is msgspec.UNSET else msgspec.Raw(bytes(v).replace(b"\n", b" ")) for v in given]
    return _LINES.encode_lines(flat)


def _joined(parts: Sequence[Fields]) -> Fields:
    if len(parts) == 1:
        return parts[0]
    starts = np.cumsum([0, *[part.height for part in parts]]).tolist()
    return Fields(
        height=starts[-1],
        identities={field: _joined_ids([part.identities[field] for part in parts]) for field in _IDENTITIES},
        boxes=np.concatenate([part.boxes for part in parts]),
        areas=np.concatenate([part.areas if len(part.areas) else np.full(part.height, np.nan) for part in parts]),
        lists={field: _joined_lists(field, parts) for field in dict.fromkeys(f for part in parts for f in part.lists)},
        raw={
            field: b"".join([part.raw.get(field, b"\n" * part.height) for part in parts])
            for field in dict.fromkeys(f for part in parts for f in part.raw)
        },
        odd={row + start: said for part, start in zip(parts, starts, strict=False) for row, said in part.odd.items()},
    )


def _joined_ids(parts: list[pl.Series]) -> pl.Series:
    text = any(part.dtype == pl.String for part in parts)
    return pl.concat([part.cast(pl.String) for part in parts] if text else parts, rechunk=True)


def _joined_lists(field: str, parts: Sequence[Fields]) -> list[Any]:
    joined: list[Any] = []
    for part in parts:
        joined += cast("list[Any]", part.lists.get(field)) or [None] * part.height
    return joined
