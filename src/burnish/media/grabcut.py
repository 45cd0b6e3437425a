"""GrabCut: an object's outline from a rough guess and the picture's colours."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from burnish.errors import DataError, extra

if TYPE_CHECKING:
    from numpy.typing import NDArray

BACKGROUND: Final = 0
OBJECT: Final = 1
LIKELY_BACKGROUND: Final = 2
LIKELY_OBJECT: Final = 3
"""What a pixel is thought to be; the first two are never changed."""

_seeding = threading.Lock()


def grab_cut(picture: NDArray[np.uint8], guess: NDArray[np.uint8], *, iterations: int = 3) -> NDArray[np.bool_]:
    """Cut an object out by graph cuts over colour models of object and background (Rother, Kolmogorov and Blake, SIGGRAPH 2004).

    The same input gives the same mask: the library's random numbers, with which colours are clustered, begin anew at each call.

    Args:
        picture: (height, width, 3) RGB.
        guess: (height, width) of BACKGROUND, OBJECT, LIKELY_BACKGROUND and LIKELY_OBJECT.
        iterations: Times that models and cut are improved in turn.

    Returns:
        (height, width) booleans. Where the guess knows only one of both sides there is nothing to cut, and it is returned as it is.

    Raises:
        DataError: Sizes differ.
        MissingExtra: OpenCV is not installed.
    """
    if picture.shape[:2] != guess.shape:
        raise DataError(f"The picture has shape {picture.shape} and the guess {guess.shape}; expected one height and width.")
    inside = np.isin(guess, (OBJECT, LIKELY_OBJECT))
    if inside.all() or not inside.any():
        return inside
    cv2 = _cv2()
    labels = guess.copy()
    models = [np.zeros((1, 65), np.float64) for _ in range(2)]
    with _seeding:
        cv2.setRNGSeed(0)
        cv2.grabCut(np.ascontiguousarray(picture[..., ::-1]), labels, None, *models, iterations, cv2.GC_INIT_WITH_MASK)
    return np.isin(labels, (OBJECT, LIKELY_OBJECT))


def _cv2() -> Any:
    with extra("video"):
        import cv2  # noqa: PLC0415
    return cv2
