"""The drawn pages: suspects in twos of five, each titled with its number, the given and the predicted label."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from burnish.engine.files import write_bytes
from burnish.engine.map import Engine, ordered_map
from burnish.media.colours import class_colour
from burnish.media.images import UnreadableImage, cut_out, encode_jpeg, read_image
from burnish.media.sheets import sheet

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from burnish.audit.items import Items
    from burnish.audit.judging import Judgement

_COLUMNS, _ROWS = 5, 2


def write_pages(items: Items, judgement: Judgement, root: Path, folder: Path, *, most: int, engine: Engine) -> list[Path]:
    """Draw the most suspect labels on pages of 2 x 5, the last one with what is left; pages are named 0.jpg, 1.jpg, ...

    Args:
        items: The judged items.
        judgement: What was said of them.
        root: The dataset's root.
        folder: Where the pages go.
        most: Suspects to draw at most.
        engine: Where pictures are decoded.
    """
    scores, issues = judgement.table["score"].to_numpy(), judgement.table["is_issue"].to_numpy()
    order = np.argsort(-scores, kind="stable")
    worst = order[issues[order]][:most]
    size = _COLUMNS * _ROWS
    pages = [(number, worst[start : start + size]) for number, start in enumerate(range(0, len(worst), size))]
    return list(ordered_map(lambda page: _page(items, judgement, root, folder / f"{page[0]}.jpg", page[1]), pages, engine=engine))


def _page(items: Items, judgement: Judgement, root: Path, target: Path, places: NDArray[np.int64]) -> Path:
    told = judgement.table[places.tolist()].select("given", "suggested").rows()
    rows = judgement.rows[places]
    tiles = [_tile(items, int(row), root) for row in rows]
    titles = [f"{items.images[row]}\nGiven: {given}\nPredicted: {suggested}" for row, (given, suggested) in zip(rows, told, strict=True)]
    drawn = sheet(tiles, titles, columns=_COLUMNS, rows=_ROWS, colours=[class_colour(suggested) for _, suggested in told])
    write_bytes(target, encode_jpeg(drawn, quality=88))
    return target


def _tile(items: Items, row: int, root: Path) -> NDArray[np.uint8]:
    try:
        picture = read_image(root / items.paths[row])
    except UnreadableImage:  # it could be read when it was judged; the page must not fail because it vanished since
        return np.zeros((8, 8, 3), np.uint8)
    return picture if items.boxes is None else cut_out(picture, items.boxes[row])
