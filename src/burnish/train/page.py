"""The report of a training: its course, its final numbers, what it takes for what, its best and worst pictures, and how it was done."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from burnish.config import dump
from burnish.engine.map import Engine
from burnish.engine.progress import silent
from burnish.errors import ConfigError, DataError
from burnish.report.charts import stacked_bars
from burnish.report.gallery import Card
from burnish.report.markup import escape
from burnish.report.numbers import fixed
from burnish.report.page import Fact, Section, page
from burnish.report.pictures import thumbnail
from burnish.report.plots import line_chart
from burnish.report.tables import html_table
from burnish.train.course import Course, read_course
from burnish.train.judging.cards import confused, example_cards, extremes
from burnish.train.judging.choosing import learnt_sigmas
from burnish.train.judging.judge import judge_of
from burnish.train.judging.looking import look
from burnish.train.judging.sections import (
    class_table,
    confusion_chart,
    examples_section,
    metric_title,
    reliability_chart,
    with_confusion,
)
from burnish.train.loaders.placement import Placement
from burnish.train.policies.examples import PARTS
from burnish.train.policies.settings import EvaluateConfig, PointsConfig
from burnish.train.run import network_device
from burnish.train.run_folder import environment
from burnish.train.trained import Trained

if TYPE_CHECKING:
    from collections.abc import Sequence

    from burnish.train.judging.judge import Figures
    from burnish.train.result import TrainResult

METRICS: Final = "metrics.jsonl"

_MOST_JUDGED = 400
_EXAMPLES = 12
_MOST_CLASSES = 40
_LINES = 5


@dataclass(frozen=True, slots=True, eq=False)
class JudgedPart:
    """One part as a judge saw it.

    Attributes:
        name: val or test.
        figures: What the judge came to.
        cards: Its worst and best pictures, and those with the most of each confusion.
        number: Pictures that were judged, of so many.
        whole: Pictures of the part.
    """

    name: str
    figures: Figures
    cards: Sequence[Card]
    number: int
    whole: int


def train_page(result: TrainResult, folder: Path) -> str:
    """The report as the text of one self-contained HTML file.

    Args:
        result: What the training came to.
        folder: The run folder, whose metrics.jsonl tells the course.
    """
    # After Ctrl-C nobody waits for pictures to be judged.
    found = [] if result.run.interrupted else [_judged(result, part) for part in ("test", "val") if len(result.policy.examples.part(part))]
    judged = [part for part in found if isinstance(part, JudgedPart)]
    reasons = list(dict.fromkeys(part for part in found if isinstance(part, str)))
    sections = [_course(result, read_course(folder / METRICS)), _final(result), *_examples(result, judged), _data(result)]
    sections.append(_method(result, folder, reasons))
    return page(
        folder.absolute().name,
        [section for section in sections if section.body],
        subtitle=str(result).splitlines()[0],
        facts=_facts(result),
        origin=[("Dataset", _dataset(result)), ("Date", datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"))],
        settings=dump(result.config),
        kind="training",
    )


def trained_of(result: TrainResult, folder: Path) -> Trained:
    """The network of a training, as `read_trained` would give it."""
    plan, policy = result.config, result.policy
    return Trained(
        model=result.model,
        task=policy.examples.task,
        mode=policy.examples.mode,
        names=policy.names,
        classes=policy.examples.classes,
        placement=Placement.make(size=plan.size, how=plan.data.fit),
        device=network_device(result.model),
        producer=str(getattr(plan.network, "name", "")),
        details=dict(policy.details),
        folder=folder,
    )


def _judged(result: TrainResult, part: str) -> JudgedPart | str:
    """A part judged in the size of its pictures, at most a few hundred of them; or why it was not."""
    pictures = result.policy.pictures
    rows = pictures.part(part)
    chosen = np.sort(np.random.default_rng(result.config.seed).choice(rows, size=min(len(rows), _MOST_JUDGED), replace=False))
    trained = trained_of(result, result.folder or Path())
    points = PointsConfig(sigmas=learnt_sigmas(result.config))
    settings = EvaluateConfig(outlines=False, batch_size=result.config.batch_size, points=points)
    try:
        judge = judge_of(trained, result.policy, settings)
        look(pictures, chosen, [judge], batch_size=settings.batch_size, engine=Engine(1), progress=silent)
    except (ConfigError, DataError) as error:  # the training itself is done; its report tells what it lacks
        return str(error)
    figures = judge.figures(None)
    table = figures.pictures.select(
        pl.Series("path", [pictures.told_path(row) for row in figures.pictures["row"]]),
        pl.lit(part).alias("split"),
        pl.exclude("row"),
    )
    picks = [*extremes(figures, table, _EXAMPLES), *confused(figures, table)]
    cards = example_cards(result.policy, [trained], picks, min_score=settings.min_score)
    return JudgedPart(part, figures, cards, table.height, len(rows))


def _facts(result: TrainResult) -> list[Fact]:
    examples = result.policy.examples
    tiles = [Fact(f"{part.capitalize()} pictures", f"{len(examples.part(part)):,}") for part in PARTS if len(examples.part(part))]
    for part, metrics in result.measured.items():
        main = [name for name in metrics if "/" not in name and name != "loss"][:2]
        tiles += [Fact(f"{metric_title(name)} ({part})", fixed(metrics[name], 3), link="#final") for name in main]
    best = result.run.best
    return [*tiles, Fact("Best step", "–" if best is None else f"{best[1]:,}", hint=f"of {result.run.step:,}", link="#course")]


def _course(result: TrainResult, course: Course) -> Section:
    """Loss, metrics and learning rate over the steps, with the best one marked."""
    marked = None if result.run.best is None else (float(result.run.best[1]), "best")
    plain = [name for name in course.series if "/" not in name and name != "loss"]
    shares = [name for name in plain if max((v for v in course.series[name][1] if v == v), default=2) <= 1]  # noqa: PLR0124 - NaN
    rest = [name for name in plain if name not in shares]
    groups = [
        ("Loss", ["train/loss", "loss"]),
        *((f"Metrics{'' if not at else ' (more)'}", shares[at : at + _LINES]) for at in range(0, len(shares), _LINES)),
    ]
    groups += [(name.replace("_", " ").capitalize(), [name]) for name in rest]
    groups += [("Learning rate", ["train/lr"])]
    drawn = [_chart(title, names, course, marked) for title, names in groups]
    lead = "Over the steps; the validation part is measured as the network sees it."
    return Section("course", "Course", f'<div class="pair">{"".join(drawn)}</div>' if any(drawn) else "", lead)


def _chart(title: str, names: Sequence[str], course: Course, marked: tuple[float, str] | None) -> str:
    steps, series = course.over(names)
    if not steps or all(value != value for values in series.values() for value in values):  # noqa: PLR0124 - NaN
        return ""
    told = {"train/loss": "training", "loss": "validation", "train/lr": "first group"}
    few = len(steps) <= _MOST_CLASSES
    return line_chart(
        {told.get(name, name.replace("_", " ")): values for name, values in series.items()},
        steps,
        title=title,
        axis="step",
        dots=few,
        marked=marked,
    )


def _final(result: TrainResult) -> Section:
    names = list(dict.fromkeys(name for metrics in result.measured.values() for name in metrics))
    columns: dict[str, Any] = {"metric": names}
    columns |= {part: [metrics.get(name) for name in names] for part, metrics in result.measured.items()}
    lead = "The weights of the best evaluation, on pictures as the network sees them."
    return Section("final", "Final numbers", html_table(pl.DataFrame(columns).fill_nan(None)) if names else "", lead)


def _examples(result: TrainResult, judged: Sequence[JudgedPart]) -> list[Section]:
    """Confusion, classes and pictures of the part that was only measured, or else of the one that chose the weights."""
    if not judged:
        return [_drawn(result)]
    first = judged[0]
    cards = [card for part in judged for card in _renamed(part)]
    some = f" ({first.number:,} of {first.whole:,} pictures, drawn by chance)" if first.number < first.whole else ""
    lead = f"The part {first.name} in the size of its pictures{some}."
    charts = with_confusion(confusion_chart(first.figures, cards), first.figures, reliability_chart(first.figures))
    body = charts + class_table(first.figures.classes, cards)
    return [
        Section("mistakes", "Mistakes", body, lead),
        examples_section(cards, str(result.policy.examples.dataset.root), result.policy.examples.task),
    ]


def _renamed(part: JudgedPart) -> list[Card]:
    """Cards of several parts in one gallery have keys of their own."""
    return [
        Card(key=f"{part.name}-{card.key}", picture=card.picture, title=card.title, given=card.given, suggested=card.suggested,
             kind=card.kind, reason=card.reason)
        for card in part.cards
    ]  # fmt: skip


def _drawn(result: TrainResult) -> Section:
    """The first pictures of the validation part, where nothing ranks them."""
    rows = result.policy.examples.part("val")[: result.config.evaluation.pictures]
    cards = [
        Card(key=f"val-{row}", picture=thumbnail(drawn, longest=900), title=result.policy.examples.told_path(row))
        for row, drawn in zip(rows.tolist(), result.showing.drawn(result.model), strict=True)
    ]
    section = examples_section(cards, str(result.policy.examples.dataset.root), result.policy.examples.task)
    return Section(section.key, section.title, section.body if cards else "", f"The first pictures of the part val. {section.lead}")


def _data(result: TrainResult) -> Section:
    """How often each part has each class."""
    examples = result.policy.examples
    counts = {part: [0] * len(examples.classes) for part in PARTS if len(examples.part(part))}
    for part, found in counts.items():
        for row in examples.part(part):
            for place in {examples.numbers[one["class"]] for one in examples.rows_of(int(row)) if one["class"] in examples.numbers}:
                found[place] += 1
    chart = stacked_bars(examples.classes, counts, title="Pictures of each class", tones=("accent", "good", "bad"), most=_MOST_CLASSES)
    notes = "".join(f"<li>{escape(note)}</li>" for note in examples.notes)
    return Section("data", "Data", chart + (f"<ul>{notes}</ul>" if notes else ""))


def _method(result: TrainResult, folder: Path, reasons: Sequence[str]) -> Section:
    path = folder / "environment.json"
    about: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else environment()
    packages = ", ".join(f"{name} {version}" for name, version in about.get("packages", {}).items())
    devices = ", ".join(about.get("devices", [])) or "none"
    rows = [
        ("Network", str(getattr(result.config.network, "name", ""))),
        ("Parameters", f"{sum(one.numel() for one in result.model.parameters()):,}"),
        ("Size", " x ".join(str(side) for side in _size(result)) + " pixels (height x width)"),
        ("Target", result.config.evaluation.target or ""),
        ("Stopped", result.run.stop or "at the last epoch"),
        ("Python", f"{about.get('python', '')} on {about.get('platform', '')}"),
        ("Machine", f"{about['processor']}, {about['cores']} cores, {about['memory_gb']:g} GB" if "processor" in about else ""),
        ("Packages", packages),
        ("Graphics devices", f"{devices}; trained on {network_device(result.model)}"),
        *(("Not judged", reason) for reason in reasons),
    ]
    told = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>" for name, text in rows if text)
    return Section("method", "How it was trained", f'<dl class="told">{told}</dl>')


def _size(result: TrainResult) -> tuple[int, ...]:
    size = result.config.size
    return size if isinstance(size, tuple) else () if size is None else (size, size)


def _dataset(result: TrainResult) -> str:
    dataset = result.policy.examples.dataset
    return str(dataset.origin.get("path", dataset.root))
