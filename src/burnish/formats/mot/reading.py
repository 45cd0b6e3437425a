"""Reading MOT: lines of comma-separated numbers as boxes on frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from burnish.data.findings import join_findings, no_findings
from burnish.data.schema import IMAGES, MEDIA, TASKS
from burnish.data.tables import from_rows
from burnish.errors import DataError, FormatError
from burnish.formats.decimals import exact, plus
from burnish.formats.gathering import Gathered, add_annotation, add_attribute, note, to_dataset
from burnish.formats.mot.layout import BENCHMARK_CLASSES, DETECTIONS, LABELS, TRUTH, find_sequences
from burnish.formats.reading import PictureTables, picture_tables, read_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal
    from pathlib import Path

    from burnish.data.dataset import Dataset
    from burnish.formats.mot.layout import Sequence

_FEWEST: Final = 6
_FLAG, _CLASS, _VISIBILITY = 6, 7, 8
_MOST_FRAMES: Final = 10_000_000


class _Line(NamedTuple):
    """One line of a file: frame and id as whole numbers, and all numbers."""

    number: int
    frame: int
    track: int
    values: list[Decimal]


def read(path: Path) -> Dataset:
    """Read a sequence, a folder of sequences, or an archive of either.

    Ids of several sequences would meet; those of later sequences are moved up, by what the first free number is.

    Raises:
        FormatError: There is no sequence, or a file is no text.
    """
    root, sequences = find_sequences(path)
    gathered = Gathered("mot")
    media: list[dict[str, Any]] = []
    images: list[dict[str, Any]] = []
    findings = [no_findings()]
    tasks: list[dict[str, Any]] = []
    names: dict[str, None] = {}
    first_track = 0
    for task, sequence in enumerate(sequences):
        home = root / sequence.folder
        truth, found = list(_lines(gathered, home / TRUTH)), list(_lines(gathered, home / DETECTIONS))
        classes = _class_names(home)
        names |= dict.fromkeys(classes)
        pictures = _pictures(root, sequence, _length(sequence, [*truth, *found], home), (task, len(media), len(images)))
        media += pictures.media.to_dicts()
        images += pictures.images.to_dicts()
        findings.append(pictures.findings)
        tasks.append({"id": task, "name": sequence.name, "stop_frame": None})
        numbers = {row["frame"] + 1: row["id"] for row in pictures.images.to_dicts()}
        last = _gather_truth(gathered, truth, numbers, classes, first_track)
        for line in found:
            _gather_detection(gathered, line, numbers)
        first_track = max(first_track, last)
    tables = PictureTables(from_rows(MEDIA, media), from_rows(IMAGES, images), join_findings(*findings))
    declared = tuple(names) if any((root / sequence.folder / LABELS).is_file() for sequence in sequences) else ()
    return to_dataset(gathered, root, tables, path=path, declared=declared).with_tables(tasks=from_rows(TASKS, tasks))


def _class_names(home: Path) -> tuple[str, ...]:
    """Names by number from 1: of labels.txt, else those of the benchmark."""
    if not (home / LABELS).is_file():
        return BENCHMARK_CLASSES
    return tuple(line.strip() for line in read_text(home / LABELS).split("\n") if line.strip())


def _lines(gathered: Gathered, path: Path) -> Iterator[_Line]:
    if not path.is_file():
        return
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            found = _line(number, line)
        except DataError as error:
            reason = f"Expected frame (from 1), id, left, top, width, height, ... between commas: {error}; the line is left out."
            note(gathered, "unreadable_line", reason, path=path.name, position=f"line {number}", given=line[:100])
            continue
        yield found


def _line(number: int, line: str) -> _Line:
    values = [exact(text) for text in line.split(",")]
    if len(values) < _FEWEST or values[0] < 1:
        raise DataError(f"{len(values)} numbers, frame {values[0]}")
    return _Line(number, int(values[0]), int(values[1]), values)


def _length(sequence: Sequence, lines: list[_Line], home: Path) -> int:
    length = max([sequence.length or 0, *sequence.pictures, *(line.frame for line in lines)], default=0)
    if length > _MOST_FRAMES:
        raise FormatError(f"frames go up to {length:,}; a sequence has {_MOST_FRAMES:,} at most.", path=home)
    return length


def _pictures(root: Path, sequence: Sequence, length: int, first: tuple[int, int, int]) -> PictureTables:
    """One row for each frame, from its picture, or from the sequence where it has none."""
    task, media, image = first
    listed = [sequence.pictures[number] for number in range(1, length + 1) if number in sequence.pictures]
    tables = picture_tables(root, listed, sizes=[sequence.size] * len(listed), check=False)
    files = dict(zip(listed, tables.media.to_dicts(), strict=True))
    rows: dict[str, dict[str, Any]] = {path: {**row, "id": media + place} for place, (path, row) in enumerate(files.items())}
    shared = {"task": task, "scene": sequence.name}
    size = {"width": sequence.size[0], "height": sequence.size[1]} if sequence.size else {}
    held = {
        "id": media + len(rows),
        "path": sequence.folder or sequence.name,
        "kind": "sequence",
        "fps": sequence.fps,
        "frame_count": length,
    }
    images: list[dict[str, Any]] = []
    for number in range(1, length + 1):
        row = rows.get(sequence.pictures.get(number, ""), held)
        own = size or {side: row[side] for side in ("width", "height") if row.get(side)}
        true_frame = number - 1 if row is held else 0
        images.append({"id": image + number - 1, "media": row["id"], "frame": number - 1, "true_frame": true_frame, **own, **shared})
    if len(listed) < length:
        rows[""] = {**held, **size}
    return PictureTables(from_rows(MEDIA, rows.values()), from_rows(IMAGES, images), tables.findings)


def _gather_truth(gathered: Gathered, lines: list[_Line], images: dict[int, int], classes: tuple[str, ...], first_track: int) -> int:
    """Add the lines of gt.txt, a view of its track each; the highest track number."""
    last = first_track
    for line in lines:
        track = None if line.track < 0 else first_track + line.track
        tracked = {} if track is None else {"track": track}
        row = add_annotation(gathered, images[line.frame], _class_name(line, classes), "box", **_box(line), **tracked)
        _add_told(gathered, row, line)
        last = max(last, track or 0)
    return last


def _class_name(line: _Line, classes: tuple[str, ...]) -> str | None:
    number = int(line.values[_CLASS]) if len(line.values) > _CLASS else -1
    # MOT15 tells places in the world there, -1 for none; its objects are pedestrians.
    if number < 1:
        return classes[0] if classes else None
    return classes[number - 1] if number <= len(classes) else str(number)


def _box(line: _Line) -> dict[str, float]:
    left, top, width, height = line.values[2:6]
    return {"x1": float(left), "y1": float(top), "x2": float(plus(left, width)), "y2": float(plus(top, height))}


def _add_told(gathered: Gathered, row: int, line: _Line) -> None:
    if len(line.values) > _FLAG and line.values[_FLAG] == 0:
        add_attribute(gathered, row, "ignored", "true")
    # 1 is what says nothing: it is written of everything whose visibility nobody told.
    if len(line.values) == _VISIBILITY + 1 and 0 <= line.values[_VISIBILITY] != 1:
        add_attribute(gathered, row, "visibility", str(line.values[_VISIBILITY]))


def _gather_detection(gathered: Gathered, line: _Line, images: dict[int, int]) -> None:
    score = {"score": float(line.values[_FLAG])} if len(line.values) > _FLAG else {}
    add_annotation(gathered, images[line.frame], None, "box", **_box(line), **score)
