"""Contact sheets: a page of titled pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from burnish.errors import ConfigError
from burnish.media.images import resize
from burnish.media.text import BOLD, LINE_HEIGHT, REGULAR, draw_text, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from burnish.media.colours import Colour

_PAPER: Final = (255, 255, 255)
_MOUNT: Final = (240, 241, 243)
_INK: Final = (24, 26, 30)


def sheet(
    tiles: Sequence[NDArray[np.uint8]],
    titles: Sequence[str],
    *,
    columns: int = 5,
    rows: int = 2,
    side: int = 280,
    colours: Sequence[Colour | None] | None = None,
) -> NDArray[np.uint8]:
    """Lay pictures out in a grid, each with its title above; a last page that is not full has only the rows it needs.

    Args:
        tiles: At most `columns * rows` pictures, grey or RGB, uint8, of any size: scaled in proportion to fit.
        titles: One for each; lines are split at line breaks, the first is bold, and lines that are too long lose their middle.
        columns: Pictures side by side.
        rows: Pictures one below the other, at most.
        side: Width and height of a picture's place, in pixels.
        colours: Frame of each picture, or None for no frame.

    Raises:
        ConfigError: There are more tiles than places, or not as many titles as tiles.
    """
    if len(tiles) > columns * rows or len(titles) != len(tiles):
        found = f"{len(tiles)} tiles and {len(titles)} titles"
        raise ConfigError(f"a sheet of {columns} x {rows} takes up to {columns * rows} tiles and a title for each; got {found}.")
    size = max(12, round(side / 17))
    gap = max(6, round(side / 20))
    lines = max((title.count("\n") + 1 for title in titles), default=1)
    head = round(lines * LINE_HEIGHT * size) + gap // 2
    used = max(1, -(-len(tiles) // columns))
    page = np.full((gap + used * (head + side + gap), gap + columns * (side + gap), 3), _PAPER, np.uint8)
    for index, (tile, title) in enumerate(zip(tiles, titles, strict=True)):
        left, top = gap + index % columns * (side + gap), gap + index // columns * (head + side + gap)
        _draw_title(page, title, (left, top), size, side)
        place = page[top + head : top + head + side, left : left + side]
        _mount(place, tile, None if colours is None else colours[index])
    return page


def _draw_title(page: NDArray[np.uint8], title: str, corner: tuple[int, int], size: int, width: int) -> None:
    for number, line in enumerate(title.split("\n")):
        weight = BOLD if number == 0 else REGULAR
        place = (corner[0], corner[1] + round(number * LINE_HEIGHT * size))
        draw_text(page, shortened(line, width, size, weight), place, size, _INK, weight)


def _mount(place: NDArray[np.uint8], tile: NDArray[np.uint8], colour: Colour | None) -> None:
    side = place.shape[0]
    frame = 0 if colour is None else max(2, side // 60)
    place[:] = _MOUNT if colour is None else colour
    inner = place[frame : side - frame, frame : side - frame]
    inner[:] = _MOUNT
    room = inner.shape[0]
    factor = room / max(*tile.shape[:2], 1)
    picture = resize(tile, (round(tile.shape[0] * factor), round(tile.shape[1] * factor)))
    top, left = (room - picture.shape[0]) // 2, (room - picture.shape[1]) // 2
    colour_picture = picture[..., None] if picture.ndim == 2 else picture[..., :3]  # noqa: PLR2004 - grey
    inner[top : top + picture.shape[0], left : left + picture.shape[1]] = colour_picture
