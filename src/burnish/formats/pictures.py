"""A folder of pictures without labels, at any depth; read only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from burnish.data.dataset import make_dataset
from burnish.formats.reading import is_picture, list_pictures, picture_tables, walk_some

if TYPE_CHECKING:
    from pathlib import Path

    from burnish.data.dataset import Dataset

NAME: Final = "pictures"


def recognise(path: Path) -> bool:
    """Whether there is a picture among the first entries of a folder, or the path is one itself."""
    if path.is_file():
        return is_picture(path)
    return any(is_picture(entry) and entry.is_file() for entry in walk_some(path))


def read(path: Path) -> Dataset:
    """Read all pictures below a folder, in natural order; a single picture is a dataset of one."""
    root = path.parent if path.is_file() else path
    names = [path.name] if path.is_file() else list_pictures(path)
    media, images, findings = picture_tables(root, names)
    return make_dataset(root, media=media, images=images, notes=findings, origin={"format": NAME, "path": str(path)})
