"""Rows of COCO files whose values have odd types: mended where the meaning is plain, set aside where it is not."""

from __future__ import annotations

import math
from typing import Any, Final

ODD_SUFFIX: Final = " (as given)"
"""A field whose value cannot be used is kept under its name with this ending."""

_BOX_NUMBERS: Final = 4


def lenient_row(row: Any) -> tuple[dict[str, Any], list[str]]:
    """One image or annotation with values of the expected types, and remarks on what had to be changed for it.

    Numbers given as text become numbers. What makes no sense (a box of five numbers, a text where a list belongs) is left out of
    its field and kept under the field's name with `ODD_SUFFIX`.
    """
    if not isinstance(row, dict):
        return {"image_id": -1, "row" + ODD_SUFFIX: row}, [f"the row is {type(row).__name__}, not an object"]
    fresh: dict[str, Any] = dict(row)
    remarks: list[str] = []
    for field, mend in _MENDERS.items():
        if field in fresh:
            _mend(fresh, field, mend, remarks)
    return fresh, remarks


def _mend(row: dict[str, Any], field: str, mend: Any, remarks: list[str]) -> None:
    given = row[field]
    try:
        row[field] = mend(given)
    except (TypeError, ValueError, KeyError, OverflowError):
        row[field] = _EMPTY.get(field)
        row[field + ODD_SUFFIX] = given
        remarks.append(f"{field} is {_short(given)}, which cannot be used")
        return
    if isinstance(given, str) is not isinstance(row[field], str) or _has_text(given):
        remarks.append(f"{field} is {_short(given)}, taken as {_short(row[field])}")


def _has_text(given: Any) -> bool:
    return isinstance(given, list) and any(isinstance(number, str) or _has_text(number) for number in given)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."  # noqa: PLR2004 - what fits in a message


def _number(value: Any) -> float:
    if isinstance(value, bool) or value is None:
        raise TypeError(value)
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(value)
    return number


def _integer(value: Any) -> int:
    number = _number(value)
    if number != int(number):
        raise ValueError(value)
    return int(value) if isinstance(value, int) else int(number)


def _optional_integer(value: Any) -> int | None:
    return None if value is None else _integer(value)


def _optional_number(value: Any) -> float | None:
    return None if value is None else _number(value)


def _identity(value: Any) -> int | str | None:
    """Integers stay, text stays text unless it is a whole number."""
    if isinstance(value, str):
        return int(value) if value.strip().lstrip("-").isdecimal() else value
    return _optional_integer(value)


def _box(value: Any) -> tuple[float, ...] | None:
    if value is None or value == []:
        return None
    numbers = tuple(_number(number) for number in value)
    if len(numbers) != _BOX_NUMBERS:
        raise ValueError(value)
    return numbers


def _flag(value: Any) -> int:
    return 0 if value is None else _integer(int(value) if isinstance(value, bool) else value)


def _segmentation(value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, dict):
        height, width = (_integer(side) for side in value["size"])
        counts = value["counts"]
        return {"size": (height, width), "counts": counts if isinstance(counts, str) else [_integer(n) for n in counts]}
    if isinstance(value, str):
        raise TypeError(value)
    rings = value if not value or isinstance(value[0], list) else [value]
    return [[_number(number) for number in ring] for ring in rings]


def _numbers(value: Any) -> list[float] | None:
    return None if value is None else [_number(number) for number in value]


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise TypeError(value)


def _mapping(value: Any) -> dict[str, Any] | None:
    if value is None or isinstance(value, dict):
        return value
    raise TypeError(value)


_MENDERS: Final[dict[str, Any]] = {
    "id": _identity,
    "image_id": _identity,
    "category_id": _identity,
    "file_name": _text,
    "width": _optional_integer,
    "height": _optional_integer,
    "bbox": _box,
    "area": _optional_number,
    "iscrowd": _flag,
    "segmentation": _segmentation,
    "keypoints": _numbers,
    "num_keypoints": _optional_integer,
    "score": _optional_number,
    "caption": _text,
    "track_id": _optional_integer,
    "attributes": _mapping,
    "burnish": _mapping,
}

_EMPTY: Final[dict[str, Any]] = {"iscrowd": 0, "file_name": "", "image_id": -1, "burnish": None}
