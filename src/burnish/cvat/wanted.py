"""What each job of a task on the server should hold, as a dataset says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from burnish.cvat.links import object_ids
from burnish.cvat.objects import LISTS, as_sent
from burnish.data.dataset import extra_fields
from burnish.data.job_borders import cut_at_jobs
from burnish.formats.cvat.content import Content, content_of, task_objects
from burnish.formats.cvat.labels import FORM, Label, labels_of
from burnish.formats.cvat.shapes import TYPES, Size

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from burnish.data.dataset import Dataset

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Span:
    """The frames of one job of the server.

    Attributes:
        job: Its number on the server.
        frames: Its frames, in the numbers of the task.
        is_usual: Whether people annotate it; ground truth and copies for consensus hold only what names them.
    """

    job: int
    frames: range | frozenset[int]
    is_usual: bool = True


def prepared(dataset: Dataset) -> Dataset:
    """The dataset as it is sent: what has a score and no source was found by a model."""
    guessed = (
        pl.when(pl.col("source").is_null() & pl.col("score").is_not_null()).then(pl.lit("auto")).otherwise(pl.col("source").cast(pl.String))
    )
    return dataset.with_tables(annotations=dataset.annotations.with_columns(source=guessed))


def labels_wanted(dataset: Dataset) -> tuple[Label, ...]:
    """The labels that a dataset's classes are on a server."""
    counted = dataset.scan("annotations", "class", "kind").group_by("class").agg(pl.col("kind").cast(pl.String).unique()).collect()
    alone = [(row, found[0]) for row, found in counted.iter_rows() if row is not None and len(found) == 1]
    kinds: dict[int, str] = {row: str(TYPES.get(kind, kind)) for row, kind in alone if kind is not None}
    return labels_of(dataset, extra_fields(dataset, FORM, "classes"), kinds)


def content_with_ids(dataset: Dataset, labels: Sequence[Label]) -> Content:
    """Labels, attributes and leftovers of annotations, with the server's numbers of those that came from it."""
    content, ids = content_of(dataset, labels), object_ids(dataset)
    extras = {row: {**content.extras.get(row, {}), "id": number} for row, number in ids["annotations"].items()}
    tracks = {row: {**content.tracks.get(row, {}), "id": number} for row, number in ids["tracks"].items()}
    return Content(content.labels, content.attributes, {**content.extras, **extras}, {**content.tracks, **tracks}, content.findings)


def objects_by_job(
    dataset: Dataset, content: Content, frames: Mapping[int, int], spans: Sequence[Span], numbers: Mapping[int, int] | None
) -> dict[int, Json]:
    """Lists of tags, shapes and tracks for each job.

    Args:
        dataset: Prepared.
        content: Of the same dataset.
        frames: Frame in the task of the server, by picture; other pictures are left out.
        spans: The jobs.
        numbers: Place in `spans` of each job number that the dataset knows; None where the dataset's jobs are not the server's.

    Returns:
        Lists by the server's job number.
    """
    rows = dataset.annotations.filter(pl.col("image").is_in(list(frames)))
    if numbers is None:
        rows = rows.with_columns(jobs=pl.lit(None, dtype=pl.List(pl.Int32)))
    else:
        places = pl.element().replace_strict(dict(numbers), default=None, return_dtype=pl.Int32)
        rows = rows.with_columns(jobs=pl.col("jobs").list.eval(places).list.drop_nulls())
    cut, attributes = cut_at_jobs(dataset, rows, frames, spans)
    sizes = {i: Size(w, h) for i, w, h in dataset.images.select("id", "width", "height").iter_rows() if w and h and i in frames}
    with_more = Content(content.labels, {**content.attributes, **attributes}, content.extras, content.tracks, content.findings)
    found = task_objects(cut, frames, sizes, with_more)
    held: dict[int, Json] = {span.job: {name: [] for name in LISTS.values()} for span in spans}
    for kind, items in (("tag", found.tags), ("shape", found.shapes), ("track", found.tracks)):
        for places, body in items:
            for place in _places(places, body, spans):
                held[spans[place].job][LISTS[kind]].append(as_sent(kind, body))
    return held


def _places(told: Sequence[int] | None, body: Mapping[str, Any], spans: Sequence[Span]) -> Sequence[int]:
    if told:
        return told
    return [place for place, span in enumerate(spans) if span.is_usual and body["frame"] in span.frames]
