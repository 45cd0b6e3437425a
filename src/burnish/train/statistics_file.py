"""The sums of a dataset as a JSON file that is named by what they are of, and is not believed when it is damaged."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from burnish.engine.files import write_text
from burnish.engine.fingerprint import fingerprint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from burnish.engine.progress import Progress

_VERSION = "1"


def sums_path(folder: Path, mark: Sequence[str]) -> Path:
    """Where the sums of something are kept."""
    return folder / f"statistics-{fingerprint(_VERSION, *mark)}.json"


def read_sums(
    folder: Path, mark: Sequence[str], shapes: Mapping[str, tuple[int, ...]], progress: Progress
) -> dict[str, NDArray[np.int64]] | None:
    """The sums that are kept; None where there are none, or the file is damaged, which is told.

    Args:
        folder: Where they are kept.
        mark: What they are of.
        shapes: What must be in them.
        progress: Where to tell.
    """
    path = sums_path(folder, mark)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return _arrays(content, shapes)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, OverflowError) as error:
        progress.say(f"The kept statistics {path} are damaged ({error}); they are measured anew.")
        return None


def write_sums(folder: Path, mark: Sequence[str], sums: Mapping[str, NDArray[np.int64]]) -> None:
    """Keep sums, whole or not at all.

    Raises:
        DataError: The folder cannot be written.
    """
    values = {name: array.tolist() for name, array in sums.items()}
    content = {"check": _check(values), "mark": list(mark), "sums": values}
    write_text(sums_path(folder, mark), json.dumps(content, indent=1) + "\n")


def _arrays(content: Any, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, NDArray[np.int64]]:
    values = content["sums"]
    if content["check"] != _check(values):
        raise ValueError("the numbers do not fit to their check sum")
    arrays = {name: np.array(values[name], np.int64) for name in shapes}
    if any(array.shape != shapes[name] for name, array in arrays.items()):
        raise ValueError("arrays have other shapes than expected")
    return arrays


def _check(values: Any) -> str:
    return fingerprint(json.dumps(values, sort_keys=True))
