"""One picture's annotations as arrays: the only type that models and drawing speak."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """Arrays of one length n, one entry an annotation, in table order.

    Attributes:
        image: The picture's id.
        size: Width and height in pixels; None where the dataset does not know them.
        ids: (n,) int64.
        classes: (n,) int32 class ids; -1 where an annotation has no class.
        kinds: n geometry names, for instance box or mask.
        boxes: (n, 4) float64 x1, y1, x2, y2 in absolute pixels, half-open; NaN for tags.
        rotations: (n,) float64 degrees, clockwise as seen.
        scores: (n,) float64; NaN where there is none.
        points: n arrays (k, 2) float64 in pixels, or None.
        parts: n tuples of the numbers of points in each ring, or None for one ring.
        masks: n byte strings, COCO's compressed run-length code of the whole picture, or None.
        tracks: (n,) int64; -1 where not tracked.
        visibilities: n arrays (k,) uint8 of skeleton points, or None.
    """

    image: int
    size: tuple[int | None, int | None]
    ids: NDArray[np.int64]
    classes: NDArray[np.int32]
    kinds: tuple[str, ...]
    boxes: NDArray[np.float64]
    rotations: NDArray[np.float64]
    scores: NDArray[np.float64]
    points: tuple[NDArray[np.float64] | None, ...]
    parts: tuple[tuple[int, ...] | None, ...]
    masks: tuple[bytes | None, ...]
    tracks: NDArray[np.int64]
    visibilities: tuple[NDArray[np.uint8] | None, ...]

    def __len__(self) -> int:
        return len(self.ids)


def some_labels(labels: Labels, chosen: NDArray[np.bool_]) -> Labels:
    """The annotations that are True in `chosen` (n,)."""
    arrays = ("ids", "classes", "boxes", "rotations", "scores", "tracks")
    tuples = ("kinds", "points", "parts", "masks", "visibilities")
    rows = np.flatnonzero(chosen)
    some: dict[str, Any] = {name: getattr(labels, name)[rows] for name in arrays}
    some |= {name: tuple(getattr(labels, name)[row] for row in rows) for name in tuples}
    return replace(labels, **some)


def labels_from_rows(image: int, size: tuple[int | None, int | None], rows: pl.DataFrame) -> Labels:
    """The view of one picture's rows of the annotations table."""
    return Labels(
        image=image,
        size=size,
        ids=rows["id"].to_numpy(),
        classes=rows["class"].fill_null(-1).to_numpy(),
        kinds=tuple(rows["kind"].to_list()),
        boxes=rows.select("x1", "y1", "x2", "y2").fill_null(np.nan).to_numpy().astype(np.float64, copy=False),
        rotations=rows["rotation"].fill_null(0.0).to_numpy(),
        scores=rows["score"].fill_null(np.nan).to_numpy(),
        points=tuple(None if p is None else np.asarray(p, dtype=np.float64).reshape(-1, 2) for p in rows["points"].to_list()),
        parts=tuple(None if p is None else tuple(p) for p in rows["parts"].to_list()),
        masks=tuple(rows["mask"].to_list()),
        tracks=rows["track"].fill_null(-1).to_numpy(),
        visibilities=tuple(None if v is None else np.asarray(v, dtype=np.uint8) for v in rows["visibility"].to_list()),
    )
