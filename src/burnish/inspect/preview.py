"""Draw the annotations on the pictures and videos."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from burnish.config import nearest
from burnish.data.findings import counts_by_kind, finding, findings_table
from burnish.data.labels import Labels, labels_from_rows
from burnish.data.shown import shown, with_annotations
from burnish.engine.files import write_bytes
from burnish.engine.map import Engine, ordered_map
from burnish.engine.names import safe_name
from burnish.engine.progress import Progress, silent
from burnish.errors import ConfigError
from burnish.inspect.settings import PreviewConfig
from burnish.media.drawing import ClassLook, DrawStyle, class_looks, draw_labels
from burnish.media.images import UnreadableImage, encode_jpeg, read_image

if TYPE_CHECKING:
    from collections.abc import Sequence

    from burnish.data.dataset import Dataset
    from burnish.inspect.augmented import AugmentedSheets

_QUALITY = 90


@dataclass(frozen=True, slots=True)
class Previews:
    """Pictures and videos to draw, drawn when they are saved, so that none has to be held in memory.

    Attributes:
        dataset: What it shows, with the chosen classes only.
        images: The pictures to draw.
        videos: The media of kind video to draw, by id.
    """

    dataset: Dataset
    images: tuple[int, ...]
    videos: tuple[int, ...]
    config: PreviewConfig
    engine: Engine
    progress: Progress

    @property
    def table(self) -> pl.DataFrame:
        """The pictures that are drawn: image and path."""
        return self.dataset.image_files().filter(pl.col("image").is_in(self.images)).select("image", "path")

    def save(self, folder: Path, *, force: bool = False) -> list[Path]:
        """Draw into a folder, each picture and video under its own path as .jpg or .mp4; unreadable ones become findings.csv.

        Raises:
            MissingExtra: There are videos, and what reads them is not installed.
        """
        del force
        if self.config.augs is not None:
            return _saved(self._drawn_sheets(folder), folder)
        looks, style = class_looks(self.dataset), DrawStyle(fill=self.config.fill, captions=self.config.captions)
        jobs = list(zip(_drawn_labels(self.dataset, self.images), self.table["path"], strict=True))
        targets = self._picture_targets(folder)
        done = ordered_map(
            lambda job: _draw(self.dataset.root, job[0], job[1], targets[job[1]], looks=looks, style=style),
            jobs,
            engine=self.engine,
            progress=self.progress,
            label="Drawing",
        )
        return _saved([*(done if jobs else ()), *(self._draw_video(folder, number) for number in self.videos)], folder)

    def _drawn_sheets(self, folder: Path) -> list[Path | dict[str, Any]]:
        from burnish.inspect.augmented import augmented_sheets  # noqa: PLC0415 - needs an extra

        sheets = augmented_sheets(self.dataset, self.config)
        jobs = list(self.table.select("image", "path").iter_rows())
        targets = self._picture_targets(folder)
        done = ordered_map(
            lambda job: _draw_sheet(sheets, job[0], job[1], targets[job[1]]),
            jobs,
            engine=self.engine,
            progress=self.progress,
            label="Drawing",
        )
        return list(done if jobs else ())

    def _picture_targets(self, folder: Path) -> dict[str, Path]:
        """Of all pictures, so that a name does not depend on which of them are drawn."""
        return _targets(self.dataset.image_files()["path"].to_list(), ".jpg", folder, self.dataset.root)

    def _draw_video(self, folder: Path, number: int) -> Path | dict[str, Any]:
        from burnish.inspect.annotated_video import preview_video  # noqa: PLC0415 - needs an extra
        from burnish.media.video import UnreadableVideo  # noqa: PLC0415 - likewise

        path = self.dataset.media.row(by_predicate=pl.col("id") == number, named=True)["path"]
        target = _targets(self.dataset.media["path"].to_list(), ".mp4", folder, self.dataset.root)[path]
        target.parent.mkdir(parents=True, exist_ok=True)
        style = DrawStyle(fill=self.config.fill, captions=self.config.captions)
        try:
            preview_video(self.dataset, target, media=number, style=style, seconds=self.config.seconds, progress=self.progress)
        except UnreadableVideo as error:
            return finding("unreadable_video", str(error), path=path)
        return target

    def summary(self) -> dict[str, Any]:
        """Numbers of pictures and videos."""
        return {"pictures": len(self.images), "videos": len(self.videos)}

    def __str__(self) -> str:
        pictures = self.dataset.image_files().filter(pl.col("kind") == "image").height
        told = [f"{len(self.images):,} of {pictures:,} pictures"] if pictures else []
        told += [f"{len(self.videos):,} video{'s' if len(self.videos) > 1 else ''}"] if self.videos else []
        return f"{' and '.join(told) or 'nothing'} drawn"


def preview(
    dataset: Dataset, config: PreviewConfig | None = None, *, engine: Engine | None = None, progress: Progress = silent
) -> Previews:
    """Choose what to draw; saving draws it, each class in its own colour, the same in every picture and every report.

    What the annotation tool shows is drawn: tracks on every frame, nothing that is deleted. With `augs` each picture's drawing is a
    sheet of it and of what augmentations make of it; videos are left out then, and masks beside boxes are read if the task is segmentation.

    Raises:
        ConfigError: A class is named that the dataset does not have.
    """
    chosen = config or PreviewConfig()
    if chosen.augs:
        from burnish.train.policies.examples import suited  # noqa: PLC0415 - what training reads
        from burnish.train.policies.settings import DataConfig  # noqa: PLC0415 - beside

        dataset, _ = suited(dataset, chosen.augs, DataConfig())
    known = set(dataset.classes["name"])
    strange = [name for name in chosen.classes if name not in known]
    if strange:
        raise ConfigError(f"The dataset has no class '{strange[0]}'. {nearest(strange[0], known)}")
    seen = _of_classes(shown(dataset), chosen.classes)
    files = seen.image_files()
    images = files.filter(pl.col("kind") == "image")["image"].to_numpy()
    if chosen.shuffle:
        images = np.sort(np.random.default_rng(chosen.seed).permutation(images)[: chosen.count])
    framed = seen.images.filter(pl.col("id").is_in(files.filter(pl.col("kind") == "video")["image"].implode()))
    videos = () if chosen.augs else tuple(framed["media"].unique(maintain_order=True).to_list())
    return Previews(seen, tuple(images[: chosen.count].tolist()), videos, chosen, engine or Engine(), progress)


def _of_classes(dataset: Dataset, classes: tuple[str, ...]) -> Dataset:
    if not classes:
        return dataset
    ids = dataset.classes.filter(pl.col("name").is_in(classes))["id"]
    return with_annotations(dataset, dataset.annotations.filter(pl.col("class").is_in(ids.implode())))


def _drawn_labels(dataset: Dataset, images: tuple[int, ...]) -> list[Labels]:
    table = dataset.scan("annotations").filter(pl.col("image").is_in(images)).collect()
    parts = table.partition_by("image", as_dict=True, maintain_order=True)
    sizes = {i: (w, h) for i, w, h in dataset.scan("images", "id", "width", "height").collect().iter_rows()}
    wanted = dataset.image_files().filter(pl.col("image").is_in(images))["image"]
    return [labels_from_rows(image, sizes[image], parts.get((image,), table.clear())) for image in wanted]


def _draw(root: Path, labels: Labels, path: str, target: Path, *, looks: dict[int, ClassLook], style: DrawStyle) -> Path | dict[str, Any]:
    try:
        drawn = draw_labels(read_image(root / path), labels, looks, style=style)
    except UnreadableImage as error:
        return finding("unreadable_picture", str(error), path=path, image=labels.image)
    write_bytes(target, encode_jpeg(drawn, quality=_QUALITY))
    return target


def _draw_sheet(sheets: AugmentedSheets, image: int, path: str, target: Path) -> Path | dict[str, Any]:
    try:
        write_bytes(target, encode_jpeg(sheets.sheet(image), quality=_QUALITY))
    except UnreadableImage as error:
        return finding("unreadable_picture", str(error), path=path, image=image)
    return target


def _saved(results: list[Path | dict[str, Any]], folder: Path) -> list[Path]:
    """The files that were drawn, and the table of those that could not be."""
    bad = findings_table(r for r in results if isinstance(r, dict))
    if not bad.is_empty():
        write_bytes(folder / "findings.csv", bad.write_csv().encode())
    return [r for r in results if isinstance(r, Path)] + ([folder / "findings.csv"] if counts_by_kind(bad) else [])


def _targets(paths: Sequence[str], ending: str, folder: Path, root: Path) -> dict[str, Path]:
    """Where each is drawn: under its own path with another ending, after its own one where two would meet or an original would be lost."""
    originals = {Path(os.path.normpath(root.resolve() / path)) for path in paths}
    wanted = {path: _below(folder, PurePosixPath(path).with_suffix(ending)) for path in paths}
    counts = Counter(str(target).lower() for target in wanted.values())
    lost = {path for path, target in wanted.items() if folder.resolve() / target.relative_to(folder) in originals}
    kept = lost | {path for path, target in wanted.items() if counts[str(target).lower()] > 1}
    found = {path: _below(folder, PurePosixPath(path + ending)) if path in kept else target for path, target in wanted.items()}
    return found if len({*found.values()}) == len(found) else {path: _below(folder, PurePosixPath(path + ending)) for path in paths}


def _below(folder: Path, path: PurePosixPath) -> Path:
    return folder.joinpath(*(safe_name(part) for part in path.parts if part not in {"/", "..", "."}))
