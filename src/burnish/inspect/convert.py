"""Turn a dataset from any format into another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from burnish.data.findings import join_findings, no_findings
from burnish.data.statuses import LEFT_OUT, SKIPPED, without_skipped
from burnish.engine.progress import Progress, silent
from burnish.errors import ConfigError
from burnish.formats.derived import Derived
from burnish.formats.labelled import labelled
from burnish.formats.recognise import FORMATS, load_format
from burnish.inspect.sampling import sampling_of
from burnish.inspect.settings import ConvertConfig, MasksConfig

if TYPE_CHECKING:
    from burnish.data.dataset import Dataset
    from burnish.engine.map import Engine

_VARIANTS = {
    "yolo": ("task", ("detect", "segment", "obb", "pose", "classify")),
    "masks": ("style", ("semantic", "palette", "binary", "instance", "panoptic", "index", "instances")),
    "coco": ("task", ("instances", "panoptic")),
}
_STYLES = {"semantic": "index", "instance": "instances"}
"""The field's words for styles of masks, and the names of what is written."""


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
    # Panoptic masks are COCO's; whoever asks for masks need not know that.
    form = "coco" if (config.to, config.task) == ("masks", "panoptic") else config.to
    load_format(form)
    options = _options(config, form)
    made, problems, told = labelled(dataset, config.labels, config.superlabels, config.chain, loose=config.loose)
    text = f"{dataset}\nwritten as {form}: {FORMATS[form].summary}{told}{_skipped_text(made, form)}"
    return Derived(
        made,
        verb="convert",
        config=config.model_dump(mode="json"),
        text=text,
        to=form,
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


def _options(config: ConvertConfig, form: str) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if config.task is not None:
        key, allowed = _VARIANTS.get(config.to, ("task", ()))
        if config.task not in allowed:
            known = ", ".join(allowed) or "none"
            raise ConfigError(f"'task' is '{config.task}'; the format {config.to} has these variants: {known}.")
        options[key if form == config.to else "task"] = _STYLES.get(config.task, config.task)
    return options | _painting(config, form)


def _painting(config: ConvertConfig, form: str) -> dict[str, Any]:
    """What masks and panoptic files are told beside."""
    panoptic = form == "coco" and config.task == "panoptic"
    fitting = {"paint": panoptic or form == "masks", "ignore": form == "masks", "stuff": panoptic}
    given = {name: value for name, value in config.masks.model_dump().items() if value != getattr(MasksConfig(), name)}
    wrong = [name for name in given if not fitting[name]]
    if wrong:
        variant = f" with the variant {config.task}" if config.task else ""
        whose = "paint belongs to masks and panoptic files, ignore to masks, stuff to panoptic files"
        raise ConfigError(f"masks.{wrong[0]} has no meaning for the format {config.to}{variant}; {whose}.")
    return given
