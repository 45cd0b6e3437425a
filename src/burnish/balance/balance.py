"""Balance classes by repeating pictures, with proof of what is possible."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from burnish.balance.advice import advice_of
from burnish.balance.baselines import NAMES, baseline_copies
from burnish.balance.exact import solve_exactly
from burnish.balance.frontier import MOST_ENTRIES, Frontier, frontier_of
from burnish.balance.incidence import incidence_of
from burnish.balance.plans import FRAMES, mark_of, reasons
from burnish.balance.problem import class_wishes, four_weights, limits_of, measured, objective_of, target_shares
from burnish.balance.result import BalanceResult, Outcome
from burnish.balance.rounding import whole_copies
from burnish.balance.settings import BalanceConfig
from burnish.balance.solver import solve
from burnish.engine.progress import Progress, silent
from burnish.engine.timing import Stopwatch
from burnish.errors import ConfigError
from burnish.formats.labelled import labelled
from burnish.formats.plans import Plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from burnish.balance.incidence import Incidence
    from burnish.balance.limits import Limits
    from burnish.data.dataset import Dataset
    from burnish.geometry.arrays import Ints

FILE_FORMATS = ("yolo", "folders", "masks")
"""Formats in which a picture's labels are files of its own, so that files can be repeated."""

_ENOUGH = 1e-6
"""Share of the way down to the bound that is not worth a search."""


def balance(dataset: Dataset, config: BalanceConfig | None = None, *, progress: Progress = silent) -> BalanceResult:
    """Balance classes by repeating pictures, with proof of what is possible.

    One split is balanced (`train`), or the whole dataset where it is not divided. The best copies are found for the objective, made
    whole, and given with a bound that no other copies within the limits can pass.

    Args:
        dataset: Pictures with objects; or with labels of whole pictures, which count as one object each.
        config: The settings.
        progress: Where to report.

    Raises:
        DataError: There is nothing to balance: no pictures, no objects, no such split.
        ConfigError: A class that is named is not there, or the limits contradict one another.
        LabelError: The label tables do not know a class that has objects.
        MissingExtra: Solver torch was asked for, and torch is not installed.
    """
    chosen = config or BalanceConfig()
    _refuse_impossible_duplicates(dataset, chosen)
    watch = Stopwatch()
    with watch.part("counting"):
        made, problems, labels_told = labelled(dataset, chosen.labels, chosen.superlabels, chosen.chain, loose=chosen.loose)
        incidence = incidence_of(made, chosen.split)
    with watch.part("solving"):
        outcome = solved(incidence, chosen, progress)
    with watch.part("comparing"):
        frontier = _frontier(incidence, chosen, outcome, progress)
        baselines = _baselines(incidence, chosen, outcome)
    told = advice_of(incidence, outcome.copies, frontier, target_shares(incidence, chosen.target))
    frames = incidence.pictures.filter(~pl.col("is_file")).height
    if frames and "list" in chosen.outputs:
        told = (*told, f"There is no train.txt: {frames:,} pictures are {FRAMES}.")
    if not problems.is_empty():
        told = (*told, f"{labels_told.strip()}.")
    return BalanceResult(
        dataset, chosen, incidence, _plan(dataset, incidence, chosen, outcome), outcome, frontier, baselines, told, dict(watch.seconds)
    )


def solved(incidence: Incidence, config: BalanceConfig, progress: Progress = silent) -> Outcome:
    """The copies that the settings ask for, and how good they are proven to be.

    Raises:
        ConfigError: A class that is named is not there, or the limits contradict one another.
    """
    objective, limits = objective_of(incidence, config), limits_of(incidence, config)
    ones = np.ones(len(incidence))
    with progress.task("balance") as advance:
        relaxed = solve(objective, limits, advance=advance)
        rows = [(*row[:2], max(row[2], 0.0), row[3] / len(incidence)) for row in relaxed.history]
        history = pl.DataFrame(rows, schema=["step", "value", "bound", "growth"], orient="row")
        if config.solver == "torch":
            copies, history = _by_gradient(incidence, config, advance)
        else:
            enough = relaxed.bound + _ENOUGH * max(relaxed.start - relaxed.bound, 0.0)
            copies = whole_copies(objective, limits, relaxed.copies, incidence.counts, enough=enough, advance=advance)
            if objective.value(copies.astype(np.float64)) >= objective.value(ones) and _allowed(limits):
                copies = np.ones(len(incidence), dtype=np.int64)
        bound = relaxed.bound
        if config.solver == "exact":
            exact = solve_exactly(objective, limits, copies, advance=advance)
            copies, bound = exact.copies, max(bound, exact.bound)
    value, start = objective.value(copies.astype(np.float64)), relaxed.start
    return Outcome(copies, value, min(bound, value), start, relaxed.value, history)


def _allowed(limits: Limits) -> bool:
    """Whether one copy of each picture is within the limits."""
    return bool((limits.highest >= 1).all()) and limits.least <= len(limits.lowest) <= limits.most


def _by_gradient(incidence: Incidence, config: BalanceConfig, advance: Callable[[int], None]) -> tuple[Ints, pl.DataFrame]:
    from burnish.balance.gradient import GradientLimits, descend_rounded  # noqa: PLC0415 - loads torch

    given = config.gradient
    limits = GradientLimits(given.steps, given.lr, config.max_copies, config.budget, given.max_copy_per_step)
    weights = four_weights(config.model_copy(update={"objective": "variance"}))
    return descend_rounded(incidence, limits, weights=weights, device=given.device, advance=advance)


def _frontier(incidence: Incidence, config: BalanceConfig, outcome: Outcome, progress: Progress) -> Frontier | None:
    if len(incidence.classes) == 1 or incidence.counts.nnz > MOST_ENTRIES:
        return None
    with progress.task("other sizes") as advance:
        return frontier_of(incidence, config, outcome.copies, advance=advance)


def _baselines(incidence: Incidence, config: BalanceConfig, outcome: Outcome) -> pl.DataFrame:
    """One row a way of balancing, all at the plan's size; see `BalanceResult.baselines`."""
    samples = int(outcome.copies.sum())
    ways = {"as it is": np.ones(len(incidence), dtype=np.int64), "burnish": outcome.copies}
    if samples >= len(incidence):
        ways |= {name: baseline_copies(incidence, key, samples, max_copies=config.max_copies) for key, name in NAMES.items()}
    rows = [{"method": name, **measured(incidence, n, config.target), "most_copies": int(n.max())} for name, n in ways.items()]
    return pl.DataFrame(rows)


def _plan(dataset: Dataset, incidence: Incidence, config: BalanceConfig, outcome: Outcome) -> Plan:
    wanted, _ = class_wishes(incidence, config)
    told = reasons(incidence, outcome.copies, wanted)
    table = incidence.pictures.with_columns(pl.Series("copies", outcome.copies), pl.Series("why", told, dtype=pl.String))
    about = {
        "verb": "balance",
        "dataset": str(dataset.origin.get("path", dataset.root)),
        "format": dataset.origin.get("format"),
        "split": config.split,
        "objective": config.objective,
        "value": outcome.value,
        "bound": outcome.bound,
        "gap": outcome.gap,
        "mark": mark_of(incidence),
    }
    return Plan(table, about)


def _refuse_impossible_duplicates(dataset: Dataset, config: BalanceConfig) -> None:
    if config.duplicates in {"none", "undo"}:
        return
    if config.allow_drop:
        raise ConfigError("duplicates repeats files and never removes one, so it does not go with allow_drop. Use outputs list.")
    form = dataset.origin.get("format")
    if form not in FILE_FORMATS:
        raise ConfigError(
            f"The dataset is of format {form}, whose labels are not files of single pictures: a repeated file would have no labels. "
            f"Use outputs list, weights or coco, or convert it to one of {', '.join(FILE_FORMATS)}."
        )
