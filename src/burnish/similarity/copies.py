"""The copies in a dataset, as groups of its pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from burnish.engine.progress import Progress, silent
from burnish.media.hashing import hash_pictures
from burnish.similarity.duplicates import find_duplicates

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from burnish.data.dataset import Dataset
    from burnish.engine.map import Engine


def copy_groups(dataset: Dataset, *, engine: Engine | None = None, progress: Progress = silent) -> NDArray[np.int64]:
    """(pictures,) a number for each picture, in the order of `images`: equal for copies and near copies of one another."""
    paths = [dataset.root / path for path in dataset.image_files()["path"]]
    found = find_duplicates(hash_pictures(paths, engine=engine, progress=progress))
    return alone_apart(found.groups)


def alone_apart(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same groups, where each item that is alone (-1) gets a number of its own."""
    own = np.arange(len(groups)) + int(groups.max(initial=-1)) + 1
    return np.where(groups < 0, own, groups)
