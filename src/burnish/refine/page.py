"""The report of a refinement: rounds with their intervals, what became of the boxes, and the masks that changed most."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from burnish.config import dump
from burnish.media.colours import class_colour
from burnish.media.images import read_image
from burnish.refine.modes.evidence import Weak, weak_masks
from burnish.refine.parts import VAL, WEAK
from burnish.refine.sets import read_mask, read_provenance
from burnish.report.charts import bars
from burnish.report.gallery import Card, gallery
from burnish.report.numbers import number
from burnish.report.page import Fact, Section, page
from burnish.report.pictures import thumbnail
from burnish.report.plots import line_chart
from burnish.report.tables import html_table

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from burnish.refine.hybrid_set import HybridSet
    from burnish.refine.refine import RefineResult

_MOST_CARDS = 60
_FILL = 0.45
_GAP = 6


def refine_page(result: RefineResult) -> str:
    """The report as the text of one self-contained HTML file."""
    sections: list[Section] = []
    if result.rounds:
        sections.append(_rounds(result))
    if result.made is not None:
        sections += [_boxes(result.made), _changed(result, result.made)]
    return page(
        result.sets.name,
        sections,
        subtitle=_subtitle(result),
        facts=_facts(result),
        origin=[("Sets", str(result.sets.root))],
        settings=dump(result.config),
        kind="refine",
    )


def _subtitle(result: RefineResult) -> str:
    if result.best is None:
        return "Weak masks improved once by a model."
    if result.best.number == 0:
        return f"No round was better than the baseline: IoU {result.best.iou}."
    return f"The best model learnt from {result.best.set}: IoU {result.best.iou}, the baseline {result.rounds[0].iou}."


def _facts(result: RefineResult) -> list[Fact]:
    facts = [
        Fact("Weak pictures", f"{len(result.sets.weak):,}"),
        Fact("Weak boxes", f"{sum(len(c) for c, _ in result.sets.boxes.values()):,}"),
    ]
    if result.best is not None:
        first = result.rounds[0].iou.mean
        gained = result.best.iou.mean - first
        facts += [
            Fact("Rounds", f"{len(result.rounds) - 1}"),
            Fact("Baseline IoU", number(first)),
            Fact("Best IoU", number(result.best.iou.mean), hint=result.best.set, tone="good" if gained > 0 else "plain"),
        ]
    return facts


def _rounds(result: RefineResult) -> Section:
    places = [float(one.number) for one in result.rounds]
    lines = {
        "IoU": [one.iou.mean for one in result.rounds],
        "lower end": [one.iou.low for one in result.rounds],
        "upper end": [one.iou.high for one in result.rounds],
    }
    chart = line_chart(
        lines, places, title="IoU of each round", note="Mean over pictures, with the ends of its 95 % interval.", axis="round"
    )
    told = result.table.drop("run")
    lead = f"Measured on the hand-drawn masks of {result.sets.name}_{VAL}; {result.sets.name}_EVAL had no say."
    return Section("rounds", "Rounds", chart + html_table(told, caption="Rounds"), lead)


def _boxes(made: HybridSet) -> Section:
    fates = made.table.group_by("fate").len().sort("len", "fate", descending=[True, False])
    counts = made.table.group_by("class", "fate").agg(boxes=pl.len(), example=pl.col("reason").first())
    counts = counts.sort("boxes", "class", "fate", descending=[True, False, False])
    chart = bars(fates["fate"].to_list(), fates["len"].to_list(), title="What became of the boxes")
    return Section(
        "boxes", "Boxes", chart + html_table(counts, caption="What became of them, with one reason each"), "boxes.csv has every box."
    )


def _changed(result: RefineResult, made: HybridSet) -> Section:
    folders = [made.train, made.val]
    cards = [card for folder in folders for card in _cards(result, folder)]
    cards.sort(key=lambda card: -(card.score or 0))
    lead = "Left the picture, in the middle its weak label, right the refined mask; those that changed most come first."
    return Section("changed", "Masks that changed most", gallery(cards[:_MOST_CARDS], key="changed"), lead)


def _cards(result: RefineResult, folder: Path) -> list[Card]:
    sets = result.sets
    rows = [row for row in read_provenance(folder)["pictures"] if row["copy_of"] is None and row["origin"] == "hybrid"]
    cards: list[Card] = []
    for row in rows:
        refined = read_mask(folder, row["name"], sets.classes, soft=True)
        corners, classes = sets.boxes[row["name"]]
        weak = weak_masks(Weak(corners, classes, (refined.shape[1], refined.shape[2])), len(sets.classes))
        before, after = weak.astype(np.float32), (refined / np.float32(255)).astype(np.float32)
        changed = float(np.abs(before - after).sum() / max(before.sum(), 1.0))
        picture = np.asarray(read_image(sets.folders[WEAK] / sets.weak[row["name"]]["file"]))
        shown = _side_by_side(picture, before, after, sets.classes)
        reason = f"{changed:.0%} of its weak label changed."
        cards.append(
            Card(
                key=f"{folder.name}-{row['name']}",
                picture=thumbnail(shown, longest=480),
                title=row["name"],
                score=min(changed, 1.0),
                reason=reason,
            )
        )
    return cards


def _side_by_side(
    picture: NDArray[np.uint8], before: NDArray[np.float32], after: NDArray[np.float32], classes: tuple[str, ...]
) -> NDArray[np.uint8]:
    gap = np.full((picture.shape[0], _GAP, 3), 255, np.uint8)
    return np.concatenate([picture, gap, _tinted(picture, before, classes), gap, _tinted(picture, after, classes)], axis=1)


def _tinted(picture: NDArray[np.uint8], shares: NDArray[np.float32], classes: tuple[str, ...]) -> NDArray[np.uint8]:
    """The picture with each class laid over it in its colour, as strongly as it is believed."""
    mixed = picture.astype(np.float32)
    for name, share in zip(classes, shares, strict=True):
        strength = _FILL * share[..., None]
        mixed = mixed * (1 - strength) + np.array(class_colour(name, None), np.float32) * strength
    return mixed.astype(np.uint8)
