"""Which pictures a network can learn from: what is missing, damaged or unlabelled is left out, and told by name."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from burnish.engine.map import ordered_map
from burnish.media.endings import why_incomplete

if TYPE_CHECKING:
    from collections.abc import Sequence

    from burnish.engine.progress import Progress
    from burnish.train.policies.examples import Examples

_LISTED: Final = 5

_UNUSABLE_MASKS: Final = ("size_differs", "unreadable_mask")
"""Findings of mask files that say nothing about their picture."""


def readable_only(examples: Examples) -> Examples:
    """Without the pictures whose size nobody could tell, which are told of."""
    readable = examples.sizes.min(axis=1) > 0
    if readable.all():
        return examples
    bad = np.flatnonzero(~readable)
    shown = ", ".join(str(examples.paths[row]) for row in bad[:_LISTED])
    note = f"{len(bad):,} pictures are missing or cannot be read, and are left out: {shown}. burnish check says why."
    return replace(examples, parts=np.where(readable, examples.parts, -1), notes=(*examples.notes, note))


def complete_only(examples: Examples, progress: Progress) -> Examples:
    """Without the pictures, of those that are in a part, whose files or soft masks are cut short, or hold values that are no numbers.

    Half of each would be learnt as grey, or as black.
    """
    rows: list[int] = np.flatnonzero(examples.parts >= 0).tolist()

    def lacking(row: int) -> str | None:
        masks = (f"of its mask {path.name}, {why}" for path in examples.beliefs[row] if (why := why_incomplete(path)))
        return why_incomplete(examples.paths[row]) or next(masks, None)

    reasons = ordered_map(lacking, rows, progress=progress, label="Looking for files that are cut short")
    bad = {row: why for row, why in zip(rows, reasons, strict=True) if why}
    if not bad:
        return examples
    listed = "; ".join(f"{examples.told_path(row)} ({why})" for row, why in list(bad.items())[:_LISTED])
    more = f"; and {len(bad) - _LISTED:,} more, which burnish check lists" if len(bad) > _LISTED else ""
    note = f"{len(bad):,} pictures cannot be decoded whole, and are left out: {listed}{more}."
    parts = examples.parts.copy()
    parts[list(bad)] = -1
    return replace(examples, parts=parts, notes=(*examples.notes, note))


def with_usable_masks(examples: Examples) -> Examples:
    """Without the pictures whose mask is of another size or cannot be read: taken as background they would teach what is wrong."""
    notes = examples.dataset.notes.filter(pl.col("kind").is_in(_UNUSABLE_MASKS))
    bad = np.isin(examples.images, notes["image"].drop_nulls().to_numpy()) & (examples.parts >= 0)
    bad &= np.array([int(image) not in examples.rows for image in examples.images])
    if not bad.any():
        return examples
    shown = "; ".join(f"{path}: {reason}" for path, reason in notes.select("path", "reason").head(_LISTED).iter_rows())
    note = f"{int(bad.sum()):,} pictures have a mask that cannot be used, and are left out: {shown}"
    return replace(examples, parts=np.where(bad, -1, examples.parts), notes=(*examples.notes, note))


def labelled_only(examples: Examples) -> Examples:
    """In a classification a picture without a label says nothing."""
    without = np.array([int(image) not in examples.rows for image in examples.images]) & (examples.parts >= 0)
    if not without.any():
        return examples
    note = f"{int(without.sum()):,} pictures have no label and are left out."
    return replace(examples, parts=np.where(without, -1, examples.parts), notes=(*examples.notes, note))


def why_none(examples: Examples, splits: Sequence[str]) -> str:
    """Why no picture is in the training part: no split is called so, or all were left out."""
    counts = examples.dataset.images["split"].cast(pl.String).drop_nulls().value_counts(sort=True)
    there: dict[str, int] = dict(counts.iter_rows())
    if there and not there.keys() & {*splits}:
        hints = (f" Did you mean '{near[0]}'?" for name in splits if (near := get_close_matches(name, there, n=1)))
        told = ", ".join(f"{name} ({count:,} pictures)" for name, count in there.items())
        named = f"no split is called {' or '.join(splits)}" if splits else "data.train names no split"
        return f": {named}. The splits are {told}.{next(hints, '')} Name them with data.train, or divide with burnish split."
    left_out = " ".join(note for note in examples.notes if "left out" in note)
    return f": {left_out}" if left_out else ". Name the splits to train on with data.train, or divide with burnish split."
