"""What the training is shown: parts, classes in each, and the statistics of pictures as the network sees them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from burnish.train.checks.finding import Finding
from burnish.train.policies.examples import PARTS
from burnish.train.sample_sums import StatisticsConfig
from burnish.train.statistics import Statistics, dataset_statistics

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from burnish.engine.progress import Progress
    from burnish.train.policies.examples import Examples
    from burnish.train.samples import Sample
    from burnish.train.setup import Setup

_LISTED = 6
_MOSTLY = 0.5


def look_at_parts(examples: Examples, *, fewest: int) -> list[Finding]:
    """The findings on parts, classes that are absent from one, and classes with next to nothing to learn from."""
    sizes = {part: len(examples.part(part)) for part in PARTS}
    counts = class_pictures(examples)
    told = ", ".join(f"{number:,} {part}" for part, number in sizes.items())
    more = f" and {len(examples.classes) - _LISTED:,} more" if len(examples.classes) > _LISTED else ""
    kind = f"{examples.task} ({examples.mode}) of {', '.join(examples.classes[:_LISTED])}{more}"
    notes = "".join(f" {note}" for note in examples.notes)
    found = [
        Finding("parts", "ok" if sizes["val"] else "error", f"{kind}: {told} pictures.{notes}", "" if sizes["val"] else _NO_VALIDATION)
    ]
    for part in (part for part in PARTS if sizes[part]):
        absent = [name for name, number in zip(examples.classes, counts[part], strict=True) if not number]
        if absent:
            advice = (
                "Leave them out with data.classes, or add pictures." if part == "train" else "Move some there: burnish split keeps shares."
            )
            text = f"{_listed(absent)} on no picture of the part {part}."
            found.append(Finding(f"classes of {part}", "error" if part == "train" else "warning", text, advice))
    rare = {name: int(number) for name, number in zip(examples.classes, counts["train"], strict=True) if 0 < number < fewest}
    if rare:
        text = f"{_listed([f'{name} ({number})' for name, number in rare.items()])} on fewer than {fewest} training pictures."
        found.append(
            Finding("rare classes", "warning", text, "Label more, repeat them with burnish balance (data.plan), or merge classes.")
        )
    return found


def class_pictures(examples: Examples) -> dict[str, NDArray[np.int64]]:
    """(K,) pictures of each part on which each class is."""
    found: dict[str, NDArray[np.int64]] = {}
    for part in PARTS:
        counts = np.zeros(len(examples.classes), np.int64)
        for row in examples.part(part):
            on_it = {examples.numbers.get(one["class"], 0) for one in examples.rows_of(int(row))}
            counts[list(on_it)] += 1
        found[part] = counts
    return found


def measure_pictures(setup: Setup, cache: Path | None, mark: str, progress: Progress) -> tuple[Finding, pl.DataFrame]:
    """Statistics of the training part as the network sees it, with the weights that follow.

    Args:
        setup: The training.
        cache: Folder that keeps the sums; None keeps none.
        mark: What they are of.
        progress: Where to report.
    """
    own = setup.examples.part("train")
    names, background = _names(setup)
    config = StatisticsConfig(num_classes=len(names), background=background)
    statistics = dataset_statistics(
        lambda place: _single_objects(setup.feed.sample(int(own[place]))),
        len(own),
        config,
        cache=cache,
        mark=(mark, "doctor"),
        progress=progress,
    )
    table = _table(statistics, names)
    if statistics.empty_share > _MOSTLY and setup.examples.task != "classification":
        advice = "Most steps learn what nothing looks like: leave some of them out, or repeat the others with burnish balance."
        return Finding("statistics", "warning", f"{statistics}.", advice), table
    flat = [colour for colour, spread in zip(("red", "green", "blue"), statistics.std, strict=True) if spread == 0]
    if flat:
        return Finding("statistics", "warning", f"{statistics}: {', '.join(flat)} never changes.", "Look at the pictures."), table
    return Finding("statistics", "ok", f"{statistics}.", "Weights of classes are in the table below."), table


_NO_VALIDATION = "Name such a split with data.validation, or add pictures: nothing would choose the best weights."


def _single_objects(sample: Sample) -> Sample:
    """A sample without its crowds, which have negative numbers."""
    if sample.classes is None or sample.boxes is None or len(sample.boxes) != len(sample.classes) or (sample.classes >= 0).all():
        return sample
    kept = sample.classes >= 0
    instances = None if sample.instances is None else sample.instances[kept]
    return replace(sample, boxes=sample.boxes[kept], classes=sample.classes[kept], instances=instances)


def _names(setup: Setup) -> tuple[tuple[str, ...], int | None]:
    """The classes as targets number them, and which of them is the background."""
    classes = setup.examples.classes
    if setup.examples.task == "segmentation" and setup.policy.targets.beliefs is None:
        return ("background", *classes), 0
    return classes, None


def _table(statistics: Statistics, names: tuple[str, ...]) -> pl.DataFrame:
    weights = statistics.weights()
    return pl.DataFrame(
        {
            "class": names,
            "pictures": statistics.sums.class_pictures,
            "objects": statistics.sums.class_boxes,
            "share_of_pixels": statistics.pixel_share,
            "inverse": weights.inverse,
            "median": weights.median,
            "effective": weights.effective,
            "pos_weight": weights.pos_weight,
            "focal_alpha": weights.focal_alpha,
        }
    )


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _LISTED:,} more" if len(names) > _LISTED else ""
    verb = "is" if len(names) == 1 else "are"
    return f"{', '.join(names[:_LISTED])}{more} {verb}"
