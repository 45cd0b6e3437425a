"""Exports in formats that are not CVAT's own: the backup of a task or project, written anew by burnish, in its layout of the format."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from burnish.errors import BurnishError
from burnish.testing.cvat.background import WorkError
from burnish.testing.cvat.backups import write_backup

if TYPE_CHECKING:
    from burnish.testing.cvat.records import Project, Task
    from burnish.testing.cvat.state import State

WRITTEN: Final = {
    "COCO 1.0": "coco",
    "MOT 1.1": "mot",
    "PASCAL VOC 1.1": "voc",
    "Segmentation mask 1.1": "masks",
    "Ultralytics YOLO Detection 1.0": "yolo",
    "Ultralytics YOLO Segmentation 1.0": "yolo",
}
"""Formats by the server's name, and what burnish calls them."""


def export_other(state: State, target: Project | Task, name: str, path: Path, *, with_images: bool) -> None:
    """Write one of the WRITTEN formats as a zip.

    Raises:
        WorkError: The format cannot hold what is there.
    """
    from burnish.formats.recognise import open_dataset, write_dataset  # noqa: PLC0415 - the tables take longer to load than the server

    with tempfile.TemporaryDirectory() as folder:
        source, written = Path(folder) / "backup", Path(folder) / "written"
        with zipfile.ZipFile(write_backup(state, target)) as file:
            file.extractall(source)  # the server's own backup, whose members it has just named
        try:
            write_dataset(open_dataset(source), written, WRITTEN[name], media="copy" if with_images else "none")
        except BurnishError as error:
            message = f"datumaro.components.errors.DatasetExportError: {error}"
            raise WorkError(message) from error
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            for member in sorted(each for each in written.rglob("*") if each.is_file()):
                file.write(member, member.relative_to(written).as_posix())
