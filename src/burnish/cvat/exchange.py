"""Files of any format that the server itself writes and reads: exports of tasks, jobs and projects, and annotations put in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from burnish.cvat.background import run_background, wait_for
from burnish.cvat.transfer import download, upload
from burnish.engine.progress import Progress, silent
from burnish.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from burnish.cvat.tree import Node


def export(node: Node, form: str, path: Path, *, images: bool = False, progress: Progress = silent) -> Path:
    """Let the server export a project, task or job, and download the archive.

    Args:
        node: What is exported.
        form: The server's name of a format, for instance "CVAT for video 1.1" or "COCO 1.0".
        path: The archive to write.
        images: Also the pictures.
        progress: Where to report.

    Raises:
        ConfigError: The node is the server itself.
        ServiceError: The server does not know the format, or fails at it later; its reason is told.
        DataError: The disk is full.
    """
    _refuse_server(node, "exported")
    done = run_background(
        node.connection, f"{node.path}/dataset/export", label=f"{node.name}: export", progress=progress, format=form, save_images=images
    )
    return download(node.connection, done["result_url"], path, label=f"{path.name}: bytes", progress=progress)


def import_annotations(node: Node, form: str, path: Path, *, progress: Progress = silent) -> None:
    """Let the server read the annotations of a task or job from a file: it replaces everything that the task or job holds.

    Args:
        node: The task or job.
        form: The server's name of the file's format, for instance "CVAT 1.1".
        path: The file.
        progress: Where to report.

    Raises:
        ConfigError: The node holds no annotations.
        ServiceError: The server does not know the format, or finds the file broken, which it says only later.
    """
    if node.kind not in ("task", "job"):
        raise ConfigError(f"Annotations belong to tasks and jobs; {node} is a {node.kind}.")
    asked = upload(
        node.connection, f"{node.path}/annotations/", path, label=f"{path.name}: bytes", progress=progress, query={"format": form}
    )
    wait_for(node.connection, asked["rq_id"], label=f"{node.name}: import", progress=progress)


def _refuse_server(node: Node, what: str) -> None:
    if node.kind == "server":
        raise ConfigError(f"{node} cannot be {what} as a whole; name a project, a task or a job.")
