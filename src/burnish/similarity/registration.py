"""Lay one small picture over another: the slight crop or stretch between two copies is found and taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_STEPS: Final = 3
_CHUNK: Final = 256
_MAX_STRETCH: Final = 0.08
_MAX_SHIFT: Final = 2.0


def registered(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
    """Shift and stretch each second picture, across and down, to fit the first of its pair as well as it can.

    Gauss-Newton on four parameters, forward additive (Lucas and Kanade, IJCAI 1981; Baker and Matthews, IJCV 56, 2004). At most 8 % of
    stretch and 2 pixels of shift are allowed, so that different pictures are not bent into one another.

    Args:
        first: (n, side, side) grey values.
        second: (n, side, side) grey values.

    Returns:
        The second pictures, resampled; beyond their edge the edge is repeated.
    """
    parts = [_registered(first[i : i + _CHUNK], second[i : i + _CHUNK]) for i in range(0, len(first), _CHUNK)]
    return np.concatenate(parts) if parts else second


def normalised(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each picture (n, side, side) with mean 0 and standard deviation 1; flat ones become 0."""
    centred = pictures - pictures.mean((1, 2), keepdims=True)
    deviation = np.sqrt(np.mean(np.square(centred), axis=(1, 2), keepdims=True))
    return centred / np.maximum(deviation, np.float32(1e-6))


def _registered(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
    count, side = first.shape[:2]
    wanted = normalised(first)
    away = np.arange(side, dtype=np.float32) - np.float32((side - 1) / 2)
    stretch_shift = np.zeros((count, 4), np.float32)  # across: stretch, shift; down: stretch, shift
    damping = np.diag(np.array([1e-4, 1e-5, 1e-4, 1e-5], np.float32))
    for _ in range(_STEPS):
        here = normalised(_resampled(second, stretch_shift, away))
        across, down = _slopes(here)
        steps = np.stack([across * away, across, down * away[:, None], down], axis=1).reshape(count, 4, -1)
        normal = steps @ steps.swapaxes(1, 2)
        normal += np.trace(normal, axis1=1, axis2=2)[:, None, None] * damping + np.float32(1e-6) * np.eye(4, dtype=np.float32)
        error = (wanted - here).reshape(count, -1, 1)
        stretch_shift += np.linalg.solve(normal, steps @ error)[..., 0]
        stretch_shift[:, 0::2] = np.clip(stretch_shift[:, 0::2], -_MAX_STRETCH, _MAX_STRETCH)
        stretch_shift[:, 1::2] = np.clip(stretch_shift[:, 1::2], -_MAX_SHIFT, _MAX_SHIFT)
    return _resampled(second, stretch_shift, away)


def _resampled(pictures: NDArray[np.float32], stretch_shift: NDArray[np.float32], away: NDArray[np.float32]) -> NDArray[np.float32]:
    across = _weights(stretch_shift[:, 0], stretch_shift[:, 1], away)
    down = _weights(stretch_shift[:, 2], stretch_shift[:, 3], away)
    return (down @ pictures @ across.swapaxes(1, 2)).astype(np.float32, copy=False)


def _weights(stretch: NDArray[np.float32], shift: NDArray[np.float32], away: NDArray[np.float32]) -> NDArray[np.float32]:
    """Linear interpolation as matrices (n, side, side): a warp without shear is one matrix down and one across."""
    side = len(away)
    places = np.clip(away * (1 + stretch[:, None]) + shift[:, None] - away[0], 0, side - 1)
    distances = np.abs(places[:, :, None] - np.arange(side, dtype=np.float32))
    weights = np.maximum(np.float32(1) - distances, np.float32(0))
    return weights.astype(np.float32, copy=False)


def _slopes(pictures: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Central differences across and down, 0 at the edges that have no neighbour."""
    across, down = np.zeros_like(pictures), np.zeros_like(pictures)
    across[:, :, 1:-1] = (pictures[:, :, 2:] - pictures[:, :, :-2]) / 2
    down[:, 1:-1] = (pictures[:, 2:] - pictures[:, :-2]) / 2
    return across, down
