"""Objects across files, tasks and projects: their keys, and which written samples show each of them, as two plain tables."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from burnish.balance.incidence import Incidence, picture_files, superclasses_of
from burnish.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

SEPARATOR: Final = "\t"
"""Stands between the parts of a key, and must not occur in them."""

_OBJECTS: Final = {"key": pl.String, "class": pl.String, "superclass": pl.String}
_SEEN: Final = {"key": pl.String, "file": pl.String}
_LISTED: Final = 5


class ObjectKey(NamedTuple):
    """What tells an object from all others; of a sequence of files only the folder of the first is known, as `folder/*`."""

    file: str
    task: int
    subtask: int
    track: int
    label: str


@dataclass(frozen=True, slots=True, eq=False)
class ObjectGraph:
    """The objects of a task, and the samples that show them.

    Attributes:
        objects: One row an object: key, class, superclass.
        seen: One row for each object and sample that shows it: key, file. A sample that shows an object twice (two scales) is there twice.
    """

    objects: pl.DataFrame
    seen: pl.DataFrame


def build_key(file: str | Sequence[str], task: int, subtask: int, track: int, label: str) -> str:
    """One text for an object: file or folder of a sequence, task, subtask, track and label.

    Raises:
        DataError: The file or the label holds a tabulator, or a sequence has no files.
    """
    if not isinstance(file, str):
        if not file:
            raise DataError("A sequence of no files has no folder; expected at least one file.")
        file = str(PurePath(file[0]).parent / "*")
    for what, text in (("file", file), ("label", label)):
        if SEPARATOR in text:
            raise DataError(f"The {what} {text!r} holds a tabulator, which stands between the parts of a key. Rename it.")
    return SEPARATOR.join((file, str(int(task)), str(int(subtask)), str(int(track)), label))


def split_key(key: str) -> ObjectKey:
    """The parts of a key.

    Raises:
        DataError: It has not five parts, or task, subtask and track are no numbers.
    """
    parts = key.split(SEPARATOR)
    try:
        file, task, subtask, track, label = parts
        return ObjectKey(file, int(task), int(subtask), int(track), label)
    except ValueError as error:
        raise DataError(f"{key!r} is no key of an object ({error}); expected file, task, subtask, track and label.") from error


def keys_of(views: pl.DataFrame, file: str | Sequence[str], task: int, subtask: int) -> pl.DataFrame:
    """The objects of a table of views (columns track, label), each once, with their keys: columns key, label.

    Raises:
        DataError: A view has no track, or a part of a key holds a tabulator.
    """
    if views["track"].null_count():
        raise DataError(f"{views['track'].null_count()} views have no track. Give each shape without one a number of its own first.")
    pairs = views.select("track", "label").unique(maintain_order=True)
    for label in pairs["label"].unique():
        build_key(file, task, subtask, 0, label)
    head = build_key(file, task, subtask, 0, "").rsplit(SEPARATOR, 2)[0]
    return pairs.select(pl.concat_str(pl.lit(head), pl.col("track").cast(pl.Int64), "label", separator=SEPARATOR).alias("key"), "label")


def task_graph(
    subtasks: Iterable[tuple[pl.DataFrame, str | Sequence[str]]],
    task: int,
    index_of: Callable[[str], int],
    class_of: Callable[[str], tuple[str, str]],
) -> ObjectGraph:
    """The objects of a task, without samples.

    Args:
        subtasks: Views (columns track, label) of each subtask, and its file or files.
        task: Number of the task.
        index_of: Index of a label's superclass; labels below 0 are unused (-1) or forbidden (-2), and left out.
        class_of: Class and superclass of a label.
    """
    parts = [pl.DataFrame(schema=_OBJECTS)]
    for number, (views, file) in enumerate(subtasks):
        found = _used(keys_of(views, file, task, number), index_of)
        named = {label: class_of(label) for label in found["label"].unique()}
        parts.append(found.select("key", **{at: _mapped(named, place) for place, at in enumerate(("class", "superclass"))}))
    return ObjectGraph(pl.concat(parts).unique("key", maintain_order=True), pl.DataFrame(schema=_SEEN))


def with_sample(
    graph: ObjectGraph,
    views: pl.DataFrame,
    index_of: Callable[[str], int],
    *,
    file: str | Sequence[str],
    task: int,
    subtask: int,
    sample: str,
) -> ObjectGraph:
    """The graph with one more written sample, which shows the views (columns track, label, and perhaps outside) of a frame.

    Raises:
        DataError: A view belongs to an object that the graph does not know.
    """
    visible = views.filter(~pl.col("outside")) if "outside" in views.columns else views
    keys = _used(keys_of(visible, file, task, subtask), index_of)["key"]
    strangers = keys.filter(~keys.is_in(graph.objects["key"].implode()))
    if len(strangers):
        shown = ", ".join(map(repr, strangers.head(_LISTED)))
        raise DataError(f"{sample} shows {len(strangers)} objects that the graph does not know: {shown}. Make the graph of the same task.")
    return replace(graph, seen=pl.concat([graph.seen, pl.DataFrame({"key": keys, "file": [sample] * len(keys)}, schema=_SEEN)]))


def without_unseen(graph: ObjectGraph) -> ObjectGraph:
    """The graph without the objects that no sample shows."""
    return replace(graph, objects=graph.objects.filter(pl.col("key").is_in(graph.seen["key"].unique().implode())))


def incidence_of_graphs(graphs: Sequence[ObjectGraph], files: Sequence[str]) -> Incidence:
    """The tables of several tasks or projects together, over the given files.

    Raises:
        DataError: There are no objects, two graphs share an object, or a graph speaks of a file that is not there.
    """
    objects = pl.concat([pl.DataFrame(schema=_OBJECTS), *(graph.objects for graph in graphs)])
    seen = pl.concat([pl.DataFrame(schema=_SEEN), *(graph.seen for graph in graphs)])
    twice = objects.filter(pl.col("key").is_duplicated())["key"].unique()
    if len(twice):
        raise DataError(f"{len(twice)} objects are in two graphs, for instance {twice[0]!r}. Give each task a number of its own.")
    strangers = seen.filter(~pl.col("file").is_in(list(files)))["file"].unique(maintain_order=True)
    if len(strangers):
        shown = ", ".join(strangers.head(_LISTED))
        raise DataError(f"The graphs speak of {len(strangers)} files that are not there: {shown}.")
    if seen.is_empty():
        raise DataError("There is nothing to balance: no sample shows an object.")
    shown_objects = objects.join(seen.select("key").unique(), on="key", how="semi", maintain_order="left")
    named = shown_objects.select("class", "superclass").unique("class", maintain_order=True).rename({"class": "name"})
    superclasses, superclass_of = superclasses_of(named)
    numbers = shown_objects.with_row_index("object").join(named.with_row_index("place"), left_on="class", right_on="name")
    place = pl.DataFrame({"file": list(files)}).with_row_index("picture")
    views = seen.join(numbers, on="key", how="inner", maintain_order="left").join(place, on="file", how="inner", maintain_order="left")
    table = views.select(pl.col("object").cast(pl.Int64), pl.col("place").cast(pl.Int32).alias("class"), pl.col("picture").cast(pl.Int64))
    return Incidence(picture_files(files), table, tuple(named["name"]), superclasses, superclass_of)


def _used(keys: pl.DataFrame, index_of: Callable[[str], int]) -> pl.DataFrame:
    used = [label for label in keys["label"].unique(maintain_order=True) if index_of(label) >= 0]
    return keys.filter(pl.col("label").is_in(used))


def _mapped(named: Mapping[str, tuple[str, str]], place: int) -> pl.Expr:
    return pl.col("label").replace_strict({label: pair[place] for label, pair in named.items()}, return_dtype=pl.String)
