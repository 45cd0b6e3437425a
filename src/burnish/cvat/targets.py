"""Where each task of a dataset goes: into the task that it came from, into one that is named, or into a new one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import polars as pl

from burnish.cvat.creating import NewTask, find_made, is_unfinished, plan_task
from burnish.cvat.links import links_of
from burnish.cvat.matching import frames_by_name, frames_by_number
from burnish.cvat.tree import Node, node_at
from burnish.cvat.wanted import Span
from burnish.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from burnish.cvat.pulling import Link
    from burnish.cvat.settings import PushConfig
    from burnish.data.dataset import Dataset


@dataclass(frozen=True, slots=True)
class Target:
    """One task on the server, there or to be made.

    Attributes:
        name: For reports.
        node: The task, where it is there.
        frames: Frame of each picture.
        link: Where the dataset's task came from, where that is this task.
        plan: How the task is made or completed, where this run makes it.
        task: The dataset's task; None where pictures were matched by name.
        only: The one job that was named, if any.
    """

    name: str
    node: Node | None
    frames: Mapping[int, int]
    link: Link | None = None
    plan: NewTask | None = None
    task: int | None = None
    only: int | None = None


def find_targets(dataset: Dataset, node: Node, config: PushConfig, key: str) -> list[Target]:
    """Decide where each task goes.

    Args:
        dataset: With tasks.
        node: What was named as the address.
        config: The settings.
        key: Name of the run.

    Raises:
        DataError: Nothing fits the address.
    """
    links = {task: link for task, link in links_of(dataset).items() if _is_under(link, node)}
    if node.kind in ("task", "job"):
        return [_one_target(dataset, node, links)]
    return [*_linked_targets(dataset, node, links), *_new_targets(dataset, node, config, key, set(links))]


def spans_of(task: Node, only: int | None = None) -> list[Span]:
    """The jobs of a task on the server, in order."""
    spans: list[Span] = []
    for job in task.below:
        frames: range | frozenset[int] = range(job.about["start_frame"], job.about["stop_frame"] + 1)
        if job.about["type"] != "annotation":
            told = job.connection.get(f"{job.path}/data/meta").get("included_frames")
            frames = frozenset(told) if told is not None else frames
        spans.append(Span(job.id, frames, is_usual=job.about["type"] == "annotation"))
    if only is not None and only not in {span.job for span in spans}:
        raise DataError(f"{task} has no job {only}.")
    return spans


def job_numbers(dataset: Dataset, target: Target, spans: Sequence[Span]) -> dict[int, int] | None:
    """Place in `spans` of each job that the dataset knows; None where its jobs are not those of the server."""
    if target.link is not None:
        places = {span.job: place for place, span in enumerate(spans)}
        return {number: places[job["id"]] for number, job in enumerate(target.link.jobs) if job["id"] in places}
    if target.task is None:
        return None
    rows = dataset.jobs.filter(pl.col("task") == target.task).sort("number")
    ours = [(start, stop) for start, stop in rows.select("start_frame", "stop_frame").iter_rows()]
    theirs = [(min(span.frames), max(span.frames)) for span in spans]
    return {number: place for place, number in enumerate(rows["number"])} if ours and ours == theirs else None


def _is_under(link: Link, node: Node) -> bool:
    """Whether a task that was pulled is one of those that the address names."""
    if link.host != node.connection.address.host:
        return False
    if node.kind == "task":
        return link.task == node.id
    if node.kind == "job":
        return link.task == node.about["task_id"]
    return node.kind == "server" or (link.project is not None and link.project[0] == node.id)


def _one_target(dataset: Dataset, node: Node, links: Mapping[int, Link]) -> Target:
    only = node.id if node.kind == "job" else None
    task = node if only is None else node_at(node.connection, replace(node.connection.address.server, task=int(node.about["task_id"])))
    if links:
        number, link = next(iter(links.items()))
        return _checked(Target(task.name, task, frames_by_number(dataset, number), link, task=number, only=only))
    return Target(task.name, task, frames_by_name(dataset, task), only=only)


def _linked_targets(dataset: Dataset, node: Node, links: Mapping[int, Link]) -> Iterator[Target]:
    for number, link in links.items():
        task = node_at(node.connection, replace(node.connection.address.server, task=link.task))
        yield _checked(Target(task.name, task, frames_by_number(dataset, number), link, task=number))


def _checked(target: Target) -> Target:
    """The task must still have the frames that it had.

    Raises:
        DataError: It has fewer.
    """
    assert target.node is not None
    size, last = int(target.node.about.get("size") or 0), max(target.frames.values(), default=-1)
    if last >= size:
        raise DataError(
            f"The dataset has a frame {last} of {target.node}, which has {size} frames now; an object on a frame that is not there would "
            "be lost. Pull the task anew."
        )
    return target


def _new_targets(dataset: Dataset, node: Node, config: PushConfig, key: str, linked: set[int]) -> Iterator[Target]:
    rows = [row for row in dataset.tasks.select("id", "name").to_dicts() if row["id"] not in linked]
    if config.name and len(rows) > 1:
        raise DataError(f"--name names one new task, and the dataset has {len(rows)}; leave it out, or push them one by one.")
    for row in rows:
        frames = frames_by_number(dataset, row["id"])
        if not frames:
            continue
        plan = plan_task(dataset, row["id"], name=config.name or row["name"], key=key, segments=_segments(dataset, row["id"], config))
        made = find_made(node, plan)
        finished = made is not None and not is_unfinished(made)
        target = Target(plan.name, made, frames, plan=plan, task=row["id"])
        yield _checked(target) if finished else target


def _segments(dataset: Dataset, task: int, config: PushConfig) -> tuple[int, int]:
    """Length and overlap of jobs: as asked for, otherwise as in the dataset where its jobs are regular."""
    if config.job_size:
        return config.job_size, config.overlap
    rows: list[Any] = (
        dataset.jobs.filter((pl.col("task") == task) & (pl.col("kind").cast(pl.String) == "annotation")).sort("number").to_dicts()
    )
    if len(rows) < 2:  # noqa: PLR2004 - a single job
        return 0, 0
    return rows[0]["stop_frame"] - rows[0]["start_frame"] + 1, rows[0]["stop_frame"] - rows[1]["start_frame"] + 1
