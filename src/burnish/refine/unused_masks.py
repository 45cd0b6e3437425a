"""Mask files that lie there and are not used, by name and with the reason: without them nobody sees why a picture has no mask."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from burnish.data.findings import finding
from burnish.formats.masks.layout import find_pairs, foreign_masks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from burnish.data.dataset import Dataset

_REASONS: Final = ("size_differs", "unreadable_mask", "mask_without_picture", "empty_mask", "foreign_mask")
_PICTURES: Final = ("masks", "pictures")
_EMPTY: Final = (
    "The mask has no pixel of an object, so its picture does not count as labelled by hand; 'hand' can name it as one without objects."
)
_NAMED: Final = 3


def unused_masks(root: Path, dataset: Dataset) -> Iterator[dict[str, Any]]:
    """Findings on mask files that the reader had nothing to say of: those without a pixel, and those whose endings are no picture's.

    Args:
        root: The folder above pictures and masks.
        dataset: What was read of it.
    """
    form = dataset.origin.get("format")
    if form == "masks":
        yield from (finding("empty_mask", _EMPTY, path=path) for path in _empty_masks(root, dataset))
    for path in foreign_masks(root) if form in _PICTURES else ():
        reason = f"Masks are read from picture files, not from {PurePosixPath(path).suffix} files; save it as PNG."
        yield finding("foreign_mask", reason, path=path)


def told_unused(findings: pl.DataFrame) -> str:
    """The masks that are not used as sentences for an error, each reason with its files, with a space before them; empty where all are."""
    wrong = findings.filter(pl.col("kind").is_in(_REASONS))
    return "".join(
        f" {part.height:,} masks are not used: {_listed(part['path'].drop_nulls().to_list())}. {part['reason'][0]}"
        for part in wrong.partition_by("kind", maintain_order=True)
    )


def _empty_masks(root: Path, dataset: Dataset) -> Iterator[str]:
    """The masks that were read and gave no shape."""
    noted = set(dataset.notes["path"].drop_nulls())
    drawn = set(dataset.annotations["image"])
    labelled = {path for image, path in dataset.image_files().select("image", "path").iter_rows() if image in drawn}
    for pair in find_pairs(root).pairs:
        mask = pair.mask or pair.instances
        if mask is not None and mask not in noted and pair.picture not in labelled:
            yield mask


def _listed(paths: list[str]) -> str:
    more = f" and {len(paths) - _NAMED:,} more" if len(paths) > _NAMED else ""
    return ", ".join(paths[:_NAMED]) + more
