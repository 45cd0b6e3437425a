"""What the server remembers: users, projects, labels, tasks, jobs and what hangs on them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

GROUND_TRUTH = "ground_truth"


@dataclass(slots=True, kw_only=True)
class User:
    """Somebody who may log in."""

    id: int
    username: str
    email: str
    password: str = field(repr=False)
    first_name: str = ""
    last_name: str = ""
    is_superuser: bool = False
    joined: datetime
    last_login: datetime | None = None
    key: str | None = field(default=None, repr=False)
    """The login key, made by the first login and gone after a logout."""


@dataclass(slots=True, kw_only=True)
class AccessToken:
    """A personal access token; its value is shown only when it is made."""

    id: int
    name: str
    value: str = field(repr=False)
    read_only: bool
    owner: User
    created: datetime
    updated: datetime
    expiry_date: str | None = None
    last_used: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Session:
    """A browser's session with its token against forged requests."""

    user: User
    csrf: str = field(repr=False)


@dataclass(slots=True, kw_only=True)
class Organization:
    """A group of users who share projects and tasks."""

    id: int
    slug: str
    name: str
    description: str = ""
    contact: dict[str, Any] = field(default_factory=dict)
    owner: User
    created: datetime
    updated: datetime


@dataclass(slots=True, kw_only=True)
class Membership:
    """A user's place in an organization; the invitation's key is None for the owner."""

    id: int
    user: User
    organization: Organization
    role: str
    joined: datetime
    invitation: str | None = None
    inviter: User | None = None


@dataclass(slots=True, kw_only=True)
class Attribute:
    """An attribute that a label's objects may carry."""

    id: int
    name: str
    mutable: bool
    input_type: str
    default_value: str
    values: list[str]


@dataclass(slots=True, kw_only=True)
class Label:
    """A label of a project or of a task; a skeleton's points are labels with a parent."""

    id: int
    name: str
    color: str
    type: str
    attributes: list[Attribute]
    sublabels: list[Label] = field(default_factory=list)
    svg: str | None = None
    parent: Label | None = field(default=None, repr=False)


@dataclass(slots=True, kw_only=True)
class Project:
    """Tasks that share labels."""

    id: int
    name: str
    owner: User
    assignee: User | None = None
    bug_tracker: str = ""
    organization: Organization | None = None
    labels: list[Label] = field(default_factory=list)
    created: datetime
    updated: datetime


@dataclass(slots=True, kw_only=True)
class Frame:
    """One picture of a task as its meta data names it."""

    name: str
    width: int
    height: int


@dataclass(slots=True, kw_only=True)
class Data:
    """The media of a task: what was uploaded and how it is cut into frames and chunks."""

    id: int
    folder: Path
    image_quality: int = 70
    chunk_size: int | None = None
    size: int = 0
    start_frame: int = 0
    stop_frame: int = 0
    frame_filter: str = ""
    sorting_method: str = "lexicographical"
    storage_method: str = "cache"
    original_chunk_type: str = "imageset"
    compressed_chunk_type: str = "imageset"
    frames: list[Frame] = field(default_factory=list)
    deleted_frames: list[int] = field(default_factory=list)
    updated: datetime
    ready: bool = False

    @property
    def step(self) -> int:
        """Source frames from one frame of the task to the next."""
        return int(self.frame_filter.partition("=")[2] or 1)

    @property
    def is_video(self) -> bool:
        """Whether the source is one video rather than pictures."""
        return self.original_chunk_type == "video"


@dataclass(slots=True, kw_only=True)
class Task:
    """Media with labels, cut into jobs."""

    id: int
    name: str
    owner: User
    assignee: User | None = None
    project: Project | None = None
    organization: Organization | None = None
    own_labels: list[Label] = field(default_factory=list)
    bug_tracker: str = ""
    subset: str = ""
    segment_size: int = 0
    overlap: int | None = None
    data: Data | None = None
    mode: str = ""
    created: datetime
    updated: datetime

    @property
    def labels(self) -> list[Label]:
        """The labels of the project where there is one, otherwise the task's own."""
        return self.project.labels if self.project else self.own_labels


@dataclass(slots=True)
class Annotations:
    """What a job holds: tags, shapes and tracks as the API spells them, every object with its id."""

    tags: list[dict[str, Any]] = field(default_factory=list)
    shapes: list[dict[str, Any]] = field(default_factory=list)
    tracks: list[dict[str, Any]] = field(default_factory=list)

    def is_empty(self) -> bool:
        """Whether nothing is annotated."""
        return not (self.tags or self.shapes or self.tracks)


@dataclass(slots=True, kw_only=True)
class Job:
    """A span of a task's frames that one person annotates, ends included."""

    id: int
    task: Task
    start_frame: int
    stop_frame: int
    type: str = "annotation"
    frames: list[int] | None = None
    """The chosen frames of a ground truth job."""
    assignee: User | None = None
    assignee_updated: datetime | None = None
    stage: str = "annotation"
    state: str = "new"
    annotations: Annotations = field(default_factory=Annotations)
    created: datetime
    updated: datetime

    @property
    def status(self) -> str:
        """The old word for the stage."""
        return "completed" if self.stage == "acceptance" else self.stage

    @property
    def frame_numbers(self) -> list[int]:
        """The frames that belong to this job."""
        return self.frames if self.frames is not None else list(range(self.start_frame, self.stop_frame + 1))


@dataclass(slots=True, kw_only=True)
class Comment:
    """A message under an issue."""

    id: int
    owner: User
    message: str
    created: datetime
    updated: datetime


@dataclass(slots=True, kw_only=True)
class Issue:
    """A complaint about a place in a frame."""

    id: int
    job: Job
    frame: int
    position: list[float]
    owner: User
    assignee: User | None = None
    resolved: bool = False
    comments: list[Comment] = field(default_factory=list)
    created: datetime
    updated: datetime


@dataclass(slots=True, kw_only=True)
class Guide:
    """The annotators' instructions of a project or a task."""

    id: int
    project: Project | None
    task: Task | None
    markdown: str
    created: datetime
    updated: datetime


@dataclass(slots=True, kw_only=True)
class Asset:
    """A picture that a guide shows."""

    uuid: str
    filename: str
    file: Path
    owner: User
    guide: Guide
    created: datetime


@dataclass(slots=True, kw_only=True)
class Webhook:
    """An address that wants to hear about changes; this server keeps it and calls nobody."""

    id: int
    owner: User
    fields: dict[str, Any]
    created: datetime
    updated: datetime
