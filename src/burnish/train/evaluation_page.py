"""The report of an evaluation: numbers with their intervals, classes, confusion, curves, thresholds, examples, and the other network."""

from __future__ import annotations

from datetime import datetime
from math import isnan
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from burnish.config import dump
from burnish.report.gallery import gallery
from burnish.report.markup import escape
from burnish.report.numbers import fixed, number
from burnish.report.page import Fact, Section, page
from burnish.report.tables import html_table
from burnish.train.judging.cards import Pick, confused, example_cards, extremes
from burnish.train.judging.sections import (
    class_table,
    confusion_chart,
    curve_charts,
    examples_section,
    gallery_look,
    metric_title,
    plural,
    reliability_chart,
    sweep_chart,
    with_confusion,
)
from burnish.train.policies.policy import policy_of

if TYPE_CHECKING:
    from burnish.report.gallery import Card
    from burnish.train.evaluation import Comparison, Evaluation

_TILES = 5
_LOWER: Final = frozenset({"hd95", "assd", "log_loss", "ece", "mean_error", "nme"})
_MOST_ROWS = 1000


def evaluation_page(found: Evaluation, written: tuple[str, ...]) -> str:
    """The report as the text of one self-contained HTML file; `written` are the tables beside it."""
    policy, contestant = policy_of(found.chosen.examples), found.contestant
    count = found.config.pictures
    picks = [*extremes(contestant.figures, found.table, count), *confused(contestant.figures, found.table)] if count else []
    cards = example_cards(policy, [contestant.trained], picks, min_score=found.config.min_score)
    sections = [_overview(found, cards), *_comparison(found), _classes(found, cards), _thresholds(found)]
    sections += [
        examples_section(cards, str(found.chosen.examples.dataset.root), contestant.trained.task),
        _pictures(found),
        _unreadable(found),
        _method(found, written),
    ]
    origin = [("Dataset", str(found.chosen.examples.dataset.root)), ("Network", str(contestant.trained.folder))]
    origin.append(("Date", datetime.now().astimezone().strftime("%Y-%m-%d %H:%M")))
    return page(
        contestant.trained.folder.absolute().name,
        [section for section in sections if section.body],
        subtitle=_subtitle(found),
        facts=_facts(found),
        origin=origin,
        settings=dump(found.config),
        kind="evaluation",
    )


def _subtitle(found: Evaluation) -> str:
    trained = found.contestant.trained
    where = "all pictures" if found.chosen.part == "all" else f"the part {found.chosen.part}"
    classes = f"{len(trained.classes):,} classes" if len(trained.classes) > 1 else "one class"
    task = "Key points" if trained.task == "keypoints" else trained.task.capitalize()
    return f"{task} of {classes}, measured on {found.table.height:,} pictures ({where})."


def _facts(found: Evaluation) -> list[Fact]:
    tiles = [Fact("Pictures", f"{found.table.height:,}", link="#pictures")]
    for name, (low, high) in list(found.contestant.intervals.items())[:_TILES]:
        hint = "" if isnan(low) else f"{low:.3f} to {high:.3f}"
        tiles.append(Fact(metric_title(name), fixed(found.metrics[name], 3), hint=hint))
    if not found.contestant.intervals:
        tiles += [Fact(metric_title(name), number(value)) for name, value in list(found.metrics.items())[:_TILES]]
    if found.unreadable.height:
        tiles.append(Fact("Left out", f"{found.unreadable.height:,}", tone="bad", link="#unreadable"))
    return tiles


def _overview(found: Evaluation, cards: list[Card]) -> Section:
    rows = [(name, value, *found.contestant.intervals.get(name, (None, None))) for name, value in found.metrics.items()]
    schema = {"metric": pl.String, "value": pl.Float64, "from": pl.Float64, "to": pl.Float64}
    table = html_table(pl.DataFrame(rows, schema=schema, orient="row").fill_nan(None), caption="All pictures together, with 95 % intervals")
    chart = confusion_chart(found.contestant.figures, cards) or reliability_chart(found.contestant.figures)
    return Section("overview", "Overview", with_confusion(chart, found.contestant.figures, table))


def _classes(found: Evaluation, cards: list[Card]) -> Section:
    figures = found.contestant.figures
    return Section("classes", plural(figures.classes), class_table(figures.classes, cards) + curve_charts(figures))


def _thresholds(found: Evaluation) -> Section:
    figures = found.contestant.figures
    charts = sweep_chart(figures) + (reliability_chart(figures) if figures.confusion is not None else "")
    return Section("thresholds", "Thresholds and calibration", f'<div class="pair">{charts}</div>' if charts else "")


def _comparison(found: Evaluation) -> list[Section]:
    if found.comparison is None:
        return []
    other = found.comparison.other.trained
    told = found.comparison.metrics.with_columns(
        pl.Series("verdict", [_verdict(row) for row in found.comparison.metrics.iter_rows(named=True)])
    )
    lead = (
        f"This network minus {other.folder}, both on the same pictures. An interval that holds 0 says that these pictures cannot tell "
        "the two apart. Below, what changed most"
    )
    lead += "." if other.task == "classification" else ": the picture, its labels, this network, the other."
    table = html_table(told, caption="Differences with 95 % intervals", headings={"low": "from", "high": "to"})
    cards = _changed(found, found.comparison)
    shown = gallery(
        cards, key="changed", title="Changed most", look=gallery_look(other.task), folder=str(found.chosen.examples.dataset.root)
    )
    return [Section("comparison", "Comparison", table + shown, lead)]


def _verdict(row: dict[str, object]) -> str:
    low, high = row["low"], row["high"]
    if not isinstance(low, float) or not isinstance(high, float):
        return ""
    if low <= 0 <= high:
        return "no difference shown"
    return "better" if (low > 0) != (row["metric"] in _LOWER) else "worse"


def _changed(found: Evaluation, comparison: Comparison) -> list[Card]:
    """The pictures on which the two differ most: picture, labels, this network, the other."""
    rows = comparison.pictures.filter(pl.col("change") != 0).head(found.config.pictures).iter_rows(named=True)
    picks = [_changed_pick(row, found.contestant.figures.score) for row in rows]
    networks = [found.contestant.trained, comparison.other.trained]
    return example_cards(policy_of(found.chosen.examples), networks, picks, min_score=found.config.min_score)


def _changed_pick(row: dict[str, Any], key: str) -> Pick:
    kind = "better" if row["change"] > 0 else "worse"
    told = f"{metric_title(key)} {number(row['this'])}, other {number(row['other'])}"
    if "given" not in row:
        return Pick(row["row"], kind, row["path"], reason=told)
    told += f"; the other says {row['other_predicted'] or 'nothing'}"
    return Pick(row["row"], kind, row["path"], row["given"], row["predicted"] if row["predicted"] != row["given"] else "", told)


def _pictures(found: Evaluation) -> Section:
    key = found.contestant.figures.score
    shown = found.table.drop("image").sort(key, nulls_last=True, maintain_order=True).head(_MOST_ROWS)
    lead = "The worst come first; a click on a heading sorts."
    lead += f" The first {_MOST_ROWS:,} of {found.table.height:,}; per_picture.csv holds all." if found.table.height > _MOST_ROWS else ""
    return Section("pictures", "Pictures", html_table(shown), lead)


def _unreadable(found: Evaluation) -> Section:
    if found.unreadable.is_empty():
        return Section("unreadable", "Left out", "")
    return Section("unreadable", "Left out", html_table(found.unreadable.select("path", "reason")))


def _method(found: Evaluation, written: tuple[str, ...]) -> Section:
    rows = [
        ("Size", "Predictions are brought home to each picture's own size before anything is counted."),
        ("Intervals", f"{found.config.draws:,} draws of pictures with replacement, seed {found.config.seed}."),
        *(("Note", note) for note in found.notes),
        ("Written beside this page", ", ".join((*written, "per_picture.parquet", "metrics.json"))),
    ]
    told = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>" for name, text in rows)
    return Section("method", "How it was measured", f'<dl class="told">{told}</dl>')
