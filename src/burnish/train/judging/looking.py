"""Shows pictures to judges batch by batch; none is kept, and what cannot be read is told of."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from burnish.data.findings import finding
from burnish.errors import DataError
from burnish.media.images import read_image
from burnish.media.unreadable import UnreadableImage
from burnish.train.reading import picture_batches

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from burnish.engine.map import Engine
    from burnish.engine.progress import Progress
    from burnish.train.judging.judge import Judge
    from burnish.train.policies.examples import Examples


def look(
    examples: Examples,
    rows: Iterable[int],
    judges: Sequence[Judge],
    *,
    batch_size: int,
    engine: Engine,
    progress: Progress,
) -> list[dict[str, Any]]:
    """Let judges compare their networks' predictions on pictures.

    Returns:
        Findings on the pictures that nobody could look at.

    Raises:
        DataError: No picture could be looked at.
    """
    chosen = [int(row) for row in rows]
    bad: list[dict[str, Any]] = []
    with progress.task("Evaluating", len(chosen)) as advance:
        for batch in picture_batches(chosen, partial(_picture, examples), batch_size, engine):
            bad += [_told(examples, row, reason) for row, reason in batch.unreadable]
            for judge in judges if batch.items else ():
                judge.add(batch.items, batch.pictures)
            advance(len(batch))
    if len(bad) == len(chosen):
        raise DataError(f"None of the {len(chosen):,} pictures can be measured, for instance: {bad[0]['reason']}", table="images")
    return bad


def _picture(examples: Examples, row: int) -> NDArray[np.uint8]:
    """A picture of the size that the dataset knows: labels in pixels of another size say nothing.

    Raises:
        UnreadableImage: It cannot be read, or has another size.
    """
    picture = read_image(examples.paths[row])
    width, height = (int(side) for side in examples.sizes[row])
    if picture.shape[:2] == (height, width):
        return picture
    found = f"the picture has {picture.shape[1]} x {picture.shape[0]} pixels"
    told = f"{found}, the dataset says {width} x {height}, so its labels lie elsewhere; burnish check tells more"
    raise UnreadableImage(examples.paths[row], told)


def _told(examples: Examples, row: int, reason: str) -> dict[str, Any]:
    return finding("unreadable_picture", reason, path=examples.told_path(row), image=int(examples.images[row]))
