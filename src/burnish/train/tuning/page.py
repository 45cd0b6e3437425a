"""The report of a search: its course, what decides, every trial as a line, and all of them in a table."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import polars as pl

from burnish.config import dump
from burnish.report.charts import bars
from burnish.report.coordinates import Axis, parallel_coordinates
from burnish.report.numbers import duration
from burnish.report.page import Fact, Section, page
from burnish.report.plots import line_chart
from burnish.report.tables import html_table
from burnish.train.tuning.attempt import best_of, natural
from burnish.train.tuning.settings import RangeConfig

if TYPE_CHECKING:
    from collections.abc import Sequence

    from burnish.train.tune import TuneResult


def tune_page(result: TuneResult) -> str:
    """The page as HTML."""
    best = best_of(result.trials)
    parts = [
        Section("course", "Course", _course(result), "Each trial's best evaluation, and the best so far."),
        Section("settings", "Settings", _lines(result), "Every trial is a line from setting to setting to what came of it."),
        Section("importance", "What decides", _importance(result)),
        Section("trials", "Trials", html_table(_table(result), caption="All trials", meters=())),
    ]
    worth = None if best is None or best.score is None else natural(result.target, best.score)
    states = [trial.state for trial in result.trials]
    facts = [
        Fact("Trials", f"{len(states):,}", hint=f"{states.count('pruned')} pruned, {states.count('failed')} failed", link="#trials"),
        Fact("Best", "–" if worth is None else f"{worth:.4g}", hint="" if best is None else f"trial {best.number}", tone="good"),
        Fact("Time of trainings", duration(sum(trial.seconds for trial in result.trials))),
    ]
    told = (
        "No training is complete."
        if best is None
        else f"Best: trial {best.number}, " + ", ".join(f"{k} {v}" for k, v in best.chosen.items())
    )
    return page(f"Search: {result.target}", parts, subtitle=told, facts=facts, settings=dump(result.config), kind="search")


def _course(result: TuneResult) -> str:
    values, best = list[float](), list[float]()
    sign = 1 if result.target.objectives[0].mode == "max" else -1
    for trial in result.trials:
        worth = math.nan if trial.score is None else natural(result.target, trial.score)
        values.append(worth)
        before = best[-1] if best else math.nan
        counts = trial.state == "complete" and trial.score is not None and trial.score.feasible and math.isfinite(worth)
        best.append(before if not counts else worth if math.isnan(before) else sign * max(sign * before, sign * worth))
    title = result.target.objectives[0].expression.text
    return line_chart(
        {"trial": _finite(values), "best so far": _finite(best)}, [t.number for t in result.trials], title=title, axis="trial"
    )


def _finite(values: Sequence[float]) -> list[float]:
    return [value if math.isfinite(value) else math.nan for value in values]


def _lines(result: TuneResult) -> str:
    shown = [trial for trial in result.trials if trial.score is not None and math.isfinite(trial.score.values[0])]
    axes = {
        key: Axis([trial.chosen.get(key) for trial in shown], log=isinstance(values, RangeConfig) and values.log)
        for key, values in result.config.space.items()
    }
    worth = [trial.score.values[0] if trial.score.feasible else math.nan for trial in shown if trial.score is not None]
    axes["target"] = Axis([natural(result.target, trial.score) for trial in shown if trial.score is not None])
    names = [f"Trial {trial.number}, {trial.state}" for trial in shown]
    return parallel_coordinates(
        axes, worth, title="Settings and target", note="The stronger a line, the better; the best in colour.", names=names
    )


def _importance(result: TuneResult) -> str:
    note = "PED-ANOVA: how much a setting says about being among the best tenth of the trials; the shares add up to 1."
    if not result.importance:
        note = "There are too few complete trials to tell: at least eight, with different results, on this machine's engine."
    shares = list(result.importance.values())
    return bars(list(result.importance), shares, title="Importance", note=note, form="percent")


def _table(result: TuneResult) -> pl.DataFrame:
    told = [
        pl.col(key).map_elements(lambda value: f"{value:.4g}", pl.String)
        for key in result.config.space
        if result.table[key].dtype == pl.Float64
    ]
    return result.table.drop("metrics").with_columns(pl.col("seconds").round(0), *told)
