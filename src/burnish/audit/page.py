"""The audit's report: suspects with their evidence, quality of the classes, copies, odd and unreadable pictures, how it was found."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import polars as pl

from burnish.report.charts import stacked_bars
from burnish.report.gallery import gallery, gallery_link
from burnish.report.heat import heat_map
from burnish.report.markup import escape
from burnish.report.numbers import number
from burnish.report.page import Fact, Section, page
from burnish.report.plots import histogram
from burnish.report.tables import html_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from burnish.audit.view import AuditView, Copy, CopyGroup
    from burnish.report.pictures import Picture

KIND_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "label": "Wrong label",
        "exact_duplicate": "Exact copy",
        "near_duplicate": "Near copy",
        "label_conflict": "Label conflict",
        "split_leak": "Copy across splits",
        "outlier": "Odd picture",
        "blank_picture": "Blank picture",
        "unreadable_picture": "Unreadable picture",
        "missing_file": "Missing file",
    }
)
"""Kinds of findings as the reader meets them; others are shown by their own name."""

MOST_GROUPS = 120
"""Groups of copies that the page shows; the rest is in the findings table."""

_TILES = {
    "label": "Wrong labels",
    "exact_duplicate": "Exact copies",
    "near_duplicate": "Near copies",
    "label_conflict": "Label conflicts",
    "split_leak": "Split leaks",
    "outlier": "Odd pictures",
    "blank_picture": "Blank",
    "unreadable_picture": "Unreadable",
    "missing_file": "Missing",
}
_MOST_IN_GROUP = 12


def audit_page(view: AuditView) -> str:
    """The report of an audit as the text of one self-contained HTML file."""
    sections = [_overview(view), _suspects(view), _classes(view)]
    if view.copies:
        sections.append(copies_section(view.copies))
    if view.outliers:
        sections.append(_outliers(view))
    if not view.unreadable.is_empty():
        sections.append(_unreadable(view))
    sections.append(_method(view))
    origin = [pair for pair in (("Dataset", view.path or view.dataset), ("Date", view.made)) if pair[1]]
    return page(view.dataset, sections, subtitle=_subtitle(view), facts=_facts(view), origin=origin, settings=view.settings, kind="audit")


def _subtitle(view: AuditView) -> str:
    wrong = view.counts.get("label", 0)
    if not wrong:
        return f"No label of {view.pictures:,} looks wrong."
    share = f", {number(wrong / view.pictures, 'percent')}" if view.pictures else ""
    verb = "label looks" if wrong == 1 else "labels look"
    return f"{wrong:,} of {view.pictures:,} {verb} wrong{share}."


def _facts(view: AuditView) -> list[Fact]:
    places, order = _places(view), list(KIND_NAMES)
    facts = [Fact(view.unit.capitalize(), f"{view.pictures:,}"), Fact("Classes", f"{len(view.classes):,}")]
    for kind in sorted(view.counts, key=lambda kind: order.index(kind) if kind in order else len(order)):
        tone = "bad" if kind == "label" and view.counts[kind] else "plain"
        facts.append(Fact(_TILES.get(kind, _kind_name(kind)), f"{view.counts[kind]:,}", tone=tone, link=places.get(kind, "")))
    if view.accuracy is not None:
        facts.append(Fact("Agreement", number(view.accuracy, "percent"), link="#method"))
    return facts


def _places(view: AuditView) -> dict[str, str]:
    """The section that shows each kind of finding, as far as the page has it."""
    places = {"label": "#suspects"}
    if view.copies:
        places |= dict.fromkeys(("exact_duplicate", "near_duplicate", "label_conflict", "split_leak"), "#copies")
    if view.outliers:
        places["outlier"] = "#outliers"
    if not view.unreadable.is_empty():
        places |= dict.fromkeys(("unreadable_picture", "blank_picture", "missing_file"), "#unreadable")
    return places


def _kind_name(kind: str) -> str:
    return KIND_NAMES.get(kind, kind.replace("_", " ").capitalize())


def _overview(view: AuditView) -> Section:
    quality = view.quality.sort("pictures", descending=True)
    sound = [pictures - issues for pictures, issues in quality.select("pictures", "issues").iter_rows()]
    balance = stacked_bars(
        quality["class"].to_list(),
        {"looks right": sound, "looks wrong": quality["issues"].to_list()},
        title=f"{view.unit.capitalize()} of each class",
        most=20,
    )
    spread = histogram(
        view.scores, title="Suspicion of all labels", cutoff=view.cutoff, axis="suspicion, from 0 (sound) to 1 (surely wrong)", root=True
    )
    return Section("overview", "Overview", f'<div class="pair">{spread}{balance}</div>')


def _suspects(view: AuditView) -> Section:
    found = view.counts.get("label", 0)
    shown = sum(card.is_issue for card in view.cards)
    limit = f" The {shown:,} most suspect of {found:,} are shown; all are in the findings table." if found > shown else ""
    lead = f"Each label as it is given and as it should probably be. Enlarge one to see its nearest neighbours of both labels.{limit}"
    return Section("suspects", "Suspects", gallery(view.cards, kinds=KIND_NAMES, folder=view.path), lead if view.cards else "")


def _classes(view: AuditView) -> Section:
    lead = "Self-confidence is the mean probability that the models give to the given label. A class leads to its suspects."
    return Section("classes", "Classes", f'<div class="pair">{_quality(view)}{_confused(view)}</div>{_noise(view)}', lead)


def _quality(view: AuditView) -> str:
    worst_first = view.quality.sort(pl.col("share").fill_nan(None), descending=True, nulls_last=True)
    return html_table(
        worst_first,
        caption="Quality of the labels",
        headings={"pictures": view.unit.capitalize(), "issues": "Look wrong", "confidence": "Self-confidence"},
        formats={"share": "percent", "confidence": "score"},
        meters=("share",),
        links=[gallery_link("suspects", given=name) for name in worst_first["class"]] if view.cards else (),
    )


def _confused(view: AuditView) -> str:
    pairs = view.confused.select("given", "suggested").iter_rows()
    return html_table(
        view.confused,
        caption="Mistaken for one another",
        headings={"given": "Given", "suggested": "Looks like", "count": "Labels"},
        links=[gallery_link("suspects", given=given, suggested=suggested) for given, suggested in pairs] if view.cards else (),
    )


def _noise(view: AuditView) -> str:
    if view.noise is None:
        return ""

    def suspects(row: int, column: int) -> str:
        return gallery_link("suspects", given=view.classes[row], suggested=view.classes[column])

    return heat_map(
        view.noise,
        view.classes,
        title="Noise matrix",
        note="Numbers of labels. Colours compare the mistakes of one given label; the sound labels on the diagonal have none.",
        row_title="given label",
        column_title="likely label",
        mute_diagonal=True,
        link=suspects if view.cards else None,
    )


def copies_section(groups: Sequence[CopyGroup]) -> Section:
    """Groups of copies, those with contradicting labels or across splits first."""
    ordered = sorted(groups, key=lambda group: (not group.conflict, not group.leak))
    body = f'<div class="groups">{"".join(map(_group, ordered[:MOST_GROUPS]))}</div>'
    conflicts, leaks = sum(group.conflict for group in ordered), sum(group.leak for group in ordered)
    parts = [f"{len(ordered):,} {'group' if len(ordered) == 1 else 'groups'} of pictures that are the same"]
    parts += [f"with different labels: {conflicts:,}"] * bool(conflicts) + [f"across splits: {leaks:,}"] * bool(leaks)
    more = f" The first {MOST_GROUPS} are shown." if len(ordered) > MOST_GROUPS else ""
    return Section("copies", "Copies", body, f"{'; '.join(parts)}.{more}")


def _group(group: CopyGroup) -> str:
    flags = ["labels differ"] * group.conflict + ["crosses splits"] * group.leak
    told = "".join(f'<span class="flag">{flag}</span>' for flag in flags)
    shown = "".join(_copy(copy, odd=group.conflict) for copy in group.copies[:_MOST_IN_GROUP])
    left = len(group.copies) - _MOST_IN_GROUP
    more = f'<p class="note">and {left:,} more</p>' if left > 0 else ""
    kind = "group conflict" if group.conflict else "group"
    head = f'<h3>{escape(_kind_name(group.kind))} <span class="kind">{len(group.copies):,} pictures</span>{told}</h3>'
    return f'<article class="{kind}">{head}<div class="strip">{shown}</div>{more}</article>'


def _copy(copy: Copy, *, odd: bool) -> str:
    label = f'<span class="{"odd" if odd else "same"}">{escape(copy.label)}</span>' if copy.label else ""
    carried = " · ".join(filter(None, (label, escape(copy.split))))
    name = escape(copy.path.rsplit("/", 1)[-1])
    return (
        f'<figure title="{escape(copy.path)}"><div class="frame">{_drawn(copy.picture, copy.path)}</div>'
        f"<figcaption>{carried}{'<br>' if carried else ''}{name}</figcaption></figure>"
    )


def _drawn(picture: Picture | None, path: str) -> str:
    if picture is None:
        return '<span class="none">unreadable</span>'
    pixels = ' class="pixels"' if picture.pixelated else ""
    size = f'width="{picture.width}" height="{picture.height}"'
    return f'<img src="{picture.uri}" {size} alt="{escape(path)}" loading="lazy" decoding="async"{pixels}>'


def _outliers(view: AuditView) -> Section:
    body = gallery(view.outliers, key="outliers", title="Odd pictures", filters=False, kinds=KIND_NAMES, folder=view.path)
    return Section("outliers", "Odd pictures", body, "Pictures unlike all others: of another kind, damaged, or the only one of theirs.")


def _unreadable(view: AuditView) -> Section:
    count = view.unreadable.height
    lead = f"{count:,} pictures took no part in the audit." if count != 1 else "One picture took no part in the audit."
    return Section("unreadable", "Unreadable", html_table(view.unreadable), lead)


def _method(view: AuditView) -> Section:
    rows = view.method
    if view.accuracy is not None:
        share = number(view.accuracy, "percent")
        rows = (*rows, ("Agreement", f"{share} of the given labels are what models say that never saw the picture"))
    told = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>" for name, text in rows)
    files = f"<div><dt>Written beside this page</dt><dd>{escape(', '.join(view.results))}</dd></div>" if view.results else ""
    lead = (
        "The dataset is cut into parts; each is judged by a model that never saw it. A label is suspect when the model is sure of "
        "another one. A suspicion is a reason to look, not a verdict."
    )
    return Section("method", "How it was found", f'<dl class="told">{told}{files}</dl>' if told or files else "", lead)
