"""Where a video's picture changes all at once: the first frames of new shots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from burnish.engine.progress import Progress, silent
from burnish.media.video import to_rgb

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from burnish.media.video import Video

SIZE: Final = (36, 64)
"""Height and width to which frames are scaled: what is left tells pictures apart and does not see noise, blur or small motion."""

_BINS: Final = 8
_WINDOW: Final = 6
_LEAST: Final = 0.10
_TIMES_USUAL: Final = 3.0


def find_shots(video: Video, *, progress: Progress = silent) -> list[int]:
    """Numbers of the frames with which a new shot begins, without the first one.

    A frame begins a shot when it differs from the one before by much, and by several times more than its neighbours differ among
    themselves. How much two frames differ is the geometric mean of the distance of their colour histograms, which motion within a shot
    leaves small, and of the change of their edges, which a flash or a change of exposure leaves small. Dissolves are no cuts.
    """
    with progress.task(f"Looking for cuts in {video.info.path.name}", len(video)) as advance:
        numbers, changes, before = [], [], None
        for one in video.decoded():
            small = to_rgb(one.picture, size=SIZE).astype(np.float32) / np.float32(255)
            now = _histogram(small), _edges(small)
            changes.append(0.0 if before is None else _change(before, now))
            numbers.append(one.number)
            before = now
            advance(1)
    return [numbers[place] for place in cuts_among(np.array(changes))]


def cuts_among(changes: NDArray[np.float64]) -> list[int]:
    """Places of sudden changes in a series of changes from frame to frame.

    Args:
        changes: (n,) change of each frame from the one before, 0 to 1; the first is 0.
    """
    found: list[int] = []
    for place in np.flatnonzero(changes >= _LEAST):
        around = np.concatenate([changes[max(1, place - _WINDOW) : place], changes[place + 1 : place + 1 + _WINDOW]])
        usual = float(np.median(around)) if len(around) else 0.0
        highest = changes[max(0, place - 2) : place + 3].max()
        if changes[place] >= _TIMES_USUAL * usual and changes[place] == highest:
            found.append(int(place))
    return found


def _histogram(pixels: NDArray[np.float32]) -> NDArray[np.float64]:
    """Shares of pixels in boxes of the colour cube."""
    codes = np.minimum((pixels * _BINS).astype(np.int64), _BINS - 1) @ np.array([_BINS * _BINS, _BINS, 1])
    return np.bincount(codes.ravel(), minlength=_BINS**3) / codes.size


def _edges(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Strength of edges, without regard to how bright the picture is."""
    grey = pixels.mean(axis=2)
    down, right = np.gradient(grey)
    strength = np.hypot(down, right)
    return strength / max(float(np.linalg.norm(strength)), 1e-6)


def _change(before: tuple[NDArray[np.float64], NDArray[np.float32]], now: tuple[NDArray[np.float64], NDArray[np.float32]]) -> float:
    colours = 0.5 * float(np.abs(before[0] - now[0]).sum())
    edges = 1 - float((before[1] * now[1]).sum())
    return float(np.sqrt(max(colours, 0.0) * max(edges, 0.0)))
