"""A dataset: a root folder and a few tables, in memory or on disk; only the columns that are asked for are read."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import polars as pl

from burnish.data import tables
from burnish.data.findings import no_findings
from burnish.data.labels import Labels, labels_from_rows
from burnish.data.schema import TABLES, column, empty
from burnish.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Pictures and what is known about them.

    Paths in `media` are relative to `root`. `notes` are the findings of the reader that made the dataset: what the source held
    and could not be read as it stood. `origin` names the file or folder and the format that it was read from.
    """

    root: Path
    frames: Mapping[str, pl.LazyFrame]
    notes: pl.DataFrame = field(default_factory=no_findings)
    origin: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    _kept: dict[str, pl.DataFrame] = field(default_factory=dict[str, pl.DataFrame], repr=False)

    @property
    def media(self) -> pl.DataFrame:
        """The sources, one row each."""
        return self.table("media")

    @property
    def tasks(self) -> pl.DataFrame:
        """The annotation tasks that the pictures are frames of, one row each; none where the source knows no tasks."""
        return self.table("tasks")

    @property
    def jobs(self) -> pl.DataFrame:
        """The jobs that tasks are divided into, one row each."""
        return self.table("jobs")

    @property
    def images(self) -> pl.DataFrame:
        """The pictures and video frames, one row each."""
        return self.table("images")

    @property
    def annotations(self) -> pl.DataFrame:
        """Everything that was labelled, one row each; class labels of whole pictures are of kind tag."""
        return self.table("annotations")

    @property
    def classes(self) -> pl.DataFrame:
        """The classes, one row each."""
        return self.table("classes")

    @property
    def attributes(self) -> pl.DataFrame:
        """Attribute values of annotations."""
        return self.table("attributes")

    @property
    def extras(self) -> pl.DataFrame:
        """What a format carried and the model does not know."""
        return self.table("extras")

    def table(self, name: str) -> pl.DataFrame:
        """One table with all of its declared columns, read once and kept."""
        if name not in self._kept:
            self._kept[name] = self.scan(name).collect()
        return self._kept[name]

    def scan(self, name: str, *columns: str) -> pl.LazyFrame:
        """Some columns of one table (all, when none is named), not yet read.

        Raises:
            DataError: There is no such table or column.
        """
        declared = TABLES.get(name)
        if declared is None:
            raise DataError(f"There is no table '{name}'; a dataset has {', '.join(TABLES)}.")
        wanted = columns or tuple(c.name for c in declared)
        unknown = [c for c in wanted if c not in {d.name for d in declared}]
        if unknown:
            raise DataError(f"Table '{name}' has no column {unknown}; it has {', '.join(c.name for c in declared)}.", table=name)
        frame = self.frames[name]
        return tables.complete(declared, frame, frame.collect_schema().names(), wanted)

    def with_tables(self, **changed: pl.DataFrame) -> Dataset:
        """The same dataset with some tables replaced, each made to follow its declared columns."""
        fresh = {name: tables.conform(TABLES[name], frame) for name, frame in changed.items()}
        frames = {**self.frames, **{name: frame.lazy() for name, frame in fresh.items()}}
        return replace(self, frames=MappingProxyType(frames), _kept={**self._kept, **fresh})

    def with_notes(self, notes: pl.DataFrame) -> Dataset:
        """The same dataset with other reader's findings."""
        return replace(self, notes=notes)

    def class_names(self) -> dict[int, str]:
        """Name of each class id."""
        return dict(self.classes.select("id", "name").iter_rows())

    def image_files(self) -> pl.DataFrame:
        """Columns image, path (relative to the root), kind, true_frame: where the pixels are, in the order of `images`."""
        media = self.scan("media", "id", "path", "kind").rename({"id": "media"})
        images = self.scan("images", "id", "media", "true_frame").rename({"id": "image"})
        joined = images.join(media, on="media", how="left", maintain_order="left")
        return joined.select("image", "path", "kind", "true_frame").collect()

    def labels(self, image: int) -> Labels:
        """One picture's annotations as arrays.

        Raises:
            DataError: There is no such picture.
        """
        size = self.scan("images", "id", "width", "height").filter(pl.col("id") == image).collect()
        if size.is_empty():
            raise DataError(f"There is no picture {image}; the dataset has {len(self)}.", table="images")
        rows = self.scan("annotations").filter(pl.col("image") == image).collect()
        return labels_from_rows(image, (size["width"][0], size["height"][0]), rows)

    def iter_labels(self) -> Iterator[Labels]:
        """Every picture's annotations as arrays, in the order of `images`; one pass over the tables."""
        parts = self.annotations.partition_by("image", as_dict=True, maintain_order=True)
        nothing = empty(TABLES["annotations"])
        for image, width, height in self.scan("images", "id", "width", "height").collect().iter_rows():
            yield labels_from_rows(image, (width, height), parts.get((image,), nothing))

    def counts(self) -> dict[str, int]:
        """Number of rows of each table."""
        return {name: self._count(name) for name in TABLES}

    def _count(self, name: str) -> int:
        kept = self._kept.get(name)
        return int(self.frames[name].select(pl.len()).collect().item()) if kept is None else kept.height

    def __len__(self) -> int:
        return self._count("images")

    def __bool__(self) -> bool:
        return True

    def __str__(self) -> str:
        counts = self.counts()
        kinds = self.scan("annotations", "kind").group_by("kind").len().sort("len", descending=True).collect()
        held = ", ".join(f"{number:,} {kind}" for kind, number in kinds.iter_rows()) or "no annotations"
        tracks = self.scan("annotations", "track").select(pl.col("track").drop_nulls().n_unique()).collect().item()
        along = f" ({tracks:,} tracks)" if tracks else ""
        return (
            f"Dataset of {counts['images']:,} pictures in {self.origin.get('path', self.root)}: {held}{along}; {counts['classes']} classes"
        )

    __repr__ = __str__


def make_dataset(
    root: Path | str,
    *,
    media: pl.DataFrame,
    images: pl.DataFrame,
    annotations: pl.DataFrame | None = None,
    classes: pl.DataFrame | None = None,
    attributes: pl.DataFrame | None = None,
    extras: pl.DataFrame | None = None,
    tasks: pl.DataFrame | None = None,
    jobs: pl.DataFrame | None = None,
    notes: pl.DataFrame | None = None,
    origin: Mapping[str, Any] | None = None,
) -> Dataset:
    """Build a dataset from tables that may lack columns; each is made to follow its declared columns.

    Raises:
        DataError: A table has an unknown column, lacks a required one, or holds values of another type.
    """
    given = {
        "media": media,
        "tasks": tasks,
        "jobs": jobs,
        "images": images,
        "annotations": annotations,
        "classes": classes,
        "attributes": attributes,
        "extras": extras,
    }
    held = {name: empty(TABLES[name]) if frame is None else tables.conform(TABLES[name], frame) for name, frame in given.items()}
    return Dataset(
        root=Path(root),
        frames=MappingProxyType({name: frame.lazy() for name, frame in held.items()}),
        notes=no_findings() if notes is None else notes,
        origin=MappingProxyType(dict(origin or {})),
        _kept=held,
    )


def same_content(left: Dataset, right: Dataset) -> bool:
    """Whether two datasets hold equal tables, row for row; where they lie and came from does not matter."""
    return all(left.table(name).equals(right.table(name), null_equal=True) for name in TABLES)


def extra_fields(dataset: Dataset, form: str, table: str) -> dict[int | None, dict[str, Any]]:
    """What one format left beside one table: row id -> fields."""
    rows = dataset.extras.filter((pl.col("format") == form) & (pl.col("table") == table))
    return {row: json.loads(value) for row, value in rows.select("row", "value").iter_rows()}


def default_of(table: str, name: str) -> Any:
    """The value that a row has when its source says nothing of the column."""
    return column(table, name).default
