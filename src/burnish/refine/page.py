"""The report of a refinement: rounds with their intervals, what became of the boxes, and the masks that changed most."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from burnish.config import dump
from burnish.media.colours import class_colour
from burnish.media.images import read_image, resize
from burnish.media.text import draw_text
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
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from burnish.refine.choosing import Choice
    from burnish.refine.comparing import Interval
    from burnish.refine.loop import Round
    from burnish.refine.made import HybridSet
    from burnish.refine.refine import RefineResult

_MOST_CARDS = 60
_EMPTY = "empty"  # the fate of a box in which nothing is predicted
_HEADINGS = {"iou": "IoU", "best": ""}
_FILL, _STRONG, _PALE = 0.45, 0.85, 0.5
_SIDE, _TALLEST, _GAP, _HEAD, _LETTERS = 376, 752, 10, 28, 15  # pixels; three panels beside one another fill the page
_PAPER, _INK = 255, (24, 26, 30)
_TITLES = ("Weak label", "Refined mask", "Difference")
_LOST, _GAINED = (230, 120, 0), (0, 90, 200)


class _Change(NamedTuple):
    """How much of its weak label a refined picture has not kept, and whether anything at all was predicted in its boxes."""

    folder: Path
    name: str
    share: float
    is_empty: bool


def refine_page(result: RefineResult) -> str:
    """The report as the text of one self-contained HTML file."""
    sections: list[Section] = []
    if result.rounds:
        sections.append(_rounds(result))
    if choices := {made.train.name: made.choice for made in result.made_sets if made.choice is not None}:
        sections.append(_modes(choices))
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
    lines = {"IoU": [one.iou.mean for one in result.rounds]}
    ends = [(one.iou.low, one.iou.high) for one in result.rounds]
    if known := [(low, high) for low, high in ends if low is not None and high is not None]:
        lines |= {"lower end": [low for low, _ in known], "upper end": [high for _, high in known]}
    note = "Mean over pictures, with the ends of its 95 % interval."
    chart = line_chart(lines, places, title="IoU of each round", note=note, axis="round", tones=("accent", "plain", "plain"))
    told = pl.DataFrame([{**_told(one), "best": "best" if one is result.best else ""} for one in result.rounds])
    lead = f"Measured on the hand-drawn masks of {result.sets.name}_{VAL}; {result.sets.name}_EVAL had no say."
    return Section("rounds", "Rounds", chart + html_table(told, caption="Rounds", headings=_HEADINGS), lead)


def _told(one: Round) -> dict[str, str | int]:
    made = {} if one.made is None else {"mode": one.made.mode}
    ends = {"iou": _span(one.iou), "dice": _span(one.dice), "gain": "" if one.gain is None else _span(one.gain)}
    return {"round": one.number, "set": one.set, "mode": "", **made, **ends, "verdict": one.verdict}


def _span(found: Interval) -> str:
    ends = "" if found.low is None or found.high is None else f" ({found.low:.3f} to {found.high:.3f})"
    return f"{found.mean:.3f}{ends}"


def _modes(choices: Mapping[str, Choice]) -> Section:
    """One row a mode, one column a set; the mode that was taken is marked."""
    modes = list(dict.fromkeys(mode for choice in choices.values() for mode in choice.scores))
    columns = {name: [_score(choice, mode) for mode in modes] for name, choice in choices.items()}
    pictures = next(iter(choices.values())).pictures
    lead = (
        f"Each mode made masks from boxes around what is drawn on {pictures:,} hand-drawn pictures; the number is the IoU of its masks "
        "with the drawn ones, and the best mode was taken."
    )
    headings = {name: "IoU" if len(columns) == 1 else f"IoU, {name}" for name in columns}
    table = html_table(pl.DataFrame({"mode": modes, **columns}), caption="Modes", headings=headings)
    return Section("modes", "Choice of the mode", table, lead)


def _score(choice: Choice, mode: str) -> str:
    score = choice.scores.get(mode)
    return "" if score is None else f"{score:.3f}{' (taken)' if mode == choice.taken else ''}"


def _boxes(made: HybridSet) -> Section:
    fates = made.table.group_by("fate").len().sort("len", "fate", descending=[True, False])
    counts = made.table.group_by("class", "fate").agg(boxes=pl.len(), example=pl.col("reason").first())
    counts = counts.sort("boxes", "class", "fate", descending=[True, False, False])
    chart = bars(fates["fate"].to_list(), fates["len"].to_list(), title="What became of the boxes")
    return Section(
        "boxes", "Boxes", chart + html_table(counts, caption="What became of them, with one reason each"), "boxes.csv has every box."
    )


def _changed(result: RefineResult, made: HybridSet) -> Section:
    changes = [change for folder in (made.train, made.val) for change in _changes(result, folder)]
    changes.sort(key=lambda change: (change.is_empty, -change.share))
    cards = [_card(result, change) for change in changes[:_MOST_CARDS]]
    body = gallery(cards, key="changed", title="Masks that changed most", look="rows")
    lead = (
        "Left the weak label, in the middle the refined mask, as strongly as it is believed, right the difference: orange is what was "
        "taken away, blue what was added. Those that changed most come first, and last those in whose boxes nothing was predicted."
    )
    return Section("changed", "Masks that changed most", body, lead)


def _changes(result: RefineResult, folder: Path) -> Iterator[_Change]:
    rows = [row for row in read_provenance(folder)["pictures"] if row["copy_of"] is None and row["origin"] == "hybrid"]
    for row in rows:
        before, after = _shares(result, folder, row["name"])
        is_empty = all(box["fate"] == _EMPTY for box in row["boxes"])
        yield _Change(folder, row["name"], float(np.abs(before - after).sum() / max(before.sum(), 1.0)), is_empty)


def _shares(result: RefineResult, folder: Path, name: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(K, H, W) the weak masks of a picture, and the refined ones, from 0 to 1."""
    refined = read_mask(folder, name, result.sets.classes, soft=True)
    corners, classes = result.sets.boxes[name]
    weak = weak_masks(Weak(corners, classes, (refined.shape[1], refined.shape[2])), len(result.sets.classes))
    return weak.astype(np.float32), (refined / np.float32(255)).astype(np.float32)


def _card(result: RefineResult, change: _Change) -> Card:
    before, after = _shares(result, change.folder, change.name)
    picture = np.asarray(read_image(result.sets.folders[WEAK] / result.sets.weak[change.name]["file"]))
    classes = result.sets.classes
    shown = (_tinted(picture, before, classes), _tinted(picture, after, classes), _difference(picture, before, after))
    strip = _side_by_side(shown)
    why = "Nothing is predicted in its boxes. " if change.is_empty else ""
    return Card(
        key=f"{change.folder.name}-{change.name}",
        picture=thumbnail(strip, longest=strip.shape[1]),
        title=change.name,
        score=None if change.is_empty else min(change.share, 1.0),  # cards without a score come last
        reason=f"{why}{change.share:.0%} of its weak label changed.",
    )


def _side_by_side(panels: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Panels of one size with their titles above, each as broad as a third of the page; small pictures with their pixels as squares."""
    height, width = panels[0].shape[:2]
    times = max(1, _SIDE // width)
    scale = min(_SIDE / width, _TALLEST / height)
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    strip = np.full((_HEAD + size[0], len(panels) * (_SIDE + _GAP) - _GAP, 3), _PAPER, np.uint8)
    for place, (panel, title) in enumerate(zip(panels, _TITLES, strict=True)):
        left = place * (_SIDE + _GAP)
        draw_text(strip, title, (left + 6, 4), _LETTERS, _INK)
        strip[_HEAD:, left : left + size[1]] = resize(panel.repeat(times, axis=0).repeat(times, axis=1), size)
    return strip


def _tinted(picture: NDArray[np.uint8], shares: NDArray[np.float32], classes: tuple[str, ...]) -> NDArray[np.uint8]:
    """The picture with each class laid over it in its colour, as strongly as it is believed."""
    mixed = picture.astype(np.float32)
    for name, share in zip(classes, shares, strict=True):
        mixed = _laid_over(mixed, share, class_colour(name, None))
    return mixed.astype(np.uint8)


def _difference(picture: NDArray[np.uint8], before: NDArray[np.float32], after: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The picture in pale grey, with what any class lost and gained."""
    grey = picture.mean(axis=2, keepdims=True).astype(np.float32)
    mixed = np.repeat(grey * _PALE + 255 * (1 - _PALE), 3, axis=2)
    change = after - before
    for share, colour in ((-change, _LOST), (change, _GAINED)):
        mixed = _laid_over(mixed, share.max(axis=0).clip(0, 1), colour, fill=_STRONG)
    return mixed.astype(np.uint8)


def _laid_over(
    picture: NDArray[np.float32], share: NDArray[np.float32], colour: tuple[int, int, int], *, fill: float = _FILL
) -> NDArray[np.float32]:
    strength = np.float32(fill) * share[..., None]
    return np.asarray(picture * (1 - strength) + np.array(colour, np.float32) * strength, np.float32)
