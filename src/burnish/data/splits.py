"""Dividing pictures into parts: by share, every class in proportion, groups never cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from burnish.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from burnish.data.dataset import Dataset


def divide(counts: NDArray[np.float64], groups: NDArray[np.int64], shares: Sequence[float], *, seed: int = 0) -> NDArray[np.int64]:
    """Give each row a part so that every part holds its share of each class and of the rows, and no group is cut.

    Groups are placed one after another, those that hold most of a rare class first, each where it is needed most (iterative
    stratification: Sechidis, Tsoumakas, Vlahavas 2011).

    Args:
        counts: (n, k) number of objects of each class in each row; k may be 0.
        groups: (n,) rows with the same number stay together.
        shares: Wanted share of each part; they need not sum to 1.
        seed: Decides between equals.

    Returns:
        (n,) number of the part of each row.

    Raises:
        DataError: Shares are negative or all zero, or lengths differ.
    """
    wanted = np.asarray(shares, dtype=np.float64)
    if wanted.size == 0 or (wanted < 0).any() or wanted.sum() == 0:
        raise DataError(f"The shares are {list(shares)}; expected numbers of at least 0 with a sum above 0.")
    if len(counts) != len(groups):
        raise DataError(f"There are {len(counts)} rows of counts and {len(groups)} groups; expected one for each row.")
    if len(groups) == 0:
        return np.empty(0, dtype=np.int64)
    _, group_of = np.unique(groups, return_inverse=True)
    sums = _group_sums(counts, group_of)
    return _place(sums, wanted / wanted.sum(), np.random.default_rng(seed))[group_of]


def group_numbers(values: Sequence[str | None]) -> NDArray[np.int64]:
    """A number for each value, equal for equal ones; each None is a group of its own."""
    known: dict[str, int] = {}
    singles = len(values)
    return np.array([singles + i if v is None else known.setdefault(v, len(known)) for i, v in enumerate(values)], dtype=np.int64)


def joined_groups(*numberings: NDArray[np.int64]) -> NDArray[np.int64]:
    """Groups of rows that are connected through any of several groupings."""
    from scipy.sparse import coo_array  # noqa: PLC0415 - SciPy's sparse part is slow to load and seldom needed
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    size = len(numberings[0])
    firsts = []
    for numbering in numberings:
        _, first, inverse = np.unique(numbering, return_index=True, return_inverse=True)
        firsts.append(first[inverse])
    rows = np.tile(np.arange(size), len(firsts))
    columns = np.concatenate(firsts) if firsts else np.empty(0, dtype=np.int64)
    graph = coo_array((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=(size, size))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def class_counts(dataset: Dataset) -> NDArray[np.float64]:
    """(pictures, classes) number of annotations of each class on each picture, in the order of the tables."""
    images = dataset.scan("images", "id").with_row_index("row").collect()
    classes = dataset.scan("classes", "id").with_row_index("column").collect()
    counted = dataset.scan("annotations", "image", "class").group_by("image", "class").len().collect()
    placed = counted.join(images, left_on="image", right_on="id").join(classes, left_on="class", right_on="id")
    counts = np.zeros((images.height, classes.height))
    counts[placed["row"].to_numpy(), placed["column"].to_numpy()] = placed["len"].to_numpy()
    return counts


def column_groups(dataset: Dataset, column: str) -> NDArray[np.int64]:
    """Groups of pictures that agree in a column of `images`; null means alone."""
    return group_numbers(dataset.scan("images", column).select(pl.col(column).cast(pl.String)).collect()[column].to_list())


def scene_groups(dataset: Dataset, *, whole_tasks: bool = False) -> NDArray[np.int64]:
    """Groups of pictures that show the same place and time: of one scene; where none is named, of one task, video or sequence.

    Args:
        dataset: Whose pictures are grouped.
        whole_tasks: Keep tasks and videos together even where scenes divide them.
    """
    media = dataset.scan("media", "id", "path", "kind").rename({"id": "media"})
    rows = dataset.scan("images", "media", "task", "scene").join(media, on="media", how="left", maintain_order="left").collect()
    moving = pl.when(pl.col("kind") != "image").then(pl.format("video {}", "path"))
    task = pl.when(pl.col("task").is_not_null()).then(pl.format("task {}", "task"))
    scene = pl.format("scene {}", "scene")
    if not whole_tasks:
        return group_numbers(rows.select(pl.coalesce(scene, task, moving).alias("group"))["group"].to_list())
    columns = rows.select(moving=moving, task=task, scene=pl.when(pl.col("task").is_null() & (pl.col("kind") == "image")).then(scene))
    return joined_groups(*(group_numbers(columns[name].to_list()) for name in columns.columns))


def _group_sums(counts: NDArray[np.float64], group_of: NDArray[np.intp]) -> NDArray[np.float64]:
    """(groups, k + 1): objects of each class, and rows, of each group; each column scaled to sum 1."""
    columns = np.column_stack([counts, np.ones(len(counts))])
    sums = np.zeros((int(group_of.max()) + 1, columns.shape[1]))
    np.add.at(sums, group_of, columns)
    return sums / np.maximum(sums.sum(axis=0), 1e-12)


def _place(sums: NDArray[np.float64], shares: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
    need = np.outer(shares, np.ones(sums.shape[1]))
    parts = np.empty(len(sums), dtype=np.int64)
    chances = rng.random(len(sums))
    for group in np.lexsort((chances, -sums[:, -1], -sums[:, :-1].max(axis=1, initial=0.0))):
        row = sums[group]
        # How much of each class this group brings, times how much of it each part still lacks; rows decide between equals.
        gain = need[:, :-1] @ row[:-1] + 1e-3 * need[:, -1] * row[-1]
        gain[shares == 0] = -np.inf
        best = int(np.argmax(gain + 1e-12 * rng.random(len(gain))))
        parts[group] = best
        need[best] -= row
    return parts
