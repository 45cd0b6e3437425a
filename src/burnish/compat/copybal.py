"""The names of copybal, on our functions. Tables are Polars frames; those that are given may be of any library with columns by name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import polars as pl

from burnish.balance.copies import as_counts, duplicate_files, made_copies
from burnish.balance.gradient import GradientLimits, descend_rounded
from burnish.balance.graphs import SEPARATOR, ObjectGraph, build_key, incidence_of_graphs, split_key, task_graph, with_sample
from burnish.balance.incidence import incidence_from_lists
from burnish.errors import DataError, LabelError
from burnish.formats.reading import is_picture

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

sep_char: Final = SEPARATOR

_TRACK, _FILES, _CLASS, _SUPERCLASS = "track_id", "file_list", "class_meaning", "superclass_meaning"
_MISSPELT: Final = "supeerclass_meaning"
_HISTORY: Final = "copy_bal_hist.csv"


class LabelsConvertor(Protocol):
    """What is asked of label tables: index of a label, its meaning, and the superclass of a meaning in small letters."""

    class_meaning2superclass_meaning: Mapping[str, str]

    def __call__(self, label: str) -> int:
        """Index of a label's superclass; -1 for unused, -2 for forbidden."""
        ...

    def any_label2meaning(self, label: str) -> str:
        """Meaning of a label."""
        ...


def build_unigue_track_id(file: str | Sequence[str], task_id: int, subtask_id: int, track_id: int, label: str) -> str:
    """`burnish.balance.graphs.build_key`; a tabulator in a part is an AssertionError."""
    parts = [label, *([file] if isinstance(file, str) else file[:1])]
    assert not any(sep_char in part for part in parts), f"a tabulator in {parts}"
    return build_key(file, task_id, subtask_id, track_id, label)


def split_unigue_track_id(unigue_track_id: str) -> tuple[str, int, int, int, str]:
    """`burnish.balance.graphs.split_key`."""
    key = split_key(unigue_track_id)
    return key.file, key.task, key.subtask, key.track, key.label


def init_object_file_graph_by_task(
    task: Iterable[tuple[Any, str | Sequence[str], Any]], task_id: int, labels_convertor: LabelsConvertor
) -> pl.DataFrame:
    """One row an object of a used class: track_id (its key), file_list (empty), class_meaning, superclass_meaning."""
    subtasks = [(_views(table), file) for table, file, _ in task]
    graph = task_graph(subtasks, task_id, labels_convertor, lambda label: _meanings(labels_convertor, label))
    return graph.objects.select(
        pl.col("key").alias(_TRACK),
        pl.lit([], dtype=pl.List(pl.String)).alias(_FILES),
        pl.col("class").alias(_CLASS),
        pl.col("superclass").alias(_SUPERCLASS),
    )


def init_task_object_file_graphs(
    tasks: Iterable[Iterable[tuple[Any, str | Sequence[str], Any]]], labels_convertor: LabelsConvertor, desc: str = ""
) -> list[pl.DataFrame]:
    """The same for several tasks, numbered from 0; `desc`, the caption of a progress bar, is taken and not shown."""
    del desc
    return [init_object_file_graph_by_task(task, number, labels_convertor) for number, task in enumerate(tasks)]


def update_object_file_graphs(  # noqa: PLR0917 - the signature that its users know
    df: Any,
    object_file_graphs: pl.DataFrame,
    labels_convertor: LabelsConvertor,
    source_file: str | Sequence[str],
    task_id: int,
    subtask_id: int,
    target_file_basename: str,
) -> pl.DataFrame:
    """A new graph in which every object that is visible in `df` (columns track_id, label, outside) has one more file."""
    graph = _graph(object_file_graphs)
    named: dict[str, Any] = {"file": source_file, "task": task_id, "subtask": subtask_id, "sample": target_file_basename}
    more = with_sample(graph, _views(df, "outside"), labels_convertor, **named)
    fresh = more.seen.tail(more.seen.height - graph.seen.height).rename({"key": _TRACK, "file": "fresh"})
    joined = object_file_graphs.join(fresh, on=_TRACK, how="left", maintain_order="left")
    longer = pl.when(pl.col("fresh").is_null()).then(_FILES).otherwise(pl.concat_list(_FILES, "fresh"))
    return joined.with_columns(longer.alias(_FILES)).drop("fresh")


def drop_unused_track_ids_in_graphs(object_file_graphs: Sequence[pl.DataFrame]) -> list[pl.DataFrame]:
    """The graphs without objects that no file shows."""
    return [graph.filter(pl.col(_FILES).list.len() > 0) for graph in object_file_graphs]


def torch_copy_bal(  # noqa: PLR0917 - the signature that its users know
    files: Sequence[str],
    file2index: Mapping[str, int],
    classes_collector: Mapping[str, Sequence[Sequence[int]]],
    superclass_meaning2class_meaning: Mapping[str, set[str]],
    steps: int = 10_000,
    max_file_copy_num: int | None = None,
    max_ds_increase_frac: float | None = None,
    max_copy_per_step: int = 50_000,
    lr: float = 1e-4,
    device: str = "auto",
    history_file: str | Path | None = None,
) -> tuple[dict[str, int], pl.DataFrame]:
    """`burnish.balance.gradient.descend_rounded` over lists: copies of each file, and the history.

    Raises:
        DataError: `file2index` does not number the files in their order.
    """
    if [file2index.get(file) for file in files] != list(range(len(files))):
        raise DataError("file2index must give each file its place in files.")
    lists = {name: [list(seen) for seen in objects] for name, objects in classes_collector.items()}
    incidence = incidence_from_lists(lists, {name: set(inner) for name, inner in superclass_meaning2class_meaning.items()}, files)
    limits = GradientLimits(steps, lr, max_file_copy_num, max_ds_increase_frac, max_copy_per_step)
    place = None if history_file is None else Path(history_file)
    copies, history = descend_rounded(incidence, limits, device=device, history_file=place)
    return as_counts(files, copies), history


def make_copy_bal(  # noqa: PLR0917 - the signature that its users know
    object_file_graphs: Sequence[pl.DataFrame],
    img_dir: str | Path,
    steps: int = 10_000,
    max_file_copy_num: int = 500,
    max_ds_increase_frac: float = 4,
    device: str = "auto",
) -> pl.DataFrame:
    """Balance the pictures of a folder `images/<subset>` by hard links beside them and their labels; the history.

    The history also goes into the folder `statistics`, where there is one. Copies of an earlier run are replaced.

    Raises:
        DataError: The folder is not there, a graph speaks of a file that is not in it, or there are no objects.
    """
    folder = Path(img_dir).absolute()
    if not folder.is_dir():
        raise DataError(f"There is no folder {folder}; expected the pictures of a split, such as images/train.")
    root = folder.parents[1]
    prefix = folder.relative_to(root).as_posix()
    found = sorted(f"{prefix}/{path.name}" for path in folder.iterdir() if is_picture(path))
    own = set(found) - set(made_copies(root, found))
    pictures = [path.rpartition("/")[2] for path in found if path in own]
    graphs = [_graph(graph) for graph in object_file_graphs]
    statistics = root / "statistics"
    place = statistics / _HISTORY if statistics.is_dir() else None
    limits = GradientLimits(steps, max_copies=max_file_copy_num, budget=max_ds_increase_frac)
    copies, history = descend_rounded(incidence_of_graphs(graphs, pictures), limits, device=device, history_file=place)
    duplicate_files(root, as_counts([f"{prefix}/{name}" for name in pictures], copies))
    return history


def _meanings(convertor: LabelsConvertor, label: str) -> tuple[str, str]:
    meaning = convertor.any_label2meaning(label)
    known = convertor.class_meaning2superclass_meaning
    above = known.get(meaning.lower(), known.get(meaning))
    if above is None:
        raise LabelError(f"The label tables give the meaning '{meaning}' no superclass. Add it to the table of superclasses.")
    return meaning, above


def _views(table: Any, *further: str) -> pl.DataFrame:
    """Columns track, label and further ones of a table of any library."""
    columns = {name: list(table[source]) for name, source in (("track", _TRACK), ("label", "label"), *((n, n) for n in further))}
    return pl.DataFrame(columns, schema_overrides={"track": pl.Int64, "label": pl.String, **dict.fromkeys(further, pl.Boolean)})


def _graph(table: pl.DataFrame) -> ObjectGraph:
    above = _SUPERCLASS if _SUPERCLASS in table.columns else _MISSPELT
    objects = table.select(key=_TRACK, **{"class": pl.col(_CLASS), "superclass": pl.col(above)})
    lists = table.select(key=_TRACK, file=pl.col(_FILES).cast(pl.List(pl.String)))
    return ObjectGraph(objects, lists.filter(pl.col("file").list.len() > 0).explode("file"))
