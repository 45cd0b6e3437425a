"""Numbers as people read them, the same in tables, charts and tiles."""

from __future__ import annotations

import math
from typing import Literal

NumberFormat = Literal["count", "percent", "decimal", "score", "seconds", "text"]
"""count: 12,345; percent: 0.125 as 12.5 %; decimal: three figures; score: two places; seconds: as a duration; text: as it is."""

MISSING = "–"

_SHORT = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
_MINUTE = 60
_HOUR = 3600


def number(value: object, form: NumberFormat = "decimal") -> str:
    """One value as text; None and not-a-number are a dash, and what is no number is itself."""
    if value is None:
        return MISSING
    if isinstance(value, (str, bool)) or form == "text":
        return str(value)
    figure = float(value)  # pyright: ignore[reportArgumentType] - numpy and Python numbers of every kind; others fail loudly
    if math.isnan(figure):
        return MISSING
    if math.isinf(figure):
        return "∞" if figure > 0 else "-∞"
    return _formatted(figure, form)


def fixed(value: float | None, places: int) -> str:
    """One value with so many places behind the point, for what stands above one another; None and not-a-number are a dash."""
    return MISSING if value is None or math.isnan(value) else f"{value:.{places}f}"


def short(value: float) -> str:
    """A count for a narrow place: 940, 1.2k, 34k, 5.6M; a fraction below 10 keeps one digit."""
    for size, letter in _SHORT:
        if abs(value) >= size * 0.9995:
            scaled = value / size
            return f"{scaled:.1f}".removesuffix(".0") + letter if abs(scaled) < 9.95 else f"{scaled:.0f}{letter}"  # noqa: PLR2004
    return f"{value:.0f}" if value == int(value) or abs(value) >= 9.95 else f"{value:.1f}"  # noqa: PLR2004


def ticks(highest: float, *, about: int = 4, whole: bool = False) -> list[float]:
    """Round values from 0 to at least `highest`, about so many steps apart by 1, 2, 2.5 or 5 times a power of ten.

    Args:
        highest: What the last tick must reach.
        about: Number of steps.
        whole: Only whole numbers, for counts.
    """
    if not math.isfinite(highest) or highest <= 0:
        return [0.0, 1.0]
    rough = highest / about
    power = 10.0 ** math.floor(math.log10(rough))
    steps = [power * factor for factor in (1, 2, 2.5, 5, 10)]
    step = next(step for step in steps if step >= rough * (1 - 1e-9))
    step = math.ceil(step) if whole else step
    return [step * index for index in range(math.ceil(highest / step - 1e-9) + 1)]


def duration(seconds: float) -> str:
    """A time span with its two largest units: 0.8 s, 42 s, 3 min 20 s, 2 h 5 min."""
    if seconds < 9.95:  # noqa: PLR2004 - below ten seconds a tenth is worth telling
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"


def _formatted(figure: float, form: NumberFormat) -> str:
    if form == "count":
        return f"{figure:,.0f}"
    if form == "percent":
        return f"{100 * figure:.1f} %"
    if form == "score":
        return f"{figure:.2f}"
    if form == "seconds":
        return duration(figure)
    return f"{figure:,.0f}" if figure == int(figure) or abs(figure) >= 99.5 else f"{figure:.3g}"  # noqa: PLR2004 - three figures
