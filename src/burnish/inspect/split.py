"""Divide a dataset into parts without cutting a group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from burnish.data.splits import class_counts, column_groups, divide, group_numbers, joined_groups
from burnish.engine.progress import Progress, silent
from burnish.errors import DataError
from burnish.inspect.derived import Derived
from burnish.inspect.settings import SplitConfig
from burnish.similarity.copies import copy_groups

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from burnish.data.dataset import Dataset
    from burnish.engine.map import Engine

_PARTS = ("train", "val", "test")


def split(dataset: Dataset, config: SplitConfig | None = None, *, engine: Engine | None = None, progress: Progress = silent) -> Derived:
    """Divide a dataset into train, val and test.

    Each part gets its share of every class (unless `stratify` is off), and pictures of one group stay together.

    Raises:
        DataError: More pictures are asked for than there are.
    """
    chosen = config or SplitConfig()
    shares = _shares(len(dataset), chosen)
    groups = _groups(dataset, chosen, engine, progress)
    counts = class_counts(dataset) if chosen.stratify else np.empty((len(dataset), 0))
    parts = divide(counts, groups, shares, seed=chosen.seed)
    names = pl.Series("split", [_PARTS[part] for part in parts], dtype=pl.String)
    made = dataset.with_tables(images=dataset.images.with_columns(names))
    return Derived(made, verb="split", config=chosen.model_dump(mode="json"), text=_text(made, groups), to=chosen.to, media=chosen.media)


def _shares(pictures: int, config: SplitConfig) -> tuple[float, float, float]:
    if pictures == 0:
        raise DataError("The dataset has no pictures; there is nothing to divide.", table="images")
    val, test = (share if share < 1 else share / pictures for share in (config.val, config.test))
    if val + test >= 1:
        wanted = f"{val * pictures:.0f} for val and {test * pictures:.0f} for test"
        raise DataError(f"{wanted} leave none of the {pictures} pictures for training. Ask for fewer.")
    return 1 - val - test, val, test


def _groups(dataset: Dataset, config: SplitConfig, engine: Engine | None, progress: Progress) -> NDArray[np.int64]:
    by_column = group_numbers([None] * len(dataset)) if config.group == "none" else column_groups(dataset, config.group)
    if not config.copies:
        return by_column
    return joined_groups(by_column, copy_groups(dataset, engine=engine, progress=progress))


def _text(dataset: Dataset, groups: NDArray[np.int64]) -> str:
    images = dataset.images.with_columns(pl.Series("group", groups))
    counted = dict(images.group_by("split").len().iter_rows())
    together = len(np.unique(groups))
    kept = f"; {together:,} groups, none of them cut" if together < len(groups) else ""
    return ", ".join(f"{name} {counted[name]:,}" for name in _PARTS if name in counted) + f" of {len(groups):,} pictures{kept}"
