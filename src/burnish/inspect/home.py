"""Carry labels of samples back to the pictures and frames that these were made of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from burnish.data.findings import join_findings
from burnish.data.homing import carried_home
from burnish.errors import FormatError
from burnish.formats.derived import Derived
from burnish.formats.sample_manifest import CSV, PARQUET, read_manifest
from burnish.inspect.settings import HomeConfig

if TYPE_CHECKING:
    import polars as pl

    from burnish.data.dataset import Dataset

_LEVELS = 4


def home(dataset: Dataset, source: Dataset, config: HomeConfig | None = None) -> Derived:
    """Put predictions or labels of samples where they belong in the dataset that the samples were made of.

    Args:
        dataset: The labelled samples.
        source: What `burnish convert` made them of. Its own annotations are left out: compare with `burnish diff`, or push what came home.
        config: Where the manifest is, and how views of one object are joined.

    Raises:
        FormatError: There is no manifest, or it is damaged.
        DataError: No picture is one of the manifest's.
    """
    chosen = config or HomeConfig()
    manifest = read_manifest(chosen.manifest) if chosen.manifest else _found(dataset)
    made, findings = carried_home(dataset, manifest, source, merge=chosen.merge)
    came, there = made.annotations.height, dataset.annotations.height
    text = f"{came:,} objects of {made.annotations['image'].n_unique():,} pictures, out of {there:,} on {len(dataset):,} samples"
    joined = join_findings(dataset.notes, findings)
    settings = chosen.model_dump(mode="json")
    return Derived(made, verb="home", config=settings, text=text, to=chosen.to, media=chosen.media, findings=joined)


def _found(dataset: Dataset) -> pl.DataFrame:
    """The manifest beside the labels, or a few folders above them."""
    place = Path(dataset.origin.get("path", dataset.root)).resolve()
    for folder in [place, *place.parents][:_LEVELS]:
        if any((folder / name).is_file() for name in (PARQUET, CSV)):
            return read_manifest(folder)
    raise FormatError(f"there is no {CSV} here or above; name it with --manifest.", path=place)
