"""CSV of the VGG Image Annotator (versions 1 and 2): one region a row. Its projects and exports in JSON are read too.

```
filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes
1.jpg,5120,"{}",1,0,"{""name"":""rect"",""x"":1,""y"":2,""width"":3,""height"":4}","{""class"":""cat""}"
```
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, cast

import polars as pl

from burnish.data.dataset import extra_fields
from burnish.data.findings import join_findings
from burnish.engine.files import write_text
from burnish.errors import DataError, FormatError
from burnish.formats.carrying import lost_annotations, not_carried
from burnish.formats.escapes import read_names, write_names
from burnish.formats.gathering import Gathered, add_annotation, add_attribute, add_extras, note, to_dataset
from burnish.formats.named_pictures import named_pictures
from burnish.formats.placing import HowPlaced, place_media, target_paths
from burnish.formats.reading import picture_tables
from burnish.formats.via_rows import FILE, HEADER, Row, find_file, read_rows
from burnish.formats.via_shapes import KINDS, shape_columns, shape_text, writable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from burnish.data.dataset import Dataset

NAME: Final = "via_csv"
CARRIES: Final = frozenset({*KINDS, "rotation", "attributes"})

_CLASS_KEYS: Final = ("class", "label", "name", "type", "category", "object", "defect")
_NO_CLASS: Final = "object"


def recognise(path: Path) -> bool:
    """Whether a file, or one in a folder, is a CSV with VIA's columns or VIA's JSON."""
    return find_file(path) is not None


def read(path: Path, *, names: Sequence[str] | None = None, class_key: str | None = None) -> Dataset:
    """Read a VIA export; pictures are looked for beside it, in images/, and anywhere below by name.

    Args:
        path: The CSV or JSON file, or the folder that holds it; of several, labels.csv, else a CSV.
        names: The classes in their order; else those of classes.txt beside it, else the labels in natural order.
        class_key: The region attribute that names the class; else the one that is called so (class, label, ...), else the most frequent.

    Raises:
        FormatError: There is no such file, or its columns or keys are others.
    """
    file = find_file(path)
    if file is None:
        expected = f"a CSV with the columns {', '.join(HEADER)}, or its JSON"
        raise FormatError(f"no file of the VGG Image Annotator is here; expected {expected}.", path=path)
    gathered = Gathered(NAME)
    rows = read_rows(file, gathered)
    key = class_key or _class_key(rows)
    files = list(dict.fromkeys(row.filename for row in rows))
    images = {name: number for number, name in enumerate(files, start=1)}
    for row in rows:
        if row.shape is not None:
            _gather(gathered, images[row.filename], row, key)
    kept = {row.filename: row.file_attributes for row in reversed(rows)}
    for name, image in images.items():
        add_extras(gathered, "images", image, {"file_attributes": kept[name]} if kept[name] else {})
    if key not in {None, _CLASS_KEYS[0]}:
        add_extras(gathered, "dataset", None, {"class_key": key})
    pictures = picture_tables(file.parent, named_pictures(file.parent, files))
    declared = list(names) if names is not None else read_names(file.parent / "classes.txt")
    return to_dataset(gathered, file.parent, pictures, path=file, declared=declared)


def write(dataset: Dataset, folder: Path, *, media: HowPlaced = "copy", class_key: str | None = None) -> pl.DataFrame:
    """Write labels.csv, classes.txt and the pictures below images/.

    Args:
        dataset: What to write.
        folder: The folder to fill.
        media: Whether pictures are copied, linked or left.
        class_key: The region attribute for the class; else the one that the dataset was read with, else "class".

    Returns:
        Findings on what is not carried: all but boxes, polygons of one ring, ellipses, polylines, points and attributes.
    """
    targets = target_paths(dataset, below="images")
    placed = place_media(dataset, folder, targets, media)
    key = class_key or extra_fields(dataset, NAME, "dataset").get(None, {}).get("class_key", _CLASS_KEYS[0])
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(HEADER)
    lost: list[int] = []
    for row in _written_rows(dataset, folder, targets, key, lost):
        writer.writerow(row)
    write_text(folder / FILE, stream.getvalue())
    write_names(folder / "classes.txt", dataset.class_names().values())
    unwritable = dataset.annotations.filter(pl.col("id").is_in(lost))
    reason = "VIA has no place for this shape: a turned box, several rings or points, or a corner that is missing or not finite."
    clash = dataset.annotations.filter(pl.col("id").is_in(dataset.attributes.filter(pl.col("name") == key)["annotation"].to_list()))
    return join_findings(
        placed,
        lost_annotations(unwritable, reason),
        lost_annotations(
            clash, f"Its attribute '{key}' has the name of the class's column and is not written; name another with class_key."
        ),
        not_carried(dataset, NAME, CARRIES | {"parts"}),
    )


def _class_key(rows: Sequence[Row]) -> str | None:
    counts = Counter(key for row in rows for key in row.attributes)
    by_lower = {key.lower(): key for key in reversed(counts)}
    usual = next((by_lower[key] for key in _CLASS_KEYS if key in by_lower), None)
    return usual or next((key for key, _ in counts.most_common(1)), None)


def _gather(gathered: Gathered, image: int, row: Row, key: str | None) -> None:
    where = {"path": row.filename, "position": row.place, "image": image}
    try:
        columns = shape_columns(row.shape or {})
    except (DataError, KeyError, TypeError) as error:
        shape = json.dumps(row.shape, default=float)
        note(gathered, "broken_region", f"The shape cannot be read: {error}; the region is left out.", given=shape, **where)
        return
    label, others = _label(gathered, row, key, where)
    annotation = add_annotation(gathered, image, label, columns.pop("kind"), **columns)
    for name, value in others.items():
        add_attribute(gathered, annotation, name, _attribute_text(value))


def _label(gathered: Gathered, row: Row, key: str | None, where: Mapping[str, Any]) -> tuple[str | None, dict[str, Any]]:
    """The class, and the attributes that are left; without any attribute in the whole file all regions are one class."""
    if key is None:
        return _NO_CLASS, {}
    others = {name: value for name, value in row.attributes.items() if name != key}
    value = row.attributes.get(key)
    if isinstance(value, dict):  # a checkbox: every name that is ticked
        ticked = [name for name, on in cast("dict[str, Any]", value).items() if on]
        if len(ticked) == 1:
            return ticked[0], others
    elif value is not None and value != "":
        return _attribute_text(value), others
    reason = f"The region attribute '{key}' names no single class ({_attribute_text(value)}); the region is read without a class."
    note(gathered, "no_label", reason, **where)
    return None, row.attributes


def _attribute_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=float)


def _written_rows(dataset: Dataset, folder: Path, targets: Mapping[int, str], key: str, lost: list[int]) -> Iterator[tuple[Any, ...]]:
    names = dataset.class_names()
    attributes: dict[int, dict[str, str]] = {}
    for annotation, name, value in dataset.attributes.select("annotation", "name", "value").iter_rows():
        attributes.setdefault(annotation, {})[name] = value
    for pairs in attributes.values():
        pairs.pop(key, None)
    kept = extra_fields(dataset, NAME, "images")
    parts = dataset.annotations.filter(pl.col("kind").cast(pl.String).is_in(KINDS)).partition_by("image", as_dict=True, maintain_order=True)
    for image in dataset.images["id"].to_list():
        rows = parts[image,].to_dicts() if (image,) in parts else []
        lost += [row["id"] for row in rows if not writable(row)]
        shapes = [row for row in rows if writable(row)]
        file = folder / targets[image]
        head = (targets[image], file.stat().st_size if file.is_file() else -1, _json(kept.get(image, {}).get("file_attributes", {})))
        if not shapes:
            yield (*head, 0, 0, "{}", "{}")
        for number, row in enumerate(shapes):
            label = {} if row["class"] is None else {key: names[row["class"]]}
            yield (*head, len(shapes), number, shape_text(row), _json({**attributes.get(row["id"], {}), **label}))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
