"""Arrays of pixels seen through a projective map: sampled once, or laid down anew where the map allows.

Measured on one core at 512 x 512 pixels: a sampled picture takes 1.2 ms, a class mask 0.3 ms, a flip 0.05 ms. Instance masks are packed
as bits, eight to a byte, so that eight of them are sampled as fast as one class mask.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from burnish.errors import extra
from burnish.train.augs.views import ImageSize, View, local_scale, moved_points, scaled, shifted, to_symmetry, undone

with extra("train"):
    import cv2

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from burnish.geometry.symmetries import Symmetry

Pixels: TypeAlias = "NDArray[np.uint8]"

_RGB: Final = 3
_CHANNELS: Final = 4  # that OpenCV samples at once
_BITS: Final = 8
_EDGE: Final = 1e-6
_QUARTERS: Final = {1: cv2.ROTATE_90_CLOCKWISE, 2: cv2.ROTATE_180, 3: cv2.ROTATE_90_COUNTERCLOCKWISE}


def seen_through(pixels: Pixels, view: View, size: ImageSize, *, smooth: bool, outside: int | None) -> Pixels:
    """Sample pixels at the places that a map takes to each new pixel.

    What shrinks to half or less is averaged by whole factors first, so that nothing is skipped.

    Args:
        pixels: (H, W) or (H, W, channels) uint8.
        view: From old to new places.
        size: Height and width of the result.
        smooth: Linear between pixels, which suits pictures; else the nearest one, which suits masks.
        outside: Value of what lies outside; None reflects the picture there.
    """
    if pixels.ndim > 2 and pixels.shape[2] not in {_RGB, _CHANNELS}:  # noqa: PLR2004 - height and width
        see = partial(seen_through, view=view, size=size, smooth=smooth, outside=outside)
        return np.dstack([see(part) for part in _by_fours(pixels)])[..., : pixels.shape[2]]
    symmetry = to_symmetry(view, (pixels.shape[0], pixels.shape[1]), size)
    if symmetry is not None:
        return laid_down(pixels, symmetry)
    part = _whole_part(view, (pixels.shape[0], pixels.shape[1]), size)
    if part is not None:
        return _scaled_part(pixels, view, part, size, smooth=smooth)
    if smooth:
        pixels, view = _shrunk(pixels, view)
    centred = shifted(-0.5, -0.5) @ view @ shifted(0.5, 0.5)
    flags = cv2.INTER_LINEAR if smooth else cv2.INTER_NEAREST
    border = _border(view, (pixels.shape[0], pixels.shape[1]), size, outside)
    value = [float(outside or 0)] * _CHANNELS
    mapped = partial(cv2.warpPerspective, M=centred, dsize=size[::-1], flags=flags, borderMode=border, borderValue=value)
    if pixels.ndim > 2 and pixels.shape[2] == _RGB:  # noqa: PLR2004 - four channels are sampled in two thirds of the time of three
        return _uint8(cv2.cvtColor(mapped(cv2.cvtColor(pixels, cv2.COLOR_RGB2RGBA)), cv2.COLOR_RGBA2RGB))
    return _uint8(mapped(np.ascontiguousarray(pixels)))


def instances_through(instances: Pixels, view: View, size: ImageSize) -> Pixels:
    """Instance masks (N, H, W) of 0 and 1 seen through a map, the nearest pixel each; nothing lies outside."""
    count = len(instances)
    if count == 0:
        return np.zeros((0, *size), np.uint8)
    bits = [seen_through(_packed(instances[at : at + _BITS]), view, size, smooth=False, outside=0) for at in range(0, count, _BITS)]
    return np.stack([bits[row // _BITS] >> np.uint8(row % _BITS) & np.uint8(1) for row in range(count)])


def laid_down(pixels: Pixels, symmetry: Symmetry) -> Pixels:
    """Pixels (H, W) or (H, W, channels) mirrored, then turned by quarters clockwise, to the pixel."""
    mirrored, turns = symmetry
    if pixels.ndim == 2 or pixels.shape[2] == _RGB:  # noqa: PLR2004 - what OpenCV turns ten times faster
        turned = _uint8(cv2.flip(pixels, 1)) if mirrored else pixels
        return _uint8(cv2.rotate(turned, _QUARTERS[turns])) if turns else turned
    return np.ascontiguousarray(np.rot90(pixels[:, ::-1] if mirrored else pixels, -turns))


def _whole_part(view: View, size: ImageSize, new_size: ImageSize) -> tuple[slice, slice] | None:
    """The rows and columns that fill the result, where a map only cuts out whole pixels, scales and mirrors them; None otherwise."""
    if abs(view[0, 1]) + abs(view[1, 0]) + np.abs(view[2, :2]).sum() > 0:
        return None
    old = moved_points(np.array([[0.0, 0.0], [new_size[1], new_size[0]]]), undone(view))
    old.sort(axis=0)
    if np.abs(old - np.round(old)).max() > _EDGE:
        return None
    (left, top), (right, bottom) = np.round(old).astype(np.int64).tolist()
    inside = left >= 0 and top >= 0 and right <= size[1] and bottom <= size[0] and left < right and top < bottom
    return (slice(top, bottom), slice(left, right)) if inside else None


def _scaled_part(pixels: Pixels, view: View, part: tuple[slice, slice], size: ImageSize, *, smooth: bool) -> Pixels:
    """Several times faster than a map: 0.3 against 1.2 ms."""
    cut = np.ascontiguousarray(pixels[part])
    mirrored, upside_down = view[0, 0] < 0, view[1, 1] < 0
    if mirrored or upside_down:
        cut = laid_down(cut, (bool(mirrored != upside_down), 2 if upside_down else 0))
    shrinks = local_scale(view, (pixels.shape[0], pixels.shape[1])) <= 0.5  # noqa: PLR2004 - where linear sampling skips pixels
    smoothly = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    result = cv2.resize(cut, size[::-1], interpolation=smoothly if smooth else cv2.INTER_NEAREST_EXACT)
    return _uint8(result).reshape(*size, *pixels.shape[2:])


def _by_fours(pixels: Pixels) -> list[Pixels]:
    """Channels in groups of four, the last filled up: OpenCV samples all groups in one way, and some functions take no more."""
    missing = -pixels.shape[2] % _CHANNELS
    filled = np.pad(pixels, ((0, 0), (0, 0), (0, missing)))
    return [np.ascontiguousarray(part) for part in np.split(filled, filled.shape[2] // _CHANNELS, axis=2)]


def _packed(instances: Pixels) -> Pixels:
    """Up to eight masks as the bits of one; twenty times faster than numpy.packbits along the first axis."""
    packed = instances[0].copy()
    for bit, mask in enumerate(instances[1:], start=1):
        packed |= mask << np.uint8(bit)
    return packed


def _shrunk(pixels: Pixels, view: View) -> tuple[Pixels, View]:
    height, width = pixels.shape[:2]
    factor = int(1 / max(local_scale(view, (height, width)), _EDGE))
    small = max(1, height // factor) if factor > 1 else height, max(1, width // factor) if factor > 1 else width
    if small == (height, width):
        return pixels, view
    averaged = _uint8(cv2.resize(pixels, small[::-1], interpolation=cv2.INTER_AREA))
    return averaged.reshape(*small, *pixels.shape[2:]), view @ scaled(width / small[1], height / small[0])


def _border(view: View, size: ImageSize, new_size: ImageSize, outside: int | None) -> int:
    """Where every new pixel lies on the old picture, the outermost half pixels are not blended with what is outside."""
    if outside is None:
        return cv2.BORDER_REFLECT_101
    height, width = new_size
    corners = np.array([[0.0, 0.0], [width, 0.0], [width, height], [0.0, height]])
    old = moved_points(corners, undone(view))
    slack = _EDGE * max(size)
    within = (old >= -slack).all() and (old[:, 0] <= size[1] + slack).all() and (old[:, 1] <= size[0] + slack).all()
    return cv2.BORDER_REPLICATE if within else cv2.BORDER_CONSTANT


def _uint8(array: object) -> Pixels:
    return np.asarray(array, dtype=np.uint8)
