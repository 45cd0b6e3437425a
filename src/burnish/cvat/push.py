"""Make a CVAT server hold what a dataset says, or raise issues where findings suspect something."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from burnish.cvat.addresses import parse_address
from burnish.cvat.connection import connect
from burnish.cvat.creating import finish_task, is_unfinished, make_task
from burnish.cvat.differences import Difference, items_of
from burnish.cvat.label_rules import create_labels, missing_labels, odd_types, refuse_missing, refuse_wrong_parts
from burnish.cvat.objects import LISTS, specs_of
from burnish.cvat.pushed import Pushed, TaskPush
from burnish.cvat.raising import push_findings
from burnish.cvat.sending import JobPush, difference, send
from burnish.cvat.settings import PushConfig
from burnish.cvat.state import PushState, open_state, state_folder
from burnish.cvat.targets import Target, find_targets, job_numbers, spans_of
from burnish.cvat.tree import Node, labels_at, node_at
from burnish.cvat.wanted import Span, content_with_ids, labels_wanted, objects_by_job, prepared
from burnish.engine.progress import Progress, silent
from burnish.errors import DataError
from burnish.formats.cvat.content import content_of
from burnish.formats.cvat.labels import label_dict
from burnish.formats.cvat.tasks import with_tasks
from burnish.formats.findings import Findings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from burnish.cvat.login import Login
    from burnish.data.dataset import Dataset
    from burnish.formats.cvat.content import Content
    from burnish.formats.cvat.labels import Label

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Run:
    """What every task of one push shares."""

    dataset: Dataset
    labels: tuple[Label, ...]
    content: Content
    foreign: Content
    """The same without numbers, for tasks that the objects did not come from."""
    config: PushConfig
    state: PushState
    progress: Progress
    dry_run: bool


def push(
    source: Dataset | Findings,
    url: str,
    config: PushConfig | None = None,
    *,
    login: Login | None = None,
    progress: Progress = silent,
    dry_run: bool = False,
) -> Pushed:
    """Send a dataset, or issues for findings, to a server, project, task or job.

    Tasks that were pulled are updated in place, so that their numbers, issues and addresses stay; pictures of a named task are found by
    their names; in a project or on the server all others become new tasks. A second push sends nothing, and one that was cut off continues.

    Args:
        source: What to push.
        url: Address of a server, project, task or job.
        config: The settings.
        login: Who asks; by default from the environment.
        progress: Where to report.
        dry_run: Only find out what differs.

    Raises:
        DataError: Labels or files lack, or nothing fits the address; nothing was sent then.
        ServiceError: The server refuses or does not answer.
    """
    config = config or PushConfig()
    place = parse_address(url)
    connection = connect(place, login=login, organization=config.org)
    node = node_at(connection, place)
    if isinstance(source, Findings):
        return push_findings(source, node, with_job=config.job, progress=progress, dry_run=dry_run)
    dataset = prepared(with_tasks(source))
    key = config.key or _usual_key(dataset)
    targets = find_targets(dataset, node, config, key)
    if not targets:
        raise DataError(f"The dataset has no pictures that could go to {node}.")
    state = open_state(state_folder(dataset, key), connection.address.host)
    labels = labels_wanted(dataset)
    run = _Run(dataset, labels, content_with_ids(dataset, labels), content_of(dataset, labels), config, state, progress, dry_run)
    _settle_labels(run, node, targets)
    done = [_push_task(run, node, target) for target in targets]
    return Pushed(
        tuple(done), node.url, dry_run=dry_run, notes=tuple(row["reason"] for row in (*run.content.findings, *run.foreign.findings))
    )


def _usual_key(dataset: Dataset) -> str:
    return Path(str(dataset.origin.get("path") or dataset.root)).resolve().name or "dataset"


def _settle_labels(run: _Run, node: Node, targets: Sequence[Target]) -> None:
    """Know or make every label before the first object is sent."""
    for owner in _owners(node, targets):
        there = labels_at(owner)
        used = _used(run)
        refuse_wrong_parts(used, there, str(owner))
        changes = missing_labels(used, there)
        if not run.config.create_labels:
            refuse_missing(changes, there, str(owner))
        elif changes and not run.dry_run:
            create_labels(owner, changes)


def _used(run: _Run) -> tuple[Label, ...]:
    """Labels that objects have; a class without any need not be on the server."""
    names = run.dataset.class_names()
    used = {names[number] for number in run.dataset.annotations["class"].drop_nulls().unique()}
    return tuple(label for label in run.labels if label.name in used or any(part.name in used for part in label.parts))


def _owners(node: Node, targets: Sequence[Target]) -> list[Node]:
    """Projects, and tasks outside of projects, whose labels will be used."""
    found: dict[str, Node] = {node.path: node} if node.kind == "project" else {}
    for target in targets:
        if target.node is None or is_unfinished(target.node):
            continue
        project = target.node.about["project_id"]
        owner = target.node if project is None else node_at(node.connection, replace(node.connection.address.server, project=project))
        found.setdefault(owner.path, owner)
    return list(found.values())


def _push_task(run: _Run, node: Node, target: Target) -> TaskPush:
    made = target.plan is not None and (target.node is None or is_unfinished(target.node))
    if made and run.dry_run:
        return TaskPush(target.name, target.node.url if target.node else "", made, ((0, _everything_new(run, target)),))
    task = target.node
    if made:
        assert target.plan is not None
        task = make_task(node, target.plan, [label_dict(label) for label in run.labels], target.node, progress=run.progress)
        target = replace(target, node=task)
    assert task is not None
    jobs, notes = _push_jobs(run, task, target)
    if made and target.plan is not None:
        task = finish_task(task, target.plan)
    return TaskPush(target.name, task.url, made, tuple(jobs), notes)


def _push_jobs(run: _Run, task: Node, target: Target) -> tuple[list[tuple[int, Difference]], tuple[str, ...]]:
    labels, spans = labels_at(task), spans_of(task)
    content = run.content if target.link else run.foreign
    wanted = objects_by_job(run.dataset, content, target.frames, spans, job_numbers(run.dataset, target, spans))
    pulled: Mapping[int, Mapping[str, str]] = {job["id"]: job["known"] for job in target.link.jobs} if target.link else {}
    found: list[tuple[int, Difference]] = []
    total = sum(len(lists[name]) for lists in wanted.values() for name in LISTS.values())
    with run.progress.task(f"{task.name}: objects", total) as advance:
        for job in task.below:
            if target.only not in (None, job.id):
                continue
            job_push = JobPush(job, wanted[job.id], labels, pulled.get(job.id, {}), run.config.piece, run.config.overwrite)
            found.append((job.id, difference(job_push, run.state) if run.dry_run else send(job_push, run.state, advance)))
    return found, tuple(odd_types(_counts(wanted), labels))


def _counts(wanted: Mapping[int, Json]) -> Counter[tuple[str, str]]:
    counted: Counter[tuple[str, str]] = Counter()
    for lists in wanted.values():
        counted.update((tag["label"], "tag") for tag in lists["tags"])
        counted.update((shape["label"], shape["type"]) for shape in lists["shapes"])
        counted.update((track["label"], track["shapes"][0]["type"]) for track in lists["tracks"] if track["shapes"])
    return counted


def _everything_new(run: _Run, target: Target) -> Difference:
    whole = Span(0, range(max(target.frames.values(), default=0) + 1))
    lists = objects_by_job(run.dataset, run.foreign, target.frames, [whole], None)[0]
    return Difference(create=items_of(lists, specs_of(label_dict(label) for label in run.labels)))
