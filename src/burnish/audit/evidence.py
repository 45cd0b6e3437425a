"""What a suspect is shown with: the nearest pictures that carry the given label beside the nearest that carry the suggested one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from burnish.engine.map import Engine, ordered_map
from burnish.media.images import UnreadableImage, cut_out, read_image
from burnish.report.gallery import Card, Evidence, Neighbour
from burnish.report.pictures import Picture, thumbnail
from burnish.similarity.neighbours import nearest

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl
    from numpy.typing import NDArray

    from burnish.audit.items import Items
    from burnish.audit.judging import Judgement

_NEIGHBOURS = 5
_SMALL_SIDE = 80
_DESCRIPTION_SIDE = 16


def label_cards(
    items: Items, judgement: Judgement, labels: pl.DataFrame, chosen: NDArray[np.int64], *, root: Path, engine: Engine
) -> tuple[Card, ...]:
    """One card for each chosen suspect.

    Args:
        items: The judged items.
        judgement: What was said of them.
        labels: Its table, as from `labels_table`.
        chosen: (c,) rows of the table, in the order they are wanted.
        root: The dataset's root.
        engine: Where pictures are decoded.
    """
    found = _nearest_by_class(judgement, items.labels[judgement.rows], labels, chosen, items.names)
    pictures = item_pictures(items, judgement.rows[chosen], root, engine)
    rows = labels[chosen.tolist()].iter_rows(named=True)
    cards = []
    for place, (row, picture) in enumerate(zip(rows, pictures, strict=True)):
        evidence = tuple(_evidence(heading, found[name][place], judgement, labels) for heading, name in _headings(row))
        cards.append(
            Card(
                key=f"{row['image']}-{row['annotation']}",
                picture=picture,
                title=row["path"],
                given=row["given"],
                suggested=row["suggested"],
                score=float(row["score"]),
                kind="label",
                is_issue=row["is_issue"],
                reason=row["reason"],
                evidence=evidence,
            )
        )
    return tuple(cards)


def item_pictures(items: Items, rows: NDArray[np.int64], root: Path, engine: Engine, *, longest: int = 160) -> list[Picture | None]:
    """A small picture of each item, whole or cut out; None where it cannot be read."""
    jobs = [(root / items.paths[row], None if items.boxes is None else items.boxes[row]) for row in rows]

    def small(job: tuple[Path, NDArray[np.float64] | None]) -> Picture | None:
        path, box = job
        try:
            return thumbnail(_part(read_image(path), box), longest=longest)
        except UnreadableImage:
            return None

    return list(ordered_map(small, jobs, engine=engine))


def _part(picture: NDArray[np.uint8], box: NDArray[np.float64] | None) -> NDArray[np.uint8]:
    return picture if box is None else cut_out(picture, box)


def _headings(row: dict[str, str]) -> list[tuple[str, str]]:
    pairs = [(f"Nearest labelled {row['given']}", row["given"])]
    return pairs if row["suggested"] == row["given"] else [*pairs, (f"Nearest labelled {row['suggested']}", row["suggested"])]


def _evidence(heading: str, neighbours: NDArray[np.int64], judgement: Judgement, labels: pl.DataFrame) -> Evidence:
    small = tuple(
        Neighbour(thumbnail(judgement.pixels[index], longest=_SMALL_SIDE), labels["path"][int(index)].rpartition("/")[2])
        for index in neighbours
    )
    return Evidence(heading, small)


def _nearest_by_class(
    judgement: Judgement, given: NDArray[np.int64], labels: pl.DataFrame, chosen: NDArray[np.int64], names: tuple[str, ...]
) -> dict[str, list[NDArray[np.int64]]]:
    """For each class the nearest of its unsuspected items to each chosen one, the nearest first."""
    features = judgement.features if judgement.features is not None else _thumbnails(judgement.pixels)
    sound = ~labels["is_issue"].to_numpy()
    found: dict[str, list[NDArray[np.int64]]] = {}
    wanted = set(labels["given"][chosen.tolist()]) | set(labels["suggested"][chosen.tolist()])
    for number, name in enumerate(names):
        if name not in wanted:
            continue
        members = np.flatnonzero((given == number) & sound)
        near = (
            nearest(features[members], _NEIGHBOURS + 1, queries=features[chosen]).indices
            if len(members)
            else np.zeros((len(chosen), 0), np.int64)
        )
        found[name] = [others[others != own][:_NEIGHBOURS] for others, own in zip(members[near], chosen, strict=True)]
    return found


def _thumbnails(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A coarse description of pictures for models that give none: their pixels, far fewer."""
    rows = np.linspace(0, pixels.shape[1] - 1, _DESCRIPTION_SIDE).astype(np.int64)
    columns = np.linspace(0, pixels.shape[2] - 1, _DESCRIPTION_SIDE).astype(np.int64)
    return pixels[:, rows][:, :, columns].reshape(len(pixels), -1).astype(np.float32) - 127.5
