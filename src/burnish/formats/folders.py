"""One folder a class with its pictures inside; folders named train, val or test may stand above them.

```
cats-and-dogs/
  train/cat/1.jpg   train/dog/2.jpg
  val/cat/3.jpg     val/dog/
```
"""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from burnish.data.findings import finding, findings_table, join_findings
from burnish.engine.names import original_name, safe_name
from burnish.formats.carrying import lost_annotations, not_carried
from burnish.formats.escapes import read_names, write_names
from burnish.formats.gathering import Gathered, add_annotation, in_order, note, to_dataset
from burnish.formats.placing import HowPlaced, distinct_paths, place_media
from burnish.formats.reading import is_picture, list_pictures, picture_tables
from burnish.formats.splits import split_named

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from burnish.data.dataset import Dataset

NAME: Final = "folders"
CARRIES: Final = frozenset({"tag", "split"})

_NO_CLASS: Final = frozenset(
    {"images", "image", "imgs", "img", "pictures", "photos", "jpegimages", "data", "masks", "labels", "annotations", "instances"}
)
_LAYOUTS: Final = frozenset(
    {"imagesets", "segmentationclass", "segmentationobject", "jpegimages", "label_2", "image_2", "semantic", "semantic_rgb", "velodyne"}
    | {"gtfine", "gtcoarse", "leftimg8bit", "obj_train_data", "bounding_box_train", "bounding_box_test", "wider_train", "wider_val"}
    | {"wider_face_split", "bb_landmark", "trainannot", "valannot", "testannot", "panoptic"}
)
"""Folders that only other layouts have (VOC, KITTI, Cityscapes, YOLO, Market-1501, WIDER FACE, VGGFace2, CamVid), never classes."""
_LABEL_SUFFIXES: Final = frozenset({".txt", ".xml", ".json", ".csv", ".mat"})
_WRITTEN_SPLITS: Final = ("train", "val", "test")
_LOOKS: Final = 100


class _Place(NamedTuple):
    """Where a class folder stands."""

    folder: str
    name: str
    split: str | None


def recognise(path: Path) -> bool:
    """Whether folders hold pictures directly, perhaps below train, val and test, and at least one is named as a class may be.

    Folders of other layouts, and labels beside pictures, tell that the folders are no classes.
    """
    if not path.is_dir():
        return False
    folders = _folders(path)
    splits = [f for f in folders if _is_split(path, f)]
    if any(_belongs_elsewhere(path / f) for f in [*folders, *(f"{s}/{f}" for s in splits for f in _folders(path / s)[:_LOOKS])]):
        return False
    classes = [f for f in folders if f not in splits] + [f for s in splits for f in _folders(path / s)]
    if not splits and all(split_named(f) for f in folders):
        return False
    return any(_holds_pictures(path / f) for f in folders if f not in splits and f.lower() not in _NO_CLASS) or (
        any(_holds_pictures(path / s / f) for s in splits for f in _folders(path / s)[:_LOOKS]) and not _NO_CLASS.issuperset(classes)
    )


def read(path: Path, *, names: Sequence[str] | None = None) -> Dataset:
    """Read the folders as classes, the empty ones too; folders inside a class folder belong to it.

    Args:
        path: The folder above.
        names: The classes in their order; else those of classes.txt, else the folders' names in natural order.
    """
    places = list(_places(path))
    by_folder = {place.folder: place for place in places}
    gathered = Gathered(NAME)
    kept: list[tuple[str, _Place]] = []
    stray: list[str] = []
    for picture in list_pictures(path):
        place = _place_of(picture, by_folder)
        if place is None:
            stray.append(picture)
        else:
            kept.append((picture, place))
    for image, (_, place) in enumerate(kept, start=1):
        add_annotation(gathered, image, place.name, "tag")
    for image, picture in enumerate(stray, start=len(kept) + 1):
        note(gathered, "no_class_folder", "The picture lies in no class folder; it is read as unlabelled.", path=picture, image=image)
    splits = [place.split for _, place in kept] + [_split_above(picture) for picture in stray]
    pictures = picture_tables(path, [p for p, _ in kept] + stray, columns={"split": splits})
    declared = list(names) if names is not None else read_names(path / "classes.txt")
    found = in_order({place.name for place in places})
    return to_dataset(gathered, path, pictures, path=path, declared=[*declared, *(name for name in found if name not in declared)])


def write(dataset: Dataset, folder: Path, *, media: HowPlaced = "copy") -> pl.DataFrame:
    """Write each picture into the folder of its class; `classes.txt` is added where the order of the classes is not the natural one.

    Returns:
        Findings on what is not carried: pictures without a label (they are not written), second labels, and all but tags and splits.
    """
    names = dataset.class_names()
    tags = dataset.annotations.filter((pl.col("kind") == "tag") & pl.col("class").is_not_null())
    firsts = tags.unique("image", keep="first", maintain_order=True)
    class_of = dict(firsts.select("image", "class").iter_rows())
    files = dataset.image_files().join(dataset.images.select(image="id", split="split"), on="image", how="left", maintain_order="left")
    wanted = {
        image: _target(path, names[class_of[image]], split)
        for image, path, split in files.select("image", "path", "split").iter_rows()
        if image in class_of
    }
    placed = place_media(dataset, folder, distinct_paths(wanted), media)
    for number in names.keys() - class_of.values():
        (folder / _folder_name(names[number])).mkdir(parents=True, exist_ok=True)
    if list(names.values()) != in_order(names.values()):
        write_names(folder / "classes.txt", names.values())
    second = tags.join(firsts, on="id", how="anti")
    return join_findings(
        placed,
        lost_annotations(second, "A picture lies in one folder, that of its first label; this one is not written."),
        _unlabelled(dataset, class_of),
        _odd_splits(files.filter(pl.col("image").is_in(list(class_of)))),
        not_carried(dataset, NAME, CARRIES),
    )


def _places(root: Path) -> Iterator[_Place]:
    for name in _folders(root):
        if _is_split(root, name):
            for inner in _folders(root / name):
                yield _Place(f"{name}/{inner}", original_name(inner), split_named(name))
        else:
            yield _Place(name, original_name(name), None)


def _place_of(picture: str, by_folder: dict[str, _Place]) -> _Place | None:
    parents = [p.as_posix() for p in PurePosixPath(picture).parents]
    return next((by_folder[parent] for parent in parents if parent in by_folder), None)


def _split_above(picture: str) -> str | None:
    head = PurePosixPath(picture).parts[0]
    return split_named(head) if head != picture else None


def _folders(folder: Path) -> list[str]:
    with os.scandir(folder) as entries:
        return in_order(e.name for e in entries if e.is_dir() and not e.name.startswith("."))


def _is_split(root: Path, name: str) -> bool:
    """A folder of that name with pictures directly inside is a class; one with folders inside, or nothing, is a split."""
    return split_named(name) is not None and not _holds_pictures(root / name)


def _belongs_elsewhere(folder: Path) -> bool:
    """Whether a folder is named as those of another layout, or holds files of labels."""
    if folder.name.lower() in _LAYOUTS:
        return True
    with os.scandir(folder) as entries:
        return any(
            Path(e.name).suffix.lower() in _LABEL_SUFFIXES and not e.name.startswith(".")
            for _, e in zip(range(_LOOKS), entries, strict=False)
        )


def _holds_pictures(folder: Path) -> bool:
    with os.scandir(folder) as entries:
        return any(is_picture(entry.name) for _, entry in zip(range(_LOOKS), entries, strict=False))


def _target(path: str, name: str, split: str | None) -> str:
    """The path of a picture; folders inside its class folder stay when it comes from such a layout."""
    head = f"{split}/{safe_name(name)}" if split in _WRITTEN_SPLITS else _folder_name(name)
    inner = path[len(head) + 1 :] if path.startswith(head + "/") else PurePosixPath(path).name
    return f"{head}/{inner}"


def _folder_name(name: str) -> str:
    """A class may be named as a split (VOC has a class train); its first letter is then written as a code."""
    safe = safe_name(name)
    return f"%{ord(safe[0]):02X};{safe[1:]}" if split_named(safe) else safe


def _unlabelled(dataset: Dataset, class_of: dict[int, int]) -> pl.DataFrame:
    files = dataset.image_files().filter(~pl.col("image").is_in(list(class_of)))
    reason = f"The picture has no label, so there is no folder for it; {files.height} are not written."
    rows = files.select("image", "path").iter_rows()
    return findings_table(finding("not_carried", reason, path=path, image=image) for image, path in rows)


def _odd_splits(files: pl.DataFrame) -> pl.DataFrame:
    odd = files.filter(pl.col("split").is_not_null() & ~pl.col("split").is_in(list(_WRITTEN_SPLITS)))
    reason = f"Folders are divided into train, val and test; the split of {odd.height} pictures has another name and is not written."
    rows = odd.select("image", "path", "split").iter_rows()
    return findings_table(finding("not_carried", reason, path=path, image=image, given=split) for image, path, split in rows)
