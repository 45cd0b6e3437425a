"""Looking at every picture once: can it be read, is it blank, which are copies of one another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from burnish.audit.copies import Pictures, copy_findings
from burnish.audit.describing import described
from burnish.data.findings import finding, findings_table, join_findings
from burnish.media.hashing import PictureHashes, hash_pictures
from burnish.similarity.copies import alone_apart
from burnish.similarity.duplicates import Duplicates, find_duplicates
from burnish.similarity.outliers import odd_pictures

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from numpy.typing import NDArray

    from burnish.data.dataset import Dataset
    from burnish.engine.map import Engine
    from burnish.engine.progress import Progress

_LIGHT_KINDS = ("blank", "dark", "bright")


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """The pictures of a dataset, what identifies them, and their copies; index i means the same picture everywhere.

    Attributes:
        pictures: Ids, paths, labels, splits.
        hashes: Hashes and simple measures.
        duplicates: Pairs and groups of copies.
    """

    pictures: Pictures
    hashes: PictureHashes
    duplicates: Duplicates

    def rows_of(self, images: NDArray[np.int64]) -> NDArray[np.int64]:
        """The index of each picture, by its id."""
        order = np.argsort(self.pictures.images, kind="stable")
        return order[np.searchsorted(self.pictures.images[order], images)]

    def copy_groups(self) -> NDArray[np.int64]:
        """(n,) equal numbers for copies, a number of its own for each other picture."""
        return alone_apart(self.duplicates.groups)


def look(
    dataset: Dataset, *, false_pairs: float, near: bool = True, embedder: str | None = None, engine: Engine, progress: Progress
) -> Look:
    """Read every picture of a dataset once.

    Args:
        dataset: Its pictures; video frames are left out.
        false_pairs: False pairs of near copies to accept in the whole dataset.
        near: Look for near copies too.
        embedder: A frozen network by hub name, folder or file; pictures that it describes alike are near copies as well.
        engine: Where pictures are decoded.
        progress: Where to report.
    """
    pictures = pictures_of(dataset)
    paths = [dataset.root / path for path in pictures.paths]
    hashes = hash_pictures(paths, engine=engine, progress=progress)
    vectors = described(paths, hashes.readable, embedder, engine=engine, progress=progress) if near and embedder else None
    with progress.task("Looking for copies", 1) as advance:
        duplicates = find_duplicates(hashes, false_pairs=false_pairs, near=near, embeddings=vectors)
        advance(1)
    return Look(pictures, hashes, duplicates)


def pictures_of(dataset: Dataset) -> Pictures:
    """Ids, paths, labels, splits and numbers of annotations of a dataset's pictures."""
    files = (
        dataset.image_files().filter(pl.col("kind") == "image").select("image", "path").unique("image", keep="first", maintain_order=True)
    )
    tags = dataset.scan("annotations", "image", "class", "kind").filter((pl.col("kind") == "tag") & pl.col("class").is_not_null())
    named = (
        tags.unique("image", keep="first")
        .collect()
        .join(dataset.classes.select(pl.col("id").alias("class"), "name"), on="class", how="left")
    )
    counts = dataset.scan("annotations", "image").group_by("image").len("annotations").collect()
    splits = dataset.images.select(pl.col("id").alias("image"), "split")
    table = files
    for more in (named.select("image", "name"), counts, splits.unique("image", keep="first")):
        table = table.join(more, on="image", how="left", maintain_order="left")
    return Pictures(
        images=table["image"].to_numpy(),
        paths=table["path"].to_list(),
        labels=table["name"].to_list(),
        splits=table["split"].to_list(),
        annotations=table["annotations"].fill_null(0).to_numpy(),
    )


def picture_findings(seen: Look) -> pl.DataFrame:
    """Findings on pictures by themselves: unreadable, blank, copies, contradicting labels, leaks."""
    return join_findings(
        findings_table(_unreadable(seen)), findings_table(_odd(seen)), copy_findings(seen.pictures, seen.hashes, seen.duplicates)
    )


def _unreadable(seen: Look) -> Iterator[dict[str, Any]]:
    for index, reason in enumerate(seen.hashes.reasons):
        if reason:
            kind = "unreadable_picture" if seen.hashes.files[index] else "missing_file"
            yield finding(kind, reason, path=seen.pictures.paths[index], image=int(seen.pictures.images[index]))


def _odd(seen: Look) -> Iterator[dict[str, Any]]:
    """Blank, dark and bright pictures are issues; odd sizes and shapes only inform, since cut-outs differ by nature."""
    for index, kind, score, reason in odd_pictures(seen.hashes):
        light = kind in _LIGHT_KINDS
        where = {"path": seen.pictures.paths[index], "image": int(seen.pictures.images[index])}
        yield finding(f"{kind}_picture" if light else kind, f"{reason[:1].upper()}{reason[1:]}.", score=score, is_issue=light, **where)
