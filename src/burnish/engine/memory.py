"""How much memory there is, and how much a process may still take, which in a container is less than the machine has."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_GROUPS: Final = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory.stat"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
        "/sys/fs/cgroup/memory/memory.stat",
    ),
)


def available_memory() -> int:
    """Bytes that can be taken now without pushing anybody out; files that the kernel merely remembers count as available."""
    return min(_of_the_machine(), *(_of_the_group(*files) for files in _GROUPS))


def total_memory() -> int:
    """Bytes of the machine, or of the container where it has less."""
    limits = [int(told) for limit, _, _ in _GROUPS if (told := _text(limit).strip()).isdigit()]
    return min(_whole(), *limits) if limits else _whole()


def _of_the_machine() -> int:
    for line in _text("/proc/meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return _whole()


def _whole() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _of_the_group(limit: str, usage: str, stat: str) -> int:
    """What the container's limit leaves; more than any machine has where there is no limit."""
    allowed, taken = _text(limit).strip(), _text(usage).strip()
    if not (allowed.isdigit() and taken.isdigit()):
        return 2**63
    remembered = sum(int(line.split()[1]) for line in _text(stat).splitlines() if line.startswith("inactive_file "))
    return max(int(allowed) - int(taken) + remembered, 0)


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii")
    except OSError:
        return ""
