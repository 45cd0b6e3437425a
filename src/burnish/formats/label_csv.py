"""A table of labels as CSV: a row for each label of a picture, or a row for each picture with its classes as columns of 0 and 1.

```
image,label,split            filename,cat,dog            filename,class,xmin,ymin,xmax,ymax
1.jpg,cat,train              1.jpg,1,0                   1.jpg,cat,12,8,96,60
```

Several tables of one dataset, train.csv and val.csv or train/_classes.csv and valid/_classes.csv, are its splits.
"""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import polars as pl

from burnish.data.findings import join_findings
from burnish.engine.files import write_text
from burnish.errors import FormatError
from burnish.formats.carrying import lost_annotations, not_carried
from burnish.formats.csv_columns import BOX, LABEL, PICTURE, SCENE, SPLIT, is_yes
from burnish.formats.csv_tables import FILE, Row, Table, find_tables, has_pictures
from burnish.formats.escapes import read_names, write_names
from burnish.formats.gathering import Gathered, add_annotation, add_extras, note, to_dataset
from burnish.formats.named_pictures import named_pictures
from burnish.formats.placing import HowPlaced, place_media, target_paths
from burnish.formats.reading import list_pictures, picture_tables
from burnish.formats.splits import split_named

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from burnish.data.dataset import Dataset

NAME: Final = "csv"
CARRIES: Final = frozenset({"tag", "box", "split", "scene"})

_BETWEEN: Final = re.compile(r"\s*[;|,]\s*")


class _About(NamedTuple):
    """What a row says of its picture beside the labels."""

    split: str | None
    scene: str | None


def recognise(path: Path) -> bool:
    """Whether a path is a table that says which picture has which label, or holds one, and its first pictures are there."""
    try:
        return any(has_pictures(table) for table in find_tables(path, Gathered(NAME)))
    except FormatError:
        return False


def read(path: Path, *, names: Sequence[str] | None = None) -> Dataset:
    """Read a table of labels; pictures are looked for beside it, in images/, and anywhere below by name.

    Args:
        path: The file, or the folder that holds it or, in folders named as splits, several.
        names: The classes in their order; else those of classes.txt, else of the columns, else the labels in natural order.

    Raises:
        FormatError: There is no such table.
    """
    root = path if path.is_dir() else path.parent
    gathered = Gathered(NAME)
    tables = find_tables(path, gathered)
    if not tables:
        expected = "a column that names pictures (image, filename, ...) and one of labels (label, class, ...) or classes of 0 and 1"
        raise FormatError(f"no table of labels is here; expected a .csv with {expected}.", path=path)
    images: dict[str, int] = {}
    listed: dict[str, _About] = {}
    tagged: set[tuple[int, str]] = set()
    for table in tables:
        for row, picture in zip(table.rows, _paths(root, table), strict=True):
            image, about = images.setdefault(picture, len(images) + 1), _about(table, row)
            tags = _gather(gathered, table, row, image, picture)
            _tag(gathered, image, tags, tagged)
            if picture not in listed:
                add_extras(gathered, "images", image, {name: row.cells[name] for name in table.others if row.cells[name]})
            elif about != listed[picture]:
                told = f"Another row puts it into split {listed[picture].split} and scene {listed[picture].scene}; that one counts."
                note(gathered, "several_splits", told, path=picture, position=f"line {row.line}", image=image, given=about.split)
            listed.setdefault(picture, about)
    _refuse_shares(gathered, path)
    _tell_unlisted(gathered, root, images)
    columns = {"split": [about.split for about in listed.values()], "scene": [about.scene for about in listed.values()]}
    declared = list(names) if names is not None else read_names(root / "classes.txt")
    classes = list(dict.fromkeys(name for table in tables for name in table.columns.classes))
    return to_dataset(gathered, root, picture_tables(root, list(images), columns=columns), path=path, declared=declared or classes)


def write(dataset: Dataset, folder: Path, *, media: HowPlaced = "copy") -> pl.DataFrame:
    """Write labels.csv with a row for each label, classes.txt and the pictures below images/.

    Returns:
        Findings on what is not carried: everything but tags, upright boxes, splits and scenes.
    """
    targets = target_paths(dataset, below="images")
    placed = place_media(dataset, folder, targets, media)
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    boxed = dataset.annotations.filter(_writable() & (pl.col("kind").cast(pl.String) == "box"))
    writer.writerow((PICTURE, LABEL, *(BOX if boxed.height else ()), SPLIT, SCENE))
    writer.writerows(_written(dataset, targets, boxes=bool(boxed.height)))
    write_text(folder / FILE, stream.getvalue())
    write_names(folder / "classes.txt", dataset.class_names().values())
    kinds = pl.col("kind").cast(pl.String).is_in(["tag", "box"])
    lost = dataset.annotations.filter(kinds & ~_writable())
    reason = "A table of labels has no place for it: it has no class, or its box is turned or lacks a corner."
    return join_findings(placed, lost_annotations(lost, reason), not_carried(dataset, NAME, CARRIES | {"rotation"}))


def _paths(root: Path, table: Table) -> list[str]:
    """The picture of each row, relative to the dataset's folder."""
    here = table.file.parent
    found = named_pictures(here, [row.cells[table.columns.picture].strip() for row in table.rows])
    return found if here == root else [f"{here.relative_to(root).as_posix()}/{path}" for path in found]


def _about(table: Table, row: Row) -> _About:
    own = row.cells[table.columns.split].strip() if table.columns.split else ""
    scene = row.cells[table.columns.scene].strip() if table.columns.scene else ""
    return _About(split_named(own) or own or table.split, scene or None)


def _refuse_shares(gathered: Gathered, path: Path) -> None:
    """Boxes in shares of the picture would all lie in its first pixel."""
    far = [max(row["x2"], row["y2"]) for row in gathered.annotations if row["kind"] == "box"]
    if far and max(far) <= 1:
        raise FormatError("no side of a box is beyond 1, so they are shares of the picture; expected pixels.", path=path)


def _tell_unlisted(gathered: Gathered, root: Path, images: Mapping[str, int]) -> None:
    """One finding for all pictures without a row: those of a part for which labels are kept back may be thousands."""
    unlisted = sorted({*list_pictures(root)} - images.keys())
    if unlisted:
        reason = f"{len(unlisted):,} pictures stand in no row and are left out, the first is {unlisted[0]}."
        note(gathered, "unlisted_pictures", reason, is_issue=False)


def _gather(gathered: Gathered, table: Table, row: Row, image: int, picture: str) -> list[str]:
    """Add the box of a row, or return the classes of the whole picture."""
    columns = table.columns
    if columns.label is None:
        return [name for name in columns.classes if is_yes(row.cells[name])]
    cell = row.cells[columns.label]
    labels = [part for part in _BETWEEN.split(cell.strip()) if part] if columns.several else [cell] if cell.strip() else []
    sides = [row.cells[side].strip() for side in columns.box or ()]
    if not any(sides):
        return labels
    where = {"path": picture, "position": f"line {row.line}", "image": image}
    try:
        corners = dict(zip(("x1", "y1", "x2", "y2"), map(float, sides), strict=True))
    except ValueError:
        note(gathered, "broken_region", "A side of the box is no number; it is left out.", given=", ".join(sides), **where)
        return []
    if not labels:
        note(gathered, "no_label", "The box has no class.", **where)
    add_annotation(gathered, image, labels[0] if labels else None, "box", **corners)
    return []


def _tag(gathered: Gathered, image: int, labels: Sequence[str], tagged: set[tuple[int, str]]) -> None:
    """Add tags, each class once a picture however often the tables say it."""
    for label in labels:
        if (image, label) not in tagged:
            tagged.add((image, label))
            add_annotation(gathered, image, label, "tag")


def _writable() -> pl.Expr:
    corners = pl.all_horizontal(pl.col(side).is_finite().fill_null(value=False) for side in ("x1", "y1", "x2", "y2"))
    kind = pl.col("kind").cast(pl.String)
    return pl.col("class").is_not_null() & ((kind == "tag") | ((kind == "box") & corners & (pl.col("rotation").fill_null(0.0) == 0)))


def _written(dataset: Dataset, targets: Mapping[int, str], *, boxes: bool) -> Iterator[tuple[Any, ...]]:
    """One row a label, and one without a label for each picture that has none."""
    names = dataset.class_names()
    parts = dataset.annotations.filter(_writable()).partition_by("image", as_dict=True, maintain_order=True)
    for image, split, scene in dataset.images.select("id", "split", "scene").iter_rows():
        about = (split or "", scene or "")
        rows = parts[image,].to_dicts() if (image,) in parts else []
        for row in rows:
            corners = [repr(row[side]) if row["kind"] == "box" else "" for side in ("x1", "y1", "x2", "y2")] if boxes else []
            yield (targets[image], names[row["class"]], *corners, *about)
        if not rows:
            yield (targets[image], "", *([""] * 4 if boxes else []), *about)
