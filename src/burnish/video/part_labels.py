"""Labels of a whole video that follow to its parts and back."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from burnish.data import tables
from burnish.data.schema import EXTRAS, JOBS, MEDIA, TASKS
from burnish.errors import DataError
from burnish.video.joined_tracks import join_tracks
from burnish.video.part_tracks import cut_tracks

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from burnish.data.dataset import Dataset
    from burnish.video.part_map import PartMap

_FORM: Final = "burnish.cut"


def labels_to_parts(dataset: Dataset, parts: PartMap, media: int | None = None) -> Dataset:
    """A dataset of a whole video as a dataset of its parts: every frame's labels go to the part that shows it.

    Frames are matched by `true_frame`. Each part of a task becomes a task with its own jobs, and each piece of a track a track of its own,
    because tools interpolate within one task. What a track shows on a frame does not change: it gets key frames at the cuts
    (`burnish.video.part_tracks`). What is needed for the way back is kept in the table `extras`.

    Args:
        dataset: Holds the whole video as one media row; other media stay as they are.
        parts: What `burnish cut` made of it.
        media: The media row of the whole; found by its file name when not given.

    Raises:
        DataError: The dataset does not hold the video, or has frames that the map does not.
    """
    whole = _media_row(dataset, parts.source.name, media)
    row = dataset.media.filter(pl.col("id") == whole)
    numbers = parts.frames_table().select("part", "whole_frame", inside="frame")
    frames = dataset.images.filter(pl.col("media") == whole).select("task", "frame", "true_frame", image="id")
    places = frames.join(numbers, left_on="true_frame", right_on="whole_frame", how="left", maintain_order="left")
    _refuse_lost(places)
    pieces = _pieces(dataset, places)
    places = places.join(pieces.select("task", "part", "first", "to_task"), on=["task", "part"], nulls_equal=True, maintain_order="left")
    jobs, job_of = _jobs_of_pieces(dataset, pieces)
    annotations, attributes, told = cut_tracks(dataset, places)
    annotations = _with_jobs(annotations, places.select("image", scope="to_task"), {task: _reversed(m) for task, m in job_of.items()})
    first = _next(dataset.media["id"])
    moved = places.select("inside", "first", "to_task", id="image", to=pl.col("part") - 1 + first)
    mark = {
        "source": parts.source.name,
        "media": row.to_dicts()[0],
        **told,
        "tasks": _rows_of(dataset.tasks, "id", pieces["task"]).to_dicts(),
        "jobs": _rows_of(dataset.jobs, "task", pieces["task"]).to_dicts(),
        "task_of": pieces.filter(pl.col("to_task").is_not_null()).select("to_task", "task").rows(),
        "first_of": pieces.select("part", "to_task", "first").rows(),
        "job_of": [[task, *pair] for task, pairs in job_of.items() for pair in pairs.items()],
    }
    return dataset.with_tables(
        media=pl.concat([dataset.media.filter(pl.col("id") != whole), _media_of_parts(parts, row, first)]),
        tasks=_exchanged(dataset.tasks, "id", pieces["task"], _tasks_of_pieces(dataset, pieces)),
        jobs=_exchanged(dataset.jobs, "task", pieces["task"], jobs),
        images=_moved(dataset.images, moved),
        annotations=annotations,
        attributes=attributes,
        extras=pl.concat([dataset.extras, _mark_table(mark)]),
    )


def labels_to_whole(dataset: Dataset, parts: PartMap) -> Dataset:
    """The way back: a dataset of the parts of a video as a dataset of the whole.

    Where `labels_to_parts` left its notes, everything is as it was, with what was changed meanwhile. Without them (labels that came back
    from an annotation tool, or were drawn on the parts), pieces of tracks are one object where class and kind agree and their boxes overlap
    by half across the cut; key frames at cuts that say nothing new are dropped.

    Raises:
        DataError: A part is missing in the dataset, it has frames that the map does not, or several tasks show one part.
    """
    ids = {number: _media_row(dataset, name, None) for number, name in enumerate(parts.names, 1)}
    mark = _mark(dataset, parts.source.name)
    numbers = parts.frames_table().select(
        pl.col("part").replace_strict(ids, return_dtype=pl.Int64).alias("media"), "part", "whole_frame", inside="frame"
    )
    frames = dataset.images.filter(pl.col("media").is_in(list(ids.values()))).select("media", "task", "frame", "true_frame", image="id")
    places = frames.join(numbers, left_on=["media", "true_frame"], right_on=["media", "inside"], how="left", maintain_order="left")
    _refuse_lost(places, "whole_frame")
    known = dataset.media.filter(pl.col("id").is_in(list(ids.values())))
    mark = _guessed_mark(dataset, parts, places, known) if mark is None else mark
    to_task = pl.col("task").replace_strict(dict(mark["task_of"]), default=None, return_dtype=pl.Int64)
    firsts = pl.DataFrame(mark["first_of"], schema={"part": pl.Int64, "task": pl.Int64, "first": pl.Int64}, orient="row")
    places = places.join(firsts, on=["part", "task"], how="left", nulls_equal=True, maintain_order="left").with_columns(to_task=to_task)
    moved = places.select(to=pl.lit(int(mark["media"]["id"])), inside="whole_frame", first=-pl.col("first"), to_task="to_task", id="image")
    job_of: dict[int, dict[int, int]] = {}
    for task, new, old in mark["job_of"]:
        job_of.setdefault(task, {})[new] = old
    annotations = _with_jobs(dataset.annotations, places.select("image", scope="task"), job_of)
    back = dataset.with_tables(
        media=pl.concat([dataset.media.filter(~pl.col("id").is_in(list(ids.values()))), tables.from_rows(MEDIA, [mark["media"]])]),
        tasks=_exchanged(dataset.tasks, "id", places["task"], tables.from_rows(TASKS, mark["tasks"])),
        jobs=_exchanged(dataset.jobs, "task", places["task"], tables.from_rows(JOBS, mark["jobs"])),
        images=_moved(dataset.images, moved),
        annotations=annotations,
        extras=dataset.extras.filter(~_is_mark(parts.source.name)),
    )
    return join_tracks(dataset, back, places.select("image", "part", frame="whole_frame"), mark if "tracks" in mark else None)


def _media_row(dataset: Dataset, name: str, given: int | None) -> int:
    paths = dataset.media.select("id", "path").iter_rows()
    found = [number for number, path in paths if (number == given if given is not None else PurePosixPath(path).name == name)]
    if len(found) != 1:
        what = "no media row" if not found else f"{len(found)} media rows"
        raise DataError(f"The dataset has {what} for {name}; it must be one, or be named by its id.", table="media")
    return int(found[0])


def _refuse_lost(places: pl.DataFrame, found: str = "part") -> None:
    lost = places.filter(pl.col(found).is_null())
    if not lost.is_empty():
        raise DataError(f"{lost.height} frames of the dataset are not on the map, the first is {lost['true_frame'][0]}.", table="images")


def _media_of_parts(parts: PartMap, row: pl.DataFrame, first: int) -> pl.DataFrame:
    path = PurePosixPath(str(row["path"][0]))
    made = parts.parts_table().select(
        id=pl.col("part") - 1 + first,
        path=pl.Series([path.with_name(name).as_posix() for name in parts.names]),
        frame_count="frames",
    )
    return tables.conform(MEDIA, made.join(row.drop("id", "path", "frame_count", "hash"), how="cross"))


def _pieces(dataset: Dataset, places: pl.DataFrame) -> pl.DataFrame:
    """What each part has of each task: task, part, first and last (numbers in the task), start and stop (in the part's file), to_task."""
    found = places.group_by("task", "part", maintain_order=True).agg(
        first=pl.col("frame").min(), last=pl.col("frame").max(), start=pl.col("inside").min(), stop=pl.col("inside").max()
    )
    found = found.sort("task", "part", nulls_last=True)
    number = _next(dataset.tasks["id"]) + pl.int_range(pl.len(), dtype=pl.Int64)
    return found.with_columns(to_task=pl.when(pl.col("task").is_not_null()).then(number))


def _tasks_of_pieces(dataset: Dataset, pieces: pl.DataFrame) -> pl.DataFrame:
    rows = pieces.join(dataset.tasks, left_on="task", right_on="id", maintain_order="left")
    name = pl.format("{}-{}", "name", "part")
    return tables.conform(TASKS, rows.select("project", "subset", "step", id="to_task", name=name, start_frame="start", stop_frame="stop"))


def _jobs_of_pieces(dataset: Dataset, pieces: pl.DataFrame) -> tuple[pl.DataFrame, dict[int, dict[int, int]]]:
    """The jobs of the new tasks, and for each new task: the new number of a job -> its old one."""
    rows: list[dict[str, Any]] = []
    old: dict[int, dict[int, int]] = {}
    jobs = dataset.jobs.sort("task", "number").to_dicts()
    for piece in pieces.filter(pl.col("task").is_not_null()).to_dicts():
        mine = old.setdefault(piece["to_task"], {})
        for job in jobs:
            frames = [f - piece["first"] for f in job["frames"] or () if piece["first"] <= f <= piece["last"]]
            low, high = max(job["start_frame"], piece["first"]), min(job["stop_frame"], piece["last"])
            if job["task"] != piece["task"] or low > high or (job["frames"] and not frames):
                continue
            bounds = {"start_frame": low - piece["first"], "stop_frame": high - piece["first"], "frames": frames or None}
            rows.append({"task": piece["to_task"], "number": len(mine), "kind": job["kind"], **bounds})
            mine[len(mine)] = job["number"]
    return tables.from_rows(JOBS, rows), old


def _with_jobs(annotations: pl.DataFrame, scopes: pl.DataFrame, numbers: Mapping[int, Mapping[int, int]]) -> pl.DataFrame:
    """Annotations with their jobs' numbers exchanged: those of each scope (a task of the pictures) by their own table."""
    table = [(task, old, new) for task, pairs in numbers.items() for old, new in pairs.items()]
    pairs = pl.DataFrame(table, schema={"scope": pl.Int64, "job": pl.Int32, "new": pl.Int32}, orient="row")
    held = annotations.select("image", "jobs").with_row_index("row").filter(pl.col("jobs").list.len() > 0).join(scopes, on="image")
    known = (
        held.filter(pl.col("scope").is_not_null()).select("row", "scope", job="jobs").explode("job", empty_as_null=True, keep_nulls=True)
    )
    new = known.join(pairs, on=["scope", "job"]).sort("row", "new").group_by("row").agg(pl.col("new"))
    touched = known.select("row").unique().join(new, on="row", how="left")
    rows = annotations.with_row_index("row").join(touched.with_columns(is_held=True), on="row", how="left", maintain_order="left")
    return rows.with_columns(jobs=pl.when("is_held").then("new").otherwise("jobs")).drop("row", "new", "is_held")


def _moved(images: pl.DataFrame, moved: pl.DataFrame) -> pl.DataFrame:
    """Images at their new places; `moved` says of some of them the new media, task, number in the file, and what to take off `frame`."""
    rows = images.join(moved, on="id", how="left", maintain_order="left")
    touched = pl.col("to").is_not_null()
    return rows.with_columns(
        media=pl.coalesce("to", "media"),
        task=pl.when(touched).then("to_task").otherwise("task"),
        frame=pl.col("frame") - pl.col("first").fill_null(0),
        true_frame=pl.coalesce("inside", "true_frame"),
    ).drop("to", "to_task", "first", "inside")


def _exchanged(table: pl.DataFrame, key: str, gone: pl.Series, rows: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([table.filter(~pl.col(key).is_in(gone.drop_nulls().implode())), rows])


def _rows_of(table: pl.DataFrame, key: str, values: pl.Series) -> pl.DataFrame:
    return table.filter(pl.col(key).is_in(values.drop_nulls().implode()))


def _reversed(numbers: Mapping[int, int]) -> dict[int, int]:
    return {old: new for new, old in numbers.items()}


def _next(ids: pl.Series) -> int:
    return int(ids.max() or 0) + 1  # pyright: ignore[reportArgumentType]


def _mark_table(mark: Mapping[str, Any]) -> pl.DataFrame:
    return tables.from_rows(EXTRAS, [{"format": _FORM, "table": "dataset", "value": json.dumps(mark, ensure_ascii=False)}])


def _is_mark(source: str) -> pl.Expr:
    of_source = pl.col("value").str.json_path_match("$.source") == source
    return (pl.col("format") == _FORM) & of_source.fill_null(value=False)


def _mark(dataset: Dataset, source: str) -> dict[str, Any] | None:
    found = dataset.extras.filter(_is_mark(source))
    return None if found.is_empty() else json.loads(found["value"][0])


def _guessed_mark(dataset: Dataset, parts: PartMap, places: pl.DataFrame, known: pl.DataFrame) -> dict[str, Any]:
    """What the notes would say: the parts' tasks, one for each part, become one task with all their jobs."""
    shown = places.group_by("part", "task", maintain_order=True).agg(start=pl.col("whole_frame").min(), count=pl.len().cast(pl.Int64))
    shown = shown.sort("part").with_columns(first=pl.col("count") - pl.col("count").cum_sum())
    if shown["part"].is_duplicated().any():
        raise DataError("Several tasks show one part; leave one task for each part.", table="tasks")
    path = PurePosixPath(str(known["path"][0])).with_name(parts.source.name).as_posix()
    media = {**known.to_dicts()[0], "id": _next(dataset.media["id"]), "path": path, "frame_count": parts.frames, "hash": None}
    number, tasks = _next(dataset.tasks["id"]), shown["task"].drop_nulls()
    rows = _rows_of(dataset.tasks, "id", tasks).to_dicts()
    task = {**rows[0], "id": number, "name": parts.source.stem, "start_frame": shown["start"].min(), "stop_frame": None} if rows else {}
    jobs, job_of = _jobs_in_a_row(dataset, shown, number)
    return {
        "media": media,
        "tasks": [task] if task else [],
        "jobs": jobs,
        "task_of": [(one, number) for one in tasks],
        "first_of": shown.select("part", "task", -pl.col("first")).rows(),
        "job_of": job_of,
    }


def _jobs_in_a_row(dataset: Dataset, shown: pl.DataFrame, task: int) -> tuple[list[dict[str, Any]], list[Iterable[int]]]:
    jobs: list[dict[str, Any]] = []
    old: list[Iterable[int]] = []
    for piece in shown.filter(pl.col("task").is_not_null()).to_dicts():
        for job in dataset.jobs.filter(pl.col("task") == piece["task"]).sort("number").to_dicts():
            shift = -piece["first"]
            bounds = {"start_frame": job["start_frame"] + shift, "stop_frame": job["stop_frame"] + shift}
            old.append((piece["task"], job["number"], len(jobs)))
            jobs.append({**job, **bounds, "task": task, "number": len(jobs), "frames": [f + shift for f in job["frames"] or ()] or None})
    return jobs, old
