"""Pictures with their labels and predictions, as cards of a report: predicted anew, so that an evaluation need not keep them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from burnish.data.labels import some_labels
from burnish.media.images import read_image
from burnish.media.unreadable import UnreadableImage
from burnish.report.gallery import Card
from burnish.report.numbers import number
from burnish.report.pictures import thumbnail
from burnish.train.judging.instances import gives_masks, instance_labels
from burnish.train.judging.joining import ERROR, joined
from burnish.train.judging.sections import metric_title
from burnish.train.policies.showing import given_labels, panels
from burnish.train.policies.skeletons import labelled_boxes
from burnish.train.predict import predict_labels

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import polars as pl

    from burnish.data.labels import Labels
    from burnish.report.pictures import Picture
    from burnish.train.judging.judge import Figures
    from burnish.train.policies.policy import Policy
    from burnish.train.trained import Trained

_PANEL = 300
_CONFUSED = 240


@dataclass(frozen=True, slots=True)
class Pick:
    """A picture that is to be shown.

    Attributes:
        row: Its place in the examples.
        kind: Why: worst, best, confused or changed.
        title: Its path, as the reader knows it.
        given: What it is, in words.
        predicted: What the network says, in words; empty where it is right.
        reason: Its numbers.
    """

    row: int
    kind: str
    title: str
    given: str = ""
    predicted: str = ""
    reason: str = ""


def example_cards(policy: Policy, networks: Sequence[Trained], picks: Iterable[Pick], *, min_score: float) -> list[Card]:
    """Cards of pictures: the picture, its labels, and what each network says, side by side; each is drawn once.

    Args:
        policy: The task and its pictures.
        networks: Whose predictions are shown.
        picks: The pictures.
        min_score: Of detected objects that are drawn.
    """
    drawn: dict[int, Picture | None] = {}
    cards: list[Card] = []
    for place, pick in enumerate(picks):
        if pick.row not in drawn:
            drawn[pick.row] = _drawn(policy, networks, pick.row, min_score)
        cards.append(
            Card(
                key=f"{pick.kind}-{place}",
                picture=drawn[pick.row],
                title=pick.title,
                given=pick.given,
                suggested=pick.predicted,
                kind=pick.kind,
                reason=pick.reason,
            )
        )
    return cards


def extremes(figures: Figures, table: pl.DataFrame, count: int) -> list[Pick]:
    """The worst pictures, then the best (a third as many) that are not among them.

    Args:
        figures: What a judge came to.
        table: The same pictures with the columns path and split.
        count: Of the worst.
    """
    key = figures.score
    ordered = table.with_columns(figures.pictures["row"]).drop_nulls(key).sort(key, maintain_order=True)
    worst = ordered.head(count)
    best = ordered.slice(worst.height).tail(math.ceil(count / 3)).reverse()
    return [*_picks(worst, "worst"), *_picks(best, "best")]


def confused(figures: Figures, table: pl.DataFrame) -> list[Pick]:
    """The pictures with the most of each confusion, the most frequent confusions first."""
    found = figures.confusion
    if found is None:
        return []
    rows = {row: place for place, row in enumerate(figures.pictures["row"].to_list())}
    told = table.select("path").to_series().to_list()
    cells = sorted(found.pictures, key=lambda cell: -int(found.counts[cell]))
    picks = [
        Pick(
            row,
            "confused",
            told[rows[row]],
            found.given[cell[0]],
            found.predicted[cell[1]],
            _numbers(table.row(rows[row], named=True)),
        )
        for cell in cells
        for row in found.pictures[cell]
    ]
    return picks[:_CONFUSED]


def _picks(table: pl.DataFrame, kind: str) -> list[Pick]:
    return [_pick(row, kind) for row in table.iter_rows(named=True)]


def _pick(row: dict[str, object], kind: str) -> Pick:
    given, predicted = str(row.get("given") or ""), str(row.get("predicted") or "")
    return Pick(int(str(row["row"])), kind, str(row["path"]), given, predicted if predicted != given else "", _numbers(row))


def _numbers(row: dict[str, object]) -> str:
    """The numbers of a picture as words."""
    told = [f"{metric_title(name)} {number(value)}" for name, value in row.items() if isinstance(value, float)]
    split = row.get("split")
    return " · ".join([*([str(split)] if split else []), *told])


def _drawn(policy: Policy, networks: Sequence[Trained], row: int, min_score: float) -> Picture | None:
    examples = policy.pictures
    try:
        picture = read_image(examples.paths[row])
    except UnreadableImage:
        return None
    if examples.task == "classification":
        return thumbnail(picture, longest=_PANEL)
    outlined = examples.task == "detection" and any(map(gives_masks, networks))
    given = instance_labels(examples, row) if outlined else given_labels(policy, row, picture)
    shown = [(given, examples.classes if examples.task == "keypoints" else policy.names)]
    for trained in networks:
        found = predict_labels(trained, [picture], boxes=labelled_boxes(trained, examples, [row]))[0]
        shown.append(_said(trained, given, found, min_score))
    edges = [(int(one), int(other)) for one, other in policy.details.get("edges", ())]
    return thumbnail(panels(picture, shown, examples.task, edges=edges), longest=_PANEL * (1 + len(shown)))


def _said(trained: Trained, given: Labels, found: Labels, min_score: float) -> tuple[Labels, tuple[str, ...]]:
    """What a network says of a picture as it is drawn, and what its classes are called."""
    if trained.task == "keypoints":
        return joined(given, found), (*trained.classes, ERROR)
    if trained.task == "detection":
        return some_labels(found, found.scores >= min_score), trained.classes
    return found, trained.classes if trained.mode == "multiclass" else trained.names
