"""Settings of the verbs in this room; nothing heavy is loaded here, so that help is quick."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from burnish.config import Config

Codec = Literal["h264", "h265", "vp9", "av1", "mpeg4", "mjpeg", "ffv1"]


class ExtractConfig(Config):
    """Which frames are taken out, and as what."""

    step: Annotated[int, Field(ge=1)] = 1
    """Take every n-th frame."""
    every: Annotated[float, Field(gt=0)] | None = None
    """Take one frame in so many seconds, by the frames' own times; instead of step."""
    frames: tuple[str, ...] = ()
    """Take these frames: numbers from 0 and ranges such as 100-200 (both ends included); instead of step."""
    format: Literal["jpg", "png"] = "jpg"
    """jpg is quick and small; png loses nothing."""
    quality: Annotated[int, Field(ge=1, le=100)] = 90
    """JPEG quality; 90 is FFmpeg's -q:v 3."""

    @model_validator(mode="after")
    def _one_choice(self) -> Self:
        if sum((self.step != 1, self.every is not None, bool(self.frames))) > 1:
            raise ValueError("step, every and frames exclude one another; give one of them")
        return self


class CutConfig(Config):
    """Where a video is cut, and how."""

    seconds: Annotated[float, Field(gt=0)] | None = None
    """Parts of about so many seconds."""
    size: Annotated[float, Field(gt=0)] | None = None
    """Parts of at most so many bytes each."""
    at: tuple[str, ...] = ()
    """Frames with which a new part begins, numbered from 0."""
    scenes: bool = False
    """A part for each scene: cut where the picture changes all at once."""
    exact: bool = False
    """Cut at exactly these frames by encoding again; otherwise packets are copied, and cuts move back to the key frame before."""
    codec: Codec = "h264"
    """Coding of exact parts."""
    quality: Annotated[int, Field(ge=0, le=100)] = 61
    """Quality of exact parts; 61 is x264's crf 20."""
    container: Literal["mp4", "mkv", "mov", "webm", "avi", "ts"] | None = None
    """Kind of file to write; that of the video when not given."""

    @model_validator(mode="after")
    def _one_choice(self) -> Self:
        chosen = sum((self.seconds is not None, self.size is not None, bool(self.at), self.scenes))
        if chosen != 1:
            raise ValueError("give one of seconds, size, at and scenes")
        if self.exact and self.size is not None:
            raise ValueError("size goes with copied packets, for how large encoded parts become is not known before; leave exact out")
        return self


class FiltersConfig(Config):
    """What is done with every frame of every video."""

    steps: tuple[str, ...] = ()
    """Filters in order: timer, resize:512, or with settings caption:{text: draft}, beside:[flow_colours]; in YAML also as key: value."""
    step: Annotated[int, Field(ge=1)] = 1
    """Take every n-th frame."""
    codec: Codec = "h264"
    """Coding of the results."""
    quality: Annotated[int, Field(ge=0, le=100)] = 61
    """Quality of the results; 61 is x264's crf 20."""
    to: Literal["mp4", "mkv", "webm", "avi", "mov", "gif"] = "mp4"
    """Kind of file to write."""
    fps: Annotated[float, Field(gt=0)] | None = None
    """Frames in a second of the results; the frames' own times when not given."""
    seed: int = 0
    """Seed of random filters."""

    @field_validator("steps", mode="before")
    @classmethod
    def _as_texts(cls, given: Any) -> Any:
        """A mapping, as YAML files have it, is written the way the command line takes it."""
        return [_as_text(entry) for entry in given] if isinstance(given, list | tuple) else given


def _as_text(entry: Any) -> Any:
    if not isinstance(entry, dict) or len(entry) != 1:  # pyright: ignore[reportUnknownArgumentType]
        return entry  # pyright: ignore[reportUnknownVariableType]
    name, value = next(iter(entry.items()))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return f"{name}:{json.dumps(value, ensure_ascii=False)}"
