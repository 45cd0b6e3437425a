"""Where a YOLO dataset keeps its pictures, labels and class names: data.yaml, Darknet's obj.data, or bare folders."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import yaml

from burnish.data.findings import finding
from burnish.errors import FormatError
from burnish.formats.reading import is_picture, list_files, list_pictures, normal_path, read_text, walk_some

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PICTURE_FOLDERS: Final = frozenset({"images", "imgs", "jpegimages"})
LABEL_FOLDERS: Final = ("labels", "labelTxt", "Annotations", "annotations")
SPLITS: Final = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}

_MASK_FOLDERS: Final = frozenset({"masks", "mask", "instances"})
_NOT_SPLITS: Final = frozenset(
    {"path", "names", "nc", "download", "kpt_shape", "flip_idx", "kpt_names", "task", "burnish", "roboflow", "backup"}
)
_NAME_FILES: Final = ("classes.txt", "obj.names", "classes.names", "labels.names", "names.txt", "data/obj.names")
_NOT_LABELS: Final = frozenset({"classes.txt", "names.txt", "train.txt", "val.txt", "valid.txt", "test.txt", "readme.txt", "license.txt"})


class Layout(NamedTuple):
    """A YOLO dataset on disk.

    Attributes:
        root: Its folder.
        pictures: Path of each picture relative to the root, in order, with its split or None.
        labels: Label file of each picture, relative to the root, or None.
        orphans: Label files that no picture has.
        settings: What data.yaml says.
        names: Class names by index.
        findings: What is missing.
    """

    root: Path
    pictures: dict[str, str | None]
    labels: dict[str, str | None]
    orphans: list[str]
    settings: Mapping[str, Any]
    names: dict[int, str]
    findings: list[dict[str, Any]]


def recognise(path: Path) -> bool:
    """Whether a file is a data.yaml, or a folder has one, or label files of numbers beside its pictures."""
    if path.is_file():
        return path.suffix.lower() in {".yaml", ".yml"} and _is_settings(_settings_or_nothing(path))
    if any(_is_settings(_settings_or_nothing(file)) for file in _yaml_files(path)) or (path / "obj.data").is_file():
        return True
    entries = list(walk_some(path))
    texts = [e for e in entries if e.suffix.lower() == ".txt" and e.name.lower() not in _NOT_LABELS]
    return any(is_picture(e) for e in _deeper(path, entries)) and any(_holds_rows(text) for text in texts[:10])


def find_layout(path: Path) -> Layout:
    """Look at a data.yaml, or at a folder.

    Raises:
        FormatError: There is no picture, or data.yaml cannot be read.
    """
    root, settings, findings = _settings(path)
    base = _base(root, settings)
    pictures: dict[str, str | None] = {}
    for split, entry in _entries(settings):
        for name in _pictures_of(root, base, entry, split, findings):
            if pictures.setdefault(name, split) != split:
                findings.append(
                    finding("split_overlap", f"The picture is in {pictures[name]} and in {split}; it stays in the first.", path=name)
                )
    for name in _pictures_in(root):
        pictures.setdefault(name, _split_of(name) if not pictures or not settings else None)
    if not pictures:
        raise FormatError("There are no pictures here, nor where data.yaml says.", path=path)
    if isinstance(own := settings.get("burnish"), dict) and own.get("undivided"):
        pictures = dict.fromkeys(pictures)
    texts = set(list_files(root, frozenset({".txt"})))
    labels = {name: next((c for c in _label_paths(name) if c in texts), None) for name in pictures}
    names = _names(root, settings, findings)
    return Layout(root, pictures, labels, _orphans(root, texts, labels), settings, names, findings)


def _pictures_in(root: Path) -> list[str]:
    """The pictures that lie in a dataset, without the masks beside them."""
    return [name for name in list_pictures(root) if not _MASK_FOLDERS.intersection(PurePosixPath(name.lower()).parts[:-1])]


def _settings(path: Path) -> tuple[Path, dict[str, Any], list[dict[str, Any]]]:
    if path.is_file():
        return path.parent, _load(path), []
    files = [file for file in _yaml_files(path) if _is_settings(_settings_or_nothing(file))]
    if len(files) > 1:
        listed = ", ".join(file.name for file in files)
        raise FormatError(f"There are several data files: {listed}. Name the one to read.", path=path)
    if files:
        return path, _load(files[0]), []
    return path, _darknet(path), []


def _yaml_files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in {".yaml", ".yml"} and p.is_file())


def _settings_or_nothing(path: Path) -> dict[str, Any]:
    try:
        return _load(path)
    except FormatError:
        return {}


def _load(path: Path) -> dict[str, Any]:
    try:
        value = yaml.safe_load(read_text(path))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise FormatError(f"The YAML cannot be read: {error}.", path=path, position=mark.line + 1 if mark else None) from error
    return value if isinstance(value, dict) else {}


def _is_settings(value: Mapping[str, Any]) -> bool:
    return isinstance(value.get("names"), list | dict) and any(key in value for key in ("train", "val", "test", "path", "nc"))


def _darknet(folder: Path) -> dict[str, Any]:
    """Darknet's obj.data: lines of `key = value`; CVAT lists each subset under its own name (`Train = data/Train.txt`)."""
    file = folder / "obj.data"
    if not file.is_file():
        return {}
    cut = (line.partition("=") for line in read_text(file).splitlines() if "=" in line)
    pairs = {key.strip(): value.strip() for key, _, value in cut}
    return {key: value for key, value in pairs.items() if key == "names" or (key not in _NOT_SPLITS and value.endswith(".txt"))}


def _base(root: Path, settings: Mapping[str, Any]) -> Path:
    """The folder that data.yaml's entries begin at; an absolute path of another machine does not count."""
    told = settings.get("path")
    base = root / str(told) if told else root
    return base if base.is_dir() and base.resolve().is_relative_to(root.resolve()) else root


def _entries(settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in settings.items():
        if key in _NOT_SPLITS or not isinstance(value, str | list):
            continue
        for entry in value if isinstance(value, list) else [value]:
            if isinstance(entry, str):
                yield SPLITS.get(key.lower(), key), entry


def _pictures_of(root: Path, base: Path, entry: str, split: str, findings: list[dict[str, Any]]) -> list[str]:
    place = next((p for p in _places(root, base, entry) if p.exists()), None)
    if place is None:
        findings.append(finding("missing_folder", f"{split} should be in '{entry}', and nothing is there.", path=entry))
        return []
    if place.is_dir():
        below = place.resolve().relative_to(root.resolve()).as_posix() if place.resolve().is_relative_to(root.resolve()) else str(place)
        prefix = "" if below == "." else below + "/"
        return [prefix + name for name in list_pictures(place)]
    lines = (line.strip() for line in read_text(place).splitlines())
    return [_listed(root, base, line) for line in lines if line]


def _places(root: Path, base: Path, entry: str) -> Iterator[Path]:
    """Where an entry may lie: as said; without the '../' of Roboflow, or the 'data/' of Darknet; with the split's other spelling."""
    plain = re.sub(r"^(\.\.?/)+", "", entry.replace("\\", "/"))
    for text in (entry, plain, plain.removeprefix("data/"), plain.replace("valid", "val", 1), re.sub(r"\bval\b", "valid", plain, count=1)):
        place = base / text
        if place.resolve().is_relative_to(root.resolve()):
            yield place
    yield base / entry


def _listed(root: Path, base: Path, line: str) -> str:
    for place in _places(root, base, line):
        if place.is_file() and place.resolve().is_relative_to(root.resolve()):
            return place.resolve().relative_to(root.resolve()).as_posix()
    return normal_path(line if (base / "data").is_dir() else line.removeprefix("data/"), root)


def _split_of(name: str) -> str | None:
    """A folder named as a split, where nothing else tells."""
    return next((SPLITS[part.lower()] for part in Path(name).parts[:-1] if part.lower() in SPLITS), None)


def _label_paths(name: str) -> Iterator[str]:
    """images/train/a.jpg has labels/train/a.txt, or a.txt beside it."""
    parts = name.split("/")
    stem = re.sub(r"\.[^.]*$", "", parts[-1]) + ".txt"
    for at in reversed(range(len(parts) - 1)):
        if parts[at].lower() in PICTURE_FOLDERS:
            for folder in LABEL_FOLDERS:
                yield "/".join([*parts[:at], folder, *parts[at + 1 : -1], stem])
    yield "/".join([*parts[:-1], stem])


def _orphans(root: Path, texts: set[str], labels: Mapping[str, str | None]) -> list[str]:
    """Texts in the folders of labels that belong to no picture and look like labels."""
    used = {label for label in labels.values() if label is not None}
    folders = {label.rpartition("/")[0] for label in used}
    left = [t for t in texts - used if t.rpartition("/")[0] in folders or set(t.split("/")[:-1]) & set(LABEL_FOLDERS)]
    return sorted(t for t in left if t.rpartition("/")[2].lower() not in _NOT_LABELS and _holds_rows(root / t, or_nothing=True))


def _holds_rows(path: Path, *, or_nothing: bool = False) -> bool:
    try:
        with path.open("rb") as stream:
            line = stream.readline(4096).removeprefix(b"\xef\xbb\xbf").split()
    except OSError:
        return False
    if not line:
        return or_nothing
    numbers = [re.fullmatch(rb"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|nan", token) is not None for token in line]
    return len(line) >= 3 and numbers[0] and sum(numbers) >= min(len(line), 5)  # noqa: PLR2004 - a short row is a row still; DOTA's rows name the class


def _deeper(path: Path, entries: list[Path]) -> list[Path]:
    """The entries, and a few of each folder that holds pictures by its name: many labels must not hide them."""
    folders = [e for e in entries if e.is_dir() and e.name.lower() in PICTURE_FOLDERS]
    return [*entries, *(entry for folder in folders for entry in walk_some(folder, 20))] or [path]


def _names(root: Path, settings: Mapping[str, Any], findings: list[dict[str, Any]]) -> dict[int, str]:
    told = settings.get("names")
    if isinstance(told, dict):
        return {int(key): str(name) for key, name in told.items() if re.fullmatch(r"\d+", str(key))}
    if isinstance(told, list):
        return {number: str(name) for number, name in enumerate(told)}
    files = [str(told).removeprefix("data/")] if isinstance(told, str) else []
    for name in (*files, *_NAME_FILES):
        if (root / name).is_file():
            lines = read_text(root / name).rstrip("\n").split("\n")
            return {number: line.strip() for number, line in enumerate(lines)}
    findings.append(
        finding(
            "no_names", "No file names the classes (data.yaml, classes.txt, obj.names): they are named by their number.", is_issue=False
        )
    )
    return {}
