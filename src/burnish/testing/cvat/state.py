"""The whole state of a server: tables in memory, uploaded files in a folder."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from burnish.testing.cvat.records import GROUND_TRUTH

if TYPE_CHECKING:
    from pathlib import Path

    from burnish.testing.cvat.background import Work
    from burnish.testing.cvat.records import (
        AccessToken,
        Asset,
        Guide,
        Issue,
        Job,
        Label,
        Membership,
        Organization,
        Project,
        Session,
        Task,
        User,
        Webhook,
    )
    from burnish.testing.cvat.uploads import Upload


@dataclass(slots=True)
class State:
    """Everything that the server knows; one request at a time holds `lock`."""

    folder: Path
    version: str = "2.73.0"
    first_id: int = 1
    """The number of the first object of each kind."""
    polls: int = 1
    """How often a background request says that it has started before it is done."""
    patience: timedelta = timedelta(seconds=2)
    """After this long a background request is done even if nobody asks."""
    users: dict[int, User] = field(default_factory=dict)
    tokens: dict[int, AccessToken] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    organizations: dict[int, Organization] = field(default_factory=dict)
    memberships: dict[int, Membership] = field(default_factory=dict)
    projects: dict[int, Project] = field(default_factory=dict)
    tasks: dict[int, Task] = field(default_factory=dict)
    jobs: dict[int, Job] = field(default_factory=dict)
    issues: dict[int, Issue] = field(default_factory=dict)
    guides: dict[int, Guide] = field(default_factory=dict)
    assets: dict[str, Asset] = field(default_factory=dict)
    webhooks: dict[int, Webhook] = field(default_factory=dict)
    works: dict[str, Work] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    quality: dict[int, dict[str, Any]] = field(default_factory=dict)
    """The quality reports, by id, as they are answered."""
    anonymous_calls: list[datetime] = field(default_factory=list)
    counters: Counter[str] = field(default_factory=Counter)
    ahead: timedelta = timedelta()
    lock: threading.RLock = field(default_factory=threading.RLock)

    def new_id(self, kind: str) -> int:
        """The next number of a kind; numbers are never given twice, and a failed request may waste one."""
        number = self.first_id + self.counters[kind]
        self.counters[kind] += 1
        return number

    def now(self) -> datetime:
        """The server's time, which tests may set forward."""
        return datetime.now(UTC) + self.ahead


def stamp(moment: datetime | None) -> str | None:
    """A time as the API writes it."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def file_stamp(moment: datetime) -> str:
    """A time as names of exported files hold it."""
    return moment.strftime("%Y_%m_%d_%H_%M_%S")


def jobs_of(state: State, task: Task, *, ground_truth: bool = True) -> list[Job]:
    """The jobs of a task by number, with or without its ground truth."""
    jobs = [job for job in state.jobs.values() if job.task is task]
    return sorted((job for job in jobs if ground_truth or job.type != GROUND_TRUTH), key=lambda job: job.id)


def tasks_of(state: State, project: Project) -> list[Task]:
    """The tasks of a project by number."""
    return sorted((task for task in state.tasks.values() if task.project is project), key=lambda task: task.id)


def with_sublabels(labels: list[Label]) -> list[Label]:
    """The labels, each followed by its sublabels."""
    return [each for label in labels for each in (label, *label.sublabels)]
