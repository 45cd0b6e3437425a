"""List the versions of a dataset and what made each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from burnish.formats import versioned
from burnish.inspect.settings import HistoryConfig

if TYPE_CHECKING:
    from burnish.data.versions import Version


@dataclass(frozen=True, slots=True)
class History:
    """The versions of a dataset folder, the newest first."""

    versions: tuple[Version, ...]
    current: int

    @property
    def table(self) -> pl.DataFrame:
        """One row a version."""
        rows = [
            {
                "version": v.number,
                "parent": v.parent,
                "verb": v.verb,
                "created": v.created,
                "settings": ", ".join(f"{key}={value}" for key, value in v.config.items() if value not in (None, [], {}, "")),
                **{name: v.tables[name].rows for name in ("images", "annotations", "classes") if name in v.tables},
            }
            for v in self.versions
        ]
        return pl.DataFrame(rows)

    def save(self, folder: Path, *, force: bool = False) -> list[Path]:
        """There is nothing to save: the history is in the dataset itself."""
        del folder, force
        return []

    def summary(self) -> dict[str, Any]:
        """The versions as plain values."""
        return {"current": self.current, "versions": self.table.to_dicts()}

    def __str__(self) -> str:
        return "\n".join(_line(row, current=row["version"] == self.current) for row in self.table.iter_rows(named=True))


def history(folder: Path | str, config: HistoryConfig | None = None) -> History:
    """List the versions of a dataset folder.

    Raises:
        FormatError: The folder is no dataset of burnish.
    """
    chosen = config or HistoryConfig()
    place = Path(folder)
    line = versioned.ancestry(place)
    versions = sorted(versioned.all_versions(place).values(), key=lambda v: -v.number) if chosen.everything else line
    return History(tuple(versions), line[0].number)


def _line(row: dict[str, Any], *, current: bool) -> str:
    parent = "" if row["parent"] is None else f" from {row['parent']}"
    settings = f" ({row['settings']})" if row["settings"] else ""
    mark = "*" if current else " "
    counts = f"{row['images']:,} pictures, {row['annotations']:,} annotations"
    return f"{mark} {row['version']}{parent}  {row['created']}  {row['verb']}{settings}: {counts}"
