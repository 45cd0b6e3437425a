"""How a picture is brought to the training's size, what that does to its targets, and the way back for predictions.

Three ways: `stretch` changes the proportions, `letterbox` keeps them and pads what is left, `crop` keeps them and cuts off what is too
much. Every place is a scale and a shift along each side, x' = x * scale + shift, exact for the whole numbers of pixels that pictures have.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import numpy as np
from PIL import Image
from pydantic import Field

from burnish.config import Config
from burnish.errors import DataError
from burnish.media.fitting import shrink
from burnish.train.samples import IGNORED

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

S = TypeVar("S", bound=np.generic)


class Placement(Config):
    """How pictures are brought to one size."""

    size: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]]
    """Height and width in pixels."""

    how: Literal["stretch", "letterbox", "crop"] = "stretch"
    """`stretch` fills the size without regard to proportions; `letterbox` keeps them and pads; `crop` keeps them and cuts to the middle."""

    padding: tuple[Annotated[int, Field(ge=0, le=255)], Annotated[int, Field(ge=0, le=255)], Annotated[int, Field(ge=0, le=255)]] = (
        114,
        114,
        114,
    )
    """Colour of what a letterbox pads, RGB."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a picture comes to lie.

    Attributes:
        original: Height and width of the picture.
        inner: Height and width to which it is scaled.
        shift: Pixels down and across from the frame's corner to the scaled picture's; negative where it is cropped.
        size: Height and width of the frame.
    """

    original: tuple[int, int]
    inner: tuple[int, int]
    shift: tuple[int, int]
    size: tuple[int, int]

    @property
    def scale(self) -> tuple[float, float]:
        """Down and across; they differ a little in a letterbox too, because pixels are whole."""
        return self.inner[0] / self.original[0], self.inner[1] / self.original[1]

    @property
    def seen(self) -> tuple[slice, slice]:
        """The part of the frame that shows the picture: rows and columns."""
        rows, columns = (
            slice(max(shift, 0), min(shift + inner, size)) for shift, inner, size in zip(self.shift, self.inner, self.size, strict=True)
        )
        return rows, columns

    @property
    def kept(self) -> tuple[slice, slice]:
        """The part of the scaled picture that is in the frame: rows and columns."""
        rows, columns = (
            slice(max(-shift, 0), min(size - shift, inner)) for shift, inner, size in zip(self.shift, self.inner, self.size, strict=True)
        )
        return rows, columns


def find_place(original: tuple[int, int], placement: Placement) -> Place:
    """Where a picture of this height and width comes to lie."""
    scales = placement.size[0] / original[0], placement.size[1] / original[1]
    if placement.how == "stretch":
        return Place(original, placement.size, (0, 0), placement.size)
    if placement.how == "letterbox":
        inner = _sized(original, min(scales), placement.size, most=True)
    else:
        inner = _sized(original, max(scales), placement.size, most=False)
    shift = (placement.size[0] - inner[0]) // 2, (placement.size[1] - inner[1]) // 2
    return Place(original, inner, shift, placement.size)


def place_scaled(scaled: NDArray[np.uint8], place: Place, padding: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Put a picture that has been scaled to `place.inner`, (h, w, 3), into its frame, (height, width, 3)."""
    return _framed(scaled, place, padding)


def place_picture(picture: NDArray[np.uint8], place: Place, padding: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Scale a picture, (h, w, 3), by areas when shrinking, and put it into its frame, (height, width, 3)."""
    return place_scaled(shrink(picture, place.inner), place, padding)


def cut_window(picture: NDArray[np.uint8], window: NDArray[np.int64], name: object = "a picture") -> NDArray[np.uint8]:
    """The part x1, y1, x2, y2 of a picture (h, w, 3), in whole pixels.

    Raises:
        DataError: It reaches beyond the picture.
    """
    x1, y1, x2, y2 = (int(side) for side in window)
    height, width = picture.shape[:2]
    if not (0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height):
        told = f"The window {x1}, {y1}, {x2}, {y2} does not lie in {name}, which has {width} x {height} pixels"
        raise DataError(f"{told}. The dataset may tell another size than the file has: burnish check says so.")
    return picture[y1:y2, x1:x2]


def place_mask(mask: NDArray[np.uint8], place: Place) -> NDArray[np.uint8]:
    """Classes of pixels, (h, w), in the frame: each pixel takes the class at its middle; padding is ignored."""
    _refuse_other_size(mask, place.original)
    return _framed(_nearest(mask, place.inner), place, IGNORED)


def place_beliefs(beliefs: NDArray[np.uint8], place: Place) -> NDArray[np.uint8]:
    """Shares of classes, (h, w, K), in the frame, scaled like the picture; padding belongs to none."""
    _refuse_other_size(beliefs, place.original)
    return _framed(np.stack([shrink(beliefs[..., number], place.inner) for number in range(beliefs.shape[2])], axis=2), place, 0)


def place_boxes(boxes: ArrayLike, place: Place) -> Floats:
    """(n, 4) x1, y1, x2, y2 in the frame. Nothing is cut off, so that the way back is exact; `burnish.geometry.boxes.clip` does it."""
    return np.asarray(boxes, dtype=np.float64).reshape(-1, 4) * _corner(place.scale) + _corner(place.shift)


def place_points(points: ArrayLike, place: Place) -> Floats:
    """(..., 2 or more) x, y and what else there is, which stays; in the frame."""
    moved = np.array(points, dtype=np.float64)
    moved[..., :2] = moved[..., :2] * place.scale[::-1] + place.shift[::-1]
    return moved


def boxes_home(boxes: ArrayLike, place: Place) -> Floats:
    """(n, 4) x1, y1, x2, y2 of the frame in the original picture, not cut off."""
    return (np.asarray(boxes, dtype=np.float64).reshape(-1, 4) - _corner(place.shift)) / _corner(place.scale)


def points_home(points: ArrayLike, place: Place) -> Floats:
    """(..., 2 or more) x, y of the frame, and what else there is, in the original picture."""
    moved = np.array(points, dtype=np.float64)
    moved[..., :2] = (moved[..., :2] - place.shift[::-1]) / place.scale[::-1]
    return moved


def mask_home(mask: NDArray[np.uint8], place: Place) -> NDArray[np.uint8]:
    """Classes of pixels, (height, width), of the frame in the original picture, (h, w); what was cut off is ignored."""
    _refuse_other_size(mask, place.size)
    return _nearest(_unframed(mask, place, IGNORED), place.original)


def probabilities_home(maps: NDArray[np.floating[Any]], place: Place) -> NDArray[np.float32]:
    """Maps (K, height, width) of the frame in the original picture, (K, h, w) float32, linear between pixels; 0 where it was cut off.

    Scale probabilities or logits and take the classes then: outlines are smoother than those of `mask_home`.
    """
    if maps.ndim != 3 or maps.shape[1:] != place.size:  # noqa: PLR2004 - classes, height, width
        raise DataError(f"The maps have shape {maps.shape}; expected (classes, {place.size[0]}, {place.size[1]}).")
    height, width = place.original
    home = np.empty((len(maps), height, width), np.float32)
    for number, values in enumerate(maps):
        inner = Image.fromarray(_unframed(values.astype(np.float32), place, 0.0))
        home[number] = np.asarray(inner.resize((width, height), Image.Resampling.BILINEAR))
    return home


def _sized(original: tuple[int, int], scale: float, size: tuple[int, int], *, most: bool) -> tuple[int, int]:
    """The scaled height and width, at most or at least those of the frame."""
    limit = min if most else max
    height, width = (max(limit(round(side * scale), frame), 1) for side, frame in zip(original, size, strict=True))
    return height, width


def _corner(pair: tuple[float, float]) -> Floats:
    """Down and across, as x, y, x, y."""
    return np.array([pair[1], pair[0], pair[1], pair[0]], np.float64)


def _framed(scaled: NDArray[S], place: Place, padding: int | tuple[int, ...]) -> NDArray[S]:
    if place.inner == place.size:
        return scaled
    frame = np.empty((*place.size, *scaled.shape[2:]), scaled.dtype)
    if place.seen != (slice(0, place.size[0]), slice(0, place.size[1])):
        frame[:] = padding
    frame[place.seen] = scaled[place.kept]
    return frame


def _unframed(frame: NDArray[S], place: Place, beyond: float) -> NDArray[S]:
    """The scaled picture of a frame."""
    if place.inner == place.size:
        return frame
    inner = np.full(place.inner, beyond, frame.dtype)
    inner[place.kept] = frame[place.seen]
    return inner


def _nearest(mask: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """The value at the middle of each new pixel, in whole numbers, so that no rounding decides."""
    rows, columns = ((2 * np.arange(new) + 1) * old // (2 * new) for old, new in zip(mask.shape[:2], size, strict=True))
    return mask[rows[:, None], columns]


def _refuse_other_size(array: NDArray[Any], size: tuple[int, int]) -> None:
    if array.shape[:2] != size:
        found = f"{array.shape[0]} x {array.shape[1]}" if array.ndim > 1 else str(array.shape)
        raise DataError(f"A mask of {found} pixels belongs to a picture of {size[0]} x {size[1]} (height x width); expected the same size.")
