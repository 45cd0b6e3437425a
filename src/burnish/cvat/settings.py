"""Settings of the verbs in this room; nothing heavy is loaded here, so that help is quick."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from burnish.config import Config


class PullConfig(Config):
    """What is fetched from a CVAT server, and how it is written."""

    to: str = "burnish"
    """Format to write; burnish keeps the server's numbers, so that a push updates in place."""
    media: bool = True
    """Also fetch the pictures and videos, as they were uploaded."""
    org: str | None = None
    """Short name of the organisation; by default that of the address, or the user's own workspace."""


class PushConfig(Config):
    """What is sent to a CVAT server."""

    create_labels: bool = False
    """Make labels that the project or task lacks; without it they are named and nothing is sent."""
    key: str | None = None
    """Name of this run; the same key continues and updates what it made. By default the dataset's name."""
    name: str | None = None
    """Name of a new task; by default that of the dataset's task or folder."""
    job_size: Annotated[int, Field(ge=0)] = 0
    """Frames in a job of a new task; 0 makes a single job."""
    overlap: Annotated[int, Field(ge=0)] = 0
    """Frames that neighbouring jobs of a new task share."""
    piece: Annotated[int, Field(ge=1)] = 2000
    """Objects in one request; larger tasks are sent in pieces."""
    job: bool = False
    """With findings: also make a job that holds the frames of the issues alone (a ground truth job, of which a task has one at most)."""
    overwrite: bool = False
    """Also replace what was changed on the server since it was pulled; what people drew stays even then when a model would replace it."""
    org: str | None = None
    """Short name of the organisation; by default that of the address, or the user's own workspace."""
