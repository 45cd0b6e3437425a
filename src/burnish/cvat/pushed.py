"""What a push did or would do, as a table."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from pathlib import Path

    from burnish.cvat.differences import Difference

_COLUMNS = ("task", "job", "created", "updated", "deleted", "kept", "same")


@dataclass(frozen=True, slots=True)
class TaskPush:
    """One task: its name and address, whether this run made it, and what each job needed."""

    name: str
    url: str
    is_new: bool
    jobs: tuple[tuple[int, Difference], ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push did, or with a dry run would do."""

    tasks: tuple[TaskPush, ...]
    url: str
    dry_run: bool
    notes: tuple[str, ...] = ()
    issues: tuple[int, int] = (0, 0)
    """Issues that were raised, and those that were there."""

    @property
    def table(self) -> pl.DataFrame:
        """One row a job: objects created, updated, deleted, kept in spite of a difference, and equal already."""
        rows = [
            (task.name, job, len(d.create), len(d.update), len(d.delete), len(d.kept), len(d.same))
            for task in self.tasks
            for job, d in task.jobs
        ]
        types = {name: pl.String if name == "task" else pl.Int64 for name in _COLUMNS}
        return pl.DataFrame(rows, schema=types, orient="row")

    @property
    def is_empty(self) -> bool:
        """Whether nothing had to be sent."""
        return not self.issues[0] and all(not task.is_new and all(d.is_empty() for _, d in task.jobs) for task in self.tasks)

    def save(self, folder: Path, *, force: bool = False) -> list[Path]:
        """Nothing is written here: the result is on the server."""
        del folder, force
        return []

    def summary(self) -> dict[str, Any]:
        """Counts of everything, and the addresses of the tasks."""
        sums = {name: int(self.table[name].sum()) for name in _COLUMNS[2:]}
        tasks = [{"name": task.name, "url": task.url, "new": task.is_new} for task in self.tasks]
        return {
            "url": self.url,
            **sums,
            "tasks": tasks,
            "issues": {"raised": self.issues[0], "there": self.issues[1]},
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        parts = [self._head(), *_table_lines(self.table), *self._kept_lines(), *(f"note: {note}" for note in self._every_note())]
        return "\n".join(parts)

    def _head(self) -> str:
        if sum(self.issues):
            there = f", {self.issues[1]} are there already" if self.issues[1] else ""
            return f"{self.issues[0]} issues {'would be raised' if self.dry_run else 'raised'} at {self.url}{there}."
        if self.is_empty:
            return f"{self.url} holds what the dataset says; nothing to send."
        new = sum(task.is_new for task in self.tasks)
        return f"{'Would be sent' if self.dry_run else 'Sent'} to {self.url}: {len(self.tasks)} tasks, {new} of them new."

    def _kept_lines(self) -> list[str]:
        reasons = Counter(reason for task in self.tasks for _, found in task.jobs for _, reason in found.kept)
        return [f"kept: {number:,} {reason}" for reason, number in sorted(reasons.items())]

    def _every_note(self) -> list[str]:
        return list(dict.fromkeys([*self.notes, *(note for task in self.tasks for note in task.notes)]))


def _table_lines(table: pl.DataFrame) -> list[str]:
    if table.is_empty():
        return []
    rows = [_COLUMNS, *(tuple(map(str, row)) for row in table.iter_rows())]
    widths = [max(len(row[place]) for row in rows) for place in range(len(_COLUMNS))]
    return [
        "  ".join(
            cell.ljust(width) if not place else cell.rjust(width) for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
