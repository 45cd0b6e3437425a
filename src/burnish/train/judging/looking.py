"""Shows pictures to judges batch by batch; none is kept, and what cannot be read is told of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from burnish.data.findings import finding
from burnish.engine.map import ordered_map
from burnish.errors import DataError
from burnish.media.images import read_image
from burnish.media.unreadable import UnreadableImage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

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
    looked = 0
    with progress.task("Evaluating", len(chosen)) as advance:
        for places, pictures, left_out in _batches(examples, chosen, batch_size, engine):
            bad += left_out
            for judge in judges if places else ():
                judge.add(places, pictures)
            looked += len(places)
            advance(len(places) + len(left_out))
    if not looked:
        raise DataError(f"None of the {len(chosen):,} pictures can be measured, for instance: {bad[0]['reason']}", table="images")
    return bad


def _batches(
    examples: Examples, rows: Sequence[int], size: int, engine: Engine
) -> Iterator[tuple[list[int], list[NDArray[np.uint8]], list[dict[str, Any]]]]:
    def read(row: int) -> NDArray[np.uint8] | str:
        try:
            return _of_known_size(examples, row, read_image(examples.paths[row]))
        except UnreadableImage as error:
            return str(error)

    places: list[int] = []
    pictures: list[NDArray[np.uint8]] = []
    bad: list[dict[str, Any]] = []
    for row, picture in zip(rows, ordered_map(read, rows, engine=engine), strict=True):
        if isinstance(picture, str):
            path = str(examples.paths[row])
            bad.append(finding("unreadable_picture", picture, path=path, image=int(examples.images[row])))
            continue
        places.append(row)
        pictures.append(picture)
        if len(places) == size:
            yield places, pictures, bad
            places, pictures, bad = [], [], []
    if places or bad:
        yield places, pictures, bad


def _of_known_size(examples: Examples, row: int, picture: NDArray[np.uint8]) -> NDArray[np.uint8] | str:
    """The picture, or what is wrong with its size: labels in pixels of another size say nothing."""
    width, height = (int(side) for side in examples.sizes[row])
    if picture.shape[:2] == (height, width):
        return picture
    found = f"the picture has {picture.shape[1]} x {picture.shape[0]} pixels"
    return f"{found}, the dataset says {width} x {height}, so its labels lie elsewhere; burnish check tells more"
