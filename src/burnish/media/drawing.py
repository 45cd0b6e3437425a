"""The visualiser: annotations or predictions on a picture, the same in previews, reports and training."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from burnish.geometry import ellipses, rle, rotated
from burnish.media.captions import Caption, captions_area, draw_captions
from burnish.media.colours import STATUS_COLOURS, Colour, class_colour
from burnish.media.images import resize
from burnish.media.outlines import Pen, draw_dots, draw_mask, draw_path, draw_rings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from burnish.data.dataset import Dataset
    from burnish.data.labels import Labels

_NO_CLASS: Final = "no class"
_CAPTIONS_SHARE: Final = 0.2  # of the picture; if captions need more, a legend stands for them
_CUBOID_EDGES: Final = ((0, 1), (2, 3), (4, 5), (6, 7), (0, 2), (2, 4), (4, 6), (6, 0), (1, 3), (3, 5), (5, 7), (7, 1))


@dataclass(frozen=True, slots=True)
class DrawStyle:
    """How annotations are drawn.

    Attributes:
        fill: Opacity of fills, 0 to 1.
        line: Line width in pixels; None suits the picture.
        text: Text size in pixels; None suits the picture.
        captions: Write captions; where they would hide the picture, a legend with counts takes their place.
        scores: Put scores into captions.
        tracks: Put track numbers into captions.
        by_status: Colour by the class's status (used green, unused blue, forbidden red) rather than by class.
        least_side: Smaller pictures are enlarged by a whole factor until their longer side has about this many pixels; 1 keeps them.
    """

    fill: float = 0.3
    line: int | None = None
    text: int | None = None
    captions: bool = True
    scores: bool = True
    tracks: bool = True
    by_status: bool = False
    least_side: int = 320


@dataclass(frozen=True, slots=True)
class ClassLook:
    """How a class is drawn: its name, colour, status, and the edges of its skeleton as pairs of point numbers from 0."""

    name: str
    colour: Colour
    status: str = "used"
    edges: tuple[tuple[int, int], ...] = ()


DEFAULT_STYLE: Final = DrawStyle()


def class_looks(dataset: Dataset) -> dict[int, ClassLook]:
    """The looks of a dataset's classes, by class id."""
    rows = dataset.classes.select("id", "name", "colour", "status", "skeleton").iter_rows()
    return {
        number: ClassLook(name, class_colour(name, colour), status, _edges(skeleton)) for number, name, colour, status, skeleton in rows
    }


def draw_labels(
    image: NDArray[np.uint8],
    labels: Labels,
    classes: Mapping[int, str] | Mapping[int, ClassLook],
    *,
    style: DrawStyle = DEFAULT_STYLE,
) -> NDArray[np.uint8]:
    """Draw one picture's annotations.

    Large objects are drawn first, so that small ones are not hidden. Every kind is drawn: boxes (also turned), polygons with holes,
    polylines, points, ellipses, masks, skeletons, cuboids; tags stand in the upper left corner.

    Args:
        image: (height, width, 3) RGB or (height, width) grey, uint8; it is not changed.
        labels: What to draw, in pixels of this picture.
        classes: Names or looks by class id (`class_looks` gives a dataset's).
        style: How.

    Returns:
        A new RGB picture, enlarged by a whole factor where it was smaller than the style's `least_side`.
    """
    factor = _factor(image.shape, style.least_side)
    pixels = _canvas(image, factor)
    line, text = _line_width(pixels.shape, style), _text_size(pixels.shape, style)
    looks = [_look(classes, int(number), style) for number in labels.classes]
    frames = [_frame(labels, index) * factor for index in range(len(labels))]
    for index in np.argsort([-_area(frame) for frame in frames], kind="stable"):
        _draw_shape(pixels, labels, int(index), looks[index], Pen(looks[index].colour, line, style.fill), factor)
    if style.captions and len(labels):
        draw_captions(pixels, _captions(labels, looks, frames, style, pixels.shape), text)
    return pixels


def _edges(skeleton: str | None) -> tuple[tuple[int, int], ...]:
    return tuple((int(a), int(b)) for a, b in json.loads(skeleton).get("edges", ())) if skeleton else ()


def _factor(shape: tuple[int, ...], least_side: int) -> int:
    return max(1, round(least_side / max(*shape[:2], 1)))


def _canvas(image: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    colour = np.repeat(image[..., None], 3, axis=2) if image.ndim == 2 else image[..., :3]  # noqa: PLR2004 - grey
    if factor == 1:
        return np.array(colour, order="C")
    return np.array(resize(colour, (image.shape[0] * factor, image.shape[1] * factor)), order="C")


def _line_width(shape: tuple[int, ...], style: DrawStyle) -> int:
    return style.line or max(3, round(max(shape[:2]) / 300))


def _text_size(shape: tuple[int, ...], style: DrawStyle) -> int:
    return style.text or int(np.clip(round(max(shape[:2]) / 42), 12, 80))


def _look(classes: Mapping[int, str] | Mapping[int, ClassLook], number: int, style: DrawStyle) -> ClassLook:
    known = classes.get(number)
    if known is None:
        name = _NO_CLASS if number < 0 else f"class {number}"
        return ClassLook(name, (128, 128, 128) if number < 0 else class_colour(name))
    look = ClassLook(known, class_colour(known)) if isinstance(known, str) else known
    return ClassLook(look.name, STATUS_COLOURS[look.status], look.status, look.edges) if style.by_status else look


def _frame(labels: Labels, index: int) -> NDArray[np.float64]:
    """The upright box around an annotation as it is drawn; NaN for tags."""
    box, points = labels.boxes[index], labels.points[index]
    if labels.rotations[index] and np.isfinite(box).all():
        return rotated.bounds(rotated.from_boxes(box[None], labels.rotations[index]))[0]
    if not np.isfinite(box).all() and points is not None and len(points):
        return np.concatenate([points.min(axis=0), points.max(axis=0)])
    return box


def _area(frame: NDArray[np.float64]) -> float:
    return float(np.nan_to_num((frame[2] - frame[0]) * (frame[3] - frame[1])))


def _draw_shape(pixels: NDArray[np.uint8], labels: Labels, index: int, look: ClassLook, pen: Pen, factor: int) -> None:  # noqa: C901, PLR0917 - one case a kind
    kind, points, mask = labels.kinds[index], labels.points[index], labels.masks[index]
    scaled = None if points is None else points * factor
    match kind:
        case "mask" if mask is not None:
            draw_mask(pixels, _decoded(mask, pixels.shape, factor), pen)
        case "polygon" if scaled is not None:
            draw_rings(pixels, _rings(scaled, labels.parts[index]), pen)
        case "polyline" if scaled is not None:
            draw_path(pixels, scaled, pen)
        case "points" if scaled is not None:
            draw_dots(pixels, scaled, pen)
        case "skeleton" if scaled is not None:
            _draw_skeleton(pixels, scaled, labels.visibilities[index], look.edges, pen)
        case "cuboid" if scaled is not None and len(scaled) == 8:  # noqa: PLR2004 - corners
            for edge in _CUBOID_EDGES:
                draw_path(pixels, scaled[list(edge)], pen)
        case "ellipse" if np.isfinite(labels.boxes[index]).all():
            draw_rings(pixels, [_ellipse(labels.boxes[index], labels.rotations[index]) * factor], pen)
        case "tag":
            pass
        case _ if np.isfinite(labels.boxes[index]).all():
            corners = rotated.corners(rotated.from_boxes(labels.boxes[index][None], labels.rotations[index]))[0]
            draw_rings(pixels, [corners * factor], pen, fill=False)
        case _:
            pass


def _decoded(mask: bytes, shape: tuple[int, ...], factor: int) -> NDArray[np.bool_]:
    small = rle.decode(rle.decompress(mask), shape[0] // factor, shape[1] // factor)
    return small if factor == 1 else np.repeat(np.repeat(small, factor, axis=0), factor, axis=1)


def _rings(points: NDArray[np.float64], parts: tuple[int, ...] | None) -> list[NDArray[np.float64]]:
    return [points] if parts is None else np.split(points, np.cumsum(parts)[:-1])


def _ellipse(box: NDArray[np.float64], degrees: float) -> NDArray[np.float64]:
    return ellipses.to_rings(np.array([[*rotated.from_boxes(box[None], degrees)[0]]]) * [1, 1, 0.5, 0.5, 1], vertices=96)[0]


def _draw_skeleton(
    pixels: NDArray[np.uint8],
    points: NDArray[np.float64],
    visibility: NDArray[np.uint8] | None,
    edges: Sequence[tuple[int, int]],
    pen: Pen,
) -> None:
    seen = np.full(len(points), 2, np.uint8) if visibility is None else visibility
    for first, second in edges:
        if max(first, second) < len(points) and seen[first] and seen[second]:
            draw_path(pixels, points[[first, second]], pen)
    draw_dots(pixels, points[seen > 0], pen, hollow=seen[seen > 0] == 1)


def _captions(
    labels: Labels, looks: Sequence[ClassLook], frames: Sequence[NDArray[np.float64]], style: DrawStyle, shape: tuple[int, ...]
) -> list[Caption]:
    captions = [Caption(_caption_text(labels, index, look, style), look.colour, _place(frames[index])) for index, look in enumerate(looks)]
    if captions_area(captions, _text_size(shape, style), shape) <= _CAPTIONS_SHARE * shape[0] * shape[1]:
        return captions
    counts: dict[ClassLook, int] = {}
    for look in sorted(looks, key=lambda look: look.name):
        counts[look] = counts.get(look, 0) + 1
    return [Caption(f"{look.name} × {count}", look.colour) for look, count in counts.items()]


def _caption_text(labels: Labels, index: int, look: ClassLook, style: DrawStyle) -> str:
    parts = [look.name]
    if style.tracks and labels.tracks[index] >= 0:
        parts.append(f"#{labels.tracks[index]}")
    if style.scores and np.isfinite(labels.scores[index]):
        parts.append(f"{labels.scores[index]:.2f}")
    return " ".join(parts)


def _place(frame: NDArray[np.float64]) -> tuple[float, float, float, float] | None:
    return (float(frame[0]), float(frame[1]), float(frame[2]), float(frame[3])) if np.isfinite(frame).all() else None
