"""How much memory a trial takes, what it may take, and how a lack of it is told from other errors."""

from __future__ import annotations

import os
import re
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from burnish.errors import ConfigError, extra

with extra("train"):
    import torch

if TYPE_CHECKING:
    from collections.abc import Generator

SHARE_OF_MACHINE: Final = 0.8
"""Of the free memory of the machine, what a trial on the CPU may take unless a limit is given; beyond, the system ends processes."""

_LACK = re.compile(
    r"out of memory|can't allocate memory|not enough memory|CUBLAS_STATUS_ALLOC_FAILED|CUDNN_STATUS_ALLOC_FAILED", re.IGNORECASE
)
_SAMPLES_S = 0.002
_KIB = 1024


@dataclass(slots=True)
class Peak:
    """The most memory in use while it was watched.

    Attributes:
        bytes: On a GPU what torch reserved there, on the CPU what of the process was resident.
    """

    bytes: int = 0


def is_lack_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory does not suffice: of torch, of its allocators, of Python."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and _LACK.search(str(error)) is not None


@contextmanager
def watched(device: torch.device) -> Generator[Peak]:
    """Watch memory during the block; the peak is known after it, also when the block fails."""
    peak = Peak()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        try:
            yield peak
        finally:
            peak.bytes = torch.cuda.max_memory_reserved(device)
        return
    ended = threading.Event()
    watcher = threading.Thread(target=_watch, args=(peak, ended), daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        ended.set()
        watcher.join()


def memory_limit(device: torch.device, limit_mib: float | None, processes: int) -> int | None:
    """The bytes that a trial may take; None where the device itself says when they do not suffice.

    Args:
        device: Where the network is.
        limit_mib: What was asked for.
        processes: That share the memory of the machine.

    Raises:
        ConfigError: There is no limit, and the system does not tell how much is free.
    """
    if limit_mib is not None:
        return int(limit_mib * _KIB * _KIB)
    if device.type != "cpu":
        return None
    free = free_machine_bytes()
    if free is None:
        raise ConfigError("This system does not tell how much memory is free; give memory_mib, the memory that the training may take.")
    return resident_bytes() + int(SHARE_OF_MACHINE * free / processes)


def resident_bytes() -> int:
    """Bytes of this process that lie in memory now; 0 where the system does not tell."""
    with suppress(OSError, ValueError, IndexError):
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def free_machine_bytes() -> int | None:
    """Bytes that programs may still take: of the machine, and of this process's control group where that is less."""
    free: list[int] = []
    with suppress(OSError, ValueError):
        text = Path("/proc/meminfo").read_text(encoding="ascii")
        free += [int(found) * _KIB for found in re.findall(r"^MemAvailable:\s+(\d+) kB", text, re.MULTILINE)]
    for most, used in (("memory.max", "memory.current"), ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes")):
        with suppress(OSError, ValueError):
            limit, taken = (int((Path("/sys/fs/cgroup") / name).read_text(encoding="ascii")) for name in (most, used))
            free.append(max(limit - taken, 0))
    return min(free, default=None)


def _watch(peak: Peak, ended: threading.Event) -> None:
    while True:
        peak.bytes = max(peak.bytes, resident_bytes())
        if ended.wait(_SAMPLES_S):
            peak.bytes = max(peak.bytes, resident_bytes())
            return
