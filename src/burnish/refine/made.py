"""Refined sets as they were made, and as they are read back where an earlier call has made them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from burnish import descriptions
from burnish.data.findings import counts_by_kind, findings_table
from burnish.errors import DataError
from burnish.formats.findings import Findings, read_findings
from burnish.refine.choosing import Choice, called
from burnish.refine.modes.names import MODES
from burnish.refine.sets import read_provenance

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from burnish.refine.prepared import PreparedSets

_RECORD: Final = {
    "picture": pl.String,
    "class": pl.String,
    "box": pl.Int64,
    "x1": pl.Float64,
    "y1": pl.Float64,
    "x2": pl.Float64,
    "y2": pl.Float64,
    "fate": pl.String,
    "share": pl.Float64,
    "sides": pl.Int64,
    "reason": pl.String,
}


@dataclass(frozen=True, slots=True, eq=False)
class HybridSet:
    """What was written.

    Attributes:
        train: Folder of NAME_Hk.
        val: Folder of NAME_Hk_VAL.
        table: One row a weak box: picture, class, box (its number), x1, y1, x2, y2, fate, share, sides, reason.
        findings: Pictures that cannot be read, and those whose prediction failed.
        counts: Pictures of each origin.
        mode: What the masks were merged by.
        choice: How the modes compare, where one was to be chosen.
    """

    train: Path
    val: Path
    table: pl.DataFrame
    findings: Findings
    counts: Mapping[str, int]
    mode: str
    choice: Choice | None = None

    def summary(self) -> dict[str, Any]:
        """Pictures of each origin, boxes of each fate, what was noticed."""
        fates = dict(self.table.group_by("fate").len().sort("fate").iter_rows())
        chosen = {} if self.choice is None else {"mode": self.choice.taken, "modes": dict(self.choice.scores)}
        return {"pictures": dict(self.counts), **chosen, "boxes": fates, "findings": counts_by_kind(self.findings.table)}

    def __str__(self) -> str:
        told = self.summary()
        held = ", ".join(f"{number:,} {origin}" for origin, number in told["pictures"].items())
        fates = ", ".join(f"{number:,} {fate}" for fate, number in told["boxes"].items())
        lines = [f"{self.train.name} and {self.val.name}: {held} pictures.", f"Boxes: {fates}." if fates else "No box was predicted."]
        if self.choice is not None:
            lines.insert(1, str(self.choice))
        if fates and not told["boxes"].keys() - {"empty"}:
            lines.append("The model finds nothing in any of them; one that was trained longer, or on more pictures, would.")
        return "\n".join([*lines, *(f"  {kind.replace('_', ' ')}: {number:,}" for kind, number in told["findings"].items())])


def places_of(sets: PreparedSets, number: int) -> tuple[Path, Path]:
    """Where the refined sets of a number are: NAME_Hk and NAME_Hk_VAL."""
    train = sets.root / f"{sets.name}_H{number}"
    return train, train.with_name(f"{train.name}_VAL")


def refuse_used(sets: PreparedSets, number: int) -> None:
    """Refuse a number of which there are sets already.

    Raises:
        DataError: One of its sets is there; the message names the next free number.
    """
    used = [place for place in places_of(sets, number) if place.exists()]
    if not used:
        return
    free = 1
    while any(place.exists() for place in places_of(sets, free)):
        free += 1
    told = f"{used[0]} is there already, and sets of several rounds shall not mix."
    raise DataError(f"{told} The next free number is {free}: --number {free} (number: {free}).")


def findings_of(train: Path) -> Path:
    """Where the findings of a refined set are, if there are any."""
    return train.with_name(f"{train.name}_findings")


def read_made(sets: PreparedSets, number: int) -> HybridSet:
    """Refined sets that are there.

    Args:
        sets: The prepared dataset that they were made of.
        number: Theirs.

    Raises:
        FormatError: There are no such sets, or they were not made by burnish refine.
    """
    train, val = places_of(sets, number)
    told = read_provenance(train)
    rows = [row for found in (told, read_provenance(val)) for row in found["pictures"] if row["copy_of"] is None]
    boxes = {row["name"]: row.get("boxes", ()) for row in rows}
    place = findings_of(train)
    findings = read_findings(place) if place.is_dir() else Findings(findings_table([]), {"verb": "refine", "dataset": str(train)})
    choice = Choice(**told["choice"]) if "choice" in told else None
    mode = called(descriptions.describe(MODES, told["config"]["mode"])) if choice is None else choice.taken
    table = boxes_table(sets, {name: boxes[name] for name in sets.weak if name in boxes})
    return HybridSet(train, val, table, findings, Counter(row["origin"] for row in rows), mode, choice)


def boxes_table(sets: PreparedSets, boxes: Mapping[str, Iterable[Mapping[str, Any]]]) -> pl.DataFrame:
    """One row a weak box, from what was told of the boxes of each picture."""
    rows = [_row(sets, name, told) for name, found in boxes.items() for told in found]
    return pl.DataFrame(rows, schema=_RECORD, orient="row")


def _row(sets: PreparedSets, name: str, told: Mapping[str, Any]) -> tuple[Any, ...]:
    corners, classes = sets.boxes[name]
    place = told["box"]
    named = sets.classes[int(classes[place])]
    return (name, named, place, *corners[place].tolist(), told["fate"], told["share"], told["sides"], told["reason"])
