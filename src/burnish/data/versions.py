"""Versions of a dataset: each names its parent, the verb and settings that made it, and the exact content of its tables."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from burnish.data.schema import SCHEMA_VERSION
from burnish.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class TableFile:
    """Where one table of one version lies: file name, number of rows, BLAKE2b of the file's bytes."""

    file: str
    rows: int
    hash: str


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a dataset.

    Attributes:
        number: From 1.
        parent: The version that it was made from; None for the first.
        verb: What made it.
        config: With which settings.
        created: When, in ISO 8601, UTC.
        root: Where the pictures lie, relative to the dataset's folder.
        origin: What it was read from at first: format and path.
        tables: Its tables by name; versions share the files of tables that did not change.
    """

    number: int
    parent: int | None
    verb: str
    config: Mapping[str, Any]
    created: str
    root: str
    origin: Mapping[str, Any]
    tables: Mapping[str, TableFile]


def version_text(version: Version) -> str:
    """The manifest as JSON text."""
    return json.dumps({"burnish_schema": SCHEMA_VERSION, **asdict(version)}, indent=2, ensure_ascii=False, default=str) + "\n"


def version_from_text(text: str, where: str) -> Version:
    """Read a manifest.

    Raises:
        DataError: It is no manifest of ours, or of a newer schema than this program knows.
    """
    try:
        values = json.loads(text)
        schema = values.pop("burnish_schema")
        tables = {name: TableFile(**entry) for name, entry in values.pop("tables").items()}
        version = Version(tables=tables, **values)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DataError(
            f"{where} is no manifest of a burnish dataset ({error}). Restore it from a copy, or from the folder's versions."
        ) from error
    if schema > SCHEMA_VERSION:
        raise DataError(f"{where} was written with schema {schema}; this program knows up to {SCHEMA_VERSION}. Install a newer burnish.")
    return version


def line_of_descent(versions: Mapping[int, Version], number: int) -> list[Version]:
    """A version and its ancestors, the newest first."""
    line: list[Version] = []
    current: int | None = number
    while current is not None and current in versions and versions[current] not in line:
        line.append(versions[current])
        current = versions[current].parent
    return line
