"""Copies among the pictures: groups that no set may cut, findings, and which to leave out."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from burnish.data.findings import finding
from burnish.data.splits import group_numbers, joined_groups
from burnish.media.hashing import hash_pictures
from burnish.similarity.copies import alone_apart
from burnish.similarity.duplicates import KINDS, find_duplicates
from burnish.similarity.groups import best_of_groups, group_pairs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from burnish.engine.map import Engine
    from burnish.engine.progress import Progress
    from burnish.media.hashing import PictureHashes
    from burnish.refine.material import Item
    from burnish.similarity.duplicates import Duplicates


class Copies(NamedTuple):
    """Hashes of all pictures, pairs of copies, and (n,) groups of copies and scenes that belong together."""

    hashes: PictureHashes
    duplicates: Duplicates
    groups: NDArray[np.int64]


def find_copies(items: Sequence[Item], *, together: str | None, false_pairs: float, engine: Engine, progress: Progress) -> Copies:
    """Decode each picture once and look for copies of it; names in which an expression finds the same belong together as well."""
    hashes = hash_pictures([item.path for item in items], engine=engine, progress=progress)
    duplicates = find_duplicates(hashes, false_pairs=false_pairs)
    scenes = np.array([item.group for item in items], dtype=np.int64)
    return Copies(hashes, duplicates, joined_groups(scenes, _named(items, together), alone_apart(duplicates.groups)))


def surplus(copies: Copies, hand: NDArray[np.bool_], drop: str) -> NDArray[np.bool_]:
    """(n,) which pictures to leave out: all but the best of each group; hand-labelled ones are better, then larger ones, then the first."""
    count = len(hand)
    if drop == "none":
        return np.zeros(count, dtype=np.bool_)
    pairs = copies.duplicates.pairs
    wanted = pairs if drop == "near" else pairs.filter(pairs["kind"].is_in(list(KINDS[:2])))
    groups = group_pairs(count, wanted["a"].to_numpy(), wanted["b"].to_numpy())
    return ~best_of_groups(groups, hand, copies.hashes.sizes.prod(axis=1))


def copy_findings(items: Sequence[Item], copies: Copies) -> Iterator[dict[str, Any]]:
    """One finding a pair of copies, and one for each picture that cannot be read."""
    for place, reason in enumerate(copies.hashes.reasons):
        if reason:
            yield finding("unreadable_picture", f"{reason}; it is in no set.", path=items[place].path.name)
    for a, b, kind, similarity in copies.duplicates.pairs.select("a", "b", "kind", "similarity").iter_rows():
        exact = kind in KINDS[:2]
        reason = f"{kind.capitalize()} as {items[a].path.name}." if exact else f"A near copy of {items[a].path.name} ({similarity:.2f})."
        name = "exact_duplicate" if exact else "near_duplicate"
        yield finding(name, reason, score=similarity, path=items[b].path.name, given=items[a].path.name, suggestion="remove")


def _named(items: Sequence[Item], together: str | None) -> NDArray[np.int64]:
    """Groups of pictures by what an expression finds in their names."""
    if together is None:
        return np.arange(len(items))
    found = [re.search(together, posixpath.basename(item.key)) for item in items]
    return group_numbers([None if match is None else match[1] for match in found])
