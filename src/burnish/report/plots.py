"""Histograms and line charts as SVG for a report's page, in the manner of `charts`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from burnish.report.figures import check_parts, figure, legend, painted, svg
from burnish.report.markup import attributes, escape
from burnish.report.numbers import short, ticks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from burnish.report.figures import Tone

_HEIGHT, _TOP, _BOTTOM = 220, 26, 24
_FLOOR = _HEIGHT - _BOTTOM
_LEFT = 7.0
_THOUSAND = 1000
_TONES: tuple[Tone, ...] = ("accent", "good", "bad", "cool", "violet", "plain")


def histogram(
    values: ArrayLike,
    *,
    title: str,
    note: str = "",
    cutoff: float | None = None,
    bins: int = 40,
    low: float = 0.0,
    high: float = 1.0,
    axis: str = "",
    root: bool = False,
) -> str:
    """How many values lie where, those at or above a cut-off in the colour of issues, with a line at the cut-off.

    Args:
        values: (N,) numbers; what is not finite is left out, what lies outside the range counts in the first or last bar.
        title: Caption and accessible name.
        note: A sentence below the caption.
        cutoff: From this value on, values are issues.
        bins: Number of bars.
        low: Left end of the range.
        high: Right end of the range.
        axis: What is measured, written below.
        root: Heights grow with the square root, so that a small tail is visible beside a tall bulk; the chart says so.
    """
    finite = np.asarray(values, float).ravel()
    finite = np.clip(finite[np.isfinite(finite)], low, high)
    if not finite.size:
        return figure(title, note, "")
    below = finite if cutoff is None else finite[finite < cutoff]
    edges = np.linspace(low, high, bins + 1)
    everything = np.histogram(finite, edges)[0]
    plain = np.histogram(below, edges)[0]
    scale = _Scale(tuple(ticks(float(everything.max()), whole=True)), 0.5 if root else 1.0)
    body = _grid(scale) + "".join(_column(index, edges, plain[index], everything[index], scale) for index in range(bins))
    body += _cutoff_line(cutoff, low, high) + _axis([low, (low + high) / 2, high], low, high)
    issues = "" if cutoff is None else f", {finite.size - below.size:,} of them at or above the cut-off {cutoff:.2f}"
    description = f"{finite.size:,} values from {low:g} to {high:g}{issues}."
    told = " · ".join(filter(None, (axis, "heights on a square-root scale" if root else "")))
    return figure(title, note, svg(title, description, _HEIGHT, body, kind="plot") + _axis_name(told))


def line_chart(
    series: Mapping[str, Sequence[float]],
    across: Sequence[float],
    *,
    title: str,
    note: str = "",
    axis: str = "",
    dots: bool = True,
    marked: tuple[float, str] | None = None,
    tones: Sequence[Tone] = _TONES,
) -> str:
    """Lines over a common axis, from 0 up, with a dot at every value and a legend.

    Args:
        series: Name of a line to its values, one for each place on the axis; not-a-number interrupts a line.
        across: Places on the axis, rising.
        title: Caption and accessible name.
        note: A sentence below the caption.
        axis: What the axis is, written below.
        dots: Whether values have dots; not where there are many.
        marked: A place on the axis that gets a line upright, and what is written beside it.
        tones: Colours of the lines in their order.

    Raises:
        DataError: A line has not as many values as the axis.
    """
    check_parts(across, series)
    highest = max((value for line in series.values() for value in line if math.isfinite(value)), default=None)
    if highest is None:
        return figure(title, note, "")
    low, high = float(across[0]), float(across[-1])
    scale = _Scale(tuple(ticks(highest)))
    places = [_share(place, low, high) for place in across]
    lines = "".join(
        _line(places, [scale.share(value) for value in values], painted(index, tones, "stroke"), dots=dots)
        for index, values in enumerate(series.values())
    )
    drawing = f'<svg y="{_TOP}" width="100%" height="{_FLOOR - _TOP}" viewBox="0 0 100 100" preserveAspectRatio="none">{lines}</svg>'
    body = _grid(scale) + drawing + _axis(_named(across), low, high)
    body += "" if marked is None else _upright(marked[0], marked[1], low, high)
    description = "; ".join(f"{name or 'values'} ends at {values[-1]:.4g}" for name, values in series.items()) + "."
    keys = legend(tuple(series), tones) if any(series) else ""
    return figure(title, note, keys + svg(title, description, _HEIGHT, body, kind="plot") + _axis_name(axis))


@dataclass(frozen=True, slots=True)
class _Scale:
    """From a value to its height as a share of the plot: straight with power 1, by the square root with 0.5."""

    marks: tuple[float, ...]
    power: float = 1.0

    def share(self, value: float) -> float:
        return math.nan if math.isnan(value) else (max(value, 0.0) / self.marks[-1]) ** self.power

    def pixels(self, value: float) -> float:
        return self.share(value) * (_FLOOR - _TOP)


def _axis_name(text: str) -> str:
    return f'<p class="axis">{escape(text)}</p>' if text else ""


def _share(value: float, low: float, high: float) -> float:
    """Place across in percent of the width: the numbers of the heights have the left of it."""
    return _LEFT + (100 - _LEFT) * ((value - low) / (high - low) if high > low else 0.5)


def _grid(scale: _Scale) -> str:
    """Lines across with their values left of them, the lowest one without a number."""
    floor = _FLOOR
    drawn: list[str] = []
    for mark in scale.marks:
        y = floor - scale.pixels(mark)
        told = f'<text class="tick" y="{y + 4:.1f}">{_tick(mark)}</text>' if mark else ""
        drawn.append(f'<line class="grid" x1="{_LEFT:g}%" x2="100%" y1="{y:.1f}" y2="{y:.1f}"/>{told}')
    return "".join(drawn)


def _tick(mark: float) -> str:
    return short(mark) if mark >= _THOUSAND else f"{mark:g}"


def _column(index: int, edges: NDArray[np.float64], plain: int, everything: int, scale: _Scale) -> str:
    if not everything:
        return ""
    floor, wide = _FLOOR, (100 - _LEFT) / (len(edges) - 1)
    lower, upper = scale.pixels(float(plain)), scale.pixels(float(everything))
    place = {"x": f"{_LEFT + index * wide + 0.1 * wide:.3f}%", "width": f"{0.8 * wide:.3f}%"}
    normal = attributes({"class": "tone-plain", "y": f"{floor - lower:.1f}", "height": f"{lower:.1f}", **place})
    suspect = attributes({"class": "tone-bad", "y": f"{floor - upper:.1f}", "height": f"{upper - lower:.1f}", **place})
    told = f"{edges[index]:.3g} to {edges[index + 1]:.3g}: {everything:,}"
    drawn = (f"<rect{normal}/>" if plain else "") + (f"<rect{suspect}/>" if everything > plain else "")
    return f"<g><title>{told}</title>{drawn}</g>"


def _cutoff_line(cutoff: float | None, low: float, high: float) -> str:
    return "" if cutoff is None else _upright(cutoff, f"cut-off {cutoff:.2f}", low, high)


def _upright(place: float, text: str, low: float, high: float) -> str:
    """A line at a place on the axis, with a text."""
    if not low <= place <= high:
        return ""
    x = _share(place, low, high)
    anchor, gap = ("end", -6) if x > 50 else ("start", 6)  # noqa: PLR2004 - the text stands on the side with more room
    return (
        f'<line class="cutoff" x1="{x:.2f}%" x2="{x:.2f}%" y1="4" y2="{_FLOOR}"/>'
        f'<text class="cutoff-text" x="{x:.2f}%" dx="{gap}" y="14" text-anchor="{anchor}">{escape(text)}</text>'
    )


def _axis(places: Sequence[float], low: float, high: float) -> str:
    anchors = {0: "start", len(places) - 1: "end"} if len(places) > 1 else {}
    return "".join(
        f'<text class="tick" x="{_share(place, low, high):.2f}%" y="{_HEIGHT - 6}" '
        f'text-anchor="{anchors.get(index, "middle")}">{place:g}</text>'
        for index, place in enumerate(places)
    )


def _named(across: Sequence[float]) -> list[float]:
    """Both ends of the axis and its middle; of epochs, rounds and other whole places a whole one."""
    low, high = float(across[0]), float(across[-1])
    middle = (low + high) / 2
    if all(float(place).is_integer() for place in across):
        middle = float(math.floor(middle))
    return sorted({low, middle, high})


def _line(across: Sequence[float], heights: Sequence[float], paint: str, *, dots: bool = True) -> str:
    """A line and its dots in a 100 x 100 box; a dot is a line of no length, which stays round when the box is stretched."""
    points = [(x, 100 - 100 * height) for x, height in zip(across, heights, strict=True)]
    path, pen_up = "", True
    for x, y in points:
        if not math.isnan(y):
            path += f"{'M' if pen_up else 'L'}{x:.2f} {y:.2f}"
        pen_up = math.isnan(y)
    drawn = "".join(f"M{x:.2f} {y:.2f}h0" for x, y in points if not math.isnan(y)) if dots else ""
    return f'<g {paint}><path d="{path}"/><path class="dot" d="{drawn}"/></g>'
