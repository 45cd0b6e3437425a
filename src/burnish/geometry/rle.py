"""Masks as run lengths: COCO's form, plain and compressed, and CVAT's.

Plain run lengths are uint32 `(k,)`: down each column in turn, the lengths of runs outside and inside, starting outside (so a mask whose
first pixel is inside starts with 0). They add up to `height * width`. Areas, boxes and set operations never make pixels of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from burnish.errors import DataError
from burnish.geometry.arrays import as_mask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from burnish.geometry.arrays import Bools, Counts, Floats, Ints

_CVAT_BOX = 4
# COCO writes numbers in groups of five bits, one printable character each: 0x20 says that more follow, 0x10 is the sign in the last.
_BITS, _MORE, _SIGN, _LOW, _FIRST_CHARACTER = 5, 0x20, 0x10, 0x1F, 48
_MAX_GROUPS = 7


def encode(mask: ArrayLike) -> Counts:
    """Return the run lengths of a mask `(height, width)`."""
    flat = as_mask(mask).ravel(order="F")
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    first = [0] if flat.size and flat[0] else []
    return np.diff(np.concatenate([[0], first, changes, [flat.size]])).astype(np.uint32)


def decode(counts: ArrayLike, height: int, width: int) -> Bools:
    """Return the mask `(height, width)` of run lengths.

    Raises:
        DataError: They do not add up to `height * width`.
    """
    runs = as_counts(counts)
    _require_total(runs, height, width)
    mask = np.zeros((height, width), dtype=np.bool_)
    starts, ends = intervals(runs)
    if len(starts) == 0:
        return mask
    # Only the columns that hold something are unrolled and turned.
    left, right = int(starts[0]) // height, -(-int(ends[-1]) // height)
    bounds_ = np.concatenate([[left * height], np.stack([starts, ends], axis=1).ravel(), [right * height]])
    inside = np.arange(len(bounds_) - 1) % 2 == 1
    mask[:, left:right] = np.repeat(inside, np.diff(bounds_)).reshape(right - left, height).T
    return mask


def compress(counts: ArrayLike) -> bytes:
    """Return run lengths in COCO's compressed form, byte for byte as its own tool writes them."""
    values = as_counts(counts).astype(np.int64)
    values[3:] -= values[1:-2].copy()
    limits = 1 << (_BITS * np.arange(1, _MAX_GROUPS + 1) - 1)
    # A number needs as many groups as hold it with its sign.
    groups = np.searchsorted(limits, np.where(values < 0, -values - 1, values), side="right") + 1
    number = np.repeat(np.arange(len(values)), groups)
    place = np.arange(len(number)) - np.repeat(np.cumsum(groups) - groups, groups)
    more = place < groups[number] - 1
    letters = ((values[number] >> (_BITS * place)) & _LOW) | np.where(more, _MORE, 0)
    return (letters + _FIRST_CHARACTER).astype(np.uint8).tobytes()


def decompress(data: bytes | str) -> Counts:
    """Return the run lengths of COCO's compressed form.

    Raises:
        DataError: The text is not of that form.
    """
    letters = _letters(data)
    if len(letters) == 0:
        return np.zeros(0, dtype=np.uint32)
    ends = np.flatnonzero((letters & _MORE) == 0)
    starts = np.concatenate([[0], ends[:-1] + 1])
    groups = ends - starts + 1
    if groups.max() > _MAX_GROUPS:
        raise DataError(
            f"run lengths: found a number of {groups.max()} characters, expected at most {_MAX_GROUPS}. The text is not COCO's."
        )
    place = np.arange(len(letters)) - np.repeat(starts, groups)
    values = np.add.reduceat((letters & _LOW) << (_BITS * place), starts)
    values -= np.where(letters[ends] & _SIGN, np.left_shift(1, _BITS * groups), 0)
    # From the fourth on each is the difference to the one but last.
    values[1::2] = np.cumsum(values[1::2])
    values[2::2] = np.cumsum(values[2::2])
    return as_counts(values)


def as_counts(counts: ArrayLike) -> Counts:
    """Return run lengths as uint32 `(k,)`.

    Raises:
        DataError: They are not a list of whole numbers from 0 to 2^32 - 1.
    """
    array = np.asarray(counts)
    if array.dtype == np.uint32 and array.ndim == 1:
        return array
    if array.size == 0:
        return np.zeros(0, dtype=np.uint32)
    whole = array.dtype.kind in "ui" or (array.dtype.kind == "f" and bool((array == np.floor(array)).all()))
    if array.ndim != 1 or not whole or array.min() < 0 or array.max() > np.iinfo(np.uint32).max:
        raise DataError(f"run lengths: found {array.dtype} of shape {array.shape}, expected a list of whole numbers, none below 0.")
    return array.astype(np.uint32)


def area(counts: ArrayLike) -> int:
    """Return the number of pixels inside."""
    return int(as_counts(counts)[1::2].sum(dtype=np.int64))


def bounds(counts: ArrayLike, height: int) -> Floats:
    """Return the box `(1, 4)` around what is inside, half-open, or `(0, 4)` where nothing is."""
    starts, ends = intervals(counts)
    if len(starts) == 0:
        return np.zeros((0, 4))
    first_column, last_column = starts // height, (ends - 1) // height
    # A run that goes on into the next column touches the lower and the upper edge of the picture.
    spans = bool((first_column != last_column).any())
    top, bottom = (0, height) if spans else (int((starts % height).min()), int(((ends - 1) % height).max()) + 1)
    return np.array([[first_column[0], top, last_column[-1] + 1, bottom]], dtype=np.float64)


def intervals(counts: ArrayLike) -> tuple[Ints, Ints]:
    """Return where the runs inside start and end (half-open) in the column-by-column order, ascending, none of them empty."""
    edges = np.cumsum(as_counts(counts), dtype=np.int64)
    inside = len(edges) // 2 * 2
    starts, ends = edges[0:inside:2], edges[1:inside:2]
    filled = starts < ends
    return starts[filled], ends[filled]


def complement(counts: ArrayLike) -> Counts:
    """Return the run lengths of the pixels outside."""
    runs = as_counts(counts)
    if len(runs) and runs[0] == 0:
        return runs[1:]
    return np.concatenate([np.zeros(1, dtype=np.uint32), runs])


def union(masks: Sequence[ArrayLike]) -> Counts:
    """Return the run lengths of the pixels that lie in any of the masks, all of one picture.

    Raises:
        DataError: There is no mask, or they do not add up to the same number of pixels.
    """
    return _covered(masks, 1)


def intersection(masks: Sequence[ArrayLike]) -> Counts:
    """Return the run lengths of the pixels that lie in all of the masks; raises as `union`."""
    return _covered(masks, len(masks))


def difference(mask: ArrayLike, taken: ArrayLike) -> Counts:
    """Return the run lengths of the pixels of a mask that do not lie in another; raises as `union`."""
    return intersection([mask, complement(taken)])


def from_cvat(numbers: ArrayLike, height: int, width: int) -> Bools:
    """Return the mask `(height, width)` of CVAT's list: runs row by row inside a box, then left, top, right, bottom of the box.

    Right and bottom are the last column and row that belong to it. Runs may end early: what follows is outside. (CVAT's XML holds the
    same runs, with left, top, width and height beside them.)

    Raises:
        DataError: A number is not whole or below 0, the box does not lie in the picture, or the runs are longer than it has pixels.
    """
    left, top, crop = _cvat_crop(numbers, height, width)
    mask = np.zeros((height, width), dtype=np.bool_)
    mask[top : top + crop.shape[0], left : left + crop.shape[1]] = crop
    return mask


def to_cvat(mask: ArrayLike, box: Sequence[float] | None = None) -> list[int]:
    """Return CVAT's list of a mask; see `from_cvat`.

    Args:
        mask: `(height, width)`.
        box: Half-open x1, y1, x2, y2 of the part to write, which CVAT may choose larger than the mask; taken where it is on whole pixels
            and holds the mask, else the smallest.

    Raises:
        DataError: The mask is empty, which CVAT cannot write.
    """
    mask = as_mask(mask)
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    if len(rows) == 0:
        raise DataError("mask: found no pixel inside, expected at least one: CVAT cannot hold an empty mask. Leave it out.")
    left, top, right, bottom = int(columns[0]), int(rows[0]), int(columns[-1]), int(rows[-1])
    if box is not None and _holds(box, (left, top, right, bottom), mask.shape):
        left, top, right, bottom = int(box[0]), int(box[1]), int(box[2]) - 1, int(box[3]) - 1
    runs = encode(mask[top : bottom + 1, left : right + 1].T)
    return [*runs.tolist(), left, top, right, bottom]


def counts_from_cvat(numbers: ArrayLike, height: int, width: int) -> Counts:
    """Return the run lengths of CVAT's list of a mask, as `encode(from_cvat(...))` does, without making a picture of it."""
    left, top, crop = _cvat_crop(numbers, height, width)
    rows = crop.shape[0]
    # A row that is outside ends every run at its column's end, unless columns of the picture follow one another without a gap.
    gap = int(rows < height)
    columns = np.zeros((crop.shape[1], rows + gap), dtype=np.bool_)
    columns[:, :rows] = crop.T
    framed = np.zeros(columns.size + 2, dtype=np.bool_)
    framed[1:-1] = columns.ravel()
    edges = np.flatnonzero(framed[1:] != framed[:-1])
    starts, last = edges[::2], edges[1::2] - 1
    tall = rows + gap
    first = (left + starts // tall) * height + top + starts % tall
    behind = (left + last // tall) * height + top + last % tall + 1
    return _from_edges(np.stack([first, behind], axis=1).ravel(), height * width)


def cvat_from_counts(counts: ArrayLike, height: int, box: Sequence[float] | None = None) -> list[int]:
    """Return CVAT's list of run lengths, as `to_cvat(decode(...), box)` does, without making a picture of them; raises as `to_cvat`."""
    runs = as_counts(counts)
    x1, y1, x2, y2 = bounds(runs, height)[0].astype(int).tolist()
    if x2 <= x1 or y2 <= y1:
        raise DataError("mask: found no pixel inside, expected at least one: CVAT cannot hold an empty mask. Leave it out.")
    width = int(runs.sum(dtype=np.int64)) // height
    if box is not None and _holds(box, (x1, y1, x2 - 1, y2 - 1), (height, width)):
        x1, y1, x2, y2 = (int(value) for value in box)
    starts, ends = intervals(runs)
    flat = np.zeros((x2 - x1) * height + 1, dtype=np.int8)
    flat[starts - x1 * height] += 1
    flat[ends - x1 * height] -= 1
    crop = np.cumsum(flat[:-1], dtype=np.int8).reshape(x2 - x1, height)[:, y1:y2].T.astype(np.bool_)
    return [*encode(crop.T).tolist(), x1, y1, x2 - 1, y2 - 1]


def _cvat_crop(numbers: ArrayLike, height: int, width: int) -> tuple[int, int, Bools]:
    """Left, top and pixels of the box of CVAT's list; raises as `from_cvat`."""
    values = as_counts(numbers)
    if len(values) < _CVAT_BOX:
        raise DataError(f"CVAT mask: found {len(values)} numbers, expected runs and then left, top, right, bottom.")
    left, top, right, bottom = values[-_CVAT_BOX:].tolist()
    if not (0 <= left <= right < width and 0 <= top <= bottom < height):
        raise DataError(f"CVAT mask: found the box {left}, {top}, {right}, {bottom}, expected it inside {width} x {height} pixels.")
    runs = values[:-_CVAT_BOX]
    shape = (bottom - top + 1, right - left + 1)
    missing = shape[0] * shape[1] - int(runs.sum(dtype=np.int64))
    if missing < 0:
        raise DataError(f"CVAT mask: found {-missing} pixels more in its runs than the {shape[1]} x {shape[0]} of its box.")
    inside = np.append(np.arange(len(runs)) % 2 == 1, values=False)
    return left, top, np.repeat(inside, np.append(runs, missing)).reshape(shape)


def _holds(box: Sequence[float], inner: tuple[int, int, int, int], shape: tuple[int, ...]) -> bool:
    x1, y1, x2, y2 = box
    whole = all(value == int(value) for value in box)
    inside = x1 >= 0 and y1 >= 0 and x2 <= shape[1] and y2 <= shape[0]
    return whole and inside and x1 <= inner[0] and y1 <= inner[1] and x2 > inner[2] and y2 > inner[3]


def _letters(data: bytes | str) -> Ints:
    """The numbers 0 to 63 that the characters stand for; the last must end a number."""
    raw = data.encode("ascii", "replace") if isinstance(data, str) else data
    letters = np.frombuffer(raw, dtype=np.uint8).astype(np.int64) - _FIRST_CHARACTER
    if len(letters) and (letters.min() < 0 or letters.max() > (_MORE | _LOW)):
        raise DataError(f"run lengths: found {raw[:40]!r}, expected characters from '0' to 'o'. The text is not COCO's.")
    if len(letters) and letters[-1] & _MORE:
        raise DataError("run lengths: the text breaks off inside a number. It was cut short.")
    return letters


def _require_total(runs: Counts, height: int, width: int) -> None:
    total = int(runs.sum(dtype=np.int64))
    if total != height * width:
        raise DataError(
            f"run lengths: found a sum of {total}, expected {height * width} ({height} x {width}). The size is another picture's."
        )


def _covered(masks: Sequence[ArrayLike], at_least: int) -> Counts:
    """Run lengths of what at least so many masks cover."""
    checked = [as_counts(mask) for mask in masks]
    totals = {int(runs.sum(dtype=np.int64)) for runs in checked}
    if len(totals) != 1:
        raise DataError(f"masks: found {sorted(totals)} pixels, expected at least one mask, all of the same picture.")
    spans = [intervals(runs) for runs in checked]
    starts = np.concatenate([start for start, _ in spans])
    ends = np.concatenate([end for _, end in spans])
    edges = np.concatenate([starts, ends])
    steps = np.repeat([1, -1], [len(starts), len(ends)])
    # Where one run ends and another starts in the same place the start comes first, so that they become one run.
    order = np.lexsort([-steps, edges])
    inside = np.cumsum(steps[order]) >= at_least
    changes = np.flatnonzero(inside != np.concatenate([[False], inside[:-1]]))
    return _from_edges(edges[order][changes], totals.pop())


def _from_edges(edges: Ints, total: int) -> Counts:
    """Run lengths from the positions at which inside and outside change, ascending."""
    # Two changes in the same place are none.
    repeated = np.flatnonzero(edges[1:] == edges[:-1])
    kept = np.delete(edges, np.concatenate([repeated, repeated + 1]))
    tail = [total] if len(kept) == 0 or kept[-1] < total else []
    return np.diff(np.concatenate([[0], kept, tail])).astype(np.uint32)
