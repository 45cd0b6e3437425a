"""What has to change in a job so that it holds what a dataset says: three states compared, and nobody's work overwritten.

The three are the dataset, the server now, and what both agreed on last (`known`: at the pull, or after the last push). What only the
dataset changed is sent; what only the server changed stays; where both did, the server's stays and is told. What people drew is never
replaced by what a model drew.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from burnish.cvat.objects import LISTS, Specs, box_of, mark

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Json = dict[str, Any]

AUTOMATIC: Final = ("auto", "semi-auto")
PEOPLE: Final = "manual"

DRAWN_BY_PEOPLE: Final = "drawn by people, and a model would replace it"
CHANGED_THERE: Final = "changed on the server only; pull again to have it"
CHANGED_BOTH: Final = "changed here and on the server; the server's stays (--overwrite sends ours)"
NEW_THERE: Final = "made on the server since; pull again to have it"
GONE_THERE: Final = "deleted on the server; it is not made again"


class Item(NamedTuple):
    """A tag, shape or track with its kind and the mark of its content."""

    kind: str
    body: Json
    mark: str

    @property
    def id(self) -> int | None:
        """The server's number, where it has one."""
        return self.body.get("id")

    @property
    def name(self) -> str:
        """Kind and number."""
        return f"{self.kind} {self.id}"


@dataclass(slots=True)
class Difference:
    """What is to be done, and what stays although the dataset differs.

    Attributes:
        create: Objects without numbers.
        update: Objects with the numbers of those that they replace.
        delete: Objects as the server holds them.
        kept: Objects of the server (or of the dataset) that are left as they are, and why.
        same: The server's objects that are as the dataset says.
    """

    create: list[Item] = field(default_factory=list[Item])
    update: list[Item] = field(default_factory=list[Item])
    delete: list[Item] = field(default_factory=list[Item])
    kept: list[tuple[Item, str]] = field(default_factory=list[tuple[Item, str]])
    same: list[Item] = field(default_factory=list[Item])

    def is_empty(self) -> bool:
        """Whether nothing has to be sent."""
        return not (self.create or self.update or self.delete)


@dataclass(frozen=True, slots=True)
class Known:
    """What dataset and server agreed on last.

    Attributes:
        marks: Mark of each object that was known, by kind and number.
        sent: Marks of what was about to be sent when an earlier push was cut off.
    """

    marks: Mapping[str, str] = field(default_factory=dict[str, str])
    sent: frozenset[str] = frozenset()

    def is_ours(self, item: Item) -> bool:
        """Whether an object of the server is one that the dataset knew."""
        return item.name in self.marks or item.mark in self.sent

    def is_untouched(self, item: Item) -> bool:
        """Whether nobody changed it on the server since."""
        return self.marks.get(item.name) == item.mark or item.mark in self.sent


def items_of(found: Mapping[str, Iterable[Json]], specs: Specs) -> list[Item]:
    """The objects of lists of tags, shapes and tracks."""
    return [Item(kind, body, mark(kind, body, specs)) for kind, name in LISTS.items() for body in found.get(name) or ()]


def compare(wanted: Sequence[Item], held: Sequence[Item], known: Known, *, overwrite: bool = False) -> Difference:
    """What to do in one job.

    Args:
        wanted: What the dataset says; objects that came from the server have its numbers.
        held: What the job holds.
        known: What both agreed on last.
        overwrite: Whether changes of the server give way to those of the dataset.
    """
    found = Difference()
    left = {item.name: item for item in held}
    free: list[Item] = []
    for item in wanted:
        other = left.pop(item.name, None) if item.id is not None else None
        if other is None:
            free.append(item)
        else:
            _settle(found, item, other, known, overwrite=overwrite)
    free = _match_equal(found, free, left)
    free = _match_near(found, free, left, known)
    for item in free:
        _settle_missing(found, item, known, overwrite=overwrite)
    for other in left.values():
        _settle_extra(found, other, known, overwrite=overwrite)
    return found


def _settle(found: Difference, item: Item, other: Item, known: Known, *, overwrite: bool) -> None:
    base = known.marks.get(other.name)
    if item.mark == other.mark:
        found.same.append(other)
    elif _is_protected(item, other):
        found.kept.append((other, DRAWN_BY_PEOPLE))
    elif item.mark == base:
        found.kept.append((other, CHANGED_THERE))
    elif overwrite or base is None or known.is_untouched(other):
        found.update.append(_with_id(item, other))
    else:
        found.kept.append((other, CHANGED_BOTH))


def _is_protected(item: Item, other: Item) -> bool:
    return (other.body.get("source") or PEOPLE) == PEOPLE and item.body.get("source") in AUTOMATIC


def _with_id(item: Item, other: Item) -> Item:
    return item._replace(body={**item.body, "id": other.id})


def _match_equal(found: Difference, free: Sequence[Item], left: dict[str, Item]) -> list[Item]:
    """Objects without a number that the server holds already."""
    by_mark: defaultdict[tuple[str, str], list[Item]] = defaultdict(list)
    for other in left.values():
        by_mark[other.kind, other.mark].append(other)
    rest: list[Item] = []
    for item in free:
        twins = by_mark[item.kind, item.mark]
        if twins:
            found.same.append(left.pop(twins.pop(0).name))
        else:
            rest.append(item)
    return rest


def _match_near(found: Difference, free: Sequence[Item], left: dict[str, Item], known: Known) -> list[Item]:
    """Changed objects whose number is not known: each takes the nearest of ours on its frame, so that its number stays."""
    ours: defaultdict[tuple[str, int, Any], list[Item]] = defaultdict(list)
    for other in left.values():
        if known.is_ours(other) and known.is_untouched(other):
            ours[_place(other)].append(other)
    rest: list[Item] = []
    for item in free:
        near = [other for other in ours[_place(item)] if not _is_protected(item, other)]
        if item.name in known.marks or not near:
            rest.append(item)
            continue
        chosen = min(near, key=lambda other: _distance(item, other))
        ours[_place(item)].remove(chosen)
        del left[chosen.name]
        found.update.append(_with_id(item, chosen))
    return rest


def _place(item: Item) -> tuple[str, int, Any]:
    return item.kind, int(item.body["frame"]), item.body.get("type")


def _distance(item: Item, other: Item) -> tuple[bool, float]:
    boxes = box_of(item.body), box_of(other.body)
    apart = sum(abs(a - b) for a, b in zip(*boxes, strict=False))
    return item.body["label"] != other.body["label"], apart


def _settle_missing(found: Difference, item: Item, known: Known, *, overwrite: bool) -> None:
    """An object of the dataset that the server does not hold."""
    was_there = item.id is not None and item.name in known.marks
    if was_there and not overwrite:
        found.kept.append((item, GONE_THERE))
        return
    found.create.append(item._replace(body={key: value for key, value in item.body.items() if key != "id"}))


def _settle_extra(found: Difference, other: Item, known: Known, *, overwrite: bool) -> None:
    """An object of the server that the dataset does not hold."""
    if not known.is_ours(other):
        found.kept.append((other, NEW_THERE))
    elif overwrite or known.is_untouched(other):
        found.delete.append(other)
    else:
        found.kept.append((other, CHANGED_BOTH))
