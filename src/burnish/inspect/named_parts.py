"""Parts of a dataset by names: the subsets of an annotation server, or patterns for files and tasks."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

import polars as pl

from burnish.errors import ConfigError, DataError
from burnish.formats.splits import split_named

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from burnish.data.dataset import Dataset
    from burnish.inspect.settings import SplitConfig

_OTHER: Final = "other"
_REST: Final = "train"
_REGEX: Final = "re:"
_SHOWN: Final = 3


def named_parts(dataset: Dataset, groups: NDArray[np.int64], config: SplitConfig) -> pl.Series:
    """The part of each picture by subsets or patterns.

    Raises:
        DataError: Pictures of one group get different parts.
        ConfigError: A regular expression is none.
    """
    parts = _by_subset(dataset) if config.by == "subset" else _by_pattern(dataset, config.pattern)
    table = dataset.image_files().select("path").with_columns(part=parts, group=pl.Series(groups))
    cut = table.filter(pl.col("part").n_unique().over("group") > 1)
    if cut.height:
        told = cut.group_by("group", maintain_order=True).agg(pl.col("path").first(), parts=pl.col("part").unique(maintain_order=True))
        first = "; ".join(f"{row['path']} and others: {', '.join(row['parts'])}" for row in told.head(_SHOWN).iter_rows(named=True))
        raise DataError(
            f"{told.height} groups would be cut ({first}), and their pictures are too alike to be on both sides. "
            "Change the names, or take other groups with group."
        )
    return parts


def _by_subset(dataset: Dataset) -> pl.Series:
    """Train, Validation and Test in any letter case; whatever else is called, and what has none, is other."""
    tasks = dataset.tasks.select("subset", task="id").rename({"subset": "of_task"})
    rows = dataset.images.select("task", "subset").join(tasks, on="task", how="left", maintain_order="left")
    names = rows.select(pl.coalesce("subset", "of_task").alias("name"))["name"].to_list()
    return pl.Series("split", [(split_named(name) if name else None) or _OTHER for name in names], dtype=pl.String)


def _by_pattern(dataset: Dataset, patterns: tuple[str, ...]) -> pl.Series:
    tests = [(part, _test(pattern)) for part, _, pattern in (text.partition("=") for text in patterns)]
    names = dataset.tasks.select("name", task="id")
    tasks = dataset.images.select("task").join(names, on="task", how="left", maintain_order="left")["name"].to_list()
    paths = dataset.image_files()["path"].to_list()
    found = [next((part for part, fits in tests if any(map(fits, filter(None, both)))), _REST) for both in zip(paths, tasks, strict=True)]
    return pl.Series("split", found, dtype=pl.String)


def _test(pattern: str) -> Callable[[str], bool]:
    if not pattern.startswith(_REGEX):
        return lambda text: fnmatchcase(text, pattern)
    try:
        expression = re.compile(pattern.removeprefix(_REGEX))
    except re.error as error:
        raise ConfigError(f"pattern: '{pattern}' is no regular expression: {error}.") from error
    return lambda text: expression.search(text) is not None
