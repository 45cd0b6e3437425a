"""Plans: how often each picture comes and why; checked against their dataset, and in the forms that consumers read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from burnish.balance.sparse import row_sums, turned
from burnish.engine.files import atomic_path, write_text
from burnish.engine.fingerprint import fingerprint
from burnish.errors import DataError
from burnish.formats.plans import Plan, copies_for

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from burnish.balance.incidence import Incidence
    from burnish.data.dataset import Dataset
    from burnish.geometry.arrays import Floats, Ints

FRAMES: Final = "frames of videos or sequences, which a list of files cannot name; turn them into pictures first with burnish convert"
"""What is said of pictures that are no files of their own."""


def mark_of(incidence: Incidence) -> str:
    """A short name for the pictures and the objects on them: a dataset that has changed has another one."""
    rows = incidence.pictures.select("path", "frame").with_columns(**_class_columns(incidence)).sort("path", "frame", maintain_order=True)
    return fingerprint(*incidence.classes, rows.hash_rows(seed=0).to_numpy().tobytes())


def refuse_outdated(plan: Plan, incidence: Incidence) -> None:
    """Do nothing when a plan was made from exactly these pictures and labels.

    Raises:
        DataError: It was not; the message says what differs.
    """
    mark = plan.about.get("mark")
    if mark is None or mark == mark_of(incidence):
        return
    planned, there = (set(table.select("path", "frame").iter_rows()) for table in (plan.table, incidence.pictures))
    changes = [f"{len(there - planned):,} pictures are new", f"{len(planned - there):,} are gone"]
    told = ", ".join(changes) if planned != there else "the pictures are the same, their labels are not"
    raise DataError(f"The plan is older than its dataset: {told}. Run burnish balance again.", table="images")


def picture_list(plan: Plan, root: Path) -> str:
    """One absolute path a line, as often as the picture comes: the train.txt of YOLO.

    Raises:
        DataError: Some pictures are frames of videos or sequences, which have no path of their own.
    """
    frames = plan.table.filter(~pl.col("is_file")).height
    if frames:
        raise DataError(f"{frames:,} of the {len(plan):,} pictures are {FRAMES}.")
    repeated = plan.table["path"].gather(np.repeat(np.arange(len(plan)), plan.copies))
    return "".join(f"{(root / path).absolute()}\n" for path in repeated)


def sampler_weights(plan: Plan) -> pl.DataFrame:
    """Columns path, frame, weight: how often to draw each picture, relative to the mean."""
    copies = plan.copies.astype(np.float64)
    return plan.table.select("path", "frame", weight=pl.Series(copies / copies.mean()))


def repeated(dataset: Dataset, plan: Plan) -> Dataset:
    """The dataset with the pictures of a plan as often as they come, each repeat with new ids and the objects on it, for any format.

    Pictures that the plan does not speak of (other splits) come once. Repeats refer to the same file.

    Raises:
        DataError: The dataset lacks pictures of the plan.
    """
    copies = copies_for(plan, dataset)
    images = dataset.images
    number = images["id"].replace_strict(list(copies), list(copies.values()), default=1, return_dtype=pl.Int64).to_numpy()
    rows = np.repeat(np.arange(images.height), number)
    repeat = np.concatenate([np.arange(n) for n in number]) if len(number) else rows
    fresh = int(images["id"].max() or 0) + 1  # pyright: ignore[reportArgumentType, reportOperatorIssue] - an integer column
    old = images["id"].to_numpy()[rows]
    new = np.where(repeat == 0, old, fresh + np.cumsum(repeat > 0) - 1)
    order = pl.DataFrame({"image": old, "repeat": repeat, "new": new})
    made = images[rows.tolist()].with_columns(pl.Series("id", new))
    annotations = _repeated_annotations(dataset, order)
    attributes = dataset.attributes.join(annotations.select("old", "id"), left_on="annotation", right_on="old", how="inner")
    attributes = attributes.with_columns(annotation="id").drop("id")
    extras = dataset.extras.filter(
        ~pl.col("table").is_in(["images", "annotations"]) | pl.col("row").is_null() | _kept_row(old, annotations)
    )
    return dataset.with_tables(images=made, annotations=annotations.drop("old"), attributes=attributes, extras=extras)


def _kept_row(images: Ints, annotations: pl.DataFrame) -> pl.Expr:
    on_image = (pl.col("table") == "images") & pl.col("row").is_in(np.unique(images).tolist())
    return on_image | ((pl.col("table") == "annotations") & pl.col("row").is_in(annotations["old"].unique().implode()))


def _repeated_annotations(dataset: Dataset, order: pl.DataFrame) -> pl.DataFrame:
    """Annotations once for each repeat of their picture, with new ids on all but the first, parents following; column old keeps the id."""
    rows = dataset.annotations.join(order, on="image", how="inner", maintain_order="right_left").rename({"id": "old"})
    fresh = int(dataset.annotations["id"].max() or 0)  # pyright: ignore[reportArgumentType, reportOperatorIssue]
    later = pl.col("repeat") > 0
    rows = rows.with_columns(id=pl.when(later).then(later.cum_sum() + fresh).otherwise("old").cast(pl.Int64))
    above = rows.select("new", parent="old", above="id")
    rows = rows.join(above, on=["new", "parent"], how="left", maintain_order="left").with_columns(parent="above", image="new")
    return rows.select(*dataset.annotations.columns, "old")


def reasons(incidence: Incidence, copies: Ints, wanted: Floats) -> list[str]:
    """Why each picture comes as often as it does, in words; empty for one that comes once."""
    before = row_sums(incidence.counts) / wanted
    scarcity = before.mean() / before
    held = turned(incidence.counts)
    told = [""] * len(incidence)
    for row in np.flatnonzero(copies != 1).tolist():
        span = slice(held.indptr[row], held.indptr[row + 1])
        classes, numbers = held.indices[span], held.data[span]
        if copies[row] > 1 and len(classes):
            told[row] = _repeat_reason(incidence.classes, classes, numbers, scarcity)
        elif copies[row] == 0:
            most = incidence.classes[int(classes[np.argmax(numbers)])] if len(classes) else "nothing"
            told[row] = f"left out: mostly {most}, of which there is enough"
        else:
            told[row] = "no objects: evens out the copies"
    return told


def _repeat_reason(names: tuple[str, ...], classes: NDArray[np.int32], numbers: Floats, scarcity: Floats) -> str:
    rare = [(float(scarcity[c]), names[c], int(n)) for c, n in zip(classes.tolist(), numbers.tolist(), strict=True) if scarcity[c] > 1]
    rare.sort(key=lambda found: (-found[0] * found[2], found[1]))
    shown = ", ".join(f"{number} {name}" for _, name, number in rare[:2])
    others = int(numbers.sum()) - sum(number for _, _, number in rare)
    if not rare:
        return "evens out the copies"
    return f"shows {shown}" + (f" beside {others:,} of frequent classes" if others else " and nothing frequent")


def _class_columns(incidence: Incidence) -> dict[str, pl.Series]:
    """For each picture its classes and counts as one text."""
    held = turned(incidence.counts)
    held.sort_indices()
    pairs = pl.DataFrame({"row": np.repeat(np.arange(len(incidence)), np.diff(held.indptr)), "class": held.indices, "number": held.data})
    told = pairs.group_by("row", maintain_order=True).agg(pl.concat_str(pl.col("class"), pl.lit(":"), pl.col("number")).str.join(" "))
    texts = pl.DataFrame({"row": np.arange(len(incidence))}).join(told, on="row", how="left", maintain_order="left")
    return {"objects": texts["class"]}


def save_outputs(plan: Plan, dataset: Dataset, outputs: tuple[str, ...], folder: Path) -> list[Path]:
    """Write what consumers read: train.txt (list; not where pictures are frames of videos), weights.csv (weights), coco/ (coco)."""
    from burnish.formats.recognise import write_dataset  # noqa: PLC0415 - the formats are loaded only where one is written

    written: list[Path] = []
    if "list" in outputs and bool(plan.table["is_file"].all()):
        write_text(folder / "train.txt", picture_list(plan, dataset.root))
        written.append(folder / "train.txt")
    if "weights" in outputs:
        with atomic_path(folder / "weights.csv") as temporary:
            sampler_weights(plan).write_csv(temporary)
        written.append(folder / "weights.csv")
    if "coco" in outputs:
        # Files stay where they are; frames of videos become files, or there would be none to train on.
        media = "none" if bool(plan.table["is_file"].all()) else "copy"
        write_dataset(repeated(dataset, plan), folder / "coco", "coco", media=media, force=True)
        written.append(folder / "coco")
    return written
