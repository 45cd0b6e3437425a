"""Putting the annotations of a task's jobs together: what two jobs both hold in their overlap is shown once, if it matches.

Boxes and polygons match when they overlap by three quarters on one frame (shapes) or by half on average (tracks); tags match by label.
Nothing else ever matches, so that it is shown twice. A track that does not match ends, outside, behind the overlap.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from burnish.testing.cvat.interpolation import views
from burnish.testing.cvat.overlaps import shape_overlap

if TYPE_CHECKING:
    from collections.abc import Iterable

    from burnish.testing.cvat.calls import Json
    from burnish.testing.cvat.records import Annotations

_SHAPE_DISTANCE: Final = 0.25
_TRACK_DISTANCE: Final = 0.5


def merge(whole: Annotations, part: Annotations, start: int, overlap: int) -> None:
    """Add a job's annotations to those of the jobs before it.

    Args:
        whole: The annotations so far; it is changed.
        part: Those of the next job.
        start: Its first frame.
        overlap: How many frames from there on it shares with the job before it.
    """
    _merge(whole.tags, part.tags, start, overlap, _TagRules())
    _merge(whole.shapes, part.shapes, start, overlap, _ShapeRules())
    _merge(whole.tracks, part.tracks, start, overlap, _TrackRules(start, start + overlap))


class _Rules(Protocol):
    """How one kind of objects is compared and united."""

    @property
    def farthest(self) -> float:
        """The distance, 1 minus similarity, up to which two are one."""
        ...

    def by_frame(self, objects: Iterable[Json], start: int) -> dict[int, list[Json]]:
        """What can meet in the overlap, in groups that can match."""
        ...

    def similarity(self, new: Json, old: Json) -> float:
        """From 0, different, to 1, the same."""
        ...

    def unite(self, new: Json, old: Json) -> None:
        """Let the old one stand for both."""
        ...

    def end(self, old: Json) -> None:
        """Close an old one that nothing matched."""
        ...


def _merge(objects: list[Json], added: list[Json], start: int, overlap: int, rules: _Rules) -> None:
    meeting = [each for each in added if each["frame"] < start + overlap]
    new_by_frame, old_by_frame = rules.by_frame(meeting, start), rules.by_frame(objects, start)
    objects += [each for each in added if each["frame"] >= start + overlap]
    if not new_by_frame or not old_by_frame:
        for old in (each for group in old_by_frame.values() for each in group):
            rules.end(old)
        objects += meeting
        return
    for frame, new in new_by_frame.items():
        objects += _match(new, old_by_frame[frame], rules) if frame in old_by_frame else new


def _match(new: list[Json], old: list[Json], rules: _Rules) -> list[Json]:
    """Unite the best pairs; give back the new ones that match nothing, and close the old ones."""
    distances = np.array([[1 - rules.similarity(one, two) for two in old] for one in new])
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 - it takes longer to load than the whole server

    rows, columns = linear_sum_assignment(distances)
    pairs = [(i, j) for i, j in zip(rows.tolist(), columns.tolist(), strict=True) if distances[i, j] <= rules.farthest]
    for i, j in pairs:
        rules.unite(new[i], old[j])
    for j in set(range(len(old))) - {j for _, j in pairs}:
        rules.end(old[j])
    return [each for i, each in enumerate(new) if i not in {i for i, _ in pairs}]


class _TagRules:
    farthest: float = _SHAPE_DISTANCE

    def by_frame(self, objects: Iterable[Json], start: int) -> dict[int, list[Json]]:
        groups: dict[int, list[Json]] = {}
        for each in objects:
            if each["frame"] >= start:
                groups.setdefault(each["frame"], []).append(each)
        return groups

    def similarity(self, new: Json, old: Json) -> float:
        return float(new["label_id"] == old["label_id"])

    def unite(self, new: Json, old: Json) -> None:
        """The older one stays as it is."""

    def end(self, old: Json) -> None:
        """It lies on one frame only."""


class _ShapeRules(_TagRules):
    def similarity(self, new: Json, old: Json) -> float:
        return shape_overlap(new, old) if new["label_id"] == old["label_id"] else 0.0


class _TrackRules:
    farthest: float = _TRACK_DISTANCE

    def __init__(self, start: int, end: int) -> None:
        self._frames = range(start, end)

    def by_frame(self, objects: Iterable[Json], start: int) -> dict[int, list[Json]]:
        alive = [each for each in objects if each["shapes"][-1]["frame"] >= start or not each["shapes"][-1]["outside"]]
        return {0: alive} if alive else {}

    def similarity(self, new: Json, old: Json) -> float:
        if new["label_id"] != old["label_id"]:
            return 0.0
        both = [{shape["frame"]: shape for shape in views(track, self._frames.stop)} for track in (new, old)]
        if not all(both):
            return 0.0
        pairs = [(both[0].get(frame), both[1].get(frame)) for frame in self._frames]
        told = [(one, two) for one, two in pairs if one or two]
        errors = [1.0 if not one or not two or one["outside"] != two["outside"] else 1 - shape_overlap(one, two) for one, two in told]
        return 1 - sum(errors) / (len(errors) or 1)

    def unite(self, new: Json, old: Json) -> None:
        if new["frame"] < old["frame"]:
            return  # CVAT keeps the old track alone here
        shapes = {**{shape["frame"]: shape for shape in new["shapes"]}, **{shape["frame"]: shape for shape in old["shapes"]}}
        old["shapes"] = [shapes[frame] for frame in sorted(shapes)]

    def end(self, old: Json) -> None:
        last = old["shapes"][-1]
        if last["outside"]:
            return
        old["shapes"].append({**deepcopy(last), "frame": self._frames.stop, "outside": True})
        for element in old.get("elements", []):
            if element["shapes"]:
                self.end(element)
