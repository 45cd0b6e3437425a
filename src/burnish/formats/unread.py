"""Layouts that burnish knows by sight and does not read, so that their labels are never passed over in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

_TELLING: Final = {
    "Open Images": (
        *("annotations/*-annotations-bbox.csv", "annotations/*-annotations-human-imagelabels.csv"),
        *("annotations/*-annotations-object-segmentation.csv", "annotations/*class-descriptions*.csv"),
    ),
    "Cityscapes": ("gtFine", "gtCoarse"),
    "WIDER FACE": ("wider_face_split/*_bbx_gt.txt",),
    "VGGFace2": ("bb_landmark/*.csv",),
    "Market-1501": ("bounding_box_*",),
    "LFW": ("annotations/pairs.txt",),
    "MOTS": ("instances/labels.txt",),
    "ICDAR": ("gt.txt", "gt_*.txt", "*_GT.txt", "*_GT.bmp"),
    "ImageNet lists": ("synsets.txt",),
    "KITTI Raw": ("tracklet_labels.xml", "velodyne_points"),
    "Supervisely": ("ann/*.json", "key_id_map.json"),
}
"""Names of files and folders, directly below the dataset's folder or below a folder in it, that only one layout has."""

_DATUMARO: Final = "Datumaro"
_SNIFFED_BYTES: Final = 65536


class Unread(NamedTuple):
    """A layout that is not read, and the path that tells it, relative to the folder."""

    layout: str
    telling: str


def find_unread(path: Path) -> Unread | None:
    """The layout of a folder that no format has claimed for sure, where it is one of those that are not read."""
    if not path.is_dir():
        return None
    for layout, patterns in _TELLING.items():
        found = next((entry for pattern in patterns for start in ("", "*/") for entry in path.glob(start + pattern)), None)
        if found is not None:
            return Unread(layout, found.relative_to(path).as_posix())
    found = next((entry for entry in path.glob("annotations/*.json") if _is_datumaro(entry)), None)
    return None if found is None else Unread(_DATUMARO, found.relative_to(path).as_posix())


def unread_text(unread: Unread) -> str:
    """What to tell and what to do."""
    return (
        f"This is laid out as {unread.layout} ({unread.telling}), which is not read. Where it comes from CVAT, export "
        "'CVAT for images 1.1' or 'COCO 1.0' instead; to take only its pictures, without labels, say --from pictures (format='pictures')."
    )


def _is_datumaro(path: Path) -> bool:
    with path.open("rb") as stream:
        head = stream.read(_SNIFFED_BYTES)
    return b'"dm_format_version"' in head or (b'"categories"' in head and b'"label"' in head)
