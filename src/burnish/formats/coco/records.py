"""COCO's JSON decoded fast: typed records that widen by the fields a file really has, so that none is lost.

The common rows are decoded straight into slotted records without dictionaries in between. A field that the record lacks makes the
decoder name it; the record is then made again with that field. A long list is decoded piece by piece, so that a piece stays in the
processor's cache until it has become columns; only a piece with values of odd types is gone through row by row.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from burnish.formats.coco.lenient import lenient_row

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Identity: TypeAlias = int | str
"""Ids are integers by the book, and strings in the wild."""

_MOST_EXTRA_FIELDS: Final = 40
_PIECE: Final = 1 << 19
_GAP: Final = re.compile(rb"\}\s*,\s*\{")


class Rle(msgspec.Struct, gc=False):
    """Run lengths of a mask, column by column; `counts` is a list of them or the compressed text."""

    size: tuple[int, int]
    counts: str | list[int]


Polygons: TypeAlias = list[list[float]]
Box: TypeAlias = tuple[float, float, float, float]

_ANNOTATION: Final[dict[str, Any]] = {
    "id": Identity | None,
    "image_id": Identity,
    "category_id": Identity | None,
    "bbox": Box | None,
    "area": float | None,
    "iscrowd": bool | int,
    "segmentation": Polygons | Rle | None,
}
_IMAGE: Final[dict[str, Any]] = {
    "id": Identity,
    "file_name": str,
    "width": int | None,
    "height": int | None,
}
_LATER: Final[dict[str, Any]] = {
    "keypoints": list[float] | None,
    "num_keypoints": int | None,
    "score": float | None,
    "caption": str | None,
    "track_id": int | None,
    "attributes": dict[str, Any] | None,
    "burnish": dict[str, Any],
}
"""Fields that only some files have, and that are more than kept: they go to columns."""

_DEFAULTS: Final = {"iscrowd": 0}


class Rows(msgspec.Struct):
    """Decoded rows of one list of a file.

    Attributes:
        rows: Records with an attribute for each name in `fields`.
        fields: JSON name -> attribute name, in the order of the record.
        raw: JSON names of the fields that nobody knows; their values are `msgspec.Raw`, or `msgspec.UNSET` where a row has none.
        odd: Row number -> what was odd about it and how it was taken, for rows that were read leniently.
    """

    rows: list[Any]
    fields: dict[str, str]
    raw: list[str]
    odd: dict[int, list[str]]


def annotation_rows(value: Any) -> Iterator[Rows]:
    """Decode a file's list of annotations (or of results), piece by piece.

    Raises:
        msgspec.DecodeError: The list is no strict JSON.
    """
    return _decoded(value, dict(_ANNOTATION), _PIECE)


def image_rows(value: Any) -> Rows:
    """Decode a file's list of images."""
    return next(_decoded(value, dict(_IMAGE), None), Rows([], _attributes(_IMAGE), [], {}))


def row_texts(value: Any, wanted: Sequence[int]) -> list[str]:
    """Some rows of a list as JSON, as they stand in the file."""
    rows = msgspec.json.decode(value, type=list[msgspec.Raw]) if isinstance(value, msgspec.Raw | memoryview) else value
    return [bytes(rows[n]).decode() if isinstance(rows[n], msgspec.Raw) else json.dumps(rows[n], ensure_ascii=False) for n in wanted]


def _decoded(value: Any, fields: dict[str, Any], piece: int | None) -> Iterator[Rows]:
    """Decode a list; `fields` gains those that its rows turn out to have."""
    if not isinstance(value, msgspec.Raw | memoryview):
        if value:
            yield _rows_one_by_one(value, fields)
        return
    body = memoryview(value)
    if piece is None or len(body) <= piece or body[0] != ord("["):
        yield _rows(body, fields)
        return
    start, last = 1, len(body) - 1
    while start < last:
        rows, start = _next_piece(body, start, piece, fields)
        yield rows


def _next_piece(body: memoryview, start: int, piece: int, fields: dict[str, Any]) -> tuple[Rows, int]:
    """Decode from `start` up to a comma between two objects, and say where the rest begins.

    Such a comma may lie inside of a row, or of a text. What is before it is then no whole list, the decoder says so, and the next
    comma is tried, further and further away.
    """
    last, wanted = len(body) - 1, piece
    while True:
        gap = _GAP.search(body, min(start + wanted, last))
        end = gap.start() + 1 if gap else last
        try:
            return _rows(b"".join((b"[", body[start:end], b"]")), fields), gap.end() - 1 if gap else last
        except msgspec.DecodeError:
            if gap is None:
                raise
            wanted = gap.end() - start + piece


def _rows(body: bytes | memoryview, fields: dict[str, Any]) -> Rows:
    for _ in range(_MOST_EXTRA_FIELDS):
        try:
            rows = msgspec.json.decode(body, type=list[_record(fields)])
        except msgspec.ValidationError as error:
            stranger = re.match(r"Object contains unknown field `(.*?)`", str(error), flags=re.DOTALL)
            if stranger is None:
                break
            fields[stranger[1]] = _LATER.get(stranger[1], msgspec.Raw)
        else:
            return Rows(rows, _attributes(fields), [f for f, kind in fields.items() if kind is msgspec.Raw], {})
    return _rows_one_by_one(msgspec.json.decode(body, type=list[msgspec.Raw]), fields)


def _record(fields: Mapping[str, Any]) -> type[msgspec.Struct]:
    return _made(tuple(fields.items()))


@cache
def _made(fields: tuple[tuple[str, Any], ...]) -> type[msgspec.Struct]:
    names = _attributes(dict(fields))
    defined: list[Any] = []
    for field, kind in fields:
        if kind is msgspec.Raw:
            defined.append((names[field], kind | msgspec.UnsetType, msgspec.UNSET))
        elif field in _DEFAULTS:
            defined.append((names[field], kind, _DEFAULTS[field]))
        else:
            defined.append((names[field], kind | None, None))
    rename = {name: field for field, name in names.items()}
    return msgspec.defstruct("Record", defined, gc=False, forbid_unknown_fields=True, rename=rename)


def _attributes(fields: Mapping[str, Any]) -> dict[str, str]:
    """Attribute names by JSON name: the usual fields have their own, others need not be Python names."""
    return {field: field if field in _ANNOTATION else f"f{number}" for number, field in enumerate(fields)}


def _rows_one_by_one(values: list[Any], known: Mapping[str, Any]) -> Rows:
    """Decode each row as a dictionary, mend what can be mended, and note what was odd."""
    dictionaries: list[dict[str, Any]] = []
    odd: dict[int, list[str]] = {}
    for number, value in enumerate(values):
        row, remarks = lenient_row(json.loads(bytes(value)) if isinstance(value, msgspec.Raw) else value)
        dictionaries.append(row)
        if remarks:
            odd[number] = remarks
    strangers = dict.fromkeys(field for row in dictionaries for field in row if field not in known)
    fields = dict(known) | {field: _LATER.get(field, msgspec.Raw) for field in strangers}
    names, record = _attributes(fields), _record(fields)
    raw = [field for field, kind in fields.items() if kind is msgspec.Raw]
    rows = [_as_record(row, record, names, raw) for row in dictionaries]
    return Rows(rows, names, raw, odd)


def _as_record(row: dict[str, Any], record: type[msgspec.Struct], names: Mapping[str, str], raw: list[str]) -> Any:
    values = {names[field]: msgspec.Raw(json.dumps(v).encode()) if field in raw else v for field, v in row.items()}
    segmentation = values.get(names.get("segmentation", ""))
    if isinstance(segmentation, dict):
        values[names["segmentation"]] = Rle(size=tuple(segmentation["size"]), counts=segmentation["counts"])
    return record(**values)
