"""The engine that runs work here or in workers, and an ordered parallel map over it."""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

from burnish.engine.progress import Progress, silent
from burnish.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

A = TypeVar("A")
B = TypeVar("B")

_WAITING_A_WORKER = 4


@dataclass(frozen=True, slots=True)
class Engine:
    """Where work runs.

    Attributes:
        jobs: Workers on this machine; 0 takes one for each core that this process may use, 1 works in this process alone.
    """

    jobs: int = 0

    def __post_init__(self) -> None:
        if self.jobs < 0:
            raise ConfigError(f"jobs is {self.jobs}; expected the number of workers, or 0 for one a core.")

    @property
    def workers(self) -> int:
        """How many workers that is."""
        return self.jobs or available_cores()


def available_cores() -> int:
    """Cores that this process may use, which can be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def ordered_map(
    function: Callable[[A], B],
    items: Iterable[A],
    *,
    engine: Engine | None = None,
    progress: Progress = silent,
    label: str = "",
    workers: Literal["threads", "processes"] = "threads",
    total: int | None = None,
    ahead: bool = False,
    begin: Callable[[], None] | None = None,
) -> Iterator[B]:
    """Apply a function to each item, in parallel, and yield the results in the order of the items.

    Only a few items for each worker wait at a time, so that endless or heavy input does not pile up. An error of the function ends the
    map and is raised at its item's place; so does Ctrl-C, and what has not begun is then dropped.

    Args:
        function: What to do; with processes it must be importable by name.
        items: What to do it to.
        engine: How many workers; one for each core when None.
        progress: Where to report.
        label: What the work is called there; nothing is reported without one.
        workers: Threads suit decoding and files, which free the interpreter; processes suit Python code.
        total: Number of items, where `items` does not know its length.
        ahead: A single worker works beside this process too, so that results wait when they are asked for.
        begin: What each worker process does first; brings it what all of its items need.
    """
    chosen = engine or Engine()
    count = total if total is not None else _length(items)
    with progress.task(label, count) if label else silent.task("") as advance:
        results = (
            map(function, items)
            if chosen.workers == 1 and not ahead
            else _parallel(function, items, _executor(workers, chosen.workers, begin), chosen.workers)
        )
        for result in results:
            advance(1)
            yield result


def _parallel(function: Callable[[A], B], items: Iterable[A], executor: Executor, workers: int) -> Iterator[B]:
    waiting: deque[Future[B]] = deque()
    try:
        for item in items:
            waiting.append(executor.submit(function, item))
            if len(waiting) >= workers * _WAITING_A_WORKER:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _executor(kind: str, workers: int, begin: Callable[[], None] | None) -> Executor:
    if kind == "threads":
        return ThreadPoolExecutor(workers)
    # Forking a process that runs threads (Polars, torch) can hang; a fork server was clean when it started.
    method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    return ProcessPoolExecutor(workers, multiprocessing.get_context(method), begin)


def _length(items: Iterable[object]) -> int | None:
    return len(items) if hasattr(items, "__len__") else None  # pyright: ignore[reportArgumentType]
