"""Measure a trained network on a dataset, alone or against another."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from burnish.data.findings import findings_table
from burnish.engine.map import Engine
from burnish.engine.progress import Progress, silent
from burnish.errors import ConfigError, DataError
from burnish.train.evaluation import Comparison, Contestant, Evaluation
from burnish.train.judging.bootstrap import differences, intervals
from burnish.train.judging.choosing import choose, learnt_sigmas, training_settings
from burnish.train.judging.judge import judge_of
from burnish.train.judging.looking import look
from burnish.train.policies.policy import policy_of
from burnish.train.policies.settings import EvaluateConfig
from burnish.train.target import parse_target
from burnish.train.trained import Trained, read_trained

if TYPE_CHECKING:
    from burnish.data.dataset import Dataset
    from burnish.train.judging.choosing import Chosen
    from burnish.train.judging.judge import Judge
    from burnish.train.target import Target


def evaluate(
    dataset: Dataset, config: EvaluateConfig | None = None, *, engine: Engine | None = None, progress: Progress = silent
) -> Evaluation:
    """Measure a trained network on a dataset's labels, in the size of each picture.

    Args:
        dataset: Pictures with labels.
        config: The settings; `model` is the run folder.
        engine: Where pictures are decoded.
        progress: Where to report.

    Raises:
        ConfigError: No model was named, the task cannot be evaluated, or two networks cannot be compared.
        FormatError: A folder is no run folder.
        WeightsError: It has no weights that fit.
        DataError: The classes do not match, there is no such split, or no picture can be measured.
    """
    settings = config or EvaluateConfig()
    if not settings.model:
        raise ConfigError("No model was named. Give the run folder of a training: --model runs/train/NAME")
    ours = read_trained(settings.model, device=settings.device)
    theirs = read_trained(settings.against, device=settings.device) if settings.against else None
    if theirs is not None:
        _refuse_unlike(ours, theirs)
    chosen = choose(dataset, ours, split=settings.split, form=settings.format)
    judges = [_judge(network, chosen, settings) for network in (ours, theirs) if network is not None]
    bad = look(chosen.examples, chosen.rows, judges, batch_size=settings.batch_size, engine=engine or Engine(), progress=progress)
    contestants = [_contestant(network, judge, chosen, settings) for network, judge in zip((ours, theirs), judges, strict=False) if network]
    return Evaluation(
        config=settings,
        chosen=chosen,
        contestant=contestants[0],
        comparison=_comparison(contestants, settings) if len(contestants) > 1 else None,
        unreadable=findings_table(bad),
        engine=engine or Engine(),
    )


def _refuse_unlike(ours: Trained, theirs: Trained) -> None:
    for what, one, other in (("task", ours.task, theirs.task), ("mode", ours.mode, theirs.mode)):
        if one != other:
            raise ConfigError(f"The {what} of {ours.folder} is {one}, that of {theirs.folder} {other}; expected the same, to compare them.")
    if set(ours.classes) != set(theirs.classes):
        told = f"{ours.folder} tells apart {', '.join(ours.classes)}; {theirs.folder} {', '.join(theirs.classes)}"
        raise DataError(f"{told}. Networks are compared on the same classes.")
    if ours.task == "keypoints" and ours.names != theirs.names:
        told = f"{ours.folder} finds the points {', '.join(ours.names)}; {theirs.folder} {', '.join(theirs.names)}"
        raise DataError(f"{told}. Networks are compared on the same points in the same order.")


def _judge(network: Trained, chosen: Chosen, settings: EvaluateConfig) -> Judge:
    """A judge whose targets have the order of the network's own classes."""
    names = chosen.examples.classes
    numbers = {number: network.classes.index(names[place]) for number, place in chosen.examples.numbers.items()}
    examples = replace(chosen.examples, classes=network.classes, numbers=numbers)
    sigmas = settings.points.sigmas or learnt_sigmas(training_settings(network))
    return judge_of(
        network, policy_of(examples), settings.model_copy(update={"points": settings.points.model_copy(update={"sigmas": sigmas})})
    )


def _contestant(network: Trained, judge: Judge, chosen: Chosen, settings: EvaluateConfig) -> Contestant:
    figures = judge.figures(_target(network))
    spread = intervals(judge.statistics(), figures.pictures.height, draws=settings.draws, seed=settings.seed)
    return Contestant(network, judge, figures, spread, _told(figures.pictures, chosen))


def _target(network: Trained) -> Target | None:
    text = training_settings(network).evaluation.target
    return parse_target(text) if text else None


def _told(pictures: pl.DataFrame, chosen: Chosen) -> pl.DataFrame:
    """The table of pictures with what a reader knows them by, in front."""
    examples = chosen.examples
    splits = dict(zip(chosen.rows.tolist(), chosen.splits, strict=True))
    rows = pictures["row"].to_list()
    named = {
        "image": [int(examples.images[row]) for row in rows],
        "path": [examples.told_path(row) for row in rows],
        "split": [splits[row] or None for row in rows],
    }
    return pl.DataFrame(named, schema_overrides={"split": pl.String}).hstack(pictures.drop("row"))


def _comparison(contestants: list[Contestant], settings: EvaluateConfig) -> Comparison:
    """Both on the same pictures; what changed most comes first."""
    ours, theirs = contestants
    count = ours.table.height
    found = differences(ours.judge.statistics(), theirs.judge.statistics(), count, draws=settings.draws, seed=settings.seed)
    rows = [(name, ours.figures.metrics[name], theirs.figures.metrics[name], *values) for name, values in found.items()]
    schema = {"metric": pl.String, **dict.fromkeys(("this", "other", "difference", "low", "high"), pl.Float64)}
    key = ours.figures.score
    pictures = ours.table.select("image", "path", "split").with_columns(
        ours.table[key].fill_null(1.0).alias("this"), theirs.table[key].fill_null(1.0).alias("other")
    )  # nothing was there and nothing was found: perfect
    if ours.trained.task == "classification":
        said = (ours.table["given"], ours.table["predicted"], theirs.table["predicted"].alias("other_predicted"))
        pictures = pictures.with_columns(*said)
    changed = pictures.with_columns((pl.col("this") - pl.col("other")).alias("change"), pl.Series("row", ours.figures.pictures["row"]))
    order = np.argsort(-np.abs(changed["change"].to_numpy()), kind="stable")
    return Comparison(theirs, pl.DataFrame(rows, schema=schema, orient="row").fill_nan(None), changed[order])
