"""Every column of every table, declared once; the docs page and the checks are generated from here."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from polars._typing import PolarsDataType

SCHEMA_VERSION: Final = 1

MEDIA_KINDS: Final = ("image", "sequence", "video")
ANNOTATION_KINDS: Final = ("tag", "box", "polygon", "polyline", "points", "ellipse", "mask", "skeleton", "cuboid")
SOURCES: Final = ("manual", "semi-auto", "auto", "file", "consensus")
STATUSES: Final = ("used", "unused", "forbidden")
JOB_KINDS: Final = ("annotation", "ground_truth", "consensus_replica")

MEDIA_KIND: Final = pl.Enum(MEDIA_KINDS)
ANNOTATION_KIND: Final = pl.Enum(ANNOTATION_KINDS)
SOURCE: Final = pl.Enum(SOURCES)
STATUS: Final = pl.Enum(STATUSES)
JOB_KIND: Final = pl.Enum(JOB_KINDS)


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, Polars dtype, meaning, unit, and the value of a row that does not say otherwise."""

    name: str
    dtype: PolarsDataType
    meaning: str
    unit: str = ""
    default: Any = None
    required: bool = False


MEDIA: Final = (
    Column("id", pl.Int64, "Identity of the source within the dataset.", required=True),
    Column("path", pl.String, "Where the file lies, relative to the dataset's root, with '/' on every system.", required=True),
    Column("kind", MEDIA_KIND, "One picture, an ordered list of pictures, or a video.", default="image"),
    Column("width", pl.Int32, "Width as shown, after EXIF or video rotation.", "px"),
    Column("height", pl.Int32, "Height as shown, after EXIF or video rotation.", "px"),
    Column("fps", pl.Float64, "Frames in a second; null for pictures.", "1/s"),
    Column("frame_count", pl.Int64, "Frames in the source; null for pictures."),
    Column("hash", pl.String, "BLAKE2b of the file's bytes, 32 hexadecimal digits."),
)

TASKS: Final = (
    Column("id", pl.Int64, "Identity of the annotation task within the dataset.", required=True),
    Column("name", pl.String, "Its name.", required=True),
    Column("project", pl.String, "The project that it belongs to; null where it stands alone."),
    Column("subset", pl.String, "Train, Validation, Test or another name; null where it has none."),
    Column("start_frame", pl.Int64, "Number in the source of the task's frame 0.", default=0),
    Column("stop_frame", pl.Int64, "Last number in the source that may be taken, inclusive; null means to the end."),
    Column("step", pl.Int64, "Numbers in the source from one frame of the task to the next.", default=1),
)

JOBS: Final = (
    Column("task", pl.Int64, "The task that it is a part of.", required=True),
    Column("number", pl.Int32, "Its place in the task, from 0.", required=True),
    Column("start_frame", pl.Int64, "First frame, in the numbers of the task.", required=True),
    Column("stop_frame", pl.Int64, "Last frame, inclusive; jobs of one task may overlap.", required=True),
    Column("kind", JOB_KIND, "Annotation, or ground truth that the others are measured by.", default="annotation"),
    Column("frames", pl.List(pl.Int64), "Its frames where they are no range, as in ground truth; null means all from first to last."),
)

IMAGES: Final = (
    Column("id", pl.Int64, "Identity of the picture or frame; kept from the source format where it has one.", required=True),
    Column("media", pl.Int64, "The media row that holds the pixels.", required=True),
    Column("task", pl.Int64, "The annotation task that it is a frame of; null where there are no tasks."),
    Column("frame", pl.Int64, "Number in the annotation task, from 0.", default=0),
    Column("true_frame", pl.Int64, "Number in the source file, from 0.", default=0),
    Column("width", pl.Int32, "Width as shown.", "px"),
    Column("height", pl.Int32, "Height as shown.", "px"),
    Column("split", pl.String, "train, val, test or another name; null where the dataset is not divided."),
    Column("scene", pl.String, "Group that a split must never cut; null means the picture stands alone."),
    Column("subset", pl.String, "Part of the dataset named by its source, for instance a folder or a task."),
    Column("deleted", pl.Boolean, "Whether the task hides it; what lies on it is kept and not shown.", default=False),
    Column("hash", pl.String, "BLAKE2b of the decoded pixels, 32 hexadecimal digits."),
)

ANNOTATIONS: Final = (
    Column("id", pl.Int64, "Identity of the annotation; kept from the source format where it has one.", required=True),
    Column("image", pl.Int64, "The picture it lies on.", required=True),
    Column("class", pl.Int32, "The class; null where the source gives none.", required=True),
    Column("kind", ANNOTATION_KIND, "Its geometry; a tag labels the whole picture.", required=True),
    Column("x1", pl.Float64, "Left edge of the box around it.", "px"),
    Column("y1", pl.Float64, "Upper edge.", "px"),
    Column("x2", pl.Float64, "Right edge, half-open: width is x2 - x1.", "px"),
    Column("y2", pl.Float64, "Lower edge, half-open: height is y2 - y1.", "px"),
    Column("rotation", pl.Float64, "Turn of the box about its centre, clockwise as seen.", "degrees", default=0.0),
    Column("points", pl.List(pl.Float64), "x, y, x, y, ... of a polygon, polyline, points, skeleton, ellipse or cuboid.", "px"),
    Column("parts", pl.List(pl.Int32), "Numbers of points in each ring of a polygon with several parts; null means one."),
    Column("visibility", pl.List(pl.UInt8), "Of each skeleton point: 0 not labelled, 1 hidden, 2 visible."),
    Column("mask", pl.Binary, "Mask of the whole picture in COCO's compressed run-length code."),
    Column("score", pl.Float64, "Confidence of a prediction; null for what people drew."),
    Column("source", SOURCE, "How it came to be."),
    Column("produced_by", pl.String, "The model or tool that produced it."),
    Column("jobs", pl.List(pl.Int32), "Numbers of the task's jobs that hold it; null where it belongs to none."),
    Column("track", pl.Int64, "The object it is a view of; null where it is not tracked."),
    Column("keyframe", pl.Boolean, "Whether a track's view was set here rather than interpolated."),
    Column("outside", pl.Boolean, "Whether a tracked object has left the picture.", default=False),
    Column("occluded", pl.Boolean, "Whether something covers it partly.", default=False),
    Column("crowd", pl.Boolean, "Whether it stands for many objects at once (COCO's iscrowd).", default=False),
    Column("z_order", pl.Int32, "Drawing order, larger on top.", default=0),
    Column("group", pl.Int64, "Shapes of one picture with the same number form one object; 0 means none.", default=0),
    Column("parent", pl.Int64, "The annotation it is an element of, for instance a skeleton."),
)

CLASSES: Final = (
    Column("id", pl.Int32, "Identity of the class; kept from the source format where it has one.", required=True),
    Column("name", pl.String, "Its name, unique within the dataset.", required=True),
    Column("superclass", pl.String, "The class of classes that it belongs to."),
    Column("colour", pl.String, "#rrggbb; null lets the palette choose, the same for ever."),
    Column("status", STATUS, "used, unused (its objects are skipped) or forbidden (its pictures are skipped).", default="used"),
    Column("priority", pl.Int32, "Painting order in index masks, larger on top.", default=0),
    Column("attributes", pl.String, "JSON list of the attributes that its objects may carry."),
    Column("skeleton", pl.String, "JSON of a skeleton's point names and edges."),
)

ATTRIBUTES: Final = (
    Column("annotation", pl.Int64, "The annotation that carries it.", required=True),
    Column("name", pl.String, "Name of the attribute.", required=True),
    Column("value", pl.String, "Its value as text.", required=True),
    Column("mutable", pl.Boolean, "Whether it may change along a track.", default=False),
)

EXTRAS: Final = (
    Column("format", pl.String, "The format that carried it, for instance coco.", required=True),
    Column("table", pl.String, "The table it belongs to, or dataset.", required=True),
    Column("row", pl.Int64, "The id of the row it belongs to; null for the dataset as a whole."),
    Column("value", pl.String, "JSON object of the fields that the model does not know.", required=True),
)

FINDINGS: Final = (
    Column("kind", pl.String, "What was found, for instance label, near_duplicate or box_outside.", required=True),
    Column("score", pl.Float64, "Suspicion in [0, 1], 1 means surely wrong.", required=True),
    Column("is_issue", pl.Boolean, "Whether it counts as an issue at the cut-off of its kind.", required=True),
    Column("reason", pl.String, "What was seen, in plain words with its numbers.", required=True),
    Column("given", pl.String, "What the dataset says now."),
    Column("suggestion", pl.String, "What it should probably say instead."),
    Column("path", pl.String, "The file concerned, relative to the dataset's root."),
    Column("position", pl.String, "Line, row or key in that file."),
    Column("image", pl.Int64, "The picture concerned."),
    Column("annotation", pl.Int64, "The annotation concerned."),
    Column("group", pl.Int64, "Findings with the same number belong together, for instance copies of one picture."),
)

TABLES: Final[Mapping[str, tuple[Column, ...]]] = MappingProxyType(
    {
        "media": MEDIA,
        "tasks": TASKS,
        "jobs": JOBS,
        "images": IMAGES,
        "annotations": ANNOTATIONS,
        "classes": CLASSES,
        "attributes": ATTRIBUTES,
        "extras": EXTRAS,
    }
)
"""The tables of a dataset; findings are a derived table of their own (`FINDINGS`)."""


def dtypes(columns: tuple[Column, ...]) -> dict[str, PolarsDataType]:
    """Name and dtype of each column, in order."""
    return {column.name: column.dtype for column in columns}


def column(table: str, name: str) -> Column:
    """The declaration of one column of one table."""
    return next(column for column in TABLES[table] if column.name == name)


def empty(columns: tuple[Column, ...]) -> pl.DataFrame:
    """A table with no rows and all the columns."""
    return pl.DataFrame(schema=dtypes(columns))
