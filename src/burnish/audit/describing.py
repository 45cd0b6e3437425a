"""Pictures described by a frozen embedder, some at a time, for copies that hashes cannot see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from burnish.engine.map import Engine, ordered_map
from burnish.media.images import read_image

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from burnish.engine.progress import Progress

_AT_ONCE: Final = 256


def described(
    paths: Sequence[Path], readable: NDArray[np.bool_], embedder: str, *, engine: Engine, progress: Progress
) -> NDArray[np.float32]:
    """Vectors of pictures.

    Args:
        paths: n files.
        readable: (n,) which of them can be decoded; the others get zeros.
        embedder: Hub name, folder or file of a frozen network.
        engine: Where pictures are decoded.
        progress: Where to report.

    Returns:
        (n, D) float32.

    Raises:
        MissingExtra: torch is not installed.
        WeightsError: There are no such weights.
    """
    from burnish.models.embedders import load_embedder  # noqa: PLC0415 - loads torch

    model = load_embedder(embedder)
    vectors = np.zeros((len(paths), model.dimension), dtype=np.float32)
    places = np.flatnonzero(readable)
    with progress.task(f"Describing the pictures with {embedder}", len(places)) as advance:
        for start in range(0, len(places), _AT_ONCE):
            chunk = places[start : start + _AT_ONCE]
            vectors[chunk] = model.embed(list(ordered_map(read_image, [paths[place] for place in chunk], engine=engine)))
            advance(len(chunk))
    return vectors
