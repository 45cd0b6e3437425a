"""The report of balancing: classes before and after, the frontier of balance against size, the floors, what is repeated most, advice."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from burnish.balance.advice import METRICS
from burnish.balance.baselines import NAMES
from burnish.config import dump
from burnish.engine.timing import duration_text
from burnish.media.images import UnreadableImage, read_image
from burnish.report.charts import bars
from burnish.report.gallery import Card, gallery
from burnish.report.markup import escape
from burnish.report.numbers import number
from burnish.report.page import Fact, Section, page
from burnish.report.pictures import Picture, thumbnail
from burnish.report.plots import line_chart
from burnish.report.tables import html_table

if TYPE_CHECKING:
    from burnish.balance.copies import Duplicated
    from burnish.balance.frontier import Frontier
    from burnish.balance.result import BalanceResult

MOST_PICTURES = 24
"""Pictures that are shown among those repeated most."""

_FORMATS = {"ratio": "decimal", "class_cv": "decimal", "superclass_cv": "decimal", "growth": "decimal"}
_HEADINGS = {
    "method": "How",
    "ratio": "Largest over smallest",
    "class_cv": "Variation of classes",
    "superclass_cv": "Variation of superclasses",
    "growth": "Size",
    "most_copies": "Most copies of one",
}


def balance_page(result: BalanceResult, made: Duplicated | None = None) -> str:
    """The report as the text of one self-contained HTML file."""
    sections = [Section("advice", "What to do", _advice(result, made)), Section("classes", "Classes", _classes(result), _lead(result))]
    if result.frontier is not None:
        sections.append(Section("frontier", "Balance against size", _frontier(result.frontier), _frontier_lead(result.frontier)))
    sections += [
        Section("methods", "Beside others", _methods(result), "Other ways of repeating pictures, brought to the same number of samples."),
        Section("pictures", "Repeated most", _pictures(result)),
        Section("proof", "Proof and method", _proof(result)),
    ]
    origin = [("Dataset", str(result.dataset.root)), ("Date", datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"))]
    return page(
        result.name, sections, subtitle=_subtitle(result), facts=_facts(result), origin=origin, settings=dump(result.config), kind="balance"
    )


def _subtitle(result: BalanceResult) -> str:
    before, after = result.baselines["ratio"][0], result.baselines["ratio"][1]
    return f"The largest class is {number(after)} times the smallest; it was {number(before)} times. {result.plan}."


def _facts(result: BalanceResult) -> list[Fact]:
    outcome, table = result.outcome, result.baselines
    facts = [
        Fact("Pictures", number(len(result.plan), "count")),
        Fact("Samples", number(result.plan.samples, "count"), f"{table['growth'][1]:.2f} times as many"),
        Fact("Largest over smallest", number(table["ratio"][1]), f"was {number(table['ratio'][0])}"),
        Fact("Variation of classes", number(table["class_cv"][1]), f"was {number(table['class_cv'][0])}"),
        Fact("Left to gain", f"{outcome.gap:.2%}", "proven, within the limits", "good" if outcome.gap <= 0.01 else "plain"),  # noqa: PLR2004
    ]
    if result.frontier is not None:
        facts.append(Fact("Floor", number(result.frontier.floors.any_budget), "largest over smallest, with any budget"))
    return facts


def _advice(result: BalanceResult, made: Duplicated | None) -> str:
    told = [*result.advice, *([f"{made}."] if made else [])]
    return "".join(f'<p class="lead">{escape(sentence)}</p>' for sentence in told or ["Nothing stands in the way of balance."])


def _lead(result: BalanceResult) -> str:
    skipped, left_out = result.incidence.skipped
    told = "What training sees of each class: an object counts once on each picture that shows it, and as often as the picture comes."
    if skipped or left_out:
        told += f" {skipped:,} objects of unused classes were skipped, {left_out:,} pictures with forbidden ones left out."
    return told


def _classes(result: BalanceResult) -> str:
    table = result.classes.sort("before", descending=True)
    shown = _before_and_after(table, "class", "Classes") + html_table(
        table, caption="Classes", formats={"share_before": "percent", "share_after": "percent"}, meters=["share_before", "share_after"]
    )
    above = result.superclasses
    return shown if above.is_empty() else shown + _before_and_after(above.sort("before", descending=True), "superclass", "Superclasses")


def _before_and_after(table: pl.DataFrame, column: str, title: str) -> str:
    """Shares, one under the other, so that both charts have one scale."""
    names = table[column].to_list()
    before, after = (table[f"share_{when}"].to_list() for when in ("before", "after"))
    longest = max(*before, *after)
    return bars(names, before, title=f"{title} before", form="percent", longest=longest) + bars(
        names, after, title=f"{title} after", form="percent", tone="accent", longest=longest
    )


def _frontier_lead(frontier: Frontier) -> str:
    return f"The {METRICS[frontier.metric]} that is possible at each size, and what other methods reach there. Lower is better."


def _frontier(frontier: Frontier) -> str:
    names = {"best": "best possible", **NAMES}
    table = frontier.table
    chart = line_chart(
        {told: table[key].to_list() for key, told in names.items()},
        table["size"].to_list(),
        title=METRICS[frontier.metric].capitalize(),
        axis="samples, as a multiple of the pictures",
    )
    floors = pl.DataFrame(
        {
            "what": ["within these limits", "with any budget", "with any number of copies, also none"],
            "floor": [frontier.floors.within, frontier.floors.any_budget, frontier.floors.any_copies],
        }
    )
    shown = html_table(
        floors, caption="Floors of the largest class over the smallest", headings={"what": "Repetition", "floor": "cannot go below"}
    )
    binding = pl.DataFrame(
        {
            "limit": [b.limit for b in frontier.binding],
            "binds": [b.said for b in frontier.binding],
            "without": [b.without for b in frontier.binding],
        }
    )
    heads = {"limit": "Limit", "binds": "How it binds", "without": METRICS[frontier.metric].capitalize()}
    return chart + shown + (html_table(binding, caption="What binds", headings=heads) if frontier.binding else "")


def _methods(result: BalanceResult) -> str:
    return html_table(result.baselines, headings=_HEADINGS, formats=_FORMATS)  # pyright: ignore[reportArgumentType] - names of formats


def _pictures(result: BalanceResult) -> str:
    table = result.plan.table
    order = np.argsort(-result.outcome.copies, kind="stable")[:MOST_PICTURES]
    rows = table[order.tolist()].filter(pl.col("copies") > 1)
    if rows.is_empty():
        return '<p class="empty">No picture is repeated.</p>'
    cards = [
        Card(
            key=f"picture-{image}",
            picture=_small(result, path) if is_file else None,
            title=path if is_file else f"{path}, frame {frame}",
            given=f"{copies} times",
            reason=why,
        )
        for image, path, frame, is_file, copies, why in rows.select("image", "path", "frame", "is_file", "copies", "why").iter_rows()
    ]
    return gallery(cards, key="repeated", title="Pictures repeated most", filters=False)


def _small(result: BalanceResult, path: str) -> Picture | None:
    try:
        return thumbnail(read_image(result.dataset.root / path))
    except UnreadableImage:
        return None


def _proof(result: BalanceResult) -> str:
    outcome = result.outcome
    rows = {
        "what": ["one copy of each", "the plan", "best copies that need not be whole", "proven bound"],
        "objective": [outcome.start, outcome.value, outcome.relaxed, outcome.bound],
    }
    spent = ", ".join(f"{name} {duration_text(seconds)}" for name, seconds in result.seconds.items())
    lead = (
        "The bound is the least value of a function that is nowhere above the objective, taken over all copies within the limits: "
        f"no plan, whole or not, is below it. Of the way from one copy each down to the bound, {outcome.gap:.3%} is left. Time: {spent}."
    )
    return f"<p>{escape(lead)}</p>" + html_table(
        pl.DataFrame(rows), caption="Objective", headings={"what": "Copies", "objective": "Objective"}
    )
