"""Issues and their comments: read as a table, raised, and drawn on the frames."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import polars as pl

from burnish.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from burnish.cvat.tree import Node

Json = dict[str, Any]

COLUMNS = {
    "id": pl.Int64,
    "task": pl.Int64,
    "job": pl.Int64,
    "frame": pl.Int64,
    "position": pl.List(pl.Float64),
    "resolved": pl.Boolean,
    "owner": pl.String,
    "assignee": pl.String,
    "comments": pl.List(pl.String),
    "commenters": pl.List(pl.String),
    "updated": pl.String,
}


def issues_of(node: Node) -> pl.DataFrame:
    """The issues of a task or job, one row each, with their comments oldest first; the table always has all its columns.

    Raises:
        DataError: The node is a server or a project; ask for its tasks.
    """
    if node.kind not in ("task", "job"):
        raise DataError(f"Issues belong to tasks and jobs; {node} is a {node.kind}.")
    listed = list(node.connection.pages("issues", **{f"{node.kind}_id": node.id}))
    comments = _comments(node, sorted({found["job"] for found in listed}))
    rows = [
        {
            "id": found["id"],
            "task": node.id if node.kind == "task" else node.about["task_id"],
            "job": found["job"],
            "frame": found["frame"],
            "position": [float(value) for value in found["position"]],
            "resolved": found["resolved"],
            "owner": _user(found["owner"]),
            "assignee": _user(found["assignee"]),
            "comments": [comment["message"] for comment in comments[found["id"]]],
            "commenters": [_user(comment["owner"]) or "" for comment in comments[found["id"]]],
            "updated": found["updated_date"],
        }
        for found in listed
    ]
    return pl.DataFrame(rows, schema=COLUMNS)


def raise_issue(job: Node, frame: int, position: Sequence[float], message: str) -> int:
    """Raise an issue on a frame of a job; its number.

    Args:
        job: A job that has the frame.
        frame: In the numbers of the task.
        position: Corners of a box, or points x, y, x, y, ..., in pixels.
        message: The first comment.
    """
    body = {"job": job.id, "frame": frame, "position": [float(value) for value in position], "message": message}
    return int(job.connection.post("issues", body)["id"])


def comment_on(job: Node, issue: int, message: str) -> None:
    """Add a comment to an issue."""
    job.connection.post("comments", {"issue": issue, "message": message})


def _comments(node: Node, jobs: Iterable[int]) -> dict[int, list[Json]]:
    found: defaultdict[int, list[Json]] = defaultdict(list)
    for job in jobs:
        for comment in node.connection.pages("comments", job_id=job):
            found[comment["issue"]].append(comment)
    return found


def _user(found: Json | None) -> str | None:
    return None if found is None else str(found["username"])
