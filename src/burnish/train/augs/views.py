"""Projective maps from old to new places in a picture, as 3 x 3 matrices on (x, y, 1).

Places are those of `Sample`: the middle of the first pixel is (0.5, 0.5), so the edges of a picture are 0, width and height, a mirror is
`width - x`, and what is scaled stays in proportion.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from burnish.geometry import symmetries

if TYPE_CHECKING:
    from burnish.geometry.symmetries import Symmetry

View: TypeAlias = NDArray[np.float64]
ImageSize: TypeAlias = tuple[int, int]
"""Height and width in pixels."""

_NEAR = 1e-9
_IN_FRONT = 1e-6


def same() -> View:
    """The map that moves nothing."""
    return np.eye(3)


def shifted(right: float, down: float) -> View:
    """A way to the right and down, in pixels."""
    return np.array([[1.0, 0.0, right], [0.0, 1.0, down], [0.0, 0.0, 1.0]])


def scaled(across: float, down: float) -> View:
    """Factors of the width and the height, from the upper left corner."""
    return np.diag([across, down, 1.0])


def about_middle(view: View, size: ImageSize) -> View:
    """A map of the origin's surroundings, carried out about the middle of a picture."""
    across, down = size[1] / 2, size[0] / 2
    return shifted(across, down) @ view @ shifted(-across, -down)


def turned(degrees: float) -> View:
    """A turn about the origin, clockwise as seen."""
    radians = np.deg2rad(degrees)
    cosine, sine = np.cos(radians), np.sin(radians)
    return np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])


def from_symmetry(symmetry: Symmetry, size: ImageSize) -> View:
    """The map of one of the eight ways to lay a picture down."""
    corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    origin, right, down = symmetries.of_points(corners, size[1], size[0], symmetry)
    view = same()
    view[:2] = np.stack([right - origin, down - origin, origin], axis=1)
    return view


def to_symmetry(view: View, size: ImageSize, new_size: ImageSize) -> Symmetry | None:
    """Which way of laying a picture down a map is, exactly; None for all other maps."""
    if not (np.abs(np.abs(view[:2, :2]) - 0.5) == 0.5).all():  # noqa: PLR2004 - not -1, 0 or 1 each
        return None
    for symmetry in symmetries.ALL:
        fits = symmetries.of_size(size[1], size[0], symmetry) == (new_size[1], new_size[0])
        if fits and np.abs(from_symmetry(symmetry, size) - view).max() < _NEAR:
            return symmetry
    return None


def is_upright(view: View) -> bool:
    """Whether upright boxes stay upright: no perspective, and axes that go to axes."""
    linear = np.abs(view[:2, :2])
    flat = np.abs(view[2, :2]).max() < _NEAR
    return bool(flat and (max(linear[0, 1], linear[1, 0]) < _NEAR or max(linear[0, 0], linear[1, 1]) < _NEAR))


def is_similar(view: View) -> bool:
    """Whether right angles stay right angles, whichever way they lie."""
    gram = view[:2, :2].T @ view[:2, :2]
    return bool(np.abs(view[2, :2]).max() < _NEAR and abs(gram[0, 1]) < _NEAR and abs(gram[0, 0] - gram[1, 1]) < _NEAR)


def undone(view: View) -> View:
    """The map back."""
    return np.asarray(np.linalg.inv(view), dtype=np.float64)


def is_mirrored(view: View) -> bool:
    """Whether left and right change hands."""
    return bool(np.linalg.det(view) < 0)


def moved_points(points: NDArray[np.float64], view: View) -> NDArray[np.float64]:
    """Points (..., 2) at their new places; NaN for what comes to lie behind the viewer."""
    flat = points @ view[:2, :2].T + view[:2, 2]
    depth = points @ view[2, :2] + view[2, 2]
    return flat / np.where(depth > _IN_FRONT, depth, np.nan)[..., None]


def local_scale(view: View, size: ImageSize) -> float:
    """How much longer a short way at the middle of the picture becomes: the root of the change of area there."""
    x, y = size[1] / 2, size[0] / 2
    depth = abs(float(view[2, 0] * x + view[2, 1] * y + view[2, 2]))
    return float(np.sqrt(abs(np.linalg.det(view)) / max(depth, _IN_FRONT) ** 3))
