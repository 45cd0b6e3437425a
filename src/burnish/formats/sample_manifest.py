"""`samples.csv` and `samples.parquet`: from every sample back to its source, frame, tile and scale."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from burnish.data.samples import MANIFEST
from burnish.engine.files import atomic_path
from burnish.errors import FormatError
from burnish.media.hashing import file_hash

if TYPE_CHECKING:
    from collections.abc import Mapping

CSV: Final = "samples.csv"
PARQUET: Final = "samples.parquet"


def write_manifest(folder: Path, plan: pl.DataFrame, targets: Mapping[int, str]) -> None:
    """Write where each sample of a plan went and came from, as a table to read and one to compute with.

    Args:
        folder: Where the samples lie.
        plan: The plan, with the samples' image ids.
        targets: Image id -> path below the folder; samples that are not in it were not written.
    """
    written = plan.filter(pl.col("image").is_in(list(targets)))
    paths = [targets[image] for image in written["image"]]
    hashes = [file_hash(folder / path) if (folder / path).is_file() else None for path in paths]
    table = written.with_columns(sample=pl.Series(paths, dtype=pl.String), hash=pl.Series(hashes, dtype=pl.String)).select(*MANIFEST)
    with atomic_path(folder / CSV) as temporary:
        table.write_csv(temporary)
    with atomic_path(folder / PARQUET) as temporary:
        table.write_parquet(temporary)


def read_manifest(path: Path | str) -> pl.DataFrame:
    """Read the manifest of a folder, or a file of it.

    Raises:
        FormatError: There is none, or it lacks columns.
    """
    found = Path(path)
    if found.is_dir():
        found = next((found / name for name in (PARQUET, CSV) if (found / name).is_file()), found / PARQUET)
    if not found.is_file():
        raise FormatError(f"there is no {CSV} or {PARQUET}, so it is not known what the samples were taken of.", path=found)
    table = pl.read_parquet(found) if found.suffix == ".parquet" else pl.read_csv(found, infer_schema=False)
    missing = [name for name in MANIFEST if name not in table.columns]
    if missing:
        raise FormatError(f"the columns {missing} are missing; expected {', '.join(MANIFEST)}.", path=found)
    return table.select(pl.col(name).cast(dtype) for name, dtype in MANIFEST.items())
