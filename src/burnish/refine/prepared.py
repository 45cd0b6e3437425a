"""The sets that `burnish prepare` wrote, found again by name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from burnish.errors import DataError, FormatError
from burnish.refine.parts import BASELINE, EVAL, VAL, WEAK
from burnish.refine.sets import find_set, read_provenance
from burnish.refine.weak_boxes import read_boxes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from burnish.refine.weak_boxes import Boxes

_SETS: Final = (BASELINE, VAL, WEAK)


@dataclass(frozen=True, slots=True, eq=False)
class PreparedSets:
    """The sets of one dataset.

    Attributes:
        root: The folder that holds them.
        name: What they are called.
        folders: Folder of BASELINE, BASELINE_VAL and WEAK.
        provenances: What made each.
        classes: Names of the classes.
        weak: Provenance of each weakly labelled picture, by name.
        boxes: Weak boxes of each of them, by name.
        notes: What the user should know, one sentence each.
    """

    root: Path
    name: str
    folders: Mapping[str, Path]
    provenances: Mapping[str, dict[str, Any]]
    classes: tuple[str, ...]
    weak: Mapping[str, Mapping[str, Any]]
    boxes: Mapping[str, Boxes]
    notes: tuple[str, ...] = ()


def open_sets(folder: Path | str, name: str) -> PreparedSets:
    """Find the sets of a prepared dataset; NAME_VAL is taken for NAME_BASELINE_VAL too.

    Raises:
        FormatError: One is missing, or has no provenance.
        DataError: They are of different classes.
    """
    root = Path(folder)
    folders = {part: find_set(root, name, part) for part in _SETS}
    provenances = {part: read_provenance(found) for part, found in folders.items()}
    known = {tuple(found["classes"]) for found in provenances.values()}
    if len(known) != 1:
        raise DataError(f"The sets of {name} are of different classes: {sorted(known)}. Prepare the dataset again, under another name.")
    _refuse_leaks(root, name, provenances)
    (classes,) = known
    weak = {row["name"]: row for row in provenances[WEAK]["pictures"]}
    return PreparedSets(root, name, folders, provenances, classes, weak, read_boxes(folders[WEAK], classes))


def _refuse_leaks(root: Path, name: str, provenances: Mapping[str, dict[str, Any]]) -> None:
    """No picture of the evaluation set may be in a set that is trained on, however the folders came about."""
    try:
        evaluated = {row["hash"]: row["name"] for row in read_provenance(find_set(root, name, EVAL))["pictures"]}
    except FormatError:
        return
    for part, found in provenances.items():
        shared = [row["name"] for row in found["pictures"] if row["copy_of"] is None and row["hash"] in evaluated]
        if shared:
            raise DataError(
                f"{len(shared)} pictures of {name}_{part} are also in {name}_{EVAL}, such as {shared[0]}: evaluation would leak into "
                "training. Prepare the dataset again, under another name."
            )
