"""Samples: what a training set is made of. Whole pictures, frames of videos, scaled pictures and tiles, each traced to its source."""

from __future__ import annotations

import posixpath
import zlib
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from burnish.data.scales import Scales
from burnish.errors import DataError
from burnish.geometry import tiles

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from polars._typing import PolarsDataType

    from burnish.data.dataset import Dataset
    from burnish.data.tile_size import TileSize

MANIFEST: Final[Mapping[str, PolarsDataType]] = MappingProxyType(
    {
        "sample": pl.String,
        "source": pl.String,
        "kind": pl.String,
        "true_frame": pl.Int64,
        "frame": pl.Int64,
        "task": pl.String,
        "source_width": pl.Int32,
        "source_height": pl.Int32,
        "scale": pl.Float64,
        "scaled_width": pl.Int32,
        "scaled_height": pl.Int32,
        "tile": pl.Int32,
        "x1": pl.Int32,
        "y1": pl.Int32,
        "x2": pl.Int32,
        "y2": pl.Int32,
        "split": pl.String,
        "hash": pl.String,
    }
)
"""Columns of `samples.csv`: the sample's path below the pictures, the path of its source, number in the source and in its task, the
scale and the size of the whole picture at it, the tile in pixels of the scaled picture (null: the whole), and the hash of the file."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """What samples are taken.

    Attributes:
        scales: At which scales.
        tile: How large the tiles are that pictures are cut into; None leaves them whole.
        min_visible: The share of an object that a tile must show to get its label.
        min_visible_of: The same for some classes, by name.
        background: The most tiles without an object for each tile with one, in pictures that show objects; None keeps all.
        negatives: The share of the pictures without any object that is kept.
        stride: Each how many-th frame of a video or sequence is taken.
        seed: Of what is drawn.
    """

    scales: Scales = field(default_factory=Scales)
    tile: TileSize | None = None
    min_visible: float = 0.5
    min_visible_of: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    background: float | None = None
    negatives: float = 1.0
    stride: int = 1
    seed: int = 0

    @property
    def changes_pixels(self) -> bool:
        """Whether samples are anything else than whole pictures and frames."""
        return self.tile is not None or self.scales != Scales()


def needs_samples(dataset: Dataset) -> bool:
    """Whether some pictures are frames of a video or sequence, which have no files of their own."""
    kinds = dataset.scan("media", "kind").select(pl.col("kind").cast(pl.String)).unique().collect()["kind"].to_list()
    return bool({"video", "sequence"} & set(kinds)) and bool((dataset.image_files()["kind"].cast(pl.String) != "image").any())


def plan_samples(dataset: Dataset, sampling: Sampling) -> pl.DataFrame:
    """Say which samples are taken of a dataset: the columns of `MANIFEST` and `image`, the picture that each is taken of.

    What is drawn depends on the seed and on the picture's own path and frame, so that other pictures do not change it.

    Raises:
        DataError: Pictures are to be scaled or cut whose size nobody knows.
    """
    pictures = _pictures(dataset)
    pictures = _with_stride(pictures, sampling.stride)
    pictures = _with_negatives(dataset, pictures, sampling)
    if sampling.changes_pixels:
        _refuse_unknown_sizes(pictures)
    rows = [row for picture in pictures.iter_rows(named=True) for row in _samples_of(picture, sampling)]
    schema = {"image": pl.Int64, **MANIFEST}
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)


def frame_name(path: str, true_frame: int) -> str:
    """The path of a frame as a picture: that of its video, with the frame's number."""
    return f"{posixpath.splitext(path)[0]}_{true_frame:06d}.jpg"


def _pictures(dataset: Dataset) -> pl.DataFrame:
    media = dataset.media.select("path", pl.col("kind").cast(pl.String), media="id")
    names = dataset.tasks.select("name", task="id")
    images = dataset.images.select("id", "media", "task", "frame", "true_frame", "width", "height", "split")
    return images.join(media, on="media", how="left", maintain_order="left").join(names, on="task", how="left", maintain_order="left")


def _with_stride(pictures: pl.DataFrame, stride: int) -> pl.DataFrame:
    """Every n-th of the frames of each task and source, beginning with its first."""
    if stride == 1:
        return pictures
    order = pl.col("frame").rank("ordinal").over("media", "task") - 1
    return pictures.filter((pl.col("kind") == "image") | (order % stride == 0))


def _with_negatives(dataset: Dataset, pictures: pl.DataFrame, sampling: Sampling) -> pl.DataFrame:
    shown = dataset.annotations["image"].unique().implode()
    pictures = pictures.with_columns(negative=~pl.col("id").is_in(shown))
    if sampling.negatives >= 1:
        return pictures
    bare = pictures.filter("negative")["id"]
    kept = np.random.default_rng(sampling.seed).permutation(bare.to_numpy())[: round(len(bare) * sampling.negatives)]
    return pictures.filter(~pl.col("negative") | pl.col("id").is_in(kept.tolist()))


def _refuse_unknown_sizes(pictures: pl.DataFrame) -> None:
    unknown = pictures.filter(pl.col("width").is_null() | pl.col("height").is_null())
    if unknown.height:
        raise DataError(
            f"The size of {unknown.height} pictures is not known (first: {unknown['path'][0]}), so they cannot be scaled or cut. "
            "burnish check tells what is wrong with them.",
            table="images",
            rows=unknown["id"].to_list(),
        )


def _samples_of(picture: Mapping[str, Any], sampling: Sampling) -> Iterator[dict[str, Any]]:
    rng = np.random.default_rng([sampling.seed, zlib.crc32(str(picture["path"]).encode()), picture["true_frame"]])
    is_frame = picture["kind"] != "image"
    name = frame_name(picture["path"], picture["true_frame"]) if is_frame else picture["path"]
    row = {
        **{name: picture[name] for name in ("kind", "split", "true_frame", "frame")},
        "image": picture["id"],
        "source": picture["path"],
        "task": picture["name"],
        "source_width": picture["width"],
        "source_height": picture["height"],
    }
    for scale in sampling.scales.of_picture(rng):
        width, height = (None if side is None else max(1, round(side * scale)) for side in (picture["width"], picture["height"]))
        scaled = {**row, "scale": scale, "scaled_width": width, "scaled_height": height}
        mark = "" if (width, height) == (picture["width"], picture["height"]) else f"_scale={scale:.4g}"
        for number, cut in _tiles(width, height, sampling.tile):
            marks = mark if number is None else f"{mark}_tile={number}"
            yield {**scaled, "tile": number, **cut, "sample": _marked(name, marks)}


def _tiles(width: int | None, height: int | None, size: TileSize | None) -> Iterator[tuple[int | None, dict[str, int]]]:
    """Number and edges of each tile; a picture that fits into one is left whole."""
    if size is None or width is None or height is None or (width <= size.width and height <= size.height):
        yield None, {}
        return
    cut = tiles.cut(width, height, tile_width=size.width, tile_height=size.height, overlap=size.overlap)
    for number, edges in enumerate(cut.tolist()):
        yield number, dict(zip(("x1", "y1", "x2", "y2"), edges, strict=True))


def _marked(name: str, marks: str) -> str:
    """What is made anew is a JPEG, whatever its source was."""
    return f"{posixpath.splitext(name)[0]}{marks}.jpg" if marks else name
