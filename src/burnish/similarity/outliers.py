"""Pictures unlike the others: far from their neighbours, blank, too dark or bright, of an odd size or shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from burnish.similarity.neighbours import nearest

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from burnish.media.hashing import PictureHashes
    from burnish.similarity.neighbours import Metric

BLANK_CONTRAST: Final = 2.0
"""Standard deviation of grey values below which a picture shows nothing."""

_DARK, _BRIGHT = 12.0, 243.0
_DEVIATIONS: Final = 3.5  # the usual robust cut-off (Iglewicz and Hoaglin, 1993)
_MAD_TO_DEVIATION: Final = 1.4826
_QUARTILES_TO_DEVIATION: Final = 1.349
_LEAST_PICTURES: Final = 20
_ODD_SIZE_FACTOR: Final = 4.0
_ODD_SHAPE_FACTOR: Final = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Outliers:
    """How odd each of n items is.

    Attributes:
        scores: (n,) float64 in [0, 1]; 0.5 lies exactly at the cut-off.
        is_issue: (n,) bool, above the cut-off.
        distances: (n,) float64, mean distance to the k nearest neighbours.
        cutoff: The distance at which an item begins to count as an outlier.
    """

    scores: NDArray[np.float64]
    is_issue: NDArray[np.bool_]
    distances: NDArray[np.float64]
    cutoff: float


def find_outliers(embeddings: ArrayLike, *, k: int = 10, metric: Metric = "cosine", deviations: float = _DEVIATIONS) -> Outliers:
    """Score items by their mean distance to their k nearest neighbours (Ramaswamy et al., SIGMOD 2000).

    The logarithm of that distance is nearly bell-shaped, so the cut-off is its median plus some robust standard deviations: a few odd
    items, however odd, do not move it. A dataset of fewer than 20 items has no outliers.

    Args:
        embeddings: (n, d) numbers.
        k: Neighbours looked at.
        metric: Of the distance.
        deviations: Robust standard deviations from the median to the cut-off.
    """
    found = nearest(embeddings, k, metric=metric).distances
    count = len(found)
    distances = found.mean(axis=1, dtype=np.float64) if found.size else np.zeros(count)
    if count < _LEAST_PICTURES:
        return Outliers(np.zeros(count), np.zeros(count, np.bool_), distances, np.inf)
    least = max(float(distances[distances > 0].min(initial=np.inf)) / 2, 1e-9) if (distances > 0).any() else 1e-9
    logarithm = np.log(np.maximum(distances, least))
    middle, deviation = _robust(logarithm)
    above = (logarithm - middle) / max(deviation, 1e-6)
    scores = 1 / (1 + np.exp(np.clip(deviations - above, -50, 50)))
    return Outliers(scores, above > deviations, distances, float(np.exp(middle + deviations * deviation)))


def odd_pictures(hashes: PictureHashes) -> list[tuple[int, str, float, str]]:
    """Pictures that show nothing, or differ in size or shape from the rest of the dataset.

    Returns:
        Index, kind (`blank`, `dark`, `bright`, `odd_size`, `odd_shape`), score in [0, 1] and reason, by index; a picture has at most one
        of the first three.
    """
    readable = hashes.readable
    found = [(int(index), *_light(hashes, int(index))) for index in np.flatnonzero(readable)]
    odd = [(index, kind, score, reason) for index, kind, score, reason in found if kind]
    return sorted(odd + _odd_sizes(hashes.sizes, readable), key=lambda row: row[0])


def _light(hashes: PictureHashes, index: int) -> tuple[str, float, str]:
    mean, contrast = float(hashes.brightness[index]), float(hashes.contrast[index])
    if contrast < BLANK_CONTRAST:
        return "blank", 1 - contrast / (2 * BLANK_CONTRAST), f"nearly one colour: grey {mean:.0f} of 255, standard deviation {contrast:.1f}"
    if mean < _DARK:
        return "dark", 1 - mean / (2 * _DARK), f"nearly black: mean grey {mean:.1f} of 255"
    if mean > _BRIGHT:
        return "bright", 1 - (255 - mean) / (2 * (255 - _BRIGHT)), f"nearly white: mean grey {mean:.1f} of 255"
    return "", 0.0, ""


def _odd_sizes(sizes: NDArray[np.int64], readable: NDArray[np.bool_]) -> list[tuple[int, str, float, str]]:
    indices = np.flatnonzero(readable)
    if len(indices) < _LEAST_PICTURES:
        return []
    height, width = sizes[indices].T.astype(np.float64)
    rows: list[tuple[int, str, float, str]] = []
    for kind, values, factor, text in (
        ("odd_size", np.sqrt(height * width), _ODD_SIZE_FACTOR, "{:.0f} pixels on a side, in the mean of both; usual here: {:.0f}"),
        ("odd_shape", width / height, _ODD_SHAPE_FACTOR, "width is {:.2f} of its height; usual here: {:.2f}"),
    ):
        middle, deviation = _robust(np.log(values))
        # Both must hold: unlike the others here, and so by a factor that matters.
        limit = max(_DEVIATIONS * deviation, float(np.log(factor)))
        away = np.abs(np.log(values) - middle)
        for place in np.flatnonzero(away > limit):
            score = float(1 - 0.5 * limit / away[place])
            rows.append((int(indices[place]), kind, score, text.format(values[place], np.exp(middle))))
    return rows


def _robust(values: NDArray[np.float64]) -> tuple[float, float]:
    """Median and a standard deviation that outliers do not move: the larger of those from the median deviation and from the quartiles."""
    middle = float(np.median(values))
    low, high = np.quantile(values, (0.25, 0.75))
    deviation = float(np.median(np.abs(values - middle))) * _MAD_TO_DEVIATION
    return middle, max(deviation, float(high - low) / _QUARTILES_TO_DEVIATION)
