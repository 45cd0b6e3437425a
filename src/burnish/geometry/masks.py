"""Masks: boolean arrays `(height, width)`. For `|`, `&`, `^` and `~` numpy's own operators do; here is the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import ndimage

from burnish.errors import DataError
from burnish.geometry.arrays import as_mask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from burnish.geometry.arrays import Bools, Floats

# Share of the picture's diagonal that counts as boundary in Cheng et al. (2021).
BOUNDARY_SHARE = 0.02
# The root of a whole number may come out just below it, and its square below the number.
_ROUNDING = 1.0 + 1e-9


def threshold(scores: ArrayLike, at: float) -> Bools:
    """Return the mask of the pixels whose score is greater than `at`: the explicit way from floats to a mask."""
    return np.asarray(scores) > at


def union(masks: Sequence[ArrayLike]) -> Bools:
    """Return the pixels that lie in any of the masks.

    Raises:
        DataError: There is no mask, or their sizes differ.
    """
    return np.logical_or.reduce(_same_size(masks))


def intersection(masks: Sequence[ArrayLike]) -> Bools:
    """Return the pixels that lie in all of the masks; raises as `union`."""
    return np.logical_and.reduce(_same_size(masks))


def difference(mask: ArrayLike, taken: ArrayLike) -> Bools:
    """Return the pixels of a mask that do not lie in another; raises as `union`."""
    kept, removed = _same_size([mask, taken])
    return kept & ~removed


def area(mask: ArrayLike) -> int:
    """Return the number of pixels inside."""
    return int(np.count_nonzero(as_mask(mask)))


def box(mask: ArrayLike) -> Floats:
    """Return the box `(1, 4)` around a mask, half-open, or `(0, 4)` of an empty one."""
    mask = as_mask(mask)
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    if len(rows) == 0:
        return np.zeros((0, 4))
    return np.array([[columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]], dtype=np.float64)


def centroid(mask: ArrayLike) -> Floats:
    """Return the centre of mass `(2,)` as x, y; NaN of an empty mask."""
    mask = as_mask(mask)
    total = area(mask)
    if total == 0:
        return np.full(2, np.nan)
    height, width = mask.shape
    x = mask.sum(axis=0) @ (np.arange(width) + 0.5)
    y = mask.sum(axis=1) @ (np.arange(height) + 0.5)
    return np.array([x, y]) / total


def relative_radius(mask: ArrayLike, share: float) -> float:
    """Return `share` of an object's size as pixels, for the functions below; its size is the radius of a disc of the same area."""
    return share * float(np.sqrt(area(mask) / np.pi))


def dilate(mask: ArrayLike, radius: float) -> Bools:
    """Grow a mask by a disc: the pixels whose centre is at most `radius` pixels from that of a pixel inside."""
    mask = as_mask(mask)
    reach = _checked(radius) * _ROUNDING
    window = _window(mask, reach)
    grown = np.zeros(mask.shape, dtype=np.bool_)
    grown[window] = _grown(mask[window], reach)
    return grown


def erode(mask: ArrayLike, radius: float) -> Bools:
    """Shrink a mask by a disc; what lies beyond the picture's frame is unknown and eats nothing."""
    return ~dilate(~as_mask(mask), radius)


def opened(mask: ArrayLike, radius: float) -> Bools:
    """Erode, then dilate: bridges and specks narrower than the disc go, the rest keeps its size."""
    return dilate(erode(mask, radius), radius)


def closed(mask: ArrayLike, radius: float) -> Bools:
    """Dilate, then erode: gaps and holes narrower than the disc close, the rest keeps its size."""
    return erode(dilate(mask, radius), radius)


def edges(mask: ArrayLike) -> Bools:
    """Return the pixels inside that have a neighbour outside to the left, right, above or below; the frame counts as outside."""
    mask = as_mask(mask)
    framed = np.pad(mask, 1)
    surrounded = framed[:-2, 1:-1] & framed[2:, 1:-1] & framed[1:-1, :-2] & framed[1:-1, 2:]
    return mask & ~surrounded


def boundary(mask: ArrayLike, width: int | None = None) -> Bools:
    """Return the band of a mask along its outline, the region that boundary IoU compares (Cheng et al., 2021).

    Args:
        mask: `(height, width)`.
        width: Of the band in pixels; without it 2 % of the picture's diagonal, at least 1. As in the paper's code the band is what
            erosion by a square takes away, and the frame of the picture counts as outline.
    """
    mask = as_mask(mask)
    steps = max(1, round(BOUNDARY_SHARE * float(np.hypot(*mask.shape)))) if width is None else width
    if mask.size == 0:
        return mask
    window = _window(mask, 0)
    # Beyond its own box a mask is empty, as the frame of the picture is.
    framed = np.pad(mask[window], steps)
    kept = _whole_runs(_whole_runs(framed, 2 * steps + 1).T, 2 * steps + 1).T
    band = mask.copy()
    band[window] &= ~kept
    return band


def components(mask: ArrayLike, *, connectivity: Literal[4, 8] = 8, min_area: int = 1) -> list[Bools]:
    """Return each connected part as a mask of its own, the uppermost first, without those of fewer than `min_area` pixels."""
    mask = as_mask(mask)
    window = _window(mask, 0)
    labels, count = labelled(mask[window], connectivity)
    if count == 0:
        return []
    places = ndimage.find_objects(labels)
    large = np.flatnonzero(np.bincount(labels.ravel())[1:] >= min_area)
    return [_alone(labels, int(index) + 1, places[index], window, mask.shape) for index in large]


def labelled(mask: Bools, connectivity: int) -> tuple[NDArray[np.int32], int]:
    """Number the connected parts of a mask from 1 in the order of their uppermost pixels, outside 0; and return how many there are."""
    if mask.size == 0:
        return np.zeros(mask.shape, dtype=np.int32), 0
    # SciPy's structures of rank 1 and 2 are the four and the eight neighbours.
    structure = ndimage.generate_binary_structure(2, 2 if connectivity == 8 else 1)  # noqa: PLR2004 - the eight neighbours
    labels, count = ndimage.label(mask, structure)
    return labels.astype(np.int32, copy=False), count


def without_holes(mask: ArrayLike) -> Bools:
    """Fill what is enclosed: the pixels outside from which the frame cannot be reached by steps to the side, up or down."""
    mask = as_mask(mask)
    window = _window(mask, 0)
    labels, _ = labelled(np.pad(~mask[window], 1, constant_values=True), 4)
    filled = mask.copy()
    filled[window] = (labels != labels[0, 0])[1:-1, 1:-1]
    return filled


def _window(mask: Bools, reach: float) -> tuple[slice, slice]:
    """Rows and columns around a mask and `reach` pixels more, inside the picture; none of an empty mask."""
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    if len(rows) == 0:
        return slice(0), slice(0)
    more = int(min(reach, sum(mask.shape)))
    return slice(max(rows[0] - more, 0), rows[-1] + more + 1), slice(max(columns[0] - more, 0), columns[-1] + more + 1)


def _grown(mask: Bools, radius: float) -> Bools:
    """Dilate by a disc, as the union of the mask's shifts: a row of the disc after the other, from its shortest in the middle out."""
    grown = np.zeros_like(mask)
    if mask.size == 0:
        return grown
    height, width = mask.shape
    widened, half = mask, 0
    for down in range(min(int(radius), height - 1), -1, -1):
        wanted = min(int(np.sqrt(max(radius * radius - down * down, 0.0))), width - 1)
        widened, half = _widened(widened, half, wanted), wanted
        grown[down:] |= widened[: height - down]
        grown[: height - down] |= widened[down:]
    return grown


def _widened(mask: Bools, half: int, wanted: int) -> Bools:
    """Grow a mask, each of whose pixels has grown to both sides by `half` already, until that is `wanted`."""
    while half < wanted:
        # A longer step could leave a gap beside a run that the frame cuts.
        step = min(wanted - half, half + 1)
        wider = mask.copy()
        wider[:, step:] |= mask[:, :-step]
        wider[:, :-step] |= mask[:, step:]
        mask, half = wider, half + step
    return mask


def _whole_runs(mask: Bools, length: int) -> Bools:
    """Say from which rows on `length` rows are inside, in each column: `(height - length + 1, width)`."""
    reached = 1
    while reached < length:
        step = min(reached, length - reached)
        mask = mask[:-step] & mask[step:]
        reached += step
    return mask


def _alone(labels: NDArray[np.int32], label: int, place: tuple[slice, ...], window: tuple[slice, slice], shape: tuple[int, ...]) -> Bools:
    part = np.zeros(shape, dtype=np.bool_)
    part[window][place] = labels[place] == label
    return part


def _same_size(masks: Sequence[ArrayLike]) -> list[Bools]:
    checked = [as_mask(mask) for mask in masks]
    sizes = {mask.shape for mask in checked}
    if len(sizes) != 1:
        raise DataError(f"masks: found sizes {sorted(sizes)}, expected at least one mask, all of one size.")
    return checked


def _checked(radius: float) -> float:
    if not radius >= 0:
        raise DataError(f"radius: found {radius}, expected pixels, 0 or more.")
    return radius
