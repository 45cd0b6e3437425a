"""Rows of the annotations table as the boxes and masks of objects that a detector learns from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from burnish.formats.painting import object_pixels
from burnish.geometry import boxes as upright
from burnish.geometry import ellipses, polygons, rle, rotated
from burnish.train.loaders.placement import place_mask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from burnish.train.loaders.placement import Place
    from burnish.train.policies.examples import Examples

    Row = Mapping[str, Any]

_N = TypeVar("_N", int, "NDArray[np.int64]")
_HALF = np.array([1.0, 1.0, 0.5, 0.5, 1.0])  # sides of a box are twice the half-axes of its ellipse
_SIDES = ("x1", "y1", "x2", "y2")


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """The objects of one picture.

    Attributes:
        boxes: (n, 4) float64 x1, y1, x2, y2 in pixels of the picture, within it.
        codes: (n,) int64 number of the class; of a crowd of this class `crowd_code`.
        rows: Their annotations.
    """

    boxes: NDArray[np.float64]
    codes: NDArray[np.int64]
    rows: tuple[Row, ...]


def crowd_code(number: _N) -> _N:
    """What stands for a crowd of a class where objects and crowds go together: -1 for class 0, -2 for class 1; so it is its own inverse."""
    return -1 - number


def true_boxes(examples: Examples) -> tuple[tuple[Truth, ...], tuple[str, ...]]:
    """The objects of each picture, and what to tell of those that are not as they were drawn."""
    found, flat, turned = list[Truth](), 0, 0
    for place in range(len(examples)):
        truth = truth_of(examples, place)
        found.append(truth)
        flat += len(examples.rows_of(place)) - len(truth.rows) if examples.sizes[place].min() > 0 else 0
        turned += sum(bool(row["rotation"]) and row["kind"] in {"box", "ellipse"} for row in truth.rows)
    notes = [f"{flat:,} objects have no area inside their picture and are left out."] if flat else []
    notes += [f"{turned:,} objects are turned; detectors know upright boxes, so those around them are learnt."] if turned else []
    return tuple(found), tuple(notes)


def truth_of(examples: Examples, place: int) -> Truth:
    """The objects of one picture; none where its size is not known."""
    rows = examples.rows_of(place) if examples.sizes[place].min() > 0 else ()
    return _truth(rows, examples.numbers, examples.sizes[place])


def told(examples: Examples, notes: Sequence[str]) -> Examples:
    """The examples with more to tell."""
    return replace(examples, notes=(*examples.notes, *(note for note in notes if note not in examples.notes)))


def instance_masks(truth: Truth, kept: NDArray[np.intp], place: Place) -> NDArray[np.uint8]:
    """(n, H, W) 0 or 1, the masks of chosen objects in the frame; of a plain box its whole area."""
    drawn = np.zeros((len(kept), *place.size), np.uint8)
    height, width = place.original
    for number, row in enumerate(kept):
        own = object_pixels(truth.rows[row], width, height).astype(np.uint8)
        drawn[number] = place_mask(own, place) == 1
    return drawn


def _truth(rows: Sequence[Row], numbers: Mapping[int, int], size: NDArray[np.int64]) -> Truth:
    if not rows:
        return Truth(np.empty((0, 4)), np.empty(0, np.int64), ())
    whole = np.concatenate([_bounds(row, int(size[1])) for row in rows])
    known: NDArray[np.bool_] = np.isfinite(whole).all(axis=1)  # pyright: ignore[reportAssignmentType] - one for each row
    boxes = upright.clip(np.where(known[:, None], whole, 0.0), size[0], size[1])
    keep = np.flatnonzero(known & (upright.area(boxes) > 0)).tolist()
    codes = [crowd_code(numbers[row["class"]]) if row["crowd"] else numbers[row["class"]] for row in rows]
    return Truth(boxes[keep], np.array(codes, np.int64)[keep], tuple(rows[place] for place in keep))


def _bounds(row: Row, height: int) -> NDArray[np.float64]:
    """The upright box (1, 4) around an object; NaN where nothing tells it."""
    box = np.array([[np.nan if row[side] is None else row[side] for side in _SIDES]], dtype=np.float64)
    if np.isfinite(box).all():
        return _around(row, box)
    if row["kind"] == "polygon" and row["points"] and np.isfinite(row["points"]).all():
        return polygons.bounds(polygons.from_flat(row["points"], row["parts"])).reshape(1, 4)
    if row["kind"] == "mask" and row["mask"] is not None:
        found = rle.bounds(rle.decompress(row["mask"]), height)
        return found if len(found) else np.full((1, 4), np.nan)
    return np.full((1, 4), np.nan)


def _around(row: Row, box: NDArray[np.float64]) -> NDArray[np.float64]:
    if not row["rotation"] or row["kind"] not in {"box", "ellipse"}:
        return box
    turned = rotated.from_boxes(box, row["rotation"])
    return rotated.bounds(turned) if row["kind"] == "box" else ellipses.bounds(turned * _HALF)
