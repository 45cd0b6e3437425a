"""Fetch a project, task or job of a CVAT server as a dataset."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from burnish.cvat.addresses import parse_address
from burnish.cvat.connection import connect
from burnish.cvat.links import linked, links_of
from burnish.cvat.pulling import Link, fetch_task
from burnish.cvat.raising import read_decisions
from burnish.cvat.settings import PullConfig
from burnish.cvat.state import forget_pulled
from burnish.cvat.tree import Node, labels_at, node_at, tasks_of
from burnish.data.findings import finding, findings_table, join_findings
from burnish.engine.archives import cache_folder
from burnish.engine.files import atomic_folder, write_text
from burnish.engine.fingerprint import fingerprint
from burnish.engine.map import Engine, ordered_map
from burnish.engine.progress import Progress, silent
from burnish.errors import DataError
from burnish.formats.cvat import backup
from burnish.formats.cvat.api import labels_without_ids
from burnish.formats.findings import Findings, write_findings
from burnish.formats.recognise import load_format, write_dataset

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from burnish.cvat.login import Login
    from burnish.data.dataset import Dataset


@dataclass(frozen=True, slots=True)
class Pulled:
    """A dataset that was fetched.

    Attributes:
        dataset: It; its pictures lie in the work folder until it is saved.
        decisions: What people decided about the issues of earlier pushes, one row an issue.
        config: The settings.
        address: Where it came from.
        work: The work folder, which goes when the dataset is saved.
    """

    dataset: Dataset
    decisions: pl.DataFrame
    config: PullConfig
    address: str
    work: Path
    text: str = field(default="")

    @property
    def table(self) -> pl.DataFrame:
        """The pictures."""
        return self.dataset.images

    def save(self, folder: Path, *, force: bool = False) -> list[Path]:
        """Write the dataset in its format, and the decisions beside it.

        Raises:
            DataError: The folder holds something, or the disk is full.
        """
        told: dict[str, Any] = {"verb": "pull", "config": {**self.config.model_dump(mode="json"), "url": self.address}}
        options = told if self.config.to == "burnish" else {}
        with atomic_folder(folder, force=force) as temporary:
            dataset = self.dataset if self.config.media else replace(self.dataset, root=temporary)
            notes = write_dataset(dataset, temporary, self.config.to, media=_how(self.work) if self.config.media else "none", **options)
        for link in links_of(self.dataset).values():
            forget_pulled(folder, link.host, (job["id"] for job in link.jobs))
        written = [folder]
        about = {"verb": "pull", "dataset": str(folder), "format": self.config.to}
        found = join_findings(self.decisions, notes)
        if not found.is_empty():
            written += write_findings(Findings(found, about), folder.with_name(folder.name + "-findings"))
        shutil.rmtree(self.work, ignore_errors=True)
        return written

    def summary(self) -> dict[str, Any]:
        """Counts of the tables and of the decisions."""
        return {
            "url": self.address,
            "counts": self.dataset.counts(),
            "decisions": self.decisions.height,
            "notes": self.dataset.notes.height,
        }

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Listed:
    """What a pull would fetch: number, name, frames and jobs of each task."""

    address: str
    tasks: tuple[tuple[int, str, int, int], ...]

    def summary(self) -> dict[str, Any]:
        """The tasks."""
        return {"url": self.address, "tasks": [dict(zip(("id", "name", "frames", "jobs"), task, strict=True)) for task in self.tasks]}

    def __str__(self) -> str:
        lines = [f"  task {number}: {name}, {frames} frames, {jobs} jobs" for number, name, frames, jobs in self.tasks]
        return "\n".join([f"{len(self.tasks)} tasks at {self.address}", *lines])


def pull(
    url: str,
    config: PullConfig | None = None,
    *,
    work: Path | None = None,
    login: Login | None = None,
    engine: Engine | None = None,
    progress: Progress = silent,
    dry_run: bool = False,
) -> Pulled | Listed:
    """Fetch a server, project, task or job.

    Annotations are read job by job, so that jobs, numbers and issues are known. What was fetched before an interruption is not fetched
    again.

    Args:
        url: Its address in the browser.
        config: The settings.
        work: A folder for what is fetched until the dataset is saved; by default in the user's cache.
        login: Who asks; by default from the environment.
        engine: How many tasks are fetched at a time.
        progress: Where to report.
        dry_run: Only list what is there.

    Raises:
        ServiceError: The server refuses or does not answer.
        DataError: There is nothing at the address, or the disk is full.
    """
    config = config or PullConfig()
    load_format(config.to)
    place = parse_address(url)
    connection = connect(place, login=login, organization=config.org)
    node = node_at(connection, place)
    tasks = tasks_of(node)
    if dry_run:
        return Listed(node.url, tuple((task.id, task.name, int(task.about.get("size") or 0), len(task.below)) for task in tasks))
    home = work or cache_folder("pulled", fingerprint(node.url))
    home.mkdir(parents=True, exist_ok=True)

    def fetch(task: Node) -> Link | None:
        return fetch_task(task, home / f"task_{task.id}", media=config.media, progress=progress)

    links = dict(zip(tasks, ordered_map(fetch, tasks, engine=engine or Engine(2), progress=progress, label="tasks"), strict=True))
    found = {f"task_{task.id}": link for task, link in links.items() if link is not None}
    if not found:
        raise DataError(f"There is no task with data at {node.url}; {len(tasks)} tasks were looked at.")
    _forget_others(home, set(found))
    if node.kind == "project":
        _write_project(node, home)
    dataset = linked(backup.read(home), found)
    empty = [task for task, link in links.items() if link is None]
    notes = findings_table(
        finding("no_data", f"Task {task.id} '{task.name}' has no data yet; it is left out.", path=task.url) for task in empty
    )
    dataset = dataset.with_notes(join_findings(dataset.notes, notes))
    decisions = read_decisions(connection, dataset)
    text = f"{dataset}\nfrom {node.url}: {len(found)} tasks, {sum(len(link.jobs) for link in found.values())} jobs"
    text += f", {decisions.height} issues" if decisions.height else ""
    return Pulled(dataset, decisions, config, node.url, home, text)


def _forget_others(work: Path, folders: set[str]) -> None:
    """Leave nothing of an earlier try that is not part of this one."""
    for entry in work.iterdir():
        if entry.name not in folders:
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


def _write_project(node: Node, work: Path) -> None:
    labels = labels_without_ids(labels_at(node))
    about = {
        "name": node.name,
        "bug_tracker": node.about.get("bug_tracker") or "",
        "status": "annotation",
        "labels": labels,
        "version": "1.0",
    }
    write_text(work / "project.json", json.dumps(about, ensure_ascii=False))


def _how(work: Path) -> Any:
    """Link the fetched files into their place where the file system has hard links; the work folder goes afterwards."""
    probe, twin = work / ".probe", work / ".probe.link"
    probe.touch()
    try:
        os.link(probe, twin)
    except OSError:
        return "copy"
    finally:
        probe.unlink()
        twin.unlink(missing_ok=True)
    return "link"
