"""Projects and tasks copied to another server, or to another place on the same one."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from burnish.cvat.backups import back_up, restore
from burnish.cvat.guides import read_guide, write_guide
from burnish.cvat.objects import LISTS
from burnish.cvat.pulling import read_objects
from burnish.cvat.tree import Node, labels_at, tasks_of
from burnish.engine.map import Engine
from burnish.engine.progress import Progress, silent
from burnish.errors import ServiceError

if TYPE_CHECKING:
    from pathlib import Path


def clone(node: Node, server: Node, work: Path, *, progress: Progress = silent) -> Node:
    """Copy a project or task with media, labels, objects and guide; nothing is changed where it comes from.

    Args:
        node: The project or task.
        server: The server that gets the copy; it may be the same, or another organisation on it.
        work: A folder for the backup; a copy that was interrupted goes on from there, one that is complete is found again.
        progress: Where to report.

    Returns:
        The copy.

    Raises:
        ServiceError: The copy lacks frames or objects; it is named, and nothing is deleted.
    """
    files = back_up([node], work, engine=Engine(1), progress=progress)
    (made,) = restore(server, files, engine=Engine(1), progress=progress)
    guide = read_guide(node)
    if guide is not None:
        write_guide(made, guide)
    ours, theirs = _counted(node), _counted(made)
    if ours != theirs:
        lacking = ", ".join(f"{number:,} {what}" for what, number in sorted((ours - theirs).items())) or "nothing, but it holds more"
        raise ServiceError(f"The copy {made.url} lacks of {node.url}: {lacking}. Both are left as they are.")
    return made


def _counted(node: Node) -> Counter[str]:
    """Frames, and objects by kind and label."""
    counted: Counter[str] = Counter()
    for task in tasks_of(node):
        counted["frames"] += int(task.about.get("size") or 0)
        labels = labels_at(task)
        for job in task.below:
            held = read_objects(job, labels)
            counted.update(f"{kind} '{item['label']}'" for kind, name in LISTS.items() for item in held[name])
    return counted
