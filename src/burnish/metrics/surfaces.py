"""How far the outlines of two masks are from each other: Hausdorff distance and its percentiles, mean distance, share within a tolerance.

Definitions, which differ from tool to tool and are fixed here:

- The **outline** of a mask is those of its pixels of which one of the four neighbours lies outside; beyond the picture is outside.
- A **distance** is that between pixel centres, from each pixel of one outline to the nearest of the other, times the spacing.
- The **percentile** of the Hausdorff distance is taken in each direction (linear between ranks); the larger of both counts. 100 is the
  Hausdorff distance itself.
- **ASSD** is the mean over the pixels of both outlines together. **NSD** (Nikolov et al., 2018) is the share of them that lie within the
  tolerance; outlines are counted by pixels, not by length.
- If one outline is empty, distances are infinite and the NSD is 0; of two empty outlines nothing is known: NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from burnish.errors import DataError
from burnish.geometry.arrays import as_mask

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

# Beyond this share of outline pixels a distance transform of all is quicker than a search for each.
_CROWDED = 0.08


@dataclass(frozen=True, slots=True, eq=False)
class SurfaceDistances:
    """Distances between two outlines.

    Attributes:
        there: (n,) from each pixel of the first outline to the second.
        back: (m,) from each pixel of the second outline to the first.
    """

    there: Floats
    back: Floats


def outline(mask: ArrayLike) -> Bools:
    """The pixels (height, width) of a mask of which one of the four neighbours lies outside."""
    inside = as_mask(mask)
    kept = inside.copy()
    kept[1:] &= inside[:-1]
    kept[:-1] &= inside[1:]
    kept[:, 1:] &= inside[:, :-1]
    kept[:, :-1] &= inside[:, 1:]
    kept[[0, -1], :] = False
    kept[:, [0, -1]] = False
    return inside & ~kept


def surface_distances(first: ArrayLike, second: ArrayLike, *, spacing: tuple[float, float] = (1.0, 1.0)) -> SurfaceDistances:
    """Measure how far two masks' outlines are from each other; all distances below are made of this.

    Args:
        first: (height, width), for instance the prediction.
        second: The same size.
        spacing: Height and width of a pixel in whatever unit the distances shall have.

    Raises:
        DataError: The sizes differ.
    """
    one, two = as_mask(first), as_mask(second)
    if one.shape != two.shape:
        raise DataError(f"The masks have the sizes {one.shape} and {two.shape}; they must be of one picture.")
    window = _window(one | two)
    edges, others = _outline_within(one, window), _outline_within(two, window)
    places, targets = np.argwhere(edges), np.argwhere(others)
    if len(places) == 0 or len(targets) == 0:
        return SurfaceDistances(np.full(len(places), np.inf), np.full(len(targets), np.inf))
    if len(places) + len(targets) > _CROWDED * edges.size:
        return SurfaceDistances(_transformed(others, spacing)[edges], _transformed(edges, spacing)[others])
    scale = np.asarray(spacing, dtype=np.float64)
    return SurfaceDistances(_nearest(places * scale, targets * scale), _nearest(targets * scale, places * scale))


def hausdorff(distances: SurfaceDistances, percentile: float = 100.0) -> float:
    """The Hausdorff distance, or a percentile of it: 95 is HD95."""
    if len(distances.there) == 0 and len(distances.back) == 0:
        return float("nan")
    if _one_sided(distances):
        return float("inf")
    return float(max(np.percentile(distances.there, percentile), np.percentile(distances.back, percentile)))


def assd(distances: SurfaceDistances) -> float:
    """Average symmetric surface distance."""
    if len(distances.there) == 0 and len(distances.back) == 0:
        return float("nan")
    if _one_sided(distances):
        return float("inf")
    return float((distances.there.sum() + distances.back.sum()) / (len(distances.there) + len(distances.back)))


def nsd(distances: SurfaceDistances, tolerance: float) -> float:
    """Normalised surface distance: the share of both outlines that lies within a tolerance of the other."""
    total = len(distances.there) + len(distances.back)
    if total == 0:
        return float("nan")
    within = np.count_nonzero(distances.there <= tolerance) + np.count_nonzero(distances.back <= tolerance)
    return within / total


def _one_sided(distances: SurfaceDistances) -> bool:
    return len(distances.there) == 0 or len(distances.back) == 0


def _window(mask: Bools) -> tuple[slice, slice]:
    """The rows and columns that hold anything."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if len(rows) == 0:
        return slice(0, 0), slice(0, 0)
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _outline_within(mask: Bools, window: tuple[slice, slice]) -> Bools:
    """The outline of a mask, only within a window that holds the whole mask."""
    return outline(np.pad(mask[window], 1))[1:-1, 1:-1] if mask[window].size else mask[window]


def _nearest(places: Floats, targets: Floats) -> Floats:
    return np.asarray(cKDTree(targets, balanced_tree=False, compact_nodes=False).query(places)[0], dtype=np.float64)


def _transformed(edges: Bools, spacing: tuple[float, float]) -> Floats:
    return np.asarray(ndimage.distance_transform_edt(~edges, sampling=spacing), dtype=np.float64)
