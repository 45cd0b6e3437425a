"""Pictures whose pixel values are numbers of classes or objects: taken apart into masks, and painted from masks."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from PIL import Image

from burnish.engine.files import atomic_path
from burnish.errors import FormatError
from burnish.geometry import rle

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

COLOURS: Final = 1 << 24
_WHOLE_NUMBERS: Final = frozenset({"1", "L", "P", "I", "I;16", "I;16B", "I;16L", "I;16N"})
_MOST_8_BIT: Final = 255


class Indexed(NamedTuple):
    """Pixel values `(height, width)` int32; of a coloured picture they are 0xRRGGBB. `palette` holds the colour of each value."""

    values: NDArray[np.int32]
    coloured: bool
    palette: dict[int, str]


class Part(NamedTuple):
    """One value of such a picture as a mask: COCO's compressed run lengths, the box around it and its area in pixels."""

    value: int
    mask: bytes
    box: tuple[float, float, float, float]
    area: int


def read_indexed(path: Path) -> Indexed:
    """Read a picture's pixels as numbers, whatever its depth; transparency is left out of account.

    Raises:
        FormatError: It is no picture, or its pixels are fractions.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as picture:
                return _indexed(picture, path)
    except FormatError:
        raise
    except Exception as error:  # Pillow's decoders raise anything at all on damaged files
        raise FormatError(f"The mask cannot be read: {error}.", path=path) from error


def parts_of(values: NDArray[np.int32], *, without: Sequence[int] = (0,)) -> Iterator[Part]:
    """Each value as a mask, in rising order of values; one pass over the pixels, however many values there are."""
    height, width = values.shape
    flat = values.ravel(order="F")
    if flat.size == 0:
        return
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    starts, ends = np.concatenate([[0], edges]), np.concatenate([edges, [flat.size]])
    kinds = flat[starts]
    order = np.argsort(kinds, kind="stable")
    cuts = np.flatnonzero(np.diff(kinds[order])) + 1
    for runs in np.split(order, cuts):
        value = int(kinds[runs[0]])
        if value not in without:
            yield _part(value, starts[runs], ends[runs], (height, width))


def mask_columns(counts: NDArray[np.uint32], height: int) -> dict[str, object]:
    """The columns of an annotation that is a mask, from plain run lengths."""
    box = rle.bounds(counts, height)
    corners = box[0].tolist() if len(box) else [None] * 4
    return {"mask": rle.compress(counts), **dict(zip(("x1", "y1", "x2", "y2"), corners, strict=True))}


def part_columns(part: Part) -> dict[str, object]:
    """The columns of an annotation that is a part."""
    return {"mask": part.mask, **dict(zip(("x1", "y1", "x2", "y2"), part.box, strict=True))}


def paint(masks: Sequence[NDArray[np.bool_]], size: tuple[int, int]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Paint masks over one another in their order.

    Args:
        masks: Each `(height, width)`; later ones cover earlier ones.
        size: Width and height.

    Returns:
        `(height, width)` with 0 where there is none and otherwise 1 + the place of the uppermost mask; and for each
        mask how many of its pixels are covered.
    """
    owners = np.zeros((size[1], size[0]), dtype=np.int32)
    for place, mask in enumerate(masks, start=1):
        owners[mask] = place
    visible = np.bincount(owners.ravel(), minlength=len(masks) + 1)[1:]
    areas = np.array([np.count_nonzero(mask) for mask in masks], dtype=np.int64)
    return owners, areas - visible


def write_indexed(path: Path, values: NDArray[np.int32], palette: Sequence[tuple[int, int, int]] | None = None) -> None:
    """Write values as an 8-bit PNG, with a palette where given, or as a 16-bit one where they need it."""
    height, width = values.shape
    if palette is not None:
        picture = Image.frombytes("P", (width, height), values.astype(np.uint8).tobytes())
        picture.putpalette([channel for colour in palette for channel in colour])
    else:
        deep = values.size > 0 and int(values.max()) > _MOST_8_BIT
        picture = Image.fromarray(values.astype(np.uint16 if deep else np.uint8))
    with atomic_path(path) as temporary:
        picture.save(temporary, format="PNG")


def voc_colour(index: int) -> tuple[int, int, int]:
    """The colour of a number in Pascal VOC's palette: its bits in turn to red, green and blue, the highest bit of each first."""
    channels = [0, 0, 0]
    for place in range(8):
        for channel in range(3):
            channels[channel] |= (index >> (3 * place + channel) & 1) << (7 - place)
    return channels[0], channels[1], channels[2]


def packed(colour: Sequence[int]) -> int:
    """A colour as the number 0xRRGGBB."""
    return colour[0] << 16 | colour[1] << 8 | colour[2]


def colour_text(number: int) -> str:
    """0xRRGGBB as #rrggbb."""
    return f"#{number:06x}"


def colour_channels(text: str) -> tuple[int, int, int]:
    """#rrggbb as red, green and blue."""
    number = int(text.removeprefix("#"), 16)
    return number >> 16, number >> 8 & 255, number & 255


def _indexed(picture: Image.Image, path: Path) -> Indexed:
    mode = picture.mode
    if mode in _WHOLE_NUMBERS:
        values = np.asarray(picture).astype(np.int32)
        return Indexed(values, coloured=False, palette=_palette(picture) if mode == "P" else {})
    if mode in {"LA", "PA"}:
        return Indexed(np.asarray(picture)[..., 0].astype(np.int32), coloured=False, palette={})
    if mode == "F":
        raise FormatError("The mask holds fractions; expected whole numbers or colours.", path=path)
    channels = np.asarray(picture.convert("RGB")).astype(np.int32)
    return Indexed(channels[..., 0] << 16 | channels[..., 1] << 8 | channels[..., 2], coloured=True, palette={})


def _palette(picture: Image.Image) -> dict[int, str]:
    flat = picture.getpalette("RGB") or []
    return {place // 3: colour_text(packed(flat[place : place + 3])) for place in range(0, len(flat) - 2, 3)}


def _part(value: int, starts: NDArray[np.intp], ends: NDArray[np.intp], shape: tuple[int, int]) -> Part:
    height, width = shape
    edges = np.stack([starts, ends], axis=1).ravel()
    counts = np.diff(np.concatenate([[0], edges, [height * width]]))
    counts = (counts if counts[-1] else counts[:-1]).astype(np.uint32)
    x1, y1, x2, y2 = rle.bounds(counts, height)[0].tolist()
    return Part(value, rle.compress(counts), (x1, y1, x2, y2), int((ends - starts).sum()))
