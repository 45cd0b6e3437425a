"""The audit's report: suspects with their evidence, quality of the classes, copies, odd and unreadable pictures, how it was found."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np
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
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from burnish.report.gallery import Card
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
_EMPTY_QUALITY = {"class": pl.String, "pictures": pl.Int64, "issues": pl.Int64, "share": pl.Float64, "confidence": pl.Float64}
_EMPTY_PAIRS = {"given": pl.String, "suggested": pl.String, "count": pl.Int64}
_EMPTY_UNREADABLE = {"path": pl.String, "reason": pl.String}


@dataclass(frozen=True, slots=True)
class Copy:
    """One picture of a group of copies."""

    picture: Picture | None
    path: str
    label: str = ""
    split: str = ""


@dataclass(frozen=True, slots=True)
class CopyGroup:
    """Pictures that are the same: how they were found to be (exact, or near and in what way), and the pictures."""

    kind: str
    copies: tuple[Copy, ...]

    @property
    def conflict(self) -> bool:
        """Whether the copies carry different labels; a copy without a label conflicts with none."""
        return len({copy.label for copy in self.copies if copy.label}) > 1

    @property
    def leak(self) -> bool:
        """Whether the copies lie in different splits."""
        return len({copy.split for copy in self.copies if copy.split}) > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditView:
    """All that the report of an audit shows; what is left out is not drawn."""

    dataset: str
    """Name of the dataset."""
    path: str = ""
    """Where it lies; copied paths get it in front."""
    pictures: int
    """Number of pictures audited."""
    classes: tuple[str, ...]
    """Names of the K classes, in order."""
    counts: Mapping[str, int]
    """Issues by kind of finding, over the whole dataset."""
    cards: tuple[Card, ...]
    """The suspected labels; issues come first whatever their order here."""
    outliers: tuple[Card, ...] = ()
    """Odd pictures, most odd first."""
    quality: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_EMPTY_QUALITY))
    """A row for each class: class, pictures, issues, share (issues of pictures), confidence (mean self-confidence)."""
    confused: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_EMPTY_PAIRS))
    """Pairs of classes that are mistaken for one another, most frequent first: given, suggested, count."""
    noise: NDArray[np.generic] | None = None
    """(K, K) numbers of pictures, counted or estimated: row = given label, column = likely label."""
    scores: NDArray[np.floating] = field(default_factory=lambda: np.zeros(0))
    """(N,) suspicion of every audited label, in [0, 1]."""
    cutoff: float | None = None
    """Suspicion from which a label counts as an issue."""
    copies: tuple[CopyGroup, ...] = ()
    """Groups of copies; those with conflicts and leaks are shown first."""
    unreadable: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_EMPTY_UNREADABLE))
    """Pictures that are missing, blank or cannot be read: path, reason."""
    accuracy: float | None = None
    """Share of given labels that the out-of-fold predictions agree with."""
    method: tuple[tuple[str, str], ...] = ()
    """How it was found, as pairs of name and text: model, features, folds, time, device ..."""
    settings: str = ""
    """The resolved settings as YAML."""
    made: str = ""
    """Date and time of the audit."""
    results: tuple[str, ...] = ()
    """Names of the files that were written beside the report."""


def audit_page(view: AuditView) -> str:
    """The report of an audit as the text of one self-contained HTML file."""
    sections = [_overview(view), _suspects(view), _classes(view)]
    if view.copies:
        sections.append(_copies(view))
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
    links = {"label": "#suspects", "outlier": "#outliers", "unreadable_picture": "#unreadable", "blank_picture": "#unreadable"}
    if view.copies:
        links |= dict.fromkeys(("exact_duplicate", "near_duplicate", "label_conflict", "split_leak"), "#copies")
    there = {"#suspects"} | ({"#outliers"} if view.outliers else set()) | ({"#copies"} if view.copies else set())
    there |= set() if view.unreadable.is_empty() else {"#unreadable"}
    facts = [Fact("Pictures", f"{view.pictures:,}"), Fact("Classes", f"{len(view.classes):,}")]
    for kind in sorted(view.counts, key=lambda kind: list(KIND_NAMES).index(kind) if kind in KIND_NAMES else len(KIND_NAMES)):
        link = links.get(kind, "")
        tone = "bad" if kind == "label" and view.counts[kind] else "plain"
        facts.append(Fact(_TILES.get(kind, _kind_name(kind)), f"{view.counts[kind]:,}", tone=tone, link=link if link in there else ""))
    if view.accuracy is not None:
        facts.append(Fact("Agreement", number(view.accuracy, "percent"), link="#method"))
    return facts


def _kind_name(kind: str) -> str:
    return KIND_NAMES.get(kind, kind.replace("_", " ").capitalize())


def _overview(view: AuditView) -> Section:
    quality = view.quality.sort("pictures", descending=True)
    sound = [pictures - issues for pictures, issues in quality.select("pictures", "issues").iter_rows()]
    balance = stacked_bars(
        quality["class"].to_list(),
        {"looks right": sound, "looks wrong": quality["issues"].to_list()},
        title="Pictures of each class",
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
    quality = html_table(
        view.quality.sort("share", descending=True),
        caption="Quality of the labels",
        headings={"issues": "Look wrong", "confidence": "Self-confidence"},
        formats={"share": "percent", "confidence": "score"},
        meters=("share",),
        links=_links(view, view.quality.sort("share", descending=True)["class"].to_list()),
    )
    pairs = html_table(
        view.confused,
        caption="Mistaken for one another",
        headings={"given": "Given", "suggested": "Looks like", "count": "Labels"},
        links=[gallery_link("suspects", given=given, suggested=suggested) for given, suggested, *_ in view.confused.iter_rows()],
    )
    body = f'<div class="pair">{quality}{pairs}</div>'
    if view.noise is not None:
        body += heat_map(
            view.noise,
            view.classes,
            title="Noise matrix",
            note="Numbers of labels. Colours compare the mistakes of one given label; the sound labels on the diagonal have none.",
            row_title="given label",
            column_title="likely label",
            mute_diagonal=True,
            link=lambda row, column: gallery_link("suspects", given=view.classes[row], suggested=view.classes[column]),
        )
    lead = "Self-confidence is the mean probability that the models give to the given label. A class leads to its suspects."
    return Section("classes", "Classes", body, lead)


def _links(view: AuditView, classes: list[str]) -> list[str]:
    return [gallery_link("suspects", given=name) for name in classes] if view.cards else []


def _copies(view: AuditView) -> Section:
    ordered = sorted(view.copies, key=lambda group: (not group.conflict, not group.leak))
    body = f'<div class="groups">{"".join(map(_group, ordered[:MOST_GROUPS]))}</div>'
    conflicts, leaks = sum(group.conflict for group in ordered), sum(group.leak for group in ordered)
    parts = [f"{len(ordered):,} groups of pictures that are the same"]
    parts += [f"{conflicts:,} carry different labels"] * bool(conflicts) + [f"{leaks:,} cross a border between splits"] * bool(leaks)
    more = f" The first {MOST_GROUPS} are shown." if len(ordered) > MOST_GROUPS else ""
    return Section("copies", "Copies", body, f"{'; '.join(parts)}.{more}")


def _group(group: CopyGroup) -> str:
    flags = ["different labels"] * group.conflict + ["crosses splits"] * group.leak
    told = "".join(f'<span class="flag">{flag}</span>' for flag in flags)
    shown = "".join(_copy(copy, odd=group.conflict) for copy in group.copies[:_MOST_IN_GROUP])
    left = len(group.copies) - _MOST_IN_GROUP
    more = f'<p class="note">and {left:,} more</p>' if left > 0 else ""
    kind = "group conflict" if group.conflict else "group"
    head = f'<h3>{escape(_kind_name(group.kind))} <span class="kind">{len(group.copies):,} pictures</span>{told}</h3>'
    return f'<article class="{kind}">{head}<div class="strip">{shown}</div>{more}</article>'


def _copy(copy: Copy, *, odd: bool) -> str:
    label = f'<span class="{"odd" if odd else "label"}">{escape(copy.label)}</span><br>' if copy.label else ""
    split = f"{escape(copy.split)} · " if copy.split else ""
    name = escape(copy.path.rsplit("/", 1)[-1])
    return (
        f'<figure title="{escape(copy.path)}"><div class="frame">{_drawn(copy.picture, copy.path)}</div>'
        f"<figcaption>{label}{split}{name}</figcaption></figure>"
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
