"""Settings of loaders. No torch here: a config is checked at once."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from burnish.config import Config
from burnish.media.shared.budget import Budget


class CacheConfig(Config):
    """Where decoded pictures are kept, and how much they may take."""

    keep: Literal["auto", "raw", "packed", "none"] = "auto"
    """`raw` maps pixels into memory, `packed` keeps JPEG of the training's size, `none` decodes every time; `auto` takes the first of these
    for which there is room."""

    disk_gb: Annotated[float, Field(ge=0)] | None = None
    """GB on the disk, of all caches of the folder together; nothing given takes what is free but for 5 % of the disk and 1 GiB. Where that
    is too little, caches that no training uses are removed, the least recently used first."""

    memory_gb: Annotated[float, Field(ge=0)] | None = None
    """GB of memory above which pixels are packed rather than mapped; nothing given takes what is available."""

    @property
    def budget(self) -> Budget:
        """In bytes."""
        return Budget(_bytes(self.disk_gb), _bytes(self.memory_gb), self.keep)


class LoaderConfig(Config):
    """How batches are prepared."""

    workers: Annotated[int, Field(ge=0)] = 2
    """How many prepare batches ahead, at most one for each core of this training's share; 0 prepares each batch when it is asked for."""

    trials: Annotated[int, Field(ge=1)] = 1
    """Trainings that run on this machine at one time and share its cores, ranks of one training included."""

    kind: Literal["threads", "processes"] = "threads"
    """Threads suit decoding and OpenCV, which free the interpreter; processes suit augmentations written in Python."""


def _bytes(gigabytes: float | None) -> int | None:
    return None if gigabytes is None else int(gigabytes * 1e9)
