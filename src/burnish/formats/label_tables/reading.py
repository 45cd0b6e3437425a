"""Reading label tables from files or mappings, in either order; whatever is odd about them comes back as findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from burnish.data.contradictions import contradictions
from burnish.data.findings import finding, findings_table
from burnish.data.taxonomy import Taxonomy, taxonomy_of
from burnish.errors import DataError, FormatError
from burnish.formats.label_tables.grids import one_line, read_grids
from burnish.formats.label_tables.headers import LABELS, NEEDED, SUPERLABELS, find_header, header_problems
from burnish.formats.label_tables.label_rows import read_labels
from burnish.formats.label_tables.superlabel_rows import read_superlabels

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from burnish.formats.label_tables.grids import Grid

Source = Path | str | Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LabelTables:
    """What was read.

    Attributes:
        taxonomy: The tables.
        findings: Every problem in them, with the address of its cell.
        paths: The files.
    """

    taxonomy: Taxonomy
    findings: pl.DataFrame
    paths: tuple[str, ...] = ()


def read_tables(first: Source | None = None, second: Source | None = None, *, encoding: str | None = None) -> LabelTables:
    """Read a table of labels, one of superlabels, or both, in either order.

    A file is known by its headings. Of two mappings the first is label -> meaning, the second meaning -> superlabel; a mapping beside a
    file is what the file is not. A workbook with both tables on two sheets gives both.

    Args:
        first: A file or a mapping.
        second: Another one.
        encoding: The encoding of text tables; UTF-8, cp1251 and latin1 are tried where not given.

    Raises:
        FormatError: A file is missing, damaged, or neither table.
        DataError: Nothing was given, or both are the same table.
    """
    if first is None and second is None:
        raise DataError("No label table was given; expected a table of labels, one of superlabels, or both.")
    found, problems = Taxonomy(), list[dict[str, Any]]()
    files = [Path(source) for source in (first, second) if isinstance(source, Path | str)]
    for path in files:
        found = _joined(found, _read_file(path, encoding, problems), path)
    found = _with_mappings(found, first, second)
    table = findings_table([*problems, *contradictions(found)])
    return LabelTables(found, table, tuple(map(str, files)))


def _joined(found: Taxonomy, more: Taxonomy, path: Path) -> Taxonomy:
    given = {name: getattr(more, name) for name in ("labels", "superlabels") if getattr(more, name) is not None}
    for name in given:
        if getattr(found, name) is not None:
            raise DataError(f"{path} is a second table of {name}; expected one of labels and one of superlabels.")
    return replace(found, **given)


def _with_mappings(found: Taxonomy, first: Source | None, second: Source | None) -> Taxonomy:
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        return taxonomy_of(first, second)
    mapping = next((source for source in (first, second) if isinstance(source, Mapping)), None)
    if mapping is None:
        return found
    tidied = {one_line(key): one_line(value) for key, value in mapping.items()}
    # Alone in the second place a mapping can only be that of superlabels.
    if found.labels is not None or (first is None and found.superlabels is None):
        return replace(found, superlabels=taxonomy_of(superlabels=tidied).superlabels)
    return replace(found, labels=taxonomy_of(tidied).labels)


def _read_file(path: Path, encoding: str | None, problems: list[dict[str, Any]]) -> Taxonomy:
    grids = read_grids(path, encoding=encoding)
    read: dict[str, Any] = {}
    for grid in grids:
        header = find_header(grid)
        if header is None or header.table in read:
            continue
        problems += header_problems(grid, header)
        problems += _encoding_problem(grid)
        read[header.table], more = read_labels(grid, header) if header.table == "labels" else read_superlabels(grid, header)
        problems += more
        if not grid.sheet:
            break
    if not read:
        raise FormatError(_neither(grids), path=path)
    return Taxonomy(**read)


def _encoding_problem(grid: Grid) -> list[dict[str, Any]]:
    if grid.encoding == "utf-8":
        return []
    reason = f"The file is not UTF-8; it was read as {grid.encoding}. Save it as UTF-8, so that nobody has to guess."
    return [finding("encoding", reason, score=0.3, is_issue=False, path=grid.path)]


def _neither(grids: Sequence[Grid]) -> str:
    wanted = {"labels": LABELS, "superlabels": SUPERLABELS}
    needed = {table: ", ".join(f"'{wanted[table][name][0]}'" for name in names) for table, names in NEEDED.items()}
    seen = ", ".join(f"'{one_line(cell.text)}'" for grid in grids[:1] for cell in (grid.rows[0] if grid.rows else ()) if cell.text)
    return (
        f"This is neither a table of labels (columns {needed['labels']}) nor one of superlabels (columns {needed['superlabels']}). "
        f"Its first row holds: {seen or 'nothing'}. Get templates with: burnish labels --template FOLDER"
    )
