"""What copies say of a dataset: which to keep, labels that contradict one another, leaks between splits."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from burnish.data.findings import finding, findings_table
from burnish.similarity.groups import best_of_groups

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import polars as pl
    from numpy.typing import NDArray

    from burnish.media.hashing import PictureHashes
    from burnish.similarity.duplicates import Duplicates


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """What is known of n pictures beside their pixels.

    Attributes:
        images: (n,) ids.
        paths: n paths relative to the dataset's root.
        labels: n class names, or None where a picture has no label of its own.
        splits: n names of splits, or None.
        annotations: (n,) number of annotations of each.
    """

    images: NDArray[np.int64]
    paths: Sequence[str]
    labels: Sequence[str | None]
    splits: Sequence[str | None]
    annotations: NDArray[np.int64]


def copy_findings(pictures: Pictures, hashes: PictureHashes, duplicates: Duplicates) -> pl.DataFrame:
    """Findings of kind exact_duplicate and near_duplicate (suggestion `remove`, for all but the best), label_conflict and split_leak.

    The best of a group has the most annotations, then the most pixels, then is the sharpest, then comes first.
    """
    area = hashes.sizes.prod(axis=1)
    kept = best_of_groups(duplicates.groups, pictures.annotations, area, hashes.sharpness)
    likeness = _likeness(duplicates)
    rows: list[dict[str, Any]] = []
    for number, members in enumerate(_members(duplicates.groups)):
        rows += _removals(pictures, members, kept, likeness, number)
        rows += _conflicts(pictures, members, number)
        rows += _leaks(pictures, members, number)
    return findings_table(rows)


def _members(groups: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """The indices of each group, in the order of their numbers."""
    order = np.argsort(groups, kind="stable")
    borders = np.searchsorted(groups[order], np.arange(int(groups.max(initial=-1)) + 2))
    return [order[borders[i] : borders[i + 1]] for i in range(len(borders) - 1)]


def _likeness(duplicates: Duplicates) -> dict[int, tuple[str, float, str]]:
    """For each picture its closest pair: kind, similarity, turn."""
    closest: dict[int, tuple[str, float, str]] = {}
    for a, b, kind, similarity, turn in duplicates.pairs.select("a", "b", "kind", "similarity", "turn").iter_rows():
        for index in (a, b):
            if index not in closest or similarity > closest[index][1]:
                closest[index] = (kind, similarity, turn)
    return closest


def _removals(
    pictures: Pictures, members: NDArray[np.int64], kept: NDArray[np.bool_], likeness: dict[int, tuple[str, float, str]], number: int
) -> Iterator[dict[str, Any]]:
    best = int(members[kept[members]][0])
    for index in members[~kept[members]]:
        kind, similarity, turn = likeness[int(index)]
        how = f"{similarity:.2f} alike" + ("" if turn == "same" else f", {turn}") if kind == "near" else kind
        yield finding(
            "near_duplicate" if kind == "near" else "exact_duplicate",
            f"A copy of {pictures.paths[best]} ({how}).",
            score=float(min(similarity, 1.0)) if kind == "near" else 1.0,
            suggestion="remove",
            group=number,
            **_where(pictures, int(index)),
        )


def _conflicts(pictures: Pictures, members: NDArray[np.int64], number: int) -> Iterator[dict[str, Any]]:
    labels = [pictures.labels[i] for i in members]
    counts = Counter(label for label in labels if label is not None)
    if len(counts) < 2:  # noqa: PLR2004 - one label contradicts nothing
        return
    (likely, most), *rest = counts.most_common()
    clear = most > rest[0][1]
    told = ", ".join(f"{name} {count}" for name, count in counts.most_common())
    for index, label in zip(members, labels, strict=True):
        if label is None or (clear and label == likely):
            continue
        yield finding(
            "label_conflict",
            f"Copies of one picture carry different labels: {told}.",
            score=1 - counts[label] / sum(counts.values()),
            given=label,
            suggestion=likely if clear else None,
            group=number,
            **_where(pictures, int(index)),
        )


def _leaks(pictures: Pictures, members: NDArray[np.int64], number: int) -> Iterator[dict[str, Any]]:
    splits = sorted({s for s in (pictures.splits[i] for i in members) if s is not None})
    if len(splits) < 2:  # noqa: PLR2004 - one split leaks nowhere
        return
    for index in members:
        yield finding(
            "split_leak",
            f"Copies lie in {' and '.join(splits)}.",
            given=pictures.splits[index],
            group=number,
            **_where(pictures, int(index)),
        )


def _where(pictures: Pictures, index: int) -> dict[str, Any]:
    return {"path": pictures.paths[index], "image": int(pictures.images[index])}
