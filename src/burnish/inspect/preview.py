"""Draw the annotations on the pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from burnish.config import nearest
from burnish.data.findings import counts_by_kind, finding, findings_table
from burnish.data.labels import Labels, labels_from_rows
from burnish.engine.files import write_bytes
from burnish.engine.map import Engine, ordered_map
from burnish.engine.names import safe_name
from burnish.engine.progress import Progress, silent
from burnish.errors import ConfigError
from burnish.inspect.settings import PreviewConfig
from burnish.media.drawing import ClassLook, DrawStyle, class_looks, draw_labels
from burnish.media.images import UnreadableImage, encode_jpeg, read_image

if TYPE_CHECKING:
    from burnish.data.dataset import Dataset

_QUALITY = 90


@dataclass(frozen=True, slots=True)
class Previews:
    """Pictures to draw, drawn when they are saved, so that none has to be held in memory."""

    dataset: Dataset
    images: tuple[int, ...]
    config: PreviewConfig
    engine: Engine
    progress: Progress

    @property
    def table(self) -> pl.DataFrame:
        """The pictures that are drawn: image and path."""
        return self.dataset.image_files().filter(pl.col("image").is_in(self.images)).select("image", "path")

    def save(self, folder: Path, *, force: bool = False) -> list[Path]:
        """Draw the pictures into a folder, each under its own path with .jpg at the end; unreadable ones become findings.csv."""
        del force
        looks, style = class_looks(self.dataset), DrawStyle(fill=self.config.fill, captions=self.config.captions)
        jobs = list(zip(_drawn_labels(self.dataset, self.images, self.config.classes), self.table["path"], strict=True))
        done = ordered_map(
            lambda job: _draw(self.dataset.root, job[0], job[1], folder, looks=looks, style=style),
            jobs,
            engine=self.engine,
            progress=self.progress,
            label="Drawing",
        )
        results = list(done)
        bad = findings_table(r for r in results if isinstance(r, dict))
        if not bad.is_empty():
            write_bytes(folder / "findings.csv", bad.write_csv().encode())
        return [r for r in results if isinstance(r, Path)] + ([folder / "findings.csv"] if counts_by_kind(bad) else [])

    def summary(self) -> dict[str, Any]:
        """Number of pictures."""
        return {"pictures": len(self.images)}

    def __str__(self) -> str:
        return f"{len(self.images):,} of {len(self.dataset):,} pictures drawn"


def preview(
    dataset: Dataset, config: PreviewConfig | None = None, *, engine: Engine | None = None, progress: Progress = silent
) -> Previews:
    """Choose pictures to draw; saving draws them, each class in its own colour, the same in every picture and every report.

    Raises:
        ConfigError: A class is named that the dataset does not have.
    """
    chosen = config or PreviewConfig()
    known = set(dataset.classes["name"])
    strange = [name for name in chosen.classes if name not in known]
    if strange:
        raise ConfigError(f"The dataset has no class '{strange[0]}'. {nearest(strange[0], known)}")
    images = dataset.image_files().filter(pl.col("kind") == "image")["image"].to_numpy()
    if chosen.shuffle:
        images = np.sort(np.random.default_rng(chosen.seed).permutation(images)[: chosen.count])
    return Previews(dataset, tuple(images[: chosen.count].tolist()), chosen, engine or Engine(), progress)


def _drawn_labels(dataset: Dataset, images: tuple[int, ...], classes: tuple[str, ...]) -> list[Labels]:
    rows = dataset.scan("annotations").filter(pl.col("image").is_in(images))
    if classes:
        ids = dataset.classes.filter(pl.col("name").is_in(classes))["id"]
        rows = rows.filter(pl.col("class").is_in(ids.implode()))
    table = rows.collect()
    parts = table.partition_by("image", as_dict=True, maintain_order=True)
    sizes = {i: (w, h) for i, w, h in dataset.scan("images", "id", "width", "height").collect().iter_rows()}
    wanted = dataset.image_files().filter(pl.col("image").is_in(images))["image"]
    return [labels_from_rows(image, sizes[image], parts.get((image,), table.clear())) for image in wanted]


def _draw(root: Path, labels: Labels, path: str, folder: Path, *, looks: dict[int, ClassLook], style: DrawStyle) -> Path | dict[str, Any]:
    try:
        drawn = draw_labels(read_image(root / path), labels, looks, style=style)
    except UnreadableImage as error:
        return finding("unreadable_picture", str(error), path=path, image=labels.image)
    parts = PurePosixPath(path).parts
    target = folder.joinpath(*(safe_name(part) for part in parts if part not in {"/", "..", "."}))
    target = target.with_name(target.name + ".jpg")
    write_bytes(target, encode_jpeg(drawn, quality=_QUALITY))
    return target
