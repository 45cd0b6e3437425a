"""`labels.jsonl`: one picture a line, `{"image": path from this file, "label": class name, ...}`.

An image's id is its line's number, so that a decision about a picture finds its way back into the file (`rewrite_labels`).
`group` becomes the scene, `split` the split; all other fields are kept. A list as label is several tags, null is none.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from burnish.data.dataset import extra_fields
from burnish.data.findings import join_findings
from burnish.engine.files import atomic_path, write_text
from burnish.errors import DataError, FormatError
from burnish.formats.carrying import not_carried
from burnish.formats.escapes import read_names, refuse_half_characters, write_names
from burnish.formats.gathering import Gathered, add_annotation, add_extras, note, to_dataset
from burnish.formats.placing import HowPlaced, place_media, target_paths
from burnish.formats.reading import picture_tables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import polars as pl

    from burnish.data.dataset import Dataset

NAME: Final = "jsonl"
CARRIES: Final = frozenset({"tag", "split", "scene"})

_FILE: Final = "labels.jsonl"
_BOM: Final = b"\xef\xbb\xbf"
_OWN: Final = ("image", "label")
_COLUMNS: Final = {"group": "scene", "split": "split"}
_SNIFFED_BYTES: Final = 65536


class _Line(NamedTuple):
    number: int
    image: str
    fields: dict[str, Any]


def recognise(path: Path) -> bool:
    """Whether a folder holds labels.jsonl, or a file's first line is an object with an image."""
    file = path / _FILE if path.is_dir() else path
    if not file.is_file() or file.suffix.lower() not in {".jsonl", ".ndjson"}:
        return False
    with file.open("rb") as stream:
        lines = stream.read(_SNIFFED_BYTES).removeprefix(_BOM).splitlines()
    return path.is_dir() or any('"image"' in line.decode("utf-8", "replace") for line in lines[:10])


def read(path: Path, *, names: Sequence[str] | None = None) -> Dataset:
    """Read a labels file, or the labels.jsonl of a folder.

    Args:
        path: The file, or its folder.
        names: The classes in their order; else those of classes.txt beside the file, else the labels in natural order.

    Raises:
        FormatError: There is no such file, it is no UTF-8 text, or no line of it can be read.
    """
    file = path / _FILE if path.is_dir() else path
    gathered = Gathered(NAME)
    lines = _read_lines(file, gathered)
    for line in lines:
        _gather(gathered, line)
    columns = {column: [_text_or_none(line.fields.get(key)) for line in lines] for key, column in _COLUMNS.items()}
    pictures = picture_tables(file.parent, [line.image for line in lines], ids=[line.number for line in lines], columns=columns)
    declared = list(names) if names is not None else read_names(file.parent / "classes.txt")
    return to_dataset(gathered, file.parent, pictures, path=file, declared=declared)


def write(dataset: Dataset, folder: Path, *, media: HowPlaced = "copy") -> pl.DataFrame:
    """Write labels.jsonl, classes.txt and the pictures below images/.

    Returns:
        Findings on what is not carried: everything but tags, splits, scenes and the fields that such a file came with.
    """
    targets = target_paths(dataset, below="images")
    placed = place_media(dataset, folder, targets, media)
    labels = _labels_by_image(dataset)
    extras = extra_fields(dataset, NAME, "images")
    rows = dataset.images.select("id", "scene", "split").iter_rows()
    texts = [_line_text(targets[i], labels.get(i, []), {"group": scene, "split": split}, extras.get(i, {})) for i, scene, split in rows]
    write_text(folder / _FILE, "".join(text + "\n" for text in texts))
    write_names(folder / "classes.txt", dataset.class_names().values())
    return join_findings(placed, not_carried(dataset, NAME, CARRIES))


def rewrite_labels(source: Path, target: Path, changes: Mapping[int, str | None]) -> None:
    """Write a copy of a labels file with some labels changed; all else stays byte for byte, also marks, blanks and line ends.

    Args:
        source: The labels file.
        target: Where to write; appears whole or not at all.
        changes: Line number, from 1 (which is the image's id) -> the new label, or None for no label.

    Raises:
        DataError: A line is not there or is no object with an image, or source and target are the same file.
    """
    if target.exists() and target.samefile(source):
        raise DataError(f"{source} is the source and is not overwritten; name another target.")
    lines = source.read_bytes().splitlines(keepends=True)
    missing = sorted(number for number in changes if not 1 <= number <= len(lines))
    if missing:
        raise DataError(f"{source} has {len(lines)} lines, and labels of lines {missing[:10]} are to be changed.", rows=missing)
    for number, label in changes.items():
        lines[number - 1] = _relabelled(lines[number - 1], label, source, number)
    with atomic_path(target) as temporary:
        temporary.write_bytes(b"".join(lines))


def _read_lines(file: Path, gathered: Gathered) -> list[_Line]:
    """The lines that can be read; each other one is a finding, and blank ones are skipped."""
    raw = _raw_lines(file)
    lines: list[_Line] = []
    for number, text in raw:
        try:
            lines.append(_parsed(number, text))
        except ValueError as error:
            note(gathered, "broken_line", f"The line cannot be read: {error}.", path=file.name, position=f"line {number}")
    if raw and not lines:
        first = gathered.findings[0]
        raise FormatError(
            f"none of its {len(raw)} lines can be read; {first['position']}: {first['reason']} "
            'Expected lines such as {"image": "images/1.jpg", "label": "cat"}.',
            path=file,
        )
    if not raw:
        note(gathered, "empty_file", "The file holds no lines, so the dataset is empty.", path=file.name)
    return lines


def _raw_lines(file: Path) -> list[tuple[int, bytes]]:
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise FormatError(f"The file cannot be read: {error.strerror}. Expected {_FILE}.", path=file) from error
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise FormatError("The file is UTF-16 text; save it as UTF-8.", path=file)
    lines = raw.removeprefix(_BOM).splitlines()
    return [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]


def _parsed(number: int, raw: bytes) -> _Line:
    """Parse one line.

    Raises:
        ValueError: It is no UTF-8 or JSON (both errors are ValueErrors), no object, or names no image.
    """
    text = raw.decode("utf-8")
    value = json.loads(text)
    refuse_half_characters(text, value)
    if not isinstance(value, dict):
        raise ValueError(f"it is a JSON {type(value).__name__}, not an object")  # noqa: TRY004 - all complaints of a line are gathered as one
    fields = cast("dict[str, Any]", value)
    image = fields.get("image")
    if not isinstance(image, str) or not image.strip():
        raise ValueError(f'its "image" is {json.dumps(image)}, not a path')
    return _Line(number, image, fields)


def _gather(gathered: Gathered, line: _Line) -> None:
    fields = line.fields
    where = {"path": line.image, "position": f"line {line.number}", "image": line.number}
    if "label" not in fields:
        note(gathered, "no_label", 'The line has no "label"; the picture is read as unlabelled.', **where)
    label = fields.get("label")
    tags = _tags(label)
    for tag in tags or []:
        add_annotation(gathered, line.number, tag, "tag")
    if label is not None and (tags is None or not isinstance(label, str)):
        _note_label(gathered, json.dumps(label, ensure_ascii=False), tags, several=isinstance(label, list), where=where)
    kept = {key: value for key, value in fields.items() if key not in _OWN and not (key in _COLUMNS and isinstance(value, str))}
    add_extras(gathered, "images", line.number, {**kept, "label": label} if tags is None else kept)


def _tags(label: Any) -> list[str] | None:
    """The class names that a label stands for; None where it stands for none."""
    if label is None:
        return []
    if isinstance(label, list):
        several = [_tags(part) for part in label if not isinstance(part, list)]
        named = [part[0] for part in several if part]
        return named if named and len(named) == len(label) else None
    if isinstance(label, str):
        return [label] if label.strip() else None
    return [json.dumps(label)] if isinstance(label, int | float) else None


def _note_label(gathered: Gathered, given: str, tags: list[str] | None, *, several: bool, where: Mapping[str, Any]) -> None:
    if tags is None:
        note(
            gathered,
            "label_type",
            f"The label is {given} and no class name; it is kept, and the picture is unlabelled.",
            given=given,
            **where,
        )
    elif several:
        note(gathered, "several_labels", f"The picture has {len(tags)} labels, one tag each.", is_issue=False, given=given, **where)
    else:
        note(gathered, "label_type", f"The label is {given} and not a text; it is read as '{tags[0]}'.", given=given, **where)


def _text_or_none(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _labels_by_image(dataset: Dataset) -> dict[int, list[str | None]]:
    names: dict[int | None, str | None] = {None: None, **dataset.class_names()}
    labels: dict[int, list[str | None]] = {}
    for image, number, kind in dataset.scan("annotations", "image", "class", "kind").collect().iter_rows():
        if kind == "tag":
            labels.setdefault(image, []).append(names[number])
    return labels


def _line_text(image: str, labels: list[str | None], columns: Mapping[str, str | None], extras: Mapping[str, Any]) -> str:
    """One line; a group that was a number is written as that number again."""
    label: Any = labels if len(labels) > 1 else labels[0] if labels else extras.get("label")
    told = {key: value for key, value in columns.items() if value is not None and _text_or_none(extras.get(key)) != value}
    rest = {key: value for key, value in extras.items() if key != "label" and key not in told}
    return json.dumps({"image": image, "label": label, **told, **rest}, ensure_ascii=False)


def _relabelled(raw: bytes, label: str | None, source: Path, number: int) -> bytes:
    mark = _BOM if number == 1 and raw.startswith(_BOM) else b""
    try:
        text = raw.removeprefix(mark).decode("utf-8")
        spans = _value_spans(text)
        after_image = spans["image"][1]
    except (ValueError, KeyError, IndexError) as error:
        raise DataError(f"{source}, line {number}: the line is no object with an image, so it has no label to change.") from error
    if "label" in spans:
        start, end = spans["label"]
        return mark + (text[:start] + _label_text(label, text, text[start:end]) + text[end:]).encode("utf-8")
    added = f', "label": {_label_text(label, text, "")}'
    return mark + (text[:after_image] + added + text[after_image:]).encode("utf-8")


def _label_text(label: str | None, line: str, old: str) -> str:
    """A label as the line would have it: escaped where the line escapes, and a bare number where a number stood."""
    if label is not None and _is_number(old) and _is_number(label):
        return label
    return json.dumps(label, ensure_ascii=line.isascii() and "\\u" in line)


def _is_number(text: str) -> bool:
    try:
        value = json.loads(text)
    except ValueError:
        return False
    return isinstance(value, int | float) and not isinstance(value, bool)


def _value_spans(text: str) -> dict[str, tuple[int, int]]:
    """Where the value of each key of an object begins and ends; of a key that stands twice the last counts, as in every JSON reader.

    Raises:
        ValueError: The text is no JSON object.
        IndexError: It ends too early.
    """
    decoder = json.JSONDecoder()
    spans: dict[str, tuple[int, int]] = {}
    at = _next(text, 0)
    if text[at] != "{":
        raise ValueError(text[at])
    while text[at] != "}":
        key_at = _next(text, at + 1)
        if text[key_at] == "}":
            break
        key, colon = decoder.raw_decode(text, key_at)
        start = _next(text, _next(text, colon) + 1)
        _, end = decoder.raw_decode(text, start)
        spans[key] = (start, end)
        at = _next(text, end)
    return spans


def _next(text: str, at: int) -> int:
    """The place of the next character that is not blank."""
    while text[at] in " \t\r\n":
        at += 1
    return at
