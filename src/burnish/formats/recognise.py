"""Opening a dataset of any known format, recognised by what it holds, and writing one in the format asked for."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, cast

from burnish.data.findings import join_findings, no_findings
from burnish.data.shown import shown
from burnish.data.statuses import without_skipped
from burnish.engine.archives import is_zip, packed_folder, unpacked
from burnish.engine.files import atomic_folder
from burnish.engine.progress import Progress, silent
from burnish.errors import DataError, FormatError
from burnish.formats.reading import walk_some
from burnish.formats.sampling import made_samples
from burnish.formats.unread import find_unread, unread_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from burnish.data.dataset import Dataset
    from burnish.data.samples import Sampling
    from burnish.engine.map import Engine
    from burnish.formats.placing import HowPlaced


class Format(NamedTuple):
    """One format: its module, what it is in one line, what a folder needs to be taken for it, and how sure that is.

    `rank` 0 settles it, 1 is annotation files that name themselves, 2 is a mere layout of folders, tried in order.
    `keeps` tells that objects of unused and pictures with forbidden classes are written too, `zipped` that a target NAME.zip becomes an
    archive.
    """

    module: str
    summary: str
    needs: str
    rank: int = 1
    keeps: bool = False
    zipped: bool = False


class FormatModule(Protocol):
    """What each format's module offers; `write` is missing where a format is only read."""

    NAME: str

    def recognise(self, path: Path) -> bool:
        """Whether a file or folder is of this format, from a few entries or the first bytes."""
        ...

    def read(self, path: Path, **options: Any) -> Dataset:
        """Read it; what cannot be read is in the notes."""
        ...

    def write(self, dataset: Dataset, folder: Path, *, media: HowPlaced = "copy", **options: Any) -> pl.DataFrame:
        """Write into a folder that is empty or not there; findings tell what the format cannot carry."""
        ...


FORMATS: Final[dict[str, Format]] = {
    "burnish": Format("burnish.formats.versioned", "burnish's own tables and versions.", "manifest.json and versions/", rank=0, keeps=True),
    "jsonl": Format("burnish.formats.jsonl", "One label a picture, one JSON object a line.", "labels.jsonl"),
    "cvat": Format(
        "burnish.formats.cvat.backup",
        "Backups of CVAT's tasks and projects.",
        "task.json or project.json, also in a .zip",
        keeps=True,
        zipped=True,
    ),
    "cvat_xml": Format(
        "burnish.formats.cvat.xml",
        "CVAT XML 1.1, for images and for video.",
        "a .xml with <annotations> at the top, also in a .zip",
        keeps=True,
        zipped=True,
    ),
    "yolo": Format("burnish.formats.yolo", "YOLO text labels.", "data.yaml, or images/ and labels/*.txt"),
    "coco": Format("burnish.formats.coco", "COCO JSON.", "a .json with images, annotations and categories"),
    "voc": Format("burnish.formats.voc", "Pascal VOC.", "Annotations/*.xml with <annotation> at the top"),
    "labelme": Format("burnish.formats.labelme", "LabelMe JSON or XML beside the pictures.", "a .json with shapes and imagePath"),
    "via_csv": Format(
        "burnish.formats.via_csv", "CSV or JSON of the VGG Image Annotator.", "a .csv with region_shape_attributes, or VIA's .json"
    ),
    "mot": Format("burnish.formats.mot", "MOTChallenge sequences of tracks and detections.", "gt/gt.txt or det/det.txt, also in a .zip"),
    "kitti": Format("burnish.formats.kitti", "KITTI's boxes and masks.", "label_2/*.txt, or semantic/ and instance/ with label_colors.txt"),
    "yandex": Format("burnish.formats.yandex", "JSON of Yandex's crowd.", "a .json list of frames with polygons"),
    "masks": Format("burnish.formats.masks", "Mask pictures beside pictures.", "images/ and masks/, or NAME_mask files", rank=2),
    "videos": Format("burnish.formats.videos", "Videos and pictures without labels as tasks, read only.", "a video", rank=2),
    "csv": Format(
        "burnish.formats.label_csv",
        "A table of labels: pictures with their class, classes of 0 and 1, or boxes.",
        "a .csv with pictures and labels",
        rank=2,
    ),
    "folders": Format("burnish.formats.folders", "One folder a class.", "folders named as the classes, pictures inside", rank=2),
    "pictures": Format("burnish.formats.pictures", "Pictures without labels, read only.", "pictures", rank=2),
}
"""Every format by name; strings only, so that listing them costs nothing."""


def open_dataset(path: Path | str, format: str | None = None, **options: Any) -> Dataset:  # noqa: A002 - the word users look for
    """Open a dataset of any known format.

    Args:
        path: A file, a folder, or a zip archive of one; `NAME@2` takes version 2 of a dataset folder of ours.
        format: Name of the format (see `FORMATS`); recognised by content where not given.
        options: Passed to the format's reader.

    Raises:
        FormatError: Nothing is there, no format is recognised, or several are; the message says what was seen.
        DataError: There is no format of that name.
    """
    path = Path(path)
    if not path.exists():
        name, at, version = str(path).rpartition("@")
        if not (at and version.isdecimal() and load_format("burnish").recognise(Path(name))):
            raise FormatError(_missing_text(path), path=path)
        return open_dataset(name, "burnish", version=int(version), **options)
    if is_zip(path) and not any(load_format(name).recognise(path) for name in ([format] if format else FORMATS)):
        return _open_archive(path, format, options)
    return load_format(format or recognise_format(path)).read(path, **options)


def _open_archive(path: Path, form: str | None, options: Mapping[str, Any]) -> Dataset:
    """Open what an archive holds, unpacked into the user's cache; where all of it lies in one folder, that folder."""
    inside = unpacked(path)
    entries = [entry for entry in inside.iterdir() if entry.name != "__MACOSX"]
    if len(entries) == 1 and entries[0].is_dir():
        inside = entries[0]
    found = open_dataset(inside, form, **options)
    return replace(found, origin={**found.origin, "path": str(path)})


def write_dataset(
    dataset: Dataset,
    folder: Path | str,
    form: str,
    *,
    media: HowPlaced = "copy",
    force: bool = False,
    sampling: Sampling | None = None,
    engine: Engine | None = None,
    progress: Progress = silent,
    **options: Any,
) -> pl.DataFrame:
    """Write a dataset in a format; the folder appears whole or not at all. Formats of CVAT become an archive where the target is NAME.zip.

    Our own format, CVAT's backups and CVAT's XML, which annotators go on with, keep everything. Every other format gets what the
    dataset shows (`burnish.data.shown`): tracks on every frame, and nothing that its tasks hide; frames of videos become picture
    files. Objects of unused classes are then not written, nor are the pictures, labels and pixels, that show an object of a
    forbidden class; each is a finding.

    Args:
        dataset: What to write.
        folder: The folder to make.
        form: Name of the format.
        media: Whether pictures are copied, linked or left where they are.
        force: Replace a folder that holds something.
        sampling: Scales, tiles and more, of formats that get what is shown; a manifest leads from each sample to its source.
        engine: Where pictures are made.
        progress: Where to report.
        options: Passed to the format's writer.

    Returns:
        Findings on what is skipped or left out, on what the format cannot carry, and on pictures that are missing or renamed.

    Raises:
        DataError: There is no format of that name, it is only read, the folder is not empty, or it holds the pictures to write.
    """
    module = load_format(form)
    if not hasattr(module, "write"):
        raise DataError(f"The format '{form}' can be read only; write {', '.join(_written_formats())}.")
    if form == "burnish" and (
        media == "none" or module.recognise(Path(folder))
    ):  # a version beside the earlier ones refers to its pictures
        module.write(dataset, Path(folder))
        return no_findings()
    _refuse_own_folder(dataset, Path(folder))
    whole = packed_folder if FORMATS[form].zipped and Path(folder).suffix.lower() == ".zip" else atomic_folder
    with whole(Path(folder), force=force) as temporary:
        if FORMATS[form].keeps:
            return module.write(dataset, temporary, media=media, **options)
        kept, skipped = without_skipped(shown(dataset))
        with made_samples(kept, sampling, temporary, pixels=media != "none", engine=engine, progress=progress) as made:
            return join_findings(skipped, made.findings, module.write(made.dataset, temporary, media=media, **options))


def recognise_format(path: Path) -> str:
    """Name of the format of a file or folder, by its content.

    Raises:
        FormatError: None fits, several do, the layout is a known one that is not read, or it is an archive that is cut off.
    """
    if path.suffix.lower() == ".zip" and path.is_file() and not is_zip(path):
        raise FormatError("this is no zip archive, or it is damaged or cut off. Download or export it again.", path=path)
    for rank in (0, 1):
        fitting = [name for name, form in FORMATS.items() if form.rank == rank and load_format(name).recognise(path)]
        if len(fitting) > 1:
            several = " and ".join(fitting)
            raise FormatError(f"This could be {several}; name one with format= (--from), or the file itself.", path=path)
        if fitting:
            return fitting[0]
    if unread := find_unread(path):
        raise FormatError(unread_text(unread), path=path)
    for name, form in FORMATS.items():
        if form.rank > 1 and load_format(name).recognise(path):
            return name
    raise FormatError(_unknown_text(path), path=path)


def load_format(name: str) -> FormatModule:
    """The module of a format.

    Raises:
        DataError: There is no such format; the nearest name is given.
    """
    if name not in FORMATS:
        near = get_close_matches(name, FORMATS, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise DataError(f"There is no format '{name}'.{hint} Known formats: {', '.join(FORMATS)}.")
    return cast("FormatModule", import_module(FORMATS[name].module))


def _written_formats() -> list[str]:
    return [name for name in FORMATS if hasattr(load_format(name), "write")]


def _refuse_own_folder(dataset: Dataset, folder: Path) -> None:
    if dataset.root.resolve().is_relative_to(folder.resolve()) and folder.is_dir() and any(folder.iterdir()):
        raise DataError(f"{folder} holds the pictures that are to be written ({dataset.root}); choose another folder.")


def _missing_text(path: Path) -> str:
    parent = next((p for p in path.parents if p.is_dir()), Path())
    wanted = path.relative_to(parent).parts[0] if path.is_relative_to(parent) else path.name
    near = get_close_matches(wanted, [entry.name for entry in parent.iterdir()], n=3, cutoff=0.5)
    hint = f" Near names in {parent}: {', '.join(near)}." if near else f" The nearest folder that exists is {parent.absolute()}."
    return f"There is nothing at this path.{hint}"


def _unknown_text(path: Path) -> str:
    known = "\n".join(f"  {name}: {form.needs}" for name, form in FORMATS.items())
    return f"No known format is recognised here. Seen: {_seen(path)}. Known formats and what each needs:\n{known}"


def _seen(path: Path) -> str:
    if path.is_file():
        return f"one file of {path.stat().st_size:,} bytes that ends in '{path.suffix}'"
    entries = list(walk_some(path))
    if not entries:
        return "an empty folder"
    kinds = Counter("folders" if entry.is_dir() else entry.suffix.lower() or "files without ending" for entry in entries)
    counted = ", ".join(f"{number} {kind}" for kind, number in kinds.most_common(6))
    names = ", ".join(entry.name for entry in entries[:5])
    return f"{counted} among the first entries ({names})"
