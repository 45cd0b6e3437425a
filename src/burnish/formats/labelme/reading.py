"""Reading LabelMe's JSON files, and giving its XML files to their own reader."""

from __future__ import annotations

import base64
import json
import shutil
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias, cast
from xml.etree.ElementTree import Element

from burnish.engine.files import write_bytes
from burnish.errors import DataError, FormatError
from burnish.formats.escapes import read_names, refuse_half_characters
from burnish.formats.gathering import Gathered, add_annotation, add_attribute, add_extras, note, to_dataset
from burnish.formats.labelme.layout import find_files, list_all, picture_of, root_of, split_of
from burnish.formats.labelme.shapes import shape_columns, usual_type
from burnish.formats.labelme.web_tool import gather_xml
from burnish.formats.reading import picture_tables, read_text
from burnish.formats.xml_text import child_text, parse_xml
from burnish.media.images import UnreadableImage, probe_image

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from burnish.data.dataset import Dataset

LABELS: Final = "labels.txt"
_NOT_CLASSES: Final = frozenset({"__ignore__", "_background_"})
_Size: TypeAlias = "tuple[int, int] | None"
_KNOWN_TOP: Final = frozenset({"version", "flags", "shapes", "imagePath", "imageData", "imageHeight", "imageWidth"})
_KNOWN_SHAPE: Final = frozenset({"label", "points", "group_id", "shape_type", "flags", "mask", "score", "attributes"})


class _File(NamedTuple):
    """One file that could be read: JSON fields or an XML element, the picture it names, and the size it says."""

    path: str
    content: dict[str, Any] | Element
    told: str
    size: _Size


def read(path: Path, *, names: Sequence[str] | None = None, extract: Path | str | None = None) -> Dataset:
    """Read LabelMe files.

    Args:
        path: A folder, at any depth of which the files lie, or one file.
        names: The classes in their order; else those of labels.txt, else the labels in natural order.
        extract: A folder that all pictures are put into, those inside the JSON files too; it becomes the dataset's root.

    Raises:
        FormatError: No file can be read.
    """
    root = root_of(path)
    gathered = Gathered("labelme")
    found = find_files(path, root)
    files = [file for name in found if (file := _load(root, name, gathered)) is not None]
    if not files:
        first = f" {gathered.findings[0]['path']}: {gathered.findings[0]['reason']}" if gathered.findings else ""
        raise FormatError(f"none of {len(found)} files can be read as LabelMe's.{first}", path=path)
    there = list_all(root)
    pictures = [picture_of(file.path, file.told, there) for file in files]
    sizes = [file.size or _measured(root / picture) for file, picture in zip(files, pictures, strict=True)]
    for image, (file, picture, size) in enumerate(zip(files, pictures, sizes, strict=True), start=1):
        if isinstance(file.content, dict):
            _note_embedded(gathered, image, file, there=picture in there.paths or extract is not None)
            _gather(gathered, image, file, size)
        else:
            gather_xml(gathered, root, image, file.path, file.content)
    declared = list(names) if names is not None else [name for name in read_names(root / LABELS) if name not in _NOT_CLASSES]
    if extract is not None:
        pictures = [_put(Path(extract), root, file, picture) for file, picture in zip(files, pictures, strict=True)]
    splits = [split_of(file.path) if isinstance(file.content, Element) else (None, None) for file in files]
    columns = {"split": [split for split, _ in splits], "subset": [subset for _, subset in splits]}
    tables = picture_tables(root if extract is None else Path(extract), pictures, sizes=[file.size for file in files], columns=columns)
    return to_dataset(gathered, root if extract is None else Path(extract), tables, path=path, declared=declared)


def _load(root: Path, name: str, gathered: Gathered) -> _File | None:
    try:
        return _xml_file(root, name) if name.lower().endswith(".xml") else _json_file(root, name)
    except (FormatError, ValueError, TypeError, KeyError) as error:
        reason = str(error).removeprefix(f"{root / name}: ")
        note(gathered, "broken_file", f"The file cannot be read: {reason}.".replace("..", "."), path=name)
        return None


def _json_file(root: Path, name: str) -> _File:
    text = read_text(root / name)
    content = json.loads(text, parse_float=Decimal)
    refuse_half_characters(text, content)
    if not isinstance(content, dict) or not isinstance(content.get("shapes"), list):
        raise ValueError('expected a JSON object with a list of "shapes"')  # noqa: TRY004 - gathered with the other complaints
    fields = cast("dict[str, Any]", content)
    width, height = fields.get("imageWidth"), fields.get("imageHeight")
    size = (width, height) if isinstance(width, int) and isinstance(height, int) and min(width, height) > 0 else None
    return _File(name, fields, str(fields.get("imagePath") or ""), size)


def _xml_file(root: Path, name: str) -> _File:
    element = parse_xml(root / name)
    rows, columns = child_text(element, "imagesize/nrows"), child_text(element, "imagesize/ncols")
    size = (int(columns), int(rows)) if rows.isdecimal() and columns.isdecimal() and int(rows) and int(columns) else None
    return _File(name, element, child_text(element, "filename"), size)


def _measured(path: Path) -> _Size:
    try:
        info = probe_image(path)
    except UnreadableImage:
        return None  # told where the tables are made
    return info.width, info.height


def _note_embedded(gathered: Gathered, image: int, file: _File, *, there: bool) -> None:
    if not there and isinstance(file.content, dict) and file.content.get("imageData"):
        reason = "The picture is only inside the JSON file; read with extract=FOLDER to take it out."
        note(gathered, "embedded_picture", reason, path=file.path, image=image)


def _gather(gathered: Gathered, image: int, file: _File, size: _Size) -> None:
    fields = cast("dict[str, Any]", file.content)
    flags = cast("dict[str, Any]", fields.get("flags") or {})
    for name in (name for name, on in flags.items() if on is True):
        add_annotation(gathered, image, name, "tag")
    kept: dict[str, Any] = {key: value for key, value in fields.items() if key not in _KNOWN_TOP}
    off = {name: value for name, value in flags.items() if value is not True}
    broken: list[Any] = []
    groups = _group_numbers(fields["shapes"])
    for number, shape in enumerate(fields["shapes"], start=1):
        where = {"path": file.path, "position": f"shape {number}", "image": image}
        if not _gather_shape(gathered, shape, size, groups, where):
            broken.append(shape)
    add_extras(gathered, "images", image, {**kept, **({"flags": off} if off else {}), **({"shapes": broken} if broken else {})})


def _group_numbers(shapes: Sequence[Any]) -> dict[int, int]:
    """Group 0 is a group there and none here: it gets the next free number."""
    ids = {s["group_id"] for s in shapes if isinstance(s, dict) and isinstance(s.get("group_id"), int)}
    return {**{i: i for i in ids}, 0: max(ids, default=0) + 1}


def _gather_shape(gathered: Gathered, shape: Any, size: _Size, groups: Mapping[int, int], where: Mapping[str, Any]) -> bool:
    """Add a shape; False where it cannot be read, so that it is kept as it is."""
    try:
        columns = shape_columns(shape, size)
    except (DataError, KeyError, TypeError, ValueError, AttributeError) as error:
        note(gathered, "broken_shape", f"The shape cannot be read ({error}); it is kept as it stands.", **where)
        return False
    label, group, score = shape.get("label"), shape.get("group_id"), shape.get("score")
    form, usual = shape.get("shape_type") or "polygon", usual_type(columns)
    if isinstance(group, int) and not isinstance(group, bool):
        columns["group"] = groups[group]
    if isinstance(score, int | Decimal):
        columns["score"] = float(score)
    annotation = add_annotation(gathered, where["image"], _label_text(label), columns.pop("kind"), **columns)
    if not isinstance(label, str) or not label:
        note(gathered, "label_type", f"The label is {label!r} and not a name.", given=str(label), annotation=annotation, **where)
    for key in ("flags", "attributes"):
        for name, value in cast("dict[str, Any]", shape.get(key) or {}).items():
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=float)
            add_attribute(gathered, annotation, name, text)
    kept = {key: value for key, value in shape.items() if key not in _KNOWN_SHAPE and value is not None and value != ""}
    odd_group = {"group_id": group} if group is not None and columns.get("group") != group else {}
    add_extras(gathered, "annotations", annotation, {**kept, **odd_group, **({"shape_type": form} if form != usual else {})})
    return True


def _label_text(label: Any) -> str | None:
    if label is None or label == "":
        return None
    return label if isinstance(label, str) else json.dumps(label, default=float)


def _put(folder: Path, root: Path, file: _File, picture: str) -> str:
    """Put a picture into the folder: the file where there is one, else what the JSON file holds; nothing is overwritten."""
    inner = picture if not picture.startswith(("../", "/")) else PurePosixPath(picture).name
    target = folder / inner
    if target.exists():
        return inner
    if (root / picture).is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / picture, target)
    elif isinstance(file.content, dict) and file.content.get("imageData"):
        write_bytes(target, base64.b64decode(file.content["imageData"]))
    return inner
