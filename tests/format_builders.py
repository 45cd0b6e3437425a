"""Datasets with real pictures and chosen annotations, and hypothesis strategies for what formats carry."""

import tempfile
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from hypothesis import strategies as st
from PIL import Image

from burnish.data import tables
from burnish.data.dataset import Dataset, make_dataset
from burnish.data.schema import ANNOTATIONS, TABLES
from burnish.geometry import rle

WIDTH, HEIGHT = 16, 12

coordinates = st.floats(-1e4, 1e5, allow_nan=False, width=64)
class_names = st.lists(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8),
    min_size=1,
    max_size=4,
    unique_by=lambda n: unicodedata.normalize("NFC", n),
)
plain_names = st.lists(
    st.from_regex(r"[a-zA-Zа-я0-9][a-zA-Zа-я0-9 _.:%#-]{0,6}[a-zа-я0-9]", fullmatch=True), min_size=1, max_size=4, unique=True
)


@cache
def picture_bytes(size: tuple[int, int] = (WIDTH, HEIGHT)) -> bytes:
    with tempfile.NamedTemporaryFile(suffix=".png") as file:
        Image.fromarray(np.zeros((size[1], size[0], 3), dtype=np.uint8)).save(file.name)
        return Path(file.name).read_bytes()


def put_picture(path: Path, size: tuple[int, int] = (WIDTH, HEIGHT)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(picture_bytes(size))


def pictured(
    root: Path, paths: Sequence[str], rows: Sequence[dict[str, Any]] = (), names: Sequence[str] = (), **columns: Sequence[Any]
) -> Dataset:
    """Pictures of 16 x 12 at these paths; annotation rows get ids 1, 2, ...; further columns of the images by name."""
    for path in paths:
        put_picture(root / path)
    ids = list(range(1, len(paths) + 1))
    size = {"width": [WIDTH] * len(paths), "height": [HEIGHT] * len(paths)}
    schema = {"id": pl.Int64, "media": pl.Int64, "path": pl.String, "width": pl.Int32, "height": pl.Int32}
    numbered = [{"id": number, **row} for number, row in enumerate(rows, start=1)]
    return make_dataset(
        root,
        media=pl.DataFrame(
            {"id": ids, "path": list(paths), **size}, schema_overrides={k: v for k, v in schema.items() if k in {"id", "path", *size}}
        ),
        images=pl.DataFrame({"id": ids, "media": ids, **size, **columns}, schema_overrides={"id": pl.Int64, "media": pl.Int64}),
        annotations=tables.from_rows(ANNOTATIONS, numbered),
        classes=pl.DataFrame({"id": list(range(len(names))), "name": list(names)}, schema={"id": pl.Int32, "name": pl.String}),
    )


def box(image: int, number: int | None, corners: Sequence[float], **columns: Any) -> dict[str, Any]:
    return {"image": image, "class": number, "kind": "box", **dict(zip(("x1", "y1", "x2", "y2"), corners, strict=True)), **columns}


def mask(image: int, number: int | None, pixels: np.ndarray, **columns: Any) -> dict[str, Any]:
    counts = rle.encode(pixels)
    corners = rle.bounds(counts, pixels.shape[0])[0].tolist()
    return {**box(image, number, corners), "kind": "mask", "mask": rle.compress(counts), **columns}


def pointed(image: int, number: int | None, kind: str, points: Sequence[float]) -> dict[str, Any]:
    corners = min(points[::2]), min(points[1::2]), max(points[::2]), max(points[1::2])
    return {**box(image, number, corners), "kind": kind, "points": list(points)}


@contextmanager
def fresh_folders() -> Iterator[tuple[Path, Path]]:
    """Two empty folders, for tests that hypothesis runs many times."""
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        yield Path(first), Path(second)


def differing(left: Dataset, right: Dataset) -> list[str]:
    """Names of the tables in which two datasets differ; paths of media count only by their last part."""
    named = [dataset.with_tables(media=dataset.media.with_columns(pl.col("path").str.split("/").list.last())) for dataset in (left, right)]
    return [name for name in TABLES if not named[0].table(name).equals(named[1].table(name), null_equal=True)]


@st.composite
def boxes(draw: st.DrawFn) -> tuple[float, float, float, float]:
    x, y = sorted([draw(coordinates), draw(coordinates)]), sorted([draw(coordinates), draw(coordinates)])
    return x[0], y[0], x[1], y[1]


def points(least: int, most: int = 5) -> st.SearchStrategy[list[float]]:
    return st.lists(st.tuples(coordinates, coordinates), min_size=least, max_size=most).map(
        lambda pairs: [v for pair in pairs for v in pair]
    )


@st.composite
def label_pictures(draw: st.DrawFn, most: int) -> np.ndarray:
    """Pixel values from 0 to `most`."""
    flat = draw(st.lists(st.integers(0, most), min_size=WIDTH * HEIGHT, max_size=WIDTH * HEIGHT))
    return np.array(flat, dtype=np.int32).reshape(HEIGHT, WIDTH)
