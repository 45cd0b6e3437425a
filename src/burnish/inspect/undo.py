"""Return a dataset to the version before."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from burnish.errors import DataError
from burnish.formats import versioned
from burnish.inspect.settings import UndoConfig

if TYPE_CHECKING:
    from burnish.data.versions import Version


@dataclass(frozen=True, slots=True)
class Undone:
    """A step back that has been decided, and is done by saving."""

    folder: Path
    left: Version
    reached: Version

    def save_in_place(self) -> list[Path]:
        """Make the reached version the current one; the left one stays in the history."""
        versioned.move_to(self.folder, self.reached.number)
        return [self.folder / "manifest.json"]

    def save(self, folder: Path, *, force: bool = False) -> list[Path]:
        """Same as `save_in_place`: a step back concerns the dataset's own folder."""
        del folder, force
        return self.save_in_place()

    def summary(self) -> dict[str, Any]:
        """The numbers of both versions."""
        return {"left": self.left.number, "reached": self.reached.number}

    def __str__(self) -> str:
        back = f"burnish undo {self.folder} --to {self.left.number}"
        return (
            f"From version {self.left.number} ({self.left.verb}) to version {self.reached.number} ({self.reached.verb}). Back again: {back}"
        )


def undo(folder: Path | str, config: UndoConfig | None = None) -> Undone:
    """Go back to the parent of the current version, or to any version.

    Raises:
        DataError: The current version is the first one, or there is no such version.
        FormatError: The folder is no dataset of burnish.
    """
    chosen = config or UndoConfig()
    place = Path(folder)
    left = versioned.current(place)
    versions = versioned.all_versions(place)
    number = chosen.to if chosen.to is not None else left.parent
    if number is None:
        raise DataError(f"{place} stands at its first version; there is nothing to undo.")
    if number not in versions:
        raise DataError(f"{place} has no version {number}; it has {', '.join(map(str, versions))}.")
    return Undone(place, left, versions[number])
