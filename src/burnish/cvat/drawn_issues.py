"""Frames with issues as pictures: the place that is meant, and what people wrote."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image, ImageDraw

from burnish.cvat.issues import issues_of
from burnish.engine.files import atomic_path
from burnish.engine.progress import Progress, silent
from burnish.media.captions import Caption, draw_captions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from burnish.cvat.tree import Node
    from burnish.media.colours import Colour

_OPEN: Final[Colour] = (214, 39, 40)
_RESOLVED: Final[Colour] = (44, 160, 44)
_TEXT: Final = 14
_CORNERS: Final = 4


def frame_picture(node: Node, frame: int, *, original: bool = True) -> Image.Image:
    """One frame of a task or job, in the numbers of the task.

    Args:
        node: The task or job.
        frame: Its number.
        original: As it was uploaded, rather than compressed.
    """
    quality = "original" if original else "compressed"
    found = node.connection.request("GET", f"{node.path}/data", query={"type": "frame", "number": frame, "quality": quality})
    return Image.open(BytesIO(found.content)).convert("RGB")


def draw_issues(node: Node, folder: Path, *, progress: Progress = silent) -> list[Path]:
    """Draw each frame of a task or job that has issues: open ones red, resolved ones green, with their comments.

    Returns:
        The pictures, `frame_000012.png` and so on.

    Raises:
        DataError: The node is a server or a project, or the disk is full.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    parts = issues_of(node).sort("frame", "id").partition_by("frame", maintain_order=True)
    with progress.task("frames with issues", len(parts)) as advance:
        for part in parts:
            issues = part.to_dicts()
            path = folder / f"frame_{issues[0]['frame']:06d}.png"
            with atomic_path(path) as temporary:
                _drawn(frame_picture(node, issues[0]["frame"]), issues).save(temporary, "PNG")
            written.append(path)
            advance(1)
    return written


def _drawn(picture: Image.Image, issues: Sequence[Mapping[str, Any]]) -> Image.Image:
    pen = ImageDraw.Draw(picture)
    captions: list[Caption] = []
    for issue in issues:
        colour, points = _RESOLVED if issue["resolved"] else _OPEN, issue["position"]
        xs, ys = points[::2], points[1::2]
        box = (min(xs), min(ys), max(xs), max(ys))
        if len(points) == _CORNERS:
            pen.rectangle(box, outline=colour, width=2)
        elif len(points) > _CORNERS:
            pen.polygon(list(zip(xs, ys, strict=True)), outline=colour, width=2)
        captions.append(Caption(_said(issue), colour, box))
    pixels = np.array(picture)
    draw_captions(pixels, captions, _TEXT)
    return Image.fromarray(pixels)


def _said(issue: Mapping[str, Any]) -> str:
    first = issue["comments"][0].splitlines()[0] if issue["comments"] else "issue"
    more = len(issue["comments"]) - 1
    return first + (f" (+{more})" if more > 0 else "")
