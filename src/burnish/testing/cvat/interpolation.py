"""The views of one track between its key frames, in the API's words, as the storage needs them to cut tracks."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from burnish.geometry import keyframes
from burnish.testing.cvat.answers import server_error

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from burnish.testing.cvat.calls import Json

_STRAIGHT: Final = frozenset({"rectangle", "ellipse", "cuboid", "skeleton"})
_MORPHED: Final = frozenset({"polygon", "polyline"})
_ONE_POINT: Final = 2


def views(track: Json, end: int, *, deleted: Container[int] = (), through_outside: bool = False) -> list[Json]:
    """What a track shows from its beginning up to `end` (not included): its key frames and everything between them.

    Args:
        track: As the API spells it.
        end: One behind the last frame.
        deleted: Frames whose key frames do not count.
        through_outside: Whether also what is outside is shown between key frames, as the parts of a skeleton are.

    As in CVAT, looking leaves traces in the track: key frames that were passed are marked, and get the attributes of the one before that
    they do not have themselves.

    Raises:
        RefusalError: 500, as CVAT answers, for two key frames on one frame, for masks that would have to move, and where the type changes.
    """
    shown: list[Json] = []
    last: Json | None = None
    for key in sorted((shape for shape in track["shapes"] if shape["frame"] not in deleted), key=lambda shape: shape["frame"]):
        if last is not None and end <= key["frame"]:
            _pass_by(last, key, end, shown)
            last = None
            break
        if last is not None:
            if _repeats(last, key):
                continue
            _hand_on(last, key)
            if not last["outside"] or through_outside:
                shown += _between(last, key)
        key["keyframe"] = True
        shown.append(key)
        last = key
    if last is not None and (not last["outside"] or through_outside):
        shown += [_copy(last, frame) for frame in range(last["frame"] + 1, end)]
    inside = [shape for shape in shown if track["frame"] <= shape["frame"] < end]
    return [shape for shape in inside if shape["keyframe"] or not shape["outside"] or through_outside]


def _repeats(last: Json, key: Json) -> bool:
    """Whether a key frame says once more what the last one said; two that differ on one frame are an error."""
    if key["frame"] > last["frame"]:
        return False
    if any(key[name] != last[name] for name in ("points", "outside", "occluded", "rotation", "z_order")):
        raise server_error()
    return True


def _pass_by(last: Json, key: Json, end: int, shown: list[Json]) -> None:
    """Show what lies before the end on the way to a key frame behind it."""
    way = list(_between(last, key))
    shown += [shape for shape in way if shape["frame"] < end]
    if all(shape["frame"] < end for shape in way):
        key["keyframe"] = True


def _hand_on(left: Json, right: Json) -> None:
    told = {each["spec_id"] for each in right["attributes"]}
    right["attributes"] += [deepcopy(each) for each in left["attributes"] if each["spec_id"] not in told]


def _copy(shape: Json, frame: int, **changes: Any) -> Json:
    return {
        **shape,
        "frame": frame,
        "keyframe": False,
        "attributes": deepcopy(shape["attributes"]),
        "points": list(shape["points"]),
        **changes,
    }


def _between(left: Json, right: Json) -> Iterator[Json]:
    kind = left["type"]
    if kind != right["type"] or kind == "mask":
        raise server_error()
    frames = range(left["frame"] + 1, right["frame"])
    if not frames:
        return iter(())
    weights = (np.array(frames) - left["frame"]) / (right["frame"] - left["frame"])
    if kind in _STRAIGHT or (kind == "points" and len(left["points"]) == len(right["points"]) == _ONE_POINT):
        points = keyframes.moved([left["points"]], [right["points"]], weights).tolist()
        turns = keyframes.turned([left["rotation"]], [right["rotation"]], weights).tolist()
        pairs = zip(frames, points, turns, strict=True)
        return (_copy(left, frame, points=place, rotation=turn) for frame, place, turn in pairs)
    if kind in _MORPHED:
        return (_copy(left, frame, points=points) for frame, points in zip(frames, _morphed(left, right, weights), strict=True))
    return (_copy(left, frame) for frame in frames)


def _morphed(left: Json, right: Json, weights: Any) -> list[list[float]]:
    one, two = (
        keyframes.Curves(np.reshape(each["points"], (-1, 2)).astype(float), np.array([0, len(each["points"]) // 2]))
        for each in (left, right)
    )
    found = keyframes.morphed(one, two, np.zeros(len(weights), dtype=int), weights, closed=[left["type"] == "polygon"])
    return [found.points[start:stop].ravel().tolist() for start, stop in zip(found.starts, found.starts[1:], strict=False)]
