"""Divide a dataset into parts without cutting a group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from burnish.data.scenes import split_scenes
from burnish.data.shown import shown
from burnish.data.splits import class_counts, column_groups, divide, group_numbers, joined_groups, scene_groups
from burnish.engine.progress import Progress, silent
from burnish.errors import DataError
from burnish.formats.derived import Derived
from burnish.inspect.named_parts import named_parts
from burnish.inspect.settings import SplitConfig
from burnish.similarity.copies import copy_groups

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from burnish.data.dataset import Dataset
    from burnish.engine.map import Engine

_PARTS = ("train", "val", "test")
_GROUPS: dict[str, Callable[[Dataset], NDArray[np.int64]]] = {
    "scene": scene_groups,
    "task": lambda dataset: scene_groups(dataset, whole_tasks=True),
    "subset": lambda dataset: column_groups(dataset, "subset"),
    "none": lambda dataset: group_numbers([None] * len(dataset)),
}


def split(dataset: Dataset, config: SplitConfig | None = None, *, engine: Engine | None = None, progress: Progress = silent) -> Derived:
    """Divide a dataset into train, val and test.

    Each part gets its share of every class (unless `stratify` is off), and pictures of one group stay together. Or parts follow the subsets
    of an annotation server, or the names of files and tasks.

    Raises:
        DataError: More pictures are asked for than there are, or names would cut a group.
    """
    chosen = config or SplitConfig()
    # Marks are labels: objects are shown on every frame before frames outside of scenes go.
    whole = split_scenes(shown(dataset)) if chosen.scenes else dataset
    groups = _groups(whole, chosen, engine, progress)
    names = by_share(whole, groups, chosen) if chosen.by == "share" else named_parts(whole, groups, chosen)
    made = whole.with_tables(images=whole.images.with_columns(names))
    return Derived(made, verb="split", config=chosen.model_dump(mode="json"), text=_text(made, groups), to=chosen.to, media=chosen.media)


def by_share(dataset: Dataset, groups: NDArray[np.int64], config: SplitConfig) -> pl.Series:
    """The part of each picture, by share and class."""
    shares = _shares(len(dataset), config)
    counts = class_counts(dataset) if config.stratify else np.empty((len(dataset), 0))
    parts = divide(counts, groups, shares, seed=config.seed)
    return pl.Series("split", [_PARTS[part] for part in parts], dtype=pl.String)


def _shares(pictures: int, config: SplitConfig) -> tuple[float, float, float]:
    if pictures == 0:
        raise DataError("The dataset has no pictures; there is nothing to divide.", table="images")
    val, test = (share if share < 1 else share / pictures for share in (config.val, config.test))
    if val + test >= 1:
        wanted = f"{val * pictures:.0f} for val and {test * pictures:.0f} for test"
        raise DataError(f"{wanted} leave none of the {pictures} pictures for training. Ask for fewer.")
    return 1 - val - test, val, test


def _groups(dataset: Dataset, config: SplitConfig, engine: Engine | None, progress: Progress) -> NDArray[np.int64]:
    by_column = _GROUPS[config.group](dataset)
    if not config.copies:
        return by_column
    return joined_groups(by_column, copy_groups(dataset, engine=engine, progress=progress))


def _text(dataset: Dataset, groups: NDArray[np.int64]) -> str:
    images = dataset.images.with_columns(pl.Series("group", groups))
    counted = dict(images.group_by("split").len().iter_rows())
    together = len(np.unique(groups))
    kept = f"; {together:,} groups, none of them cut" if together < len(groups) else ""
    return ", ".join(f"{name} {counted[name]:,}" for name in _ordered(counted)) + f" of {len(groups):,} pictures{kept}"


def _ordered(names: Iterable[str]) -> list[str]:
    there = list(names)
    return [name for name in _PARTS if name in there] + sorted(name for name in there if name not in _PARTS)
