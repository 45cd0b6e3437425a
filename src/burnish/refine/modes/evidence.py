"""What is known about one picture, what a mode makes of it, and what every mode does with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

import numpy as np

from burnish.errors import DataError
from burnish.geometry.arrays import as_boxes, require_finite
from burnish.geometry.resampling import linear

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from burnish.geometry.arrays import Bools, Floats, Ints

NOWHERE: Final = 0
BOX: Final = 1
PREDICTED: Final = 2
WHOLE: Final = 3
DRAWN: Final = 4
DISPUTED: Final = 5

ORIGINS: Final = ("nowhere", "box", "predicted", "whole", "drawn", "disputed")
"""Where a pixel's belief comes from: in no box; in a box that the prediction leaves out; in a box and predicted; in a box that is kept
whole; drawn by a prompted model; seen by one of two models."""

_FULL: Final = 255
_MAPS: Final = 3


@dataclass(frozen=True, slots=True, eq=False)
class Weak:
    """Weak labels of one picture.

    Attributes:
        boxes: (N, 4) x1, y1, x2, y2 in pixels of the picture, half-open.
        classes: (N,) place of each box's class, from 0.
        size: Height and width of the picture.
        masks: (N, H, W) booleans where weak labels are more than boxes; None where each fills its box.
    """

    boxes: Floats
    classes: Ints
    size: tuple[int, int]
    masks: Bools | None = None

    def __post_init__(self) -> None:
        require_finite(as_boxes(self.boxes), "weak boxes")
        if len(self.boxes) != len(self.classes):
            raise DataError(f"There are {len(self.boxes)} weak boxes and {len(self.classes)} classes; expected one class a box.")
        if self.masks is not None and self.masks.shape != (len(self.boxes), *self.size):
            raise DataError(f"The weak masks have shape {self.masks.shape}, expected {(len(self.boxes), *self.size)}, one a box.")


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """All that a mode may look at.

    Attributes:
        probabilities: (K, h, w) float32 from 0 to 1, one map a class; at the picture's size or that of the model.
        weak: The weak labels.
        picture: (H, W, 3) uint8, for modes that look at it.
        second: (K, h, w) probabilities of another model, for mode agreement.
        drawn: (N, H, W) booleans, what a prompted model drew for each box, for mode prompted.
    """

    probabilities: NDArray[np.float32]
    weak: Weak
    picture: NDArray[np.uint8] | None = None
    second: NDArray[np.float32] | None = None
    drawn: Bools | None = None


class BoxRecord(NamedTuple):
    """What became of one box.

    Attributes:
        box: Its place among the weak boxes.
        fate: accepted; whole: kept as a whole; empty: nothing was predicted in it; outside: it has no pixel in the picture.
        reason: The same in words with numbers.
        share: Share of its pixels that are predicted (or drawn, or agreed on), also where the box is kept whole.
        sides: How many of its sides those pixels touch.
    """

    box: int
    fate: str
    reason: str
    share: float
    sides: int


@dataclass(frozen=True, slots=True, eq=False)
class Merged:
    """Soft masks of one picture.

    Attributes:
        soft: (K, H, W) uint8, 0 not at all to 255 wholly.
        origins: (K, H, W) uint8, places in `ORIGINS`.
        boxes: What became of each box.
        instances: (N, H, W) booleans, one mask a box, where asked for.
    """

    soft: NDArray[np.uint8]
    origins: NDArray[np.uint8]
    boxes: tuple[BoxRecord, ...]
    instances: Bools | None = None


Mode: TypeAlias = Callable[[Evidence], Merged]
"""A merging mode."""

Window: TypeAlias = tuple[slice, slice]


class Verdict(NamedTuple):
    """What a mode says of one box.

    Attributes:
        beliefs: 0 to 1 of each pixel of its window.
        origins: Likewise, places in `ORIGINS`.
        taken: Which pixels are the object.
        fate: As in `BoxRecord`.
        reason: As in `BoxRecord`.
        seen: Which pixels the prediction holds, where that is not what was taken.
    """

    beliefs: NDArray[np.float64]
    origins: NDArray[np.uint8]
    taken: Bools
    fate: str
    reason: str
    seen: Bools | None = None


def checked_maps(maps: NDArray[np.float32], weak: Weak) -> NDArray[np.float32]:
    """Probabilities that are ones.

    Raises:
        DataError: The array has another shape, height and width are exchanged, or values lie outside of 0 to 1, as logits do.
    """
    if maps.ndim != _MAPS or 0 in maps.shape:
        raise DataError(f"The prediction has shape {maps.shape}, expected (K, height, width), one map a class.")
    if len(weak.classes) and weak.classes.max() >= len(maps):
        raise DataError(f"The prediction has {len(maps)} maps, and a weak box is of class {weak.classes.max()} (from 0).")
    height, width = weak.size
    if height != width and maps.shape[1:] == (width, height):
        raise DataError(f"The prediction is {width} high and {height} wide and its picture {height} high and {width} wide: exchanged.")
    low, high = float(maps.min()), float(maps.max())
    if not (low >= 0 and high <= 1):
        raise DataError(f"The prediction holds values from {low:.4g} to {high:.4g}; expected probabilities (put logits through a sigmoid).")
    return maps


def at_size(maps: NDArray[np.float32], weak: Weak) -> NDArray[np.float32]:
    """Checked probabilities at the size of the picture."""
    return linear(checked_maps(maps, weak), weak.size)


def inside_boxes(maps: NDArray[np.float32], weak: Weak) -> NDArray[np.float32]:
    """Probabilities (K, H, W) that are 0 outside of all weak labels of their class."""
    return np.where(weak_masks(weak, len(maps)), maps, np.float32(0))


def window_of(box: Floats, size: tuple[int, int]) -> Window:
    """Rows and columns of the pixels whose centres lie in a box; empty slices where there are none."""
    limits = np.array([size[1], size[0], size[1], size[0]])
    x1, y1, x2, y2 = np.clip(np.ceil(np.asarray(box) - 0.5), 0, limits).astype(int).tolist()
    return slice(y1, max(y1, y2)), slice(x1, max(x1, x2))


def weak_masks(weak: Weak, count: int) -> Bools:
    """(count, H, W) the weak masks of all classes."""
    filled = np.zeros((count, *weak.size), dtype=np.bool_)
    for place, (box, number) in enumerate(zip(weak.boxes, weak.classes.tolist(), strict=True)):
        window = window_of(box, weak.size)
        filled[number][window] |= region_of(weak, place, window)
    return filled


def region_of(weak: Weak, place: int, window: Window) -> Bools:
    """Which pixels of a box's window the weak label holds."""
    if weak.masks is not None:
        return weak.masks[place][window]
    return np.ones((window[0].stop - window[0].start, window[1].stop - window[1].start), dtype=np.bool_)


def merge_boxes(weak: Weak, count: int, judge: Callable[[int, Window, Bools], Verdict], *, instances: bool) -> Merged:
    """Ask for a verdict on each box and lay them together: where boxes of one class overlap, the greater belief holds.

    Args:
        weak: The boxes.
        count: Number of classes.
        judge: Gives the verdict on a box by its place, its window and the pixels of the window that the weak label holds.
        instances: Whether to keep one mask a box.
    """
    soft = np.zeros((count, *weak.size), dtype=np.uint8)
    origins = np.zeros((count, *weak.size), dtype=np.uint8)
    kept = np.zeros((len(weak.boxes) if instances else 0, *weak.size), dtype=np.bool_)
    records: list[BoxRecord] = []
    for place, (box, number) in enumerate(zip(weak.boxes, weak.classes.tolist(), strict=True)):
        window = window_of(box, weak.size)
        region = region_of(weak, place, window)
        if not region.any():
            records.append(BoxRecord(place, "outside", "It holds no pixel of the picture.", 0.0, 0))
            continue
        verdict = judge(place, window, region)
        _lay(soft[number][window], origins[number][window], verdict, region)
        if instances:
            kept[place][window] = verdict.taken & region
        seen = (verdict.taken if verdict.seen is None else verdict.seen) & region
        share = float(np.count_nonzero(seen) / np.count_nonzero(region))
        records.append(BoxRecord(place, verdict.fate, verdict.reason, share, touched_sides(seen, 0.0)))
    return Merged(soft, origins, tuple(records), kept if instances else None)


def whole_box(region: Bools, belief: float, reason: str, seen: Bools | None = None) -> Verdict:
    """The verdict that keeps a box as it is, with one belief; `seen` is the prediction that is not believed, None where there is none."""
    fate = "empty" if seen is None else "whole"
    nothing = np.zeros(region.shape, dtype=np.bool_)
    origins = np.full(region.shape, WHOLE, np.uint8)
    return Verdict(np.full(region.shape, belief), origins, region, fate, reason, nothing if seen is None else seen)


def to_bytes(beliefs: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Beliefs 0 to 1 as 0 to 255, rounded to the nearest."""
    return np.rint(np.clip(beliefs, 0, 1) * _FULL).astype(np.uint8)


def touched_sides(mask: Bools, slack: float) -> int:
    """How many sides of its window a mask comes as near to as a share `slack` of the window's height or width, one pixel at least."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if len(rows) == 0:
        return 0
    down, across = (max(1, round(slack * side)) for side in mask.shape)
    height, width = mask.shape
    return int(rows[0] < down) + int(rows[-1] >= height - down) + int(columns[0] < across) + int(columns[-1] >= width - across)


def _lay(soft: NDArray[np.uint8], origins: NDArray[np.uint8], verdict: Verdict, region: Bools) -> None:
    """Put a verdict into its window of the soft mask, in place."""
    values = to_bytes(verdict.beliefs)
    stronger = region & ((values > soft) | (origins == NOWHERE))
    soft[stronger] = values[stronger]
    origins[stronger] = verdict.origins[stronger]
