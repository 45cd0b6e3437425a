"""Regions as the VGG Image Annotator (versions 1 and 2) saves them: rows of a CSV, or entries of a JSON."""

from __future__ import annotations

import csv
import io
import json
import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from burnish.errors import FormatError
from burnish.formats.escapes import refuse_half_characters
from burnish.formats.gathering import note
from burnish.formats.reading import read_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from burnish.formats.gathering import Gathered

FILE: Final = "labels.csv"
HEADER: Final = (
    *("filename", "file_size", "file_attributes", "region_count", "region_id", "region_shape_attributes", "region_attributes"),
)
_SNIFFED_BYTES: Final = 4096
_PICTURES: Final = "_via_img_metadata"


class Row(NamedTuple):
    """One row: its place in the file, the picture as written, shape and attributes as objects (None where there is no region)."""

    place: str
    filename: str
    file_attributes: dict[str, Any]
    shape: dict[str, Any] | None
    attributes: dict[str, Any]


def find_file(path: Path) -> Path | None:
    """The file of VIA that a path is, or that lies in a folder: labels.csv, else a CSV, else a JSON."""
    if path.is_dir():
        fitting = (p for p in path.iterdir() if p.is_file() and _is_via(p))
        return min(fitting, key=lambda p: (p.name != FILE, p.suffix.lower(), p.name), default=None)
    return path if path.is_file() and _is_via(path) else None


def read_rows(file: Path, gathered: Gathered) -> list[Row]:
    """The regions of a file, and the pictures without any; what cannot be read is told.

    Raises:
        FormatError: The file is no CSV, or no JSON, that can be read.
    """
    return _json_rows(file) if file.suffix.lower() == ".json" else _csv_rows(file, gathered)


def _is_via(path: Path) -> bool:
    return {".csv": _has_header, ".json": _has_keys}.get(path.suffix.lower(), lambda _: False)(path)


def _has_header(path: Path) -> bool:
    with path.open("rb") as stream:
        first = stream.read(_SNIFFED_BYTES).splitlines()[:1]
    return bool(first) and b"region_shape_attributes" in first[0] and b"filename" in first[0]


def _has_keys(path: Path) -> bool:
    with path.open("rb") as stream:
        first = stream.read(_SNIFFED_BYTES)
    project = b'"_via_settings"' in first or b'"_via_img_metadata"' in first
    return project or all(key in first for key in (b'"filename"', b'"size"', b'"regions"'))


def _csv_rows(file: Path, gathered: Gathered) -> list[Row]:
    """All rows; outlines of many points are longer than a cell may be for the csv module, so its limit is lifted meanwhile."""
    limit = csv.field_size_limit(sys.maxsize)
    try:
        return list(_rows(file, gathered))
    except csv.Error as error:
        raise FormatError(f"This is no CSV that can be read: {error}.", path=file) from error
    finally:
        csv.field_size_limit(limit)


def _rows(file: Path, gathered: Gathered) -> Iterator[Row]:
    """Every row; a region that cannot be read leaves its picture, and is told."""
    reader = csv.reader(io.StringIO(read_text(file), newline=""))
    columns = [name.strip().lstrip("#").strip() for name in next(reader)]
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        fields = dict(zip(columns, cells, strict=False))
        where = {"path": file.name, "position": f"line {reader.line_num}"}
        if len(cells) != len(columns) or not fields.get("filename", "").strip():
            reason = f"The row has {len(cells)} cells of {len(columns)}, or no filename; it is left out."
            note(gathered, "broken_line", reason, given=",".join(cells), **where)
            continue
        yield _row(gathered, reader.line_num, fields, where)


def _row(gathered: Gathered, line: int, fields: Mapping[str, str], where: Mapping[str, Any]) -> Row:
    objects: dict[str, dict[str, Any]] = {}
    for column in ("file_attributes", "region_shape_attributes", "region_attributes"):
        text = fields.get(column, "")
        try:
            objects[column] = _object(text)
        except ValueError as error:
            reason = f"{column} cannot be read: {error}; {'the region is left out' if 'shape' in column else 'it is left out'}."
            note(gathered, "broken_region", reason, given=text, **where)
            objects[column] = {}
    shape = objects["region_shape_attributes"] or None
    return Row(f"line {line}", fields["filename"].strip(), objects["file_attributes"], shape, objects["region_attributes"])


def _object(text: str) -> dict[str, Any]:
    """A cell's JSON object, with exact numbers; quotes that were doubled once too often are put right.

    Raises:
        ValueError: It is none.
    """
    if not text.strip():
        return {}
    try:
        value = json.loads(text, parse_float=Decimal)
    except ValueError:
        value = json.loads(text.replace('""', '"'), parse_float=Decimal)
    refuse_half_characters(text, value)
    if not isinstance(value, dict):
        raise ValueError("it is no JSON object")  # noqa: TRY004 - every complaint of a cell is gathered as one
    return cast("dict[str, Any]", value)


def _json_rows(file: Path) -> list[Row]:
    text = read_text(file)
    try:
        content: Any = json.loads(text, parse_float=Decimal)
        refuse_half_characters(text, content)
        return [row for entry in content.get(_PICTURES, content).values() for row in _rows_of(entry)]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        expected = f"for each picture its filename and regions, below '{_PICTURES}' in a project"
        raise FormatError(f"this is no JSON of the VGG Image Annotator ({error}); expected {expected}.", path=file) from error


def _rows_of(entry: Mapping[str, Any]) -> Iterator[Row]:
    """The regions of a picture, a list or in version 1 numbered keys; without any, a row that names the picture."""
    regions: Any = entry.get("regions") or ()
    listed = list(regions.values()) if isinstance(regions, dict) else list(regions)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    about = dict(entry.get("file_attributes") or {})
    if not listed:
        yield Row("no region", str(entry["filename"]).strip(), about, None, {})
    for number, region in enumerate(listed, start=1):
        shape, attributes = dict(region["shape_attributes"]), dict(region.get("region_attributes") or {})
        yield Row(f"region {number}", str(entry["filename"]).strip(), about, shape, attributes)
