"""Changes of one job, sent in pieces: made first, read back and counted, and only then is anything deleted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from burnish.cvat.connection import LostConnection
from burnish.cvat.differences import Difference, Item, compare, items_of
from burnish.cvat.objects import LISTS, Specs, specs_of
from burnish.cvat.pulling import read_objects
from burnish.errors import ServiceError
from burnish.formats.cvat.api import LabelIds, label_ids, with_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from burnish.cvat.state import PushState
    from burnish.cvat.tree import Node

Json = dict[str, Any]

_TRIES: Final = 4
_NOTHING: Final[Mapping[str, Any]] = {}


@dataclass(frozen=True, slots=True)
class JobPush:
    """What is to be pushed to one job.

    Attributes:
        job: The job.
        wanted: Lists of tags, shapes and tracks.
        labels: The server's labels.
        pulled: Marks that were known at the pull.
        piece: Objects in one request.
        overwrite: As in `compare`.
    """

    job: Node
    wanted: Json
    labels: Sequence[Mapping[str, Any]]
    pulled: Mapping[str, str]
    piece: int
    overwrite: bool

    @property
    def specs(self) -> Specs:
        """Attributes of the labels."""
        return specs_of(self.labels)


def difference(push: JobPush, state: PushState) -> Difference:
    """What differs between what a job should hold and what it holds now."""
    return _compared(push, state)[0]


def send(push: JobPush, state: PushState, advance: Callable[[int], None]) -> Difference:
    """Make a job hold what it should, and remember what was agreed on.

    A lost answer leads to reading the job anew and sending what still differs, so that nothing is made twice.

    Returns:
        What was done.

    Raises:
        ServiceError: The server refuses, or takes objects without keeping them.
    """
    done, found = Difference(), Difference()
    for attempt in range(1, _TRIES + 1):
        found, held = _compared(push, state)
        if attempt == 1:
            done.same = found.same
        if found.is_empty():
            done.kept = found.kept
            _agree(push, state, found, held)
            return done
        try:
            _send_once(push, state, found, held, advance)
        except LostConnection:
            if attempt == _TRIES:
                raise
            continue
        for name in ("create", "update", "delete"):
            getattr(done, name).extend(getattr(found, name))
    raise ServiceError(
        f"{push.job}: after {_TRIES} tries the server still holds something else than was sent ({_counted(found)}). Nothing was deleted "
        "that was not replaced; compare with --dry-run."
    )


def _compared(push: JobPush, state: PushState) -> tuple[Difference, list[Item]]:
    held = items_of(read_objects(push.job, push.labels), push.specs)
    wanted = items_of(push.wanted, push.specs)
    return compare(wanted, held, state.known(push.job.id, push.pulled), overwrite=push.overwrite), held


def _send_once(push: JobPush, state: PushState, found: Difference, held: Sequence[Item], advance: Callable[[int], None]) -> None:
    state.intend(push.job.id, [item.mark for item in (*found.create, *found.update)])
    ids = label_ids(push.labels)
    for items in _pieces(found.create, push.piece):
        _patch(push.job, "create", items, ids)
        advance(len(items))
    if found.create:
        _count_new(push, held, found.create)
    for action, changes in (("update", found.update), ("delete", found.delete)):
        for items in _pieces(changes, push.piece):
            _patch(push.job, action, items, ids)
            advance(len(items))


def _patch(job: Node, action: str, items: Iterable[Item], ids: LabelIds) -> None:
    lists: Json = {name: [] for name in LISTS.values()}
    for item in items:
        lists[LISTS[item.kind]].append(item.body)
    job.connection.patch(f"{job.path}/annotations", with_ids(lists, ids), action=action)


def _count_new(push: JobPush, held: Sequence[Item], made: Sequence[Item]) -> None:
    """Read the job back: the server answers 200 also for objects that it then does not show."""
    before = {item.name for item in held}
    now = [item for item in items_of(read_objects(push.job, push.labels), push.specs) if item.name not in before]
    if len(now) < len(made):
        raise ServiceError(
            f"{push.job}: {len(made)} objects were sent and accepted, and {len(now)} of them are there when read back. Nothing was "
            "deleted; run the same command again to send what is missing."
        )


def _agree(push: JobPush, state: PushState, found: Difference, held: Sequence[Item]) -> None:
    """Equal objects are known from now on; what was kept in spite of a difference stays known as it was."""
    before = state.known(push.job.id, push.pulled).marks
    kept = {item.name for item, _ in found.kept}
    now = {item.name: item.mark for item in found.same}
    now |= {name: text for name, text in before.items() if name in kept}
    there = kept | {item.name for item in held}
    usual = {name: text for name, text in before.items() if name in there}
    if now != usual or str(push.job.id) in state.jobs:
        state.agree(push.job.id, now)


def _pieces(items: Sequence[Item], size: int) -> Iterable[Sequence[Item]]:
    return (items[begin : begin + size] for begin in range(0, len(items), size))


def _counted(found: Difference) -> str:
    return f"{len(found.create)} to make, {len(found.update)} to change, {len(found.delete)} to delete"
