"""Finished pieces of long work, kept on disk, so that the same command continues where it was stopped."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from burnish.engine.files import atomic_path, write_text
from burnish.engine.fingerprint import fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Pieces:
    """A folder of named pieces, each a set of arrays, that belong to one exact input."""

    folder: Path

    def keep(self, name: str, compute: Callable[[], Mapping[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
        """Give a piece, from disk when it was finished before, otherwise computed now and kept."""
        found = self.find(name)
        if found is not None:
            return found
        arrays = dict(compute())
        with atomic_path(self.folder / f"{name}.npz") as temporary, temporary.open("wb") as stream:
            np.savez(stream, allow_pickle=False, **arrays)
        return arrays

    def find(self, name: str) -> dict[str, NDArray[Any]] | None:
        """Give a finished piece, or None where there is none or its file is damaged."""
        path = self.folder / f"{name}.npz"
        try:
            with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
                return {key: stored[key] for key in stored.files}
        except (FileNotFoundError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
            return None

    def work_folder(self, name: str) -> Path:
        """A folder for what a piece needs while it is unfinished, for instance checkpoints."""
        folder = self.folder / f"{name}.work"
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def open_pieces(folder: Path | str, inputs: Mapping[str, Any]) -> Pieces:
    """The pieces of one exact input: other data or settings get other pieces.

    Args:
        folder: Where pieces of this kind of work are kept.
        inputs: JSON-like description of everything that the pieces depend on.
    """
    text = json.dumps(inputs, sort_keys=True, default=str)
    place = Path(folder) / fingerprint(text)
    place.mkdir(parents=True, exist_ok=True)
    if not (place / "inputs.json").exists():
        write_text(place / "inputs.json", text)
    return Pieces(place)
