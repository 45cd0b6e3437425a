"""Classes that a part of the pictures does not show, and what follows from that for training and for numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from burnish.train.policies.examples import Examples

_LISTED: Final = 5
_ONE: Final = ("it stays an output that is never learnt", "its", "it")
_SEVERAL: Final = ("they stay outputs that are never learnt", "their", "them")
_UNSCORED: Final = {
    "segmentation": "{it} {do} not count in means there, unless the network finds {them}, which is wrong: then the IoU is 0 and counts",
    "detection": "{it} {have} no AP there and {do} not count in the mean",
    "keypoints": "{it} {have} no AP there and {do} not count in the mean",
    "classification": "{it} {do} not count in means over classes there; pictures that are taken for {them} are mistakes",
}


def absent_classes(examples: Examples, rows: Iterable[int]) -> tuple[str, ...]:
    """The classes that none of some pictures shows; where all classes are one output, all of them or none."""
    seen = {examples.numbers.get(row["class"]) for place in rows for row in examples.rows_of(int(place))}
    absent = tuple(name for place, name in enumerate(examples.classes) if place not in seen)
    return absent if examples.mode != "binary" or len(absent) == len(examples.classes) else ()


def unlearnt_note(examples: Examples, absent: Sequence[str]) -> str:
    """What becomes of classes that no training picture shows."""
    places = {examples.classes.index(name) for name in absent}
    told = [f"{number:,} pictures of {part}" for part in ("val", "test") if (number := _showing(examples, part, places))]
    stays, its, it = _ONE if len(absent) == 1 else _SEVERAL
    if told and examples.task == "classification":
        stays += f", and {its} {' and '.join(told)} count as mistakes"
    elif told:
        stays += f", and what {' and '.join(told)} show of {it} is missed"
    return f"No training picture has a label of {_listed(absent)}: {stays}. Leave {it} out with data.classes."


def unscored_note(examples: Examples, absent: Sequence[str], part: str) -> str:
    """What it means for the numbers of a part that it does not show some classes."""
    words = dict(
        zip(("it", "them", "have", "do"), ("it", "it", "has", "does") if len(absent) == 1 else ("they", "them", "have", "do"), strict=True)
    )
    return f"No picture of {part} shows {_listed(absent)}: {_UNSCORED[examples.task].format(**words)}."


def _showing(examples: Examples, part: str, places: set[int]) -> int:
    """How many pictures of a part show one of some classes."""
    shown = [{examples.numbers.get(row["class"]) for row in examples.rows_of(int(place))} for place in examples.part(part)]
    return sum(bool(one & places) for one in shown)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_LISTED]) + (f" and {len(names) - _LISTED:,} more" if len(names) > _LISTED else "")
