"""Samples on the way to a format: made in a folder beside the one that is written, from where they are placed."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from burnish.data.findings import no_findings
from burnish.data.sampled import sampled
from burnish.data.samples import Sampling, needs_samples, plan_samples
from burnish.engine.progress import Progress, silent
from burnish.formats.placing import distinct_paths
from burnish.formats.reading import is_outside
from burnish.media.samples import make_pictures

if TYPE_CHECKING:
    from collections.abc import Generator

    from burnish.data.dataset import Dataset
    from burnish.engine.map import Engine


class Samples(NamedTuple):
    """The dataset of samples, and what was noticed while they were made."""

    dataset: Dataset
    findings: pl.DataFrame


@contextmanager
def made_samples(
    dataset: Dataset,
    sampling: Sampling | None,
    beside: Path,
    *,
    pixels: bool = True,
    engine: Engine | None = None,
    progress: Progress = silent,
) -> Generator[Samples]:
    """Give the dataset of samples with its pictures, which are there as long as the block lasts.

    A dataset of pictures of which nothing but these is asked for comes back as it is.

    Args:
        dataset: What is sampled.
        sampling: How; None takes frames out of videos and nothing more.
        beside: The pictures are made in a folder beside this one, on the same disk.
        pixels: Whether pictures are made at all; otherwise there are labels only.
        engine: Where to work.
        progress: Where to report.

    Raises:
        DataError: Pictures of unknown size are to be scaled or cut.
        MissingExtra: There are videos, and PyAV is not installed.
    """
    chosen = sampling or Sampling()
    if chosen == Sampling(seed=chosen.seed) and not needs_samples(dataset):
        yield Samples(dataset, no_findings())
        return
    plan = _named(plan_samples(dataset, chosen))
    folder = Path(tempfile.mkdtemp(prefix=".samples.", suffix=".part", dir=beside.parent))
    try:
        made = sampled(dataset, plan, chosen, folder)
        findings = make_pictures(made.plan, dataset.root, folder, engine=engine, progress=progress) if pixels else no_findings()
        yield Samples(made.dataset, findings)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _named(plan: pl.DataFrame) -> pl.DataFrame:
    """Names that differ, and lead nowhere else."""
    inner = [PurePosixPath(name).name if is_outside(name) else name for name in plan["sample"]]
    given = distinct_paths(dict(enumerate(inner)), one_stem=True)
    return plan.with_columns(sample=pl.Series(list(given.values()), dtype=pl.String))
