"""What shapes, frames, tasks and tracks say against one another; each contradiction is a finding."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from burnish.data.findings import finding, findings_table, join_findings
from burnish.data.invariants import findings_from
from burnish.data.scenes import FINISH, START, split_scenes
from burnish.errors import DataError
from burnish.geometry import polygons

if TYPE_CHECKING:
    from collections.abc import Callable

    from burnish.data.dataset import Dataset

_TRIANGLE: Final = 3


def inconsistencies(dataset: Dataset) -> pl.DataFrame:
    """Findings of these kinds.

    - self_crossing: a polygon's ring crosses itself.
    - frame_numbers: a frame's number in its source is not what its task's start and step say.
    - frame_twice: two pictures of a task have the same number.
    - beyond_source, beyond_task: a number that the video, or the task, does not reach.
    - outside_job: a job holds an object on a frame that is not its own.
    - unknown_parent: an element of nothing, or of something on another picture.
    - track_sources: a track goes through several tasks or sources.
    - track_attributes: an attribute that cannot change does.
    - track_unkeyed: a track has key frames, but its first view is none.
    - scene_marks: scenes that do not begin or end as they should.
    - similar_classes: names of classes differ in nothing but letter case, blanks, underscores and hyphens.
    """
    rules: tuple[Callable[[Dataset], pl.DataFrame], ...] = (
        _self_crossing,
        _frame_numbers,
        _frames_twice,
        _outside_jobs,
        _parents,
        _track_sources,
        _track_attributes,
        _track_starts,
        _scene_marks,
        _similar_classes,
    )
    return join_findings(*(rule(dataset) for rule in rules))


def _stored(dataset: Dataset, table: str) -> set[str]:
    """Columns that a dataset uses; what is not stored need not be looked at."""
    return set(dataset.frames[table].collect_schema().names())


def _self_crossing(dataset: Dataset) -> pl.DataFrame:
    if "points" not in _stored(dataset, "annotations"):
        return join_findings()
    rows = dataset.scan("annotations", "id", "image", "kind", "points", "parts").filter(
        (pl.col("kind") == "polygon") & pl.col("points").is_not_null() & (pl.col("points").list.len() % 2 == 0)
    )
    found: list[dict[str, object]] = []
    for number, image, _, points, parts in rows.collect(engine="streaming").iter_rows():
        if not np.isfinite(points).all() or (parts is not None and 2 * sum(parts) != len(points)):
            continue
        rings = [polygons.drop_repeats(ring) for ring in polygons.from_flat(points, parts)]
        if any(len(ring) > _TRIANGLE and polygons.self_intersects(ring) for ring in rings):
            found.append(
                finding("self_crossing", "Its outline crosses itself, so its area is not clear.", score=0.7, annotation=number, image=image)
            )
    return findings_table(found)


def _frame_numbers(dataset: Dataset) -> pl.DataFrame:
    tasks = dataset.scan("tasks", "id", "start_frame", "stop_frame", "step").rename({"id": "task"})
    media = dataset.scan("media", "id", "kind", "frame_count").rename({"id": "media"}).filter(pl.col("kind") != "image")
    rows = dataset.scan("images", "id", "media", "task", "frame", "true_frame").rename({"id": "image"}).join(media, on="media")
    in_tasks = rows.join(tasks, on="task").with_columns(expected=pl.col("start_frame") + pl.col("step") * pl.col("frame"))
    told = pl.format("Frame {} of its task is number {} of the source, its start and step say {}.", "frame", "true_frame", "expected")
    count = pl.format("Number {} of a source of {} frames, counted from 0.", "true_frame", "frame_count")
    task = pl.format("Number {} lies beyond {}, the last of its task.", "true_frame", "stop_frame")
    return join_findings(
        findings_from(in_tasks.filter(pl.col("true_frame") != pl.col("expected")), "frame_numbers", told),
        findings_from(rows.filter(pl.col("true_frame") >= pl.col("frame_count")), "beyond_source", count),
        findings_from(in_tasks.filter(pl.col("true_frame") > pl.col("stop_frame")), "beyond_task", task),
    )


def _frames_twice(dataset: Dataset) -> pl.DataFrame:
    rows = dataset.scan("images", "id", "task", "frame").filter(pl.col("task").is_not_null())
    several = rows.group_by("task", "frame").agg(pl.len(), image=pl.col("id").max()).filter(pl.col("len") > 1).sort("image")
    return findings_from(several, "frame_twice", pl.format("{} pictures are frame {} of task {}.", "len", "frame", "task"))


def _outside_jobs(dataset: Dataset) -> pl.DataFrame:
    if "jobs" not in _stored(dataset, "annotations"):
        return join_findings()
    images = dataset.scan("images", "id", "task", "frame").rename({"id": "image"})
    held = dataset.scan("annotations", "id", "image", "jobs").explode("jobs", empty_as_null=True, keep_nulls=True)
    placed = held.filter(pl.col("jobs").is_not_null()).join(images, on="image").rename({"id": "annotation"})
    jobs = dataset.scan("jobs").rename({"number": "jobs"})
    joined = placed.join(jobs, on=["task", "jobs"], how="left")
    inside = pl.col("frame").is_between("start_frame", "stop_frame") & (
        pl.col("frames").is_null() | pl.col("frames").list.contains(pl.col("frame"))
    )
    unknown, other = joined.filter(pl.col("start_frame").is_null()), joined.filter(~inside)
    span = pl.format("Job {} goes from frame {} to {} and holds it on frame {}.", "jobs", "start_frame", "stop_frame", "frame")
    return join_findings(
        findings_from(unknown, "outside_job", pl.format("Its task has no job {}.", "jobs")),
        findings_from(other, "outside_job", span, score=0.8),
    )


def _parents(dataset: Dataset) -> pl.DataFrame:
    if "parent" not in _stored(dataset, "annotations"):
        return join_findings()
    owners = dataset.scan("annotations", "id", "image").rename({"id": "parent", "image": "there"})
    rows = dataset.scan("annotations", "id", "image", "parent", "track").filter(pl.col("parent").is_not_null()).rename({"id": "annotation"})
    joined = rows.join(owners, on="parent", how="left")
    # Elements of a tracked skeleton are joined by the track, wherever the skeleton's own key frame is.
    elsewhere = joined.filter((pl.col("there") != pl.col("image")) & pl.col("track").is_null())
    lost = joined.filter(pl.col("there").is_null())
    return join_findings(
        findings_from(lost, "unknown_parent", pl.format("It is an element of annotation {}, which does not exist.", "parent")),
        findings_from(
            elsewhere, "unknown_parent", pl.format("It is an element of annotation {}, which lies on another picture.", "parent")
        ),
    )


def _track_sources(dataset: Dataset) -> pl.DataFrame:
    if "track" not in _stored(dataset, "annotations"):
        return join_findings()
    images = dataset.scan("images", "id", "task", "media").select(
        image="id", source=pl.coalesce(pl.col("task") * 2, pl.col("media") * 2 + 1)
    )
    rows = dataset.scan("annotations", "id", "image", "track").filter(pl.col("track").is_not_null()).join(images, on="image")
    several = rows.group_by("track").agg(n=pl.col("source").n_unique(), annotation=pl.col("id").min()).filter(pl.col("n") > 1).sort("track")
    pictures = dataset.tasks.is_empty() and bool((dataset.media["kind"] == "image").all())
    # Pictures without tasks may be frames of one sequence that the format does not name.
    return (
        join_findings()
        if pictures
        else findings_from(several, "track_sources", pl.format("Track {} goes through {} tasks or sources.", "track", "n"))
    )


def _track_attributes(dataset: Dataset) -> pl.DataFrame:
    if "track" not in _stored(dataset, "annotations") or dataset.attributes.is_empty():
        return join_findings()
    tracked = dataset.scan("annotations", "id", "track", "parent").filter(pl.col("track").is_not_null() & pl.col("parent").is_null())
    fixed = dataset.scan("attributes").filter(~pl.col("mutable")).join(tracked.select("track", annotation="id"), on="annotation")
    several = fixed.group_by("track", "name").agg(values=pl.col("value").unique().sort(), annotation=pl.col("annotation").min())
    several = several.filter(pl.col("values").list.len() > 1).sort("track", "name")
    text = pl.format(
        "Attribute '{}' of track {} cannot change along it and has the values {}.", "name", "track", pl.col("values").list.join(", ")
    )
    return findings_from(several, "track_attributes", text, score=0.8)


def _track_starts(dataset: Dataset) -> pl.DataFrame:
    if not {"track", "keyframe"} <= _stored(dataset, "annotations"):
        return join_findings()
    images = dataset.scan("images", "id", "frame").rename({"id": "image"})
    rows = dataset.scan("annotations", "id", "image", "track", "keyframe").filter(pl.col("track").is_not_null()).join(images, on="image")
    first = (
        rows.sort("track", "frame", "id")
        .group_by("track", maintain_order=True)
        .agg(pl.col("keyframe").first(), pl.col("image").first(), any=pl.col("keyframe").any(), annotation=pl.col("id").first())
    )
    wrong = first.filter(pl.col("any") & (pl.col("keyframe") == False))  # noqa: E712 - null is not False
    return findings_from(wrong, "track_unkeyed", pl.format("Track {} has key frames, but its first view is none.", "track"), score=0.5)


def _scene_marks(dataset: Dataset) -> pl.DataFrame:
    if not {START, FINISH} & set(dataset.classes["name"]):
        return join_findings()
    try:
        split_scenes(dataset)
    except DataError as error:
        return findings_table(finding("scene_marks", line.strip()) for line in str(error).splitlines()[1:])
    return join_findings()


def _similar_classes(dataset: Dataset) -> pl.DataFrame:
    objects = dict(dataset.scan("annotations", "class").group_by("class").len().collect().iter_rows())
    alike: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for number, name in dataset.class_names().items():
        alike[_plain(name)].append((objects.get(number, 0), name))
    found: list[dict[str, object]] = []
    for plain, names in alike.items():
        (most, usual), *others = sorted(names, key=lambda one: -one[0])
        if len(plain) > 1:  # of letters that are read, the small and the large one may be two classes
            found += [_similar(name, number, usual, most) for number, name in others]
    return findings_table(found)


def _similar(name: str, number: int, usual: str, most: int) -> dict[str, object]:
    reason = (
        f"The class {name!r} (annotations: {number:,}) is written almost like {usual!r} ({most:,}). If they are one class, give it "
        "one name in a table of labels and write the dataset anew (burnish convert --labels)."
    )
    return finding("similar_classes", reason, score=0.8, given=name, suggestion=usual)


def _plain(name: str) -> str:
    """What of a name is not a matter of typing; a hyphen before a number may be its sign."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return re.sub(r"[\s_]+|(?<=\w)-(?=\w)", " ", folded).strip()
