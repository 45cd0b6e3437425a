"""Plans of balancing on disk: how often each picture comes, and why."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl
import polars.exceptions

from burnish.engine.files import atomic_path
from burnish.errors import DataError, FormatError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from burnish.data.dataset import Dataset
    from burnish.geometry.arrays import Ints

_KEY: Final = "burnish"
_COLUMNS: Final = {"image": pl.Int64, "path": pl.String, "frame": pl.Int64, "is_file": pl.Boolean, "copies": pl.Int64, "why": pl.String}
_LISTED: Final = 5


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """How often each picture comes.

    Attributes:
        table: One row a picture of the split: image (id), path, frame (number in its file), is_file (whether it is a file of its own),
            copies, why.
        about: dataset, split, objective, value, bound, gap, and the mark of the pictures and labels that it was made from.
    """

    table: pl.DataFrame
    about: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def copies(self) -> Ints:
        """(N,) copies in the order of the table."""
        return self.table["copies"].to_numpy()

    @property
    def samples(self) -> int:
        """Copies of all pictures together."""
        return int(self.table["copies"].sum())

    def __len__(self) -> int:
        return self.table.height

    def __str__(self) -> str:
        repeated = self.table.filter(pl.col("copies") > 1).height
        dropped = self.table.filter(pl.col("copies") == 0).height
        told = f", {dropped:,} left out" if dropped else ""
        return f"Plan of {self.samples:,} samples of {len(self):,} pictures: {repeated:,} repeated{told}"


def write_plan(plan: Plan, folder: Path) -> list[Path]:
    """Write plan.parquet, which knows what it is about, and plan.csv for people; each file whole or not at all."""
    paths = [folder / "plan.parquet", folder / "plan.csv"]
    with atomic_path(paths[0]) as temporary:
        plan.table.write_parquet(temporary, metadata={_KEY: json.dumps(dict(plan.about), default=str)})
    with atomic_path(paths[1]) as temporary:
        plan.table.write_csv(temporary)
    return paths


def read_plan(path: Path | str) -> Plan:
    """Read plan.parquet or plan.csv, or take them from the folder that holds one; a CSV needs the columns path and copies.

    Raises:
        FormatError: There is no such file, or it is no plan.
    """
    file = Path(path) / "plan.parquet" if Path(path).is_dir() else Path(path)
    if not file.is_file():
        raise FormatError("there is no plan here. Expected plan.parquet or plan.csv, as burnish balance writes them.", path=file)
    try:
        frame = pl.read_parquet(file) if file.suffix == ".parquet" else pl.read_csv(file)
        about = json.loads(pl.read_parquet_metadata(file).get(_KEY, "{}")) if file.suffix == ".parquet" else {}
        known = [pl.col(n).cast(t) if n in frame.columns else pl.lit(None, dtype=t).alias(n) for n, t in _COLUMNS.items()]
        table = frame.select(known).with_columns(pl.col("frame").fill_null(0), pl.col("is_file").fill_null(value=True))
    except (polars.exceptions.PolarsError, ValueError) as error:
        raise FormatError(f"this is no plan ({error}). Expected what burnish balance writes.", path=file) from error
    wrong = table.with_row_index("row").filter(pl.col("path").is_null() | pl.col("copies").is_null() | (pl.col("copies") < 0))
    if wrong.height:
        raise FormatError("expected a path and a whole number of copies, at least 0.", path=file, position=f"row {wrong['row'][0] + 1}")
    return Plan(table, about)


def copies_for(plan: Plan, dataset: Dataset) -> dict[int, int]:
    """Copies of each picture of a plan by its id in the dataset, the pictures being found by their paths and frames.

    Raises:
        DataError: The dataset lacks pictures of the plan: the plan is older than the dataset, or belongs to another one.
    """
    files = dataset.image_files().select("image", "path", frame="true_frame")
    joined = plan.table.select("path", "frame", "copies").join(files, on=["path", "frame"], how="left", maintain_order="left")
    lost = joined.filter(pl.col("image").is_null())["path"]
    if len(lost):
        shown = ", ".join(lost.head(_LISTED))
        raise DataError(
            f"{len(lost):,} of the {len(plan):,} pictures of the plan are not in the dataset: {shown}. The plan is older than the dataset, "
            "or made from another one; run burnish balance again.",
            table="images",
        )
    return dict(joined.select("image", "copies").iter_rows())
