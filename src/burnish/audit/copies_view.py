"""Groups of copies as reports show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from burnish.audit.page import MOST_GROUPS
from burnish.audit.view import Copy, CopyGroup
from burnish.engine.map import Engine, ordered_map
from burnish.media.images import UnreadableImage, read_image
from burnish.report.pictures import Picture, thumbnail

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from burnish.audit.looking import Look

_MOST_IN_GROUP = 12


def copy_groups_view(seen: Look, root: Path, engine: Engine) -> tuple[CopyGroup, ...]:
    """The groups of copies with small pictures: all groups, but pictures only for as many as a page shows."""
    groups = seen.duplicates.groups
    members = [np.flatnonzero(groups == number) for number in range(int(groups.max(initial=-1)) + 1)]
    members.sort(key=lambda rows: (not _several(seen.pictures.labels, rows), not _several(seen.pictures.splits, rows)))
    drawn = np.concatenate([rows[:_MOST_IN_GROUP] for rows in members[:MOST_GROUPS]]) if members else np.zeros(0, np.int64)
    pictures = dict(
        zip(drawn.tolist(), ordered_map(lambda row: _small(root / seen.pictures.paths[row]), drawn.tolist(), engine=engine), strict=True)
    )
    near = set(seen.duplicates.pairs.filter(kind="near")["a"])
    return tuple(_group(seen, rows, pictures, near=bool(near & set(rows.tolist()))) for rows in members)


def _group(seen: Look, rows: NDArray[np.int64], pictures: dict[int, Picture | None], *, near: bool) -> CopyGroup:
    copies = (
        Copy(pictures.get(row), seen.pictures.paths[row], seen.pictures.labels[row] or "", seen.pictures.splits[row] or "")
        for row in map(int, rows)
    )
    return CopyGroup("near_duplicate" if near else "exact_duplicate", tuple(copies))


def _several(values: Sequence[str | None], rows: NDArray[np.int64]) -> bool:
    return len({values[row] for row in rows} - {None}) > 1


def _small(path: Path) -> Picture | None:
    try:
        return thumbnail(read_image(path), longest=96)
    except UnreadableImage:
        return None
