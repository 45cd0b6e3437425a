"""Where the files of a sequence lie, and what seqinfo.ini says."""

from __future__ import annotations

import configparser
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from burnish.engine.archives import is_zip, member_names, unpacked
from burnish.errors import FormatError
from burnish.formats.reading import list_pictures, read_text, walk_some

if TYPE_CHECKING:
    from collections.abc import Mapping

TRUTH: Final = "gt/gt.txt"
LABELS: Final = "gt/labels.txt"
DETECTIONS: Final = "det/det.txt"
INFO: Final = "seqinfo.ini"
PICTURES: Final = "img1"

BENCHMARK_CLASSES: Final = (
    *("pedestrian", "person on vehicle", "car", "bicycle", "motorbike", "non motorized vehicle", "static person"),
    *("distractor", "occluder", "occluder on the ground", "occluder full", "reflection", "crowd"),
)
"""Classes of MOT16, MOT17 and MOT20 by their numbers from 1."""


@dataclass(frozen=True, slots=True)
class Sequence:
    """One sequence.

    Attributes:
        folder: Where it lies, relative to the dataset's folder; empty for the folder itself.
        name: As seqinfo.ini says, else the folder's.
        pictures: File of each frame, by the frame's number from 1, relative to the dataset's folder.
        length: Number of frames, where it is told.
        size: Width and height, where they are told.
        fps: Frames in a second, where it is told.
    """

    folder: str
    name: str
    pictures: Mapping[int, str]
    length: int | None
    size: tuple[int, int] | None
    fps: float | None


def recognise(path: Path) -> bool:
    """Whether a folder or archive holds gt/gt.txt or det/det.txt."""
    if path.is_file():
        return is_zip(path) and _in_archive(path)
    return any(entry.name in {"gt", "det"} and entry.is_dir() and (entry / f"{entry.name}.txt").is_file() for entry in walk_some(path))


def _in_archive(path: Path) -> bool:
    try:
        return any(name in {TRUTH, DETECTIONS} or name.endswith(("/" + TRUTH, "/" + DETECTIONS)) for name in member_names(path))
    except FormatError:
        return False


def find_sequences(path: Path) -> tuple[Path, list[Sequence]]:
    """The folder that paths are relative to, and the sequences in it.

    Raises:
        FormatError: There is none.
    """
    root = unpacked(path) if path.is_file() else path
    homes = {file.parent.parent for name in (TRUTH, DETECTIONS) for file in root.rglob(name)}
    found = [_sequence(root, home) for home in sorted(homes)]
    if not found:
        raise FormatError(f"there is no {TRUTH} and no {DETECTIONS} here.", path=path)
    return root, found


def _sequence(root: Path, home: Path) -> Sequence:
    told = _info(home / INFO)
    below = home.relative_to(root).as_posix()
    folder = "" if below == "." else below
    pictures = home / (told.get("imdir") or PICTURES)
    names = list_pictures(pictures) if pictures.is_dir() and pictures.is_relative_to(home) else []
    numbers = [int(PurePosixPath(name).stem) if PurePosixPath(name).stem.isdecimal() else 0 for name in names]
    numbered = dict(zip(numbers, names, strict=True)) if names and min(numbers) > 0 else dict(enumerate(names, start=1))
    length = _number(told, "seqlength", home)
    width, height = _number(told, "imwidth", home), _number(told, "imheight", home)
    return Sequence(
        folder=folder,
        name=told.get("name") or home.resolve().name,
        pictures={number: (pictures / name).relative_to(root).as_posix() for number, name in sorted(numbered.items())},
        length=None if length is None else int(length),
        size=(int(width), int(height)) if width and height else None,
        fps=_number(told, "framerate", home),
    )


def _info(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(read_text(path))
    except configparser.Error as error:
        raise FormatError(f"this is no ini file: {error}.", path=path) from error
    return dict(parser["Sequence"]) if parser.has_section("Sequence") else {}


def _number(told: Mapping[str, str], name: str, home: Path) -> float | None:
    if not told.get(name):
        return None
    try:
        return float(told[name])
    except ValueError as error:
        raise FormatError(f"{name} is '{told[name]}'; expected a number.", path=home / INFO) from error
