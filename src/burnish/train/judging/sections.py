"""Parts of pages that tell of judged networks: confusion, curves, thresholds, calibration, classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from burnish.report.gallery import gallery, gallery_link
from burnish.report.heat import MOST_CLASSES, heat_map
from burnish.report.page import Section
from burnish.report.plots import line_chart
from burnish.report.tables import html_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from burnish.report.gallery import Card, Look
    from burnish.report.numbers import NumberFormat
    from burnish.train.judging.judge import Confusion, Curve, Figures
    from burnish.train.policies.settings import Task

GALLERY: Final = "examples"
KINDS: Final = {"worst": "Worst", "best": "Best", "confused": "Most of one confusion"}

_SHARES = (
    *("iou", "dice", "precision", "recall", "f1", "nsd", "boundary_iou", "average_precision", "auroc"),
    *("found", "pck_05", "pck_10", "pck_20", "map", "map_50", "mask_map", "mask_map_50", "mask_map_75"),
)
_NAMES = {
    "iou": "IoU",
    "dice": "Dice",
    "hd95": "HD95",
    "assd": "ASSD",
    "nsd": "NSD",
    "boundary_iou": "Boundary IoU",
    "worst_iou": "Worst IoU",
    "f1": "F1",
    "weighted_f1": "Weighted F1",
    "average_precision": "AP",
    "auroc": "AUROC",
    "ece": "ECE",
    "oks": "OKS",
    "oks_ap": "OKS-AP",
    "oks_ap_50": "OKS-AP50",
    "oks_ap_75": "OKS-AP75",
    "pck": "PCK",
    "pck_05": "PCK@0.05",
    "pck_10": "PCK@0.1",
    "pck_20": "PCK@0.2",
    "nme": "NME",
    "p90_error": "90th percentile, px",
    "map": "mAP",
    "map_50": "mAP50",
    "map_75": "mAP75",
    "mask_map": "Mask mAP",
    "mask_map_50": "Mask mAP50",
    "mask_map_75": "Mask mAP75",
    "mask_average_precision": "Mask AP",
    "mask_iou": "Mask IoU",
    "median_error": "Median error, px",
}
_MAIN: Final = frozenset({"f1", "found", "pck_10", "map", "mask_map"})
_PLURALS: Final = {"class": "Classes", "point": "Points"}
_MOST_CURVES = 5
_MOST_PAIRS = 40
_NARROW = 6
_GRID = np.linspace(0, 1, 51)


def examples_section(cards: Sequence[Card], folder: str, task: Task) -> Section:
    """The gallery of pictures, labels and predictions."""
    lead = (
        "Each row shows the picture, its labels, and what the network says."
        if task != "classification"
        else "Pictures with their label and, where it is wrong, what the network says."
    )
    lead += " Lines lead from each labelled point to where the network puts it." if task == "keypoints" else ""
    body = gallery(cards, key=GALLERY, title="Examples", kinds=KINDS, folder=folder, look=gallery_look(task))
    return Section(GALLERY, "Examples", body, lead)


def gallery_look(task: Task) -> Look:
    """Classes of whole pictures are words; all else must be seen beside the picture."""
    return "predictions" if task == "classification" else "panels"


def with_confusion(confusion: str, figures: Figures, beside: str) -> str:
    """A confusion matrix beside something else, or below it where it is broad."""
    broad = figures.confusion is not None and len(figures.confusion.predicted) > _NARROW
    return beside + confusion if broad else f'<div class="pair">{beside}{confusion}</div>'


def confusion_chart(figures: Figures, cards: Sequence[Card]) -> str:
    """The confusion matrix; its cells lead to the pictures that have most of them."""
    found = figures.confusion
    if found is None:
        return ""
    shown = {(card.given, card.suggested) for card in cards}

    def pictures(row: int, column: int) -> str:
        given, predicted = found.given[row], found.predicted[column]
        return gallery_link(GALLERY, given=given, suggested=predicted) if (given, predicted) in shown else f"#{GALLERY}"

    if len(found.predicted) > MOST_CLASSES:
        return _pairs(found, pictures)
    share = 1 - np.trace(found.counts) / max(found.counts.sum(), 1) if found.counts.shape[0] == found.counts.shape[1] else None
    told = "" if share is None else f" {share:.1%} lie off the diagonal."
    return heat_map(
        found.counts,
        found.given,
        found.predicted,
        title="Confusion",
        note=f"Numbers of {found.unit}. Colours compare the mistakes of one row; a mistake leads to pictures that have it.{told}",
        row_title="label",
        column_title="predicted",
        mute_diagonal=True,
        link=pictures if cards else None,
    )


def _pairs(found: Confusion, link: Callable[[int, int], str]) -> str:
    """The most frequent mistakes of many classes, which no matrix could show."""
    wrong = np.where(np.eye(*found.counts.shape, dtype=np.bool_), 0, found.counts)
    order = np.argsort(-wrong, axis=None, kind="stable")[:_MOST_PAIRS]
    cells = [divmod(int(place), wrong.shape[1]) for place in order]
    cells = [cell for cell in cells if wrong[cell]]
    rows = [(found.given[row], found.predicted[column], int(wrong[row, column])) for row, column in cells]
    table = pl.DataFrame(rows, schema={"label": pl.String, "predicted": pl.String, found.unit: pl.Int64}, orient="row")
    return html_table(table, caption="Most frequent mistakes", links=[link(*cell) for cell in cells])


def class_table(classes: pl.DataFrame, cards: Sequence[Card]) -> str:
    """The numbers of each class, or point."""
    given = {card.given for card in cards}
    names = classes.to_series(0)
    links = [gallery_link(GALLERY, given=name) if name in given else f"#{GALLERY}" for name in names] if cards else []
    shares: dict[str, NumberFormat] = {name: "percent" for name in _SHARES if name in classes.columns}
    crowded = bool({"map", "pck_10"} & shares.keys())  # meters of all columns would push some out of sight
    return html_table(
        classes,
        caption=plural(classes),
        headings=_headings(classes),
        formats=shares,
        meters=[name for name in shares if name in _MAIN or not crowded],
        links=links if given - {""} else [],
    )


def plural(classes: pl.DataFrame) -> str:
    """What the rows of such a table are: classes, or points."""
    return _PLURALS[classes.columns[0]]


def curve_charts(figures: Figures) -> str:
    """The curves of the classes or points, kind by kind; of many the worst."""
    drawn = [_curves([curve for curve in figures.curves if curve.kind == kind], kind, figures) for kind in ("pck", "pr", "roc")]
    return f'<div class="pair">{"".join(drawn)}</div>' if any(drawn) else ""


def sweep_chart(figures: Figures) -> str:
    """What each threshold gives, with the best marked, and that of every class below."""
    swept = figures.sweep
    if swept.is_empty():
        return ""
    whose = swept.to_series(0)
    first = swept.filter(whose == whose[0])
    best = first.filter("best")["threshold"][0]
    names = [name for name in swept.columns[1:] if name not in {"threshold", "best"}]
    series = {name: first[name].fill_null(float("nan")).to_list() for name in names}
    chart = line_chart(series, first["threshold"].to_list(), title="Thresholds", axis="threshold", marked=(best, f"best {best:g}"))
    rows = swept.filter("best").drop("best")
    shares: dict[str, NumberFormat] = dict.fromkeys(series, "percent")
    return chart + (html_table(rows, caption="Best thresholds", formats=shares) if rows.height > 1 else "")


def reliability_chart(figures: Figures) -> str:
    """How often the network is right where it is so sure."""
    bins = figures.reliability
    if bins is None or not bins[:, 0].any():
        return ""
    number, sure, right = bins.T
    filled = number > 0
    places = np.where(filled, sure / np.maximum(number, 1), np.nan)[filled]
    rates = (right / np.maximum(number, 1))[filled]
    across = [0.0, *places.tolist(), 1.0]
    series = {"right": [float("nan"), *rates.tolist(), float("nan")], "as sure as right": across}
    told = f"Expected calibration error {figures.metrics.get('ece', float('nan')):.3f}. Below the diagonal the network is too sure."
    return line_chart(series, across, title="Calibration", note=told, axis="mean confidence of a bin")


def _curves(curves: Sequence[Curve], kind: str, figures: Figures) -> str:
    if not curves:
        return ""
    chosen = sorted(curves, key=_height)[:_MOST_CURVES]
    series = {curve.name: _on_grid(curve) for curve in chosen}
    left = f"The {len(chosen)} worst of {len(curves)} {plural(figures.classes).lower()}." if len(curves) > len(chosen) else ""
    if kind == "pck":
        across = chosen[0].points[:, 1].tolist()
        return line_chart(
            series, across, title="PCK", note=left, axis="allowed distance, as a share of the object's longer side", dots=False
        )
    if kind == "pr":
        note = f"The highest precision at this recall or a higher one. {left}".strip()
        return line_chart(series, _GRID.tolist(), title="Precision over recall", note=note, axis="recall", dots=False)
    return line_chart(series, _GRID.tolist(), title="ROC", note=left, axis="false positive rate", dots=False)


def _height(curve: Curve) -> float:
    return float(np.nanmean(_on_grid(curve)))


def _on_grid(curve: Curve) -> list[float]:
    across, up = curve.points[:, 1], curve.points[:, 2]
    if curve.kind == "pck":
        return up.tolist()
    if curve.kind == "roc":
        return [float(value) for value in np.interp(_GRID, np.concatenate([[0], across]), np.concatenate([[0], up]))]
    best = np.maximum.accumulate(up[::-1])[::-1]
    places = np.searchsorted(across, _GRID - 1e-12)
    return [float(best[place]) if place < len(best) else float("nan") for place in places]


def _headings(table: pl.DataFrame) -> Mapping[str, str]:
    """Short names of measures as the field writes them."""
    return {name: _NAMES[name] for name in table.columns if name in _NAMES}


def metric_title(name: str) -> str:
    """A metric as the field writes it, short enough for a tile."""
    words = name.removesuffix("_dataset")
    return {**_NAMES, "iou_image": "IoU, mean of pictures", "f": "F1"}.get(words, words.replace("_", " ").capitalize())
