"""Cutting annotations at the borders of jobs: each job gets the tags, shapes and pieces of tracks on its frames."""

from __future__ import annotations

from copy import deepcopy
from itertools import dropwhile, pairwise
from typing import TYPE_CHECKING

from burnish.testing.cvat.interpolation import views
from burnish.testing.cvat.records import Annotations

if TYPE_CHECKING:
    from collections.abc import Iterable

    from burnish.testing.cvat.calls import Json


def slice_annotations(found: Annotations, start: int, stop: int) -> Annotations:
    """A copy of what lies on the frames from start to stop, both included; what lies on no frame of the job is left out without a word."""
    tracks = [_slice_track(track, start, stop) for track in found.tracks if _is_seen(track, start, stop)]
    return Annotations(
        [deepcopy(tag) for tag in found.tags if start <= tag["frame"] <= stop],
        [deepcopy(shape) for shape in found.shapes if start <= shape["frame"] <= stop],
        [track for track in tracks if track["shapes"]],
    )


def _is_seen(track: Json, start: int, stop: int) -> bool:
    """Whether a track is visible somewhere between start and stop."""
    keys = track["shapes"]
    if any(not one["outside"] and min(two["frame"], stop) >= max(one["frame"], start) for one, two in pairwise(keys)):
        return True
    return bool(keys) and not keys[-1]["outside"] and keys[-1]["frame"] <= stop


def _slice_track(whole: Json, start: int, stop: int) -> Json:
    track = deepcopy(whole)
    kept = _visible_part(deepcopy(track["shapes"]), start, stop)
    if "elements" in track:
        track["elements"] = [_slice_track(element, start, stop) for element in track["elements"]]
    if len(kept) < len(track["shapes"]):
        kept = _with_borders(track, kept, start, stop)
    for shape in kept:
        shape.pop("keyframe", None)
    track["shapes"] = kept
    track["frame"] = kept[0]["frame"] if kept else track["frame"]
    return track


def _visible_part(shapes: Iterable[Json], start: int, stop: int) -> list[Json]:
    """The shapes on a job's frames, from the first that is not outside."""
    inside = (shape for shape in shapes if start <= shape["frame"] <= stop)
    return list(dropwhile(lambda shape: shape["outside"], inside))


def _with_borders(track: Json, kept: list[Json], start: int, stop: int) -> list[Json]:
    """Add key frames at the borders of the job, where the track goes on beyond them."""
    shown = _visible_part(views(track, stop + 1), start, stop)
    if not shown:
        return kept
    if not shown[0]["keyframe"]:
        kept.insert(0, shown[0])
    goes_on = max(shape["frame"] for shape in track["shapes"]) >= stop
    ends_here = shown[-1]["keyframe"] and shown[-1]["outside"]
    is_new = all(shape["frame"] != shown[-1]["frame"] for shape in kept)
    if is_new and ((goes_on and shown[-1]["points"] != kept[-1]["points"]) or ends_here):
        kept.append(shown[-1])
    return kept
