"""What every chart shares: the frame with its caption, the drawing that screen readers can name, colours and legend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from burnish.errors import DataError
from burnish.report.markup import escape

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Tone = Literal["plain", "accent", "bad", "good", "soft", "cool", "violet"]
"""What a colour says, or of the last two only which one it is; the page's style decides how it looks in each scheme."""


def figure(title: str, note: str, drawing: str) -> str:
    """A caption over a drawing; without a drawing it says that there is nothing to draw."""
    below = f'<p class="note">{escape(note)}</p>' if note else ""
    content = drawing or '<p class="empty">Nothing to draw.</p>'
    return f'<figure class="chart"><figcaption>{escape(title)}</figcaption>{below}{content}</figure>'


def svg(title: str, description: str, height: float, body: str, *, kind: str, width: float | None = None) -> str:
    """An SVG drawing that screen readers can name and describe; without a width (in pixels) it fills its place."""
    across = "100%" if width is None else f"{width:g}"
    return (
        f'<svg class="{kind}" role="img" width="{across}" height="{height:g}">'
        f"<title>{escape(title)}</title><desc>{escape(description)}</desc>{body}</svg>"
    )


def painted(index: int, tones: Sequence[Tone], kind: Literal["tone", "stroke"] = "tone") -> str:
    """The attributes that colour one part of a chart; where there are more parts than tones, these come again, fainter."""
    fainter = index // len(tones)
    style = f' style="opacity:{0.6**fainter:.2f}"' if fainter else ""
    return f'class="{kind}-{tones[index % len(tones)]}"{style}'


def legend(labels: Sequence[str], tones: Sequence[Tone]) -> str:
    """The colours of a chart's parts with their names."""
    keys = "".join(f"<li><i {painted(index, tones)}></i>{escape(label)}</li>" for index, label in enumerate(labels))
    return f'<ul class="legend">{keys}</ul>'


def check_parts(names: Sequence[object], parts: Mapping[str, Sequence[float]]) -> None:
    """See that every part of a chart has a value for every place.

    Raises:
        DataError: It has not.
    """
    for label, values in parts.items():
        if len(values) != len(names):
            raise DataError(f"A chart got {len(values)} values for its part {label!r} and {len(names)} places; expected as many.")
