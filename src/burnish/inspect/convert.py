"""Turn a dataset from any format into another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from burnish.data.findings import join_findings, no_findings
from burnish.data.statuses import LEFT_OUT, SKIPPED, without_skipped
from burnish.engine.progress import Progress, silent
from burnish.errors import ConfigError
from burnish.formats.recognise import FORMATS, load_format
from burnish.inspect.derived import Derived
from burnish.inspect.labelled import labelled
from burnish.inspect.sampling import sampling_of

if TYPE_CHECKING:
    from burnish.data.dataset import Dataset
    from burnish.engine.map import Engine
    from burnish.inspect.settings import ConvertConfig

_VARIANTS = {
    "yolo": ("task", ("detect", "segment", "obb", "pose", "classify")),
    "masks": ("style", ("binary", "index", "instances", "palette")),
}


def convert(dataset: Dataset, config: ConvertConfig, *, engine: Engine | None = None, progress: Progress = silent) -> Derived:
    """Prepare a dataset for another format; saving the result writes it.

    With label tables its classes become what the tables make of them. In every format but our own and CVAT's backups, objects of unused
    classes are skipped, and pictures with an object of a forbidden class are left out, whether tables say so or the dataset itself. That,
    what the format cannot carry, and what the source held and could not be read, comes back as findings when it is saved.

    Frames of videos become picture files there, scaled and cut as asked; `samples.csv` then leads from each picture back to its source.

    Raises:
        DataError: There is no format of that name, or it is only read.
        LabelError: The label tables do not know a class that has objects.
        ConfigError: The variant, or what is asked for as to samples, does not belong to the format.
    """
    load_format(config.to)
    options = _options(config)
    made, problems, told = labelled(dataset, config)
    text = f"{dataset}\nwritten as {config.to}: {FORMATS[config.to].summary}{told}{_skipped_text(made, config.to)}"
    return Derived(
        made,
        verb="convert",
        config=config.model_dump(mode="json"),
        text=text,
        to=config.to,
        media=config.media,
        options=options,
        sampling=sampling_of(made, config),
        engine=engine,
        progress=progress,
        findings=join_findings(dataset.notes, problems),
    )


def _skipped_text(dataset: Dataset, form: str) -> str:
    skipped = no_findings() if FORMATS[form].keeps else without_skipped(dataset)[1]
    if skipped.is_empty():
        return ""
    objects = skipped.filter(pl.col("kind") == SKIPPED).height
    pictures = skipped.filter(pl.col("kind") == LEFT_OUT)["image"].n_unique()
    return f"\nskipped: {objects:,} objects of unused classes; left out: {pictures:,} pictures with objects of forbidden ones"


def _options(config: ConvertConfig) -> dict[str, str]:
    if config.task is None:
        return {}
    key, allowed = _VARIANTS.get(config.to, ("task", ()))
    if config.task not in allowed:
        known = ", ".join(allowed) or "none"
        raise ConfigError(f"'task' is '{config.task}'; the format {config.to} has these variants: {known}.")
    return {key: config.task}
