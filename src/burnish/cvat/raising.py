"""An issue at each suspect, once; and what people decided about them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from burnish.cvat.issues import issues_of, raise_issue
from burnish.cvat.links import links_of, object_ids
from burnish.cvat.matching import frames_by_name
from burnish.cvat.pushed import Pushed
from burnish.cvat.tree import Node, node_at, tasks_of
from burnish.data.findings import finding, findings_table, no_findings
from burnish.engine.fingerprint import fingerprint
from burnish.engine.progress import Progress, silent
from burnish.errors import DataError
from burnish.formats.recognise import open_dataset

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from burnish.cvat.connection import Connection
    from burnish.data.dataset import Dataset
    from burnish.formats.findings import Findings

Json = dict[str, Any]

_MARK: Final = re.compile(r"\[burnish ([0-9a-f]{16}) (\{.*\})\]\s*$", re.DOTALL)


def push_findings(findings: Findings, node: Node, *, with_job: bool = False, progress: Progress = silent, dry_run: bool = False) -> Pushed:
    """Raise an issue for each finding that counts and names a picture; those that were raised before are left as they are.

    Args:
        findings: They know the dataset that they were made from.
        node: The task, job, project or server.
        with_job: Also make a job of each task's frames with issues.
        progress: Where to report.
        dry_run: Only count.

    Raises:
        DataError: The findings do not know their dataset, or its pictures are not on the server.
    """
    if "dataset" not in findings.about:
        raise DataError("These findings do not say which dataset they are about; give the folder that audit, check or dedupe wrote.")
    dataset = open_dataset(findings.about["dataset"])
    suspects = findings.table.filter(pl.col("is_issue") & pl.col("image").is_not_null())
    raised = there = 0
    notes: list[str] = []
    for task, frames in _places(dataset, node):
        here = suspects.filter(pl.col("image").is_in(list(frames))).to_dicts()
        known = {mark for text in issues_of(task)["comments"].list.first().drop_nulls() if (mark := _mark_of(text))}
        with progress.task(f"{task.name}: issues", len(here)) as advance:
            for suspect in here:
                message, mark, position = _issue(dataset, suspect)
                advance(1)
                if mark in known:
                    there += 1
                    continue
                known.add(mark)
                raised += 1
                if not dry_run:
                    frame = frames[suspect["image"]]
                    raise_issue(_job_with(task, frame, node), frame, position, message)
        if with_job and here and not dry_run:
            notes.append(_job_of(task, sorted({frames[suspect["image"]] for suspect in here})))
    without = suspects.height - raised - there
    notes += [f"{without} findings are on pictures that are not at this address."] if without else []
    return Pushed((), node.url, dry_run=dry_run, issues=(raised, there), notes=tuple(notes))


def read_decisions(connection: Connection, dataset: Dataset) -> pl.DataFrame:
    """The issues of a dataset's tasks as findings: resolved or open, what people wrote, and labels that they changed.

    `given` is the label that was suspected, `suggestion` the one that the object has now, where it is another.
    """
    rows: list[Json] = []
    for number, link in links_of(dataset).items():
        task = node_at(connection, replace(connection.address.server, task=link.task))
        images = dict(dataset.images.filter(pl.col("task") == number).select("frame", "id").iter_rows())
        found = issues_of(task)
        if not found.is_empty():
            now = _labels_now(dataset, number)
            rows += [_decision(issue, images, now, task) for issue in found.to_dicts()]
    return findings_table(rows) if rows else no_findings()


def _places(dataset: Dataset, node: Node) -> Iterator[tuple[Node, Mapping[int, int]]]:
    """Tasks at the address with the frame of each picture of the dataset."""
    links = {link.task: number for number, link in links_of(dataset).items() if link.host == node.connection.address.host}
    tasks = tasks_of(node)
    for task in tasks:
        if task.id in links:
            yield task, dict(dataset.images.filter(pl.col("task") == links[task.id]).select("id", "frame").iter_rows())
        elif len(tasks) == 1:
            yield task, frames_by_name(dataset, task)


def _job_with(task: Node, frame: int, node: Node) -> Node:
    """The job that was named, otherwise the first one that has the frame."""
    if node.kind == "job":
        return node
    usual = [job for job in task.below if job.about["type"] == "annotation"]
    return next(job for job in usual if job.about["start_frame"] <= frame <= job.about["stop_frame"])


def _job_of(task: Node, frames: list[int]) -> str:
    """Make the job with these frames, and say so; where the task has one with others, only say that."""
    for job in task.below:
        if job.about["type"] == "ground_truth":
            held = job.connection.get(f"{job.path}/data/meta").get("included_frames")
            state = "holds these frames already" if held == frames else "is there with other frames, and CVAT allows only one"
            return f"The ground truth job {job.url} {state}."
    body = {"task_id": task.id, "type": "ground_truth", "frame_selection_method": "manual", "frames": frames}
    made = Node(task.connection, "job", task.connection.post("jobs", body), task)
    return f"The ground truth job {made.url} holds the {len(frames)} frames with issues."


def _issue(dataset: Dataset, suspect: Mapping[str, Any]) -> tuple[str, str, list[float]]:
    """Message, mark and position of an issue."""
    rows = (
        dataset.annotations.filter(pl.col("id") == suspect["annotation"])
        if suspect["annotation"] is not None
        else dataset.annotations.clear()
    )
    position = _position(dataset, suspect["image"], rows)
    told = {"kind": suspect["kind"], "given": suspect["given"], "annotation": _server_number(dataset, rows)}
    mark = fingerprint(json.dumps([suspect["kind"], suspect["image"], position, suspect["given"], suspect["suggestion"]]))
    change = f"{suspect['given']} -> {suspect['suggestion']}: " if suspect["suggestion"] else ""
    text = json.dumps({key: value for key, value in told.items() if value is not None}, ensure_ascii=False)
    return f"{change}{suspect['reason']}\n[burnish {mark} {text}]", mark, position


def _position(dataset: Dataset, image: int, rows: pl.DataFrame) -> list[float]:
    """The box around the annotation, or the whole frame."""
    box = [float(value) for value in (rows.select("x1", "y1", "x2", "y2").row(0) if rows.height else ()) if value is not None]
    if len(box) == 4:  # noqa: PLR2004 - two corners
        return box
    width, height = dataset.images.filter(pl.col("id") == image).select("width", "height").row(0)
    return [0.0, 0.0, float(width or 1), float(height or 1)]


def _server_number(dataset: Dataset, rows: pl.DataFrame) -> str | None:
    """Kind and number of the object on the server, where it came from there."""
    if rows.is_empty():
        return None
    row, ids = rows.row(0, named=True), object_ids(dataset)
    if row["track"] is not None:
        first = dataset.annotations.filter(pl.col("track") == row["track"])["id"].min()
        found = ids["tracks"].get(first)  # pyright: ignore[reportArgumentType, reportCallIssue]
        return None if found is None else f"track {found}"
    found = ids["annotations"].get(row["id"])
    return None if found is None else f"{'tag' if row['kind'] == 'tag' else 'shape'} {found}"


def _mark_of(message: str) -> str | None:
    found = _MARK.search(message)
    return found[1] if found else None


def _labels_now(dataset: Dataset, task: int) -> dict[str, tuple[int, str]]:
    """Annotation and label of each object of a task, by kind and number on the server."""
    ids, names = object_ids(dataset), dataset.class_names()
    images = dataset.images.filter(pl.col("task") == task)["id"].implode()
    found: dict[str, tuple[int, str]] = {}
    rows = dataset.annotations.filter(pl.col("image").is_in(images)).select("id", "class", pl.col("kind").cast(pl.String))
    for row, label, kind in rows.iter_rows():
        known = int(row), names.get(label, "")
        if row in ids["annotations"]:
            found[f"{'tag' if kind == 'tag' else 'shape'} {ids['annotations'][row]}"] = known
        if row in ids["tracks"]:
            found[f"track {ids['tracks'][row]}"] = known
    return found


def _decision(issue: Mapping[str, Any], images: Mapping[int, int], now: Mapping[str, tuple[int, str]], task: Node) -> Json:
    first = issue["comments"][0] if issue["comments"] else ""
    mark = _MARK.search(first)
    told = json.loads(mark[2]) if mark else {}
    annotation, label = now.get(told.get("annotation", ""), (None, None))
    comments = [_MARK.sub("", text).strip() for text in issue["comments"]]
    said = "; ".join(f"{who}: {text}" for who, text in zip(issue["commenters"], comments, strict=True))
    state = "resolved" if issue["resolved"] else "open"
    more = {"given": told.get("given"), "annotation": annotation}
    if label is not None and told.get("given") not in (None, label):
        more["suggestion"] = label
    elif told.get("annotation") and annotation is None:
        said += " (the object was deleted)"
    where = {
        "image": images.get(issue["frame"]),
        "position": f"issue {issue['id']}",
        "path": f"{task.url}/jobs/{issue['job']}?frame={issue['frame']}",
    }
    return finding(
        f"issue_{state}", said or "no comment", is_issue=not issue["resolved"], **where, **{k: v for k, v in more.items() if v is not None}
    )
