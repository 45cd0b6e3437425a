"""Which objects are seen on which pictures: the sparse tables that every objective is a function of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from burnish.balance.copies import made_copies
from burnish.balance.sparse import combined, table_of
from burnish.data.shown import shown
from burnish.data.statuses import LEFT_OUT, SKIPPED, without_skipped
from burnish.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from scipy.sparse import csr_array

    from burnish.data.dataset import Dataset
    from burnish.geometry.arrays import Floats, Ints

_VIEW_COLUMNS: Final = ("track", "group", "parent", "outside")


@dataclass(frozen=True, eq=False)
class Incidence:
    """Pictures, objects and classes, and who is seen where.

    Attributes:
        pictures: One row a picture: image (id), path, frame (number in its file; 0 for a file of one picture), is_file (whether the
            picture is a file of its own).
        views: One row for each object and picture that shows it: object, class (places in `classes`), picture (row). An object that is
            seen on many pictures has one number on all of them.
        classes: Names of the classes that have objects, in the dataset's order.
        superclasses: Names of their superclasses; empty where the dataset has none.
        superclass_of: (C,) place of each class's superclass in `superclasses`.
        absent: Used classes without any object here: no repetition can help them.
        skipped: How many objects of unused classes were skipped, and how many pictures a forbidden class keeps out.
        root: Where paths count from.
    """

    pictures: pl.DataFrame
    views: pl.DataFrame
    classes: tuple[str, ...]
    superclasses: tuple[str, ...]
    superclass_of: Ints
    absent: tuple[str, ...] = ()
    skipped: tuple[int, int] = (0, 0)
    root: Path | None = None

    def __len__(self) -> int:
        return self.pictures.height

    @cached_property
    def counts(self) -> csr_array:
        """(C, N) number of objects of each class on each picture."""
        shape = (len(self.classes), len(self))
        return table_of(np.ones(self.views.height), self.views["class"].to_numpy(), self.views["picture"].to_numpy(), shape)

    @cached_property
    def super_counts(self) -> csr_array:
        """(S, N) number of objects of each superclass on each picture."""
        return combined(self.membership, self.counts)

    @cached_property
    def membership(self) -> csr_array:
        """(S, C) 1 where a class belongs to a superclass."""
        size = len(self.classes)
        return table_of(np.ones(size), self.superclass_of, np.arange(size), (len(self.superclasses), size))

    @cached_property
    def alike(self) -> ObjectRows:
        """Objects with the places where they are seen; those of one class on one and the same picture share a row."""
        return _object_rows(self.views, len(self))

    @cached_property
    def sizes(self) -> Ints:
        """(C,) number of objects of each class, each counted once however often it is seen."""
        owners = self.views.select("object", "class").unique()
        return np.bincount(owners["class"].to_numpy(), minlength=len(self.classes))


@dataclass(frozen=True, slots=True, eq=False)
class ObjectRows:
    """Objects, those that no objective can tell apart as one row.

    Attributes:
        views: (M, N) where each is seen.
        class_of: (M,) class of each row.
        number: (M,) how many objects each row stands for.
    """

    views: csr_array
    class_of: Ints
    number: Floats


def incidence_of(dataset: Dataset, split: str = "train") -> Incidence:
    """Count what one split of a dataset shows.

    One object is one track, or one group of shapes, or one shape; views outside the picture and elements of skeletons do not count.
    Objects of unused classes are skipped, pictures with one of a forbidden class are left out. Copies of pictures that balancing made
    before take no part.

    Raises:
        DataError: There are no pictures, no such split, or no objects.
    """
    kept, told = without_skipped(_as_shown(dataset))
    pictures = _pictures(kept, split)
    classes = kept.scan("classes", "id", "name", "superclass").collect()
    views = _views(kept, pictures, classes)
    if views.is_empty():
        raise DataError(
            f"There is nothing to balance: the {pictures.height:,} pictures show no object of a used class.", table="annotations"
        )
    there = views["class"].unique().sort()
    named = classes[there.to_list()]
    superclasses, superclass_of = superclasses_of(named)
    place = np.full(classes.height, -1)
    place[there.to_numpy()] = np.arange(len(there))
    objects = told.filter(pl.col("kind") == SKIPPED).height
    left_out = told.filter(pl.col("kind") == LEFT_OUT)["image"].n_unique() if told.height else 0
    return Incidence(
        pictures=pictures,
        views=views.with_columns(pl.Series("class", place[views["class"].to_numpy()], dtype=pl.Int32)),
        classes=tuple(named["name"]),
        superclasses=superclasses,
        superclass_of=superclass_of,
        absent=tuple(classes.filter(~pl.int_range(pl.len()).is_in(there.cast(pl.Int64).implode()))["name"]),
        skipped=(objects, left_out),
        root=dataset.root,
    )


def joined_incidence(parts: Sequence[Incidence]) -> Incidence:
    """Several datasets as one: classes of one name are one class, pictures and objects stay apart.

    Raises:
        DataError: There is nothing to join, or a class belongs to different superclasses.
    """
    if not parts:
        raise DataError("There are no datasets to balance together; expected at least one.")
    classes = tuple(dict.fromkeys(name for part in parts for name in part.classes))
    belongs: dict[str, str | None] = {}
    for part in parts:
        for name, number in zip(part.classes, part.superclass_of.tolist(), strict=True):
            above = part.superclasses[number] if part.superclasses else None
            if belongs.setdefault(name, above) != above:
                raise DataError(f"Class '{name}' belongs to {belongs[name]!r} in one dataset and to {above!r} in another. Make them agree.")
    superclasses, superclass_of = superclasses_of(pl.DataFrame({"name": classes, "superclass": [belongs[name] for name in classes]}))
    views, objects, rows = list[pl.DataFrame](), 0, 0
    for part in parts:
        place = np.array([classes.index(name) for name in part.classes])
        moved = pl.Series("class", place[part.views["class"].to_numpy()], dtype=pl.Int32)
        views.append(part.views.with_columns(moved, pl.col("object") + objects, pl.col("picture") + rows))
        objects += int(part.views["object"].max() or 0) + 1  # pyright: ignore[reportArgumentType, reportOperatorIssue] - an integer column
        rows += len(part)
    pictures = pl.concat([_with_roots(part) for part in parts])
    absent = dict.fromkeys(name for part in parts for name in part.absent if name not in belongs)
    skipped = (sum(part.skipped[0] for part in parts), sum(part.skipped[1] for part in parts))
    return Incidence(pictures, pl.concat(views), classes, superclasses, superclass_of, tuple(absent), skipped)


def incidence_from_lists(classes: dict[str, list[list[int]]], superclasses: dict[str, set[str]], pictures: Sequence[str]) -> Incidence:
    """The tables of lists: for each class its objects, each as the numbers of the pictures that show it, which may repeat.

    Raises:
        DataError: A superclass names a class that is not there, or an object a picture that is not.
    """
    names, superclass_names = tuple(classes), tuple(superclasses)
    above = {name: place for place, members in enumerate(superclasses.values()) for name in sorted(members)}
    unknown = sorted(set(above) - set(names))
    homeless = [name for name in names if name not in above]
    if unknown or (homeless and superclasses):
        raise DataError(f"Superclasses name the classes {unknown}, which are not there; classes {homeless} belong to none.")
    rows = [(c, seen) for c, name in enumerate(names) for seen in classes[name]]
    lengths = np.array([len(seen) for _, seen in rows], dtype=np.int64)
    picture = np.array([at for _, seen in rows for at in seen], dtype=np.int64)
    if len(picture) and not 0 <= picture.min() <= picture.max() < len(pictures):
        raise DataError(f"An object is seen on picture {picture.max()}; expected numbers from 0 to {len(pictures) - 1}.")
    views = pl.DataFrame(
        {
            "object": np.repeat(np.arange(len(rows)), lengths),
            "class": np.repeat(np.array([c for c, _ in rows], dtype=np.int32), lengths),
            "picture": picture,
        }
    )
    table = picture_files(pictures)
    places = np.array([above.get(name, 0) for name in names], dtype=np.int64)
    return Incidence(table, views, names, superclass_names, places)


def picture_files(paths: Sequence[str]) -> pl.DataFrame:
    """The table of pictures that are files of their own, numbered in order; see `Incidence`."""
    frame = pl.DataFrame({"path": list(paths)}, schema={"path": pl.String})
    return frame.select(image=pl.int_range(pl.len()), path="path", frame=pl.lit(0, dtype=pl.Int64), is_file=pl.lit(value=True))


def superclasses_of(named: pl.DataFrame) -> tuple[tuple[str, ...], Ints]:
    """Names of the superclasses and the (C,) place of each class's, from columns name and superclass.

    A class without a superclass is one of its own; where no class has one there are none.
    """
    if named["superclass"].null_count() == named.height:
        return (), np.zeros(named.height, dtype=np.int64)
    above = named.select(pl.coalesce("superclass", "name"))["superclass"]
    names = tuple(above.unique(maintain_order=True))
    return names, np.array([names.index(name) for name in above], dtype=np.int64)


def _with_roots(part: Incidence) -> pl.DataFrame:
    if part.root is None:
        return part.pictures
    return part.pictures.with_columns(pl.format("{}/{}", pl.lit(str(part.root.absolute())), pl.col("path")).alias("path"))


def _as_shown(dataset: Dataset) -> Dataset:
    """What the annotation tool shows; most datasets have no tracks, jobs or deleted frames, and need not be gone through."""
    annotated = dataset.frames["annotations"].collect_schema().names()
    tasks = dataset.frames["images"].collect_schema().names()
    plain = "track" not in annotated and "parent" not in annotated and "deleted" not in tasks and dataset.jobs.is_empty()
    return dataset if plain else shown(dataset)


def _pictures(dataset: Dataset, split: str) -> pl.DataFrame:
    """The pictures of one split, or all where there are no splits, without copies that were made before."""
    rows = dataset.scan("images", "id", "split").collect()
    if rows.is_empty():
        raise DataError("The dataset has no pictures; there is nothing to balance.", table="images")
    files = dataset.image_files().select("image", "path", frame="true_frame", is_file=pl.col("kind") == "image")
    known = rows["split"].drop_nulls().unique().sort().to_list()
    if known:
        if split not in known:
            raise DataError(f"There is no split '{split}'; the dataset has {', '.join(known)}. Name one with split.", table="images")
        files = files.filter((rows["split"] == split).fill_null(value=False))
    copies = made_copies(dataset.root, files["path"])
    return files.filter(~pl.col("path").is_in(copies)) if copies else files


def _views(dataset: Dataset, pictures: pl.DataFrame, classes: pl.DataFrame) -> pl.DataFrame:
    """Columns object, class (row of `classes`), picture (row of `pictures`), once for each object and picture."""
    there = [name for name in _VIEW_COLUMNS if name in dataset.frames["annotations"].collect_schema().names()]
    rows = dataset.scan("annotations", "image", "class", *there).with_row_index("row")
    if "outside" in there:
        rows = rows.filter(~pl.col("outside"))
    if "parent" in there:
        rows = rows.filter(pl.col("parent").is_null())
    place = pictures.lazy().select("image", picture=pl.int_range(pl.len(), dtype=pl.Int32))
    number = classes.lazy().select(pl.col("id").alias("class"), place=pl.int_range(pl.len(), dtype=pl.Int32))
    joined = rows.join(place, on="image", how="inner", maintain_order="left").join(number, on="class", how="inner", maintain_order="left")
    found = joined.select("row", "picture", *there, pl.col("place").alias("class")).collect(engine="streaming").sort("row")
    if not {"track", "group"} & set(there):
        return found.select(object=pl.col("row").cast(pl.Int64), **{"class": pl.col("class"), "picture": pl.col("picture")})
    return _with_identity(
        found.with_columns(pl.lit(None, dtype=pl.Int64).alias(n) for n in {"track", "group"} - set(there)), dataset, pictures
    )


def _with_identity(found: pl.DataFrame, dataset: Dataset, pictures: pl.DataFrame) -> pl.DataFrame:
    """Number the objects: a track of a class within a task, a group of a class within a picture, else each shape by itself."""
    tasks = pictures.select("image").join(dataset.scan("images", "id", "task").collect(), left_on="image", right_on="id", how="left")
    task = pl.Series("task", tasks["task"].to_numpy(allow_copy=True)[found["picture"].to_numpy()] if found.height else [], strict=False)
    tracked, grouped = pl.col("track").is_not_null(), pl.col("group").fill_null(0) > 0
    key = (
        pl.when(tracked)
        .then(pl.struct(kind=pl.lit(0), where=pl.col("task").fill_nan(None).fill_null(-1).cast(pl.Int64), number=pl.col("track")))
        .when(grouped)
        .then(pl.struct(kind=pl.lit(1), where=pl.col("picture").cast(pl.Int64), number=pl.col("group")))
        .otherwise(pl.struct(kind=pl.lit(2), where=pl.lit(0, dtype=pl.Int64), number=pl.col("row").cast(pl.Int64)))
    )
    numbered = found.with_columns(task.cast(pl.Float64)).with_columns(object=pl.struct(key, "class").rank("dense").cast(pl.Int64) - 1)
    return numbered.select("object", "class", "picture").unique(maintain_order=True)


def _object_rows(views: pl.DataFrame, pictures: int) -> ObjectRows:
    often = views.filter(pl.col("object").is_duplicated()).sort("object", maintain_order=True)
    single = views.filter(~pl.col("object").is_duplicated()).group_by("class", "picture", maintain_order=True).len()
    named = often.select("object", "class").unique(maintain_order=True)
    place = often["object"].rank("dense").to_numpy().astype(np.int64) - 1 + single.height
    rows = np.concatenate([np.arange(single.height), place])
    columns = np.concatenate([single["picture"].to_numpy(), often["picture"].to_numpy()]).astype(np.int64)
    table = table_of(np.ones(len(rows)), rows, columns, (single.height + named.height, pictures))
    class_of = np.concatenate([single["class"].to_numpy(), named["class"].to_numpy()]).astype(np.int64)
    return ObjectRows(table, class_of, np.concatenate([single["len"].to_numpy(), np.ones(named.height)]).astype(np.float64))
