"""What a keyed run remembers beside the dataset: which task on the server is whose, and what both agreed on last."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from burnish.cvat.differences import Known
from burnish.engine.files import write_text
from burnish.engine.names import safe_name
from burnish.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from burnish.data.dataset import Dataset

Json = dict[str, Any]


@dataclass(slots=True)
class PushState:
    """The memory of one keyed run against one server; every change is on disk before the next request.

    Attributes:
        path: Its file.
        host: The server.
        jobs: By job number: `known`, marks by kind and number, and `sent`, marks that were about to be sent.
    """

    path: Path
    host: str
    jobs: dict[str, Json] = field(default_factory=dict[str, Json])

    def known(self, job: int, pulled: Mapping[str, str]) -> Known:
        """What is known of a job: from the pull, and from pushes since."""
        told = self.jobs.get(str(job), {})
        return Known({**pulled, **told.get("known", {})}, frozenset(told.get("sent", ())))

    def intend(self, job: int, marks: Iterable[str]) -> None:
        """Write down what is about to be sent, so that it is known again if this push is cut off."""
        told = self.jobs.setdefault(str(job), {"known": {}, "sent": []})
        told["sent"] = sorted({*told["sent"], *marks})
        self._save()

    def agree(self, job: int, known: Mapping[str, str]) -> None:
        """Write down what dataset and server agree on now."""
        told = {"known": dict(known), "sent": []}
        if self.jobs.get(str(job)) != told:
            self.jobs[str(job)] = told
            self._save()

    def forget(self, jobs: Iterable[int]) -> None:
        """Jobs that were pulled anew: what both agree on is what was pulled."""
        for job in jobs:
            self.jobs.pop(str(job), None)
        self._save()

    def _save(self) -> None:
        write_text(self.path, json.dumps({"host": self.host, "jobs": self.jobs}, indent=1, sort_keys=True))


def open_state(folder: Path, host: str) -> PushState:
    """The memory of a run, empty at first.

    Raises:
        DataError: The file is damaged.
    """
    path = folder / f"{safe_name(host.partition('://')[2])}.json"
    if not path.is_file():
        return PushState(path, host)
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return PushState(path, told["host"], told["jobs"])
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path} is damaged ({error}). Delete it; the next push then knows only what was pulled, and deletes nothing."
        ) from error


def state_folder(dataset: Dataset, key: str) -> Path:
    """Where a keyed run remembers: beside the dataset."""
    return _beside(Path(str(dataset.origin.get("path") or dataset.root))) / safe_name(key)


def forget_pulled(dataset: Path, host: str, jobs: Iterable[int]) -> None:
    """Let every run of a dataset that is written anew forget the jobs that were pulled into it."""
    for folder in sorted(path for path in _beside(dataset).glob("*") if path.is_dir()):
        state = open_state(folder, host)
        if state.path.is_file():
            state.forget(jobs)


def _beside(home: Path) -> Path:
    return home.with_name(f"{home.name}.push")
