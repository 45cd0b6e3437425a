"""Galleries: suspects as cards that can be filtered, searched, sorted and enlarged beside their evidence.

A gallery is a frame and a block of data; the page's script draws the cards in batches, so that thousands cost nothing until they
are looked at. A picture that many cards show (a common neighbour) travels once.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote, urlencode

from burnish.errors import DataError
from burnish.report.markup import attributes, escape, json_block

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from burnish.report.pictures import Picture


Look = Literal["suspects", "predictions", "panels", "rows"]
"""Labels that are suspected; predictions beside labels that are true; the same as broad pictures that show both; what has changed, as
pictures as broad as the page, one below the other."""

_OF_PREDICTIONS = ("Label", "Predicted", "as listed", "Suspicion")
_WORDS = {
    "suspects": ("Given label", "Suggested label", "most suspect first", "Suspicion"),
    "predictions": _OF_PREDICTIONS,
    "panels": _OF_PREDICTIONS,
    "rows": ("Before", "After", "most changed first", "Change"),
}
_CLASSES = {
    "suspects": "gallery",
    "predictions": "gallery labelled",
    "panels": "gallery labelled broad",
    "rows": "gallery broad rows",
}


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A small picture of the evidence with its caption."""

    picture: Picture
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A row of pictures under one heading: the nearest that carry a label, the copies of a picture."""

    label: str
    pictures: tuple[Neighbour, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One suspect of a gallery.

    Raises:
        DataError: The score is outside of [0, 1].
    """

    key: str
    """Names the card within its gallery, also in the page's address; every card has another."""
    picture: Picture | None
    """None where the picture cannot be read."""
    title: str
    """The picture's path, as the reader knows it."""
    given: str = ""
    """What the dataset says now."""
    suggested: str = ""
    """What it should probably say."""
    score: float | None = None
    """Suspicion in [0, 1], 1 means surely wrong."""
    kind: str = ""
    """The kind of finding."""
    is_issue: bool = True
    """Whether it is at or above the cut-off."""
    reason: str = ""
    """What was seen, in plain words."""
    evidence: tuple[Evidence, ...] = ()
    """The nearest pictures with the given label, then the nearest with the suggested one."""
    original: str = ""
    """Path of the whole picture relative to the page's folder, with forward slashes; shown enlarged where it is in place."""

    def __post_init__(self) -> None:
        if self.score is not None and not 0 <= self.score <= 1:
            raise DataError(f"The card {self.key!r} has the score {self.score}; expected a number from 0 to 1.")


def gallery(
    cards: Sequence[Card],
    *,
    key: str = "suspects",
    title: str = "Suspects",
    filters: bool = True,
    kinds: Mapping[str, str] | None = None,
    folder: str = "",
    look: Look = "suspects",
) -> str:
    """A gallery of cards, most suspect first; issues come before the others, equal ones keep their order.

    Args:
        cards: The suspects.
        key: Id of the gallery in the page, by which addresses lead to it.
        title: Accessible name.
        filters: Show the tools to filter, search and sort.
        kinds: Kind of finding to its name for the reader.
        folder: Where the listed paths lie; copied paths get it in front.
        look: What the cards are.

    Raises:
        DataError: Two cards have one key.
    """
    twice = [name for name, count in Counter(card.key for card in cards).items() if count > 1]
    if twice:
        raise DataError(f"{len(twice)} keys name more than one card of the gallery {key!r} (first: {twice[0]!r}); give each its own.")
    if not cards:
        return '<p class="empty">Nothing was found.</p>'
    ordered = sorted(cards, key=lambda card: (not card.is_issue, -(card.score or 0.0)))
    names = {card.kind: (kinds or {}).get(card.kind, card.kind.replace("_", " ").capitalize()) for card in ordered}
    tools = _tools(ordered, names, key, _WORDS[look]) if filters else ""
    head = attributes({"class": _CLASSES[look], "data-gallery": key, "data-folder": folder or None, "aria-label": title})
    return (
        f'<div{head}>{tools}<p class="shown" role="status"></p><ol class="cards"></ol>'
        f'<p class="more" hidden><button type="button" class="button"></button></p>'
        f"<noscript><p>The pictures are drawn by the script inside this file; this viewer does not run it.</p></noscript>"
        f"{json_block(f'{key}-cards', _data(ordered, names))}</div>"
    )


def gallery_link(key: str, **state: str | float) -> str:
    """The place in the page that shows a gallery filtered: given, suggested, kind, score, text, sort, open (a card's key)."""
    return f"#{quote(key)}?{urlencode(state, quote_via=quote)}"


@dataclass(slots=True)
class _Pool:
    """Every picture once, in order of first use."""

    places: dict[bytes, int] = field(default_factory=dict[bytes, int])
    pictures: list[list[Any]] = field(default_factory=list[list[Any]])

    def place(self, picture: Picture | None) -> int:
        if picture is None:
            return -1
        if picture.data not in self.places:
            self.places[picture.data] = len(self.pictures)
            self.pictures.append([picture.uri, picture.width, picture.height, int(picture.pixelated)])
        return self.places[picture.data]


def _data(cards: Sequence[Card], kinds: Mapping[str, str]) -> dict[str, Any]:
    pool = _Pool()
    rows = [_card_data(card, pool) for card in cards]
    return {"pictures": pool.pictures, "kinds": kinds, "cards": rows}


def _card_data(card: Card, pool: _Pool) -> dict[str, Any]:
    return {
        "key": card.key,
        "picture": pool.place(card.picture),
        "title": card.title,
        "given": card.given,
        "suggested": card.suggested,
        "score": None if card.score is None else round(card.score, 4),
        "kind": card.kind,
        "issue": card.is_issue,
        "reason": card.reason,
        "original": quote(card.original) if _stays_below(card.original) else "",
        "evidence": [[row.label, [[pool.place(one.picture), one.caption] for one in row.pictures]] for row in card.evidence],
    }


def _stays_below(path: str) -> bool:
    """Whether an address is a plain relative path; quoting makes a colon harmless, a leading slash would name another place."""
    return bool(path) and not path.startswith(("/", "\\"))


def _tools(cards: Sequence[Card], kinds: Mapping[str, str], key: str, words: tuple[str, str, str, str]) -> str:
    """The row of tools; one that could change nothing is left out."""
    parts = [_search()]
    if len(kinds) > 1:
        counts = Counter(card.kind for card in cards)
        parts.append(_select("kind", "Kind", [(kind, f"{name} ({counts[kind]:,})") for kind, name in kinds.items()]))
    for name, label in (("given", words[0]), ("suggested", words[1])):
        counts = Counter(getattr(card, name) for card in cards if getattr(card, name))
        if counts:
            parts.append(_select(name, label, [(value, f"{value} ({count:,})") for value, count in sorted(counts.items())]))
    if len({card.score for card in cards}) > 1:
        parts.append(_slider(words[3]))
    parts.append(_order(words))
    if len({card.is_issue for card in cards}) > 1:
        parts.append('<label class="tick"><input type="checkbox" name="issues"> Issues only</label>')
    parts.append('<button type="reset" class="button quiet">Reset</button>')
    return f'<form class="tools" aria-label="Filter {escape(key)}">{"".join(parts)}</form>'


def _search() -> str:
    return '<label>Search <input type="search" name="text" placeholder="in paths  ( / )" autocomplete="off" spellcheck="false"></label>'


def _select(name: str, label: str, options: Sequence[tuple[str, str]]) -> str:
    listed = "".join(f'<option value="{escape(value)}">{escape(text)}</option>' for value, text in options)
    return f'<label>{label} <select name="{name}"><option value="">any</option>{listed}</select></label>'


def _slider(word: str) -> str:
    return (
        f'<label>{word} from <output name="told">0.00</output>'
        '<input type="range" name="score" min="0" max="1" step="0.01" value="0"></label>'
    )


def _order(words: tuple[str, str, str, str]) -> str:
    orders = (("", words[2]), ("path", "path"), ("given", words[0].lower()), ("suggested", words[1].lower()))
    listed = "".join(f'<option value="{value}">{text}</option>' for value, text in orders)
    return f'<label>Order <select name="sort">{listed}</select></label>'
