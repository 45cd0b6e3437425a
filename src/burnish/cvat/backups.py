"""Backups of projects and tasks, of one or of all: several at a time, continued where they stopped, and restored on any server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from burnish.cvat.addresses import Address
from burnish.cvat.background import run_background, wait_for
from burnish.cvat.transfer import download, upload
from burnish.cvat.tree import Node, node_at
from burnish.engine.archives import member_names
from burnish.engine.files import write_text
from burnish.engine.map import Engine, ordered_map
from burnish.engine.progress import Progress, silent
from burnish.errors import ConfigError, FormatError, ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_KINDS = {"project.json": "project", "task.json": "task"}


def back_up(nodes: Sequence[Node], folder: Path, *, engine: Engine | None = None, progress: Progress = silent) -> list[Path]:
    """Download backups; those that are there already, and that nothing was changed of since, are not fetched again.

    Args:
        nodes: Projects and tasks.
        folder: Where `task_12.zip` and `project_3.zip` go, each with a small file that tells its state.
        engine: How many at a time; by default two.
        progress: Where to report.

    Raises:
        ConfigError: A job or the server is among them.
        ServiceError: Some failed, each told with its reason; the others are there.
    """
    for node in nodes:
        if node.kind not in ("project", "task"):
            raise ConfigError(f"{node} has no backup of its own; only projects and tasks do.")
    folder.mkdir(parents=True, exist_ok=True)
    return _each(nodes, lambda node: _fetch(node, folder, progress), str, engine, progress)


def back_up_all(server: Node, folder: Path, *, engine: Engine | None = None, progress: Progress = silent) -> list[Path]:
    """Download backups of every project, and of every task that is in none."""
    return back_up((*server.below, *server.loose_tasks), folder, engine=engine, progress=progress)


def restore(server: Node, files: Sequence[Path], *, engine: Engine | None = None, progress: Progress = silent) -> list[Node]:
    """Make projects and tasks from backups; a file that was restored here before, and whose task or project is still there, is not again.

    Args:
        server: Where to.
        files: Backups.
        engine: How many at a time; by default two.
        progress: Where to report.

    Raises:
        FormatError: A file is no backup; nothing is sent then.
        ServiceError: Some failed, each told with its reason; the others are there.
    """
    kinds = {path: _kind_of(path) for path in files}
    return _each(files, lambda path: _restore_once(server, path, kinds[path], progress), lambda path: path.name, engine, progress)


def _each(
    items: Sequence[Any], action: Callable[[Any], Any], name: Callable[[Any], str], engine: Engine | None, progress: Progress
) -> list[Any]:
    """Do all, and tell at the end which failed."""

    def attempt(item: Any) -> Any:
        try:
            return action(item)
        except ServiceError as error:
            return error

    found = list(ordered_map(attempt, items, engine=engine or Engine(2), progress=progress, label="backups"))
    failed = [(item, error) for item, error in zip(items, found, strict=True) if isinstance(error, ServiceError)]
    if failed:
        lines = "\n".join(f"- {name(item)}: {error}" for item, error in failed)
        raise ServiceError(
            f"{len(failed)} of {len(found)} failed; the same command again does only these:\n{lines}", status=failed[0][1].status
        )
    return found


def _fetch(node: Node, folder: Path, progress: Progress) -> Path:
    target, label = folder / f"{node.kind}_{node.id}.zip", f"{node.kind} {node.id}"
    told, now = target.with_suffix(".json"), _state(node)
    if target.is_file() and told.is_file() and json.loads(told.read_text(encoding="utf-8")) == now:
        return target
    made = run_background(node.connection, f"{node.path}/backup/export", label=f"{label}: the server packs", progress=progress)
    download(node.connection, made["result_url"], target, label=f"{label}: bytes", progress=progress)
    write_text(told, json.dumps(now))
    return target


def _state(node: Node) -> dict[str, Any]:
    """Where from, and when the node, its tasks and jobs were changed last: a change of annotations shows at the jobs."""
    jobs = node.connection.pages("jobs", **{f"{node.kind}_id": node.id})
    tasks = node.below if node.kind == "project" else (node,)
    changed = [node.about["updated_date"], *(task.about["updated_date"] for task in tasks), *(job["updated_date"] for job in jobs)]
    return {"url": node.url, "name": node.name, "changed": max(changed), "tasks": len(tasks)}


def _kind_of(path: Path) -> str:
    if not path.is_file():
        raise FormatError("there is no such file.", path=path)
    found = [_KINDS[name] for name in _KINDS if name in member_names(path)]
    if not found:
        raise FormatError("this is no backup of CVAT: it has neither project.json nor task.json at its top.", path=path)
    return found[0]


def _restore_once(server: Node, path: Path, kind: str, progress: Progress) -> Node:
    record = path.with_suffix(".restored.json")
    known: dict[str, int] = json.loads(record.read_text(encoding="utf-8")) if record.is_file() else {}
    place = str(server.address)
    if place in known and (found := _still_there(server, kind, known[place])) is not None:
        return found
    asked = upload(server.connection, f"{kind}s/backup/", path, label=f"{path.name}: bytes", progress=progress)
    done = wait_for(server.connection, asked["rq_id"], label=f"{path.name}: the server unpacks", progress=progress)
    write_text(record, json.dumps({**known, place: done["result_id"]}))
    return node_at(server.connection, _address(server, kind, int(done["result_id"])))


def _still_there(server: Node, kind: str, number: int) -> Node | None:
    try:
        return node_at(server.connection, _address(server, kind, number))
    except ServiceError as error:
        if error.status != 404:  # noqa: PLR2004 - deleted since
            raise
        return None


def _address(server: Node, kind: str, number: int) -> Address:
    found = server.address.server
    return Address(found.host, **{kind: number}, organization=found.organization)
