"""What a reader gathers file by file, and the dataset that becomes of it."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from burnish.data import tables
from burnish.data.dataset import make_dataset
from burnish.data.findings import finding, findings_table, join_findings
from burnish.data.schema import ANNOTATIONS, ATTRIBUTES, CLASSES, EXTRAS
from burnish.engine.names import natural_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    import polars as pl

    from burnish.data.dataset import Dataset
    from burnish.formats.reading import PictureTables

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Gathered:
    """Rows that a reader adds to; annotations hold the class as `label` (its name or None) until all names are known."""

    form: str
    annotations: list[Row] = field(default_factory=list[Row])
    attributes: list[Row] = field(default_factory=list[Row])
    extras: list[Row] = field(default_factory=list[Row])
    findings: list[Row] = field(default_factory=list[Row])


class ClassNames(NamedTuple):
    """The names of all classes in order, the place of each label as it was written, and the labels that were not declared."""

    names: tuple[str, ...]
    places: dict[str, int]
    undeclared: tuple[str, ...]


def add_annotation(gathered: Gathered, image: int, label: str | None, kind: str, **columns: Any) -> int:
    """Add an annotation and return its id."""
    number = len(gathered.annotations) + 1
    gathered.annotations.append({"id": number, "image": image, "label": label, "kind": kind, **columns})
    return number


def add_attribute(gathered: Gathered, annotation: int, name: str, value: str) -> None:
    """Add an attribute value of an annotation."""
    gathered.attributes.append({"annotation": annotation, "name": name, "value": value})


def add_extras(gathered: Gathered, table: str, row: int | None, fields: Mapping[str, Any]) -> None:
    """Keep fields that the model does not know; none when there are none."""
    if fields:
        value = json.dumps(fields, ensure_ascii=False, default=float)  # readers that must be exact hold Decimals
        gathered.extras.append({"format": gathered.form, "table": table, "row": row, "value": value})


def note(gathered: Gathered, kind: str, reason: str, **where: Any) -> None:
    """Add a finding of the reader; `where` as in `burnish.data.findings.finding`."""
    gathered.findings.append(finding(kind, reason, **where))


def to_dataset(
    gathered: Gathered,
    root: Path,
    pictures: PictureTables,
    *,
    path: Path,
    declared: Sequence[str] = (),
    class_columns: Mapping[str, Mapping[str, Any]] | None = None,
) -> Dataset:
    """Make the dataset: class ids are places in the order of names; labels beyond the declared ones are findings.

    Args:
        gathered: What was read.
        root: The dataset's folder.
        pictures: Its pictures.
        path: The file or folder that was read.
        declared: Names of the classes in their order, when the source or the caller says; they stay also when nothing has them.
        class_columns: Further columns of the classes table by class name.
    """
    labels = Counter(row["label"] for row in gathered.annotations if row["label"] is not None)
    classes = class_names(labels, declared)
    for label in classes.undeclared if declared else ():
        reason = f"The label stands on {labels[label]} annotations and is none of the {len(declared)} declared names; it is kept."
        note(gathered, "unknown_label", reason, given=label)
    further = class_columns or {}
    class_rows = [{"id": i, "name": name, **further.get(name, {})} for i, name in enumerate(classes.names)]
    return make_dataset(
        root,
        media=pictures.media,
        images=pictures.images,
        annotations=_annotation_table([_with_class(row, classes.places) for row in gathered.annotations]),
        classes=tables.from_rows(CLASSES, class_rows),
        attributes=tables.from_rows(ATTRIBUTES, gathered.attributes),
        extras=tables.from_rows(EXTRAS, gathered.extras),
        notes=join_findings(pictures.findings, findings_table(gathered.findings)),
        origin={"format": gathered.form, "path": str(path)},
    )


def class_names(labels: Iterable[str], declared: Sequence[str] = ()) -> ClassNames:
    """Put class names in order: the declared ones, then the others in natural order.

    Labels that differ only in their Unicode normal form are one class, as when a part was typed on macOS.
    """
    names = list(dict.fromkeys(declared))
    places = {name: place for place, name in enumerate(names)}
    by_form = {unicodedata.normalize("NFC", name): place for place, name in reversed(list(enumerate(names)))}
    undeclared: list[str] = []
    for label in in_order(set(labels) - places.keys()):
        form = unicodedata.normalize("NFC", label)
        if form not in by_form:
            by_form[form] = len(names)
            names.append(label)
            undeclared.append(label)
        places[label] = by_form[form]
    return ClassNames(tuple(names), places, tuple(undeclared))


def in_order(names: Iterable[str]) -> list[str]:
    """Names in natural order, the same on every run: 1 and 01, which are the same number, in the order of their letters."""
    return sorted(sorted(names), key=natural_key)


def _annotation_table(rows: Sequence[Row]) -> pl.DataFrame:
    """The columns that some row has; the others hold their defaults anyway."""
    present = {key for row in rows for key in row}
    return tables.from_rows(tuple(c for c in ANNOTATIONS if c.required or c.name in present), rows)


def _with_class(row: Row, places: Mapping[str, int]) -> Row:
    label = row["label"]
    return {**{key: value for key, value in row.items() if key != "label"}, "class": None if label is None else places[label]}
