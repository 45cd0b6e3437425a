"""One page in one file: style, script and pictures inside, nothing loaded from anywhere."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING, Literal

from burnish.report.markup import attributes, escape

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Fact:
    """A number in the page's head: what it counts, the number, a small hint, how it feels, and where it leads."""

    label: str
    value: str
    hint: str = ""
    tone: Literal["plain", "good", "bad"] = "plain"
    link: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page: `key` names it in addresses, `body` is HTML made by this room, `lead` a sentence of plain text."""

    key: str
    title: str
    body: str
    lead: str = ""


def page(
    title: str,
    sections: Sequence[Section],
    *,
    subtitle: str = "",
    facts: Sequence[Fact] = (),
    origin: Sequence[tuple[str, str]] = (),
    settings: str = "",
    kind: str = "report",
) -> str:
    """A whole report as the text of one HTML file, to be written as UTF-8.

    Args:
        title: What the report is about, for instance the dataset's name.
        sections: The parts in order; the contents list them.
        subtitle: One sentence with the result.
        facts: The numbers in the head.
        origin: What the foot tells: dataset path, date, model ...
        settings: The resolved settings as YAML, shown on demand.
        kind: What kind of report it is, beside the name of the program.
    """
    style, script = _static("report.css"), _static("report.js")
    tiles = f'<dl class="facts">{"".join(map(_tile, facts))}</dl>' if facts else ""
    below = f'<p class="subtitle">{escape(subtitle)}</p>' if subtitle else ""
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n{_policy(script)}\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="color-scheme" content="light dark">\n'
        '<meta name="referrer" content="no-referrer">\n<link rel="icon" href="data:,">\n'
        f"<title>{escape(title)} · burnish {escape(kind)}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        f'<a class="skip" href="#content">Skip to the contents</a>\n<header><p class="brand"><b>burnish</b> {escape(kind)}</p>'
        f"<h1>{escape(title)}</h1>{below}{tiles}</header>\n{_contents(sections)}\n"
        f'<main id="content">{"".join(map(_section, sections))}</main>\n{_foot(origin, settings)}\n'
        f"<script>{script}</script>\n</body>\n</html>\n"
    )


@cache
def _static(name: str) -> str:
    return files("burnish.report").joinpath("static", name).read_text("utf-8")


def _policy(script: str) -> str:
    """What the browser may do for this page: run this very script, use what is inside, show pictures that lie beside the page."""
    digest = b64encode(sha256(script.encode()).digest()).decode("ascii")
    rules = (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data: 'self' file:; "
        "base-uri 'none'; form-action 'none'"
    )
    return f'<meta http-equiv="Content-Security-Policy" content="{escape(rules)}">'


def _tile(fact: Fact) -> str:
    value = f'<a href="{escape(fact.link)}">{escape(fact.value)}</a>' if fact.link else escape(fact.value)
    hint = f'<dd class="hint">{escape(fact.hint)}</dd>' if fact.hint else ""
    return f'<div class="fact {fact.tone}"><dt>{escape(fact.label)}</dt><dd>{value}</dd>{hint}</div>'


def _contents(sections: Sequence[Section]) -> str:
    links = "".join(f'<li><a href="#{escape(one.key)}">{escape(one.title)}</a></li>' for one in sections)
    theme = '<button type="button" class="theme" title="Light or dark" aria-label="Light or dark">◐</button>'
    return f'<nav aria-label="Contents"><ul>{links}</ul>{theme}</nav>'


def _section(section: Section) -> str:
    lead = f'<p class="lead">{escape(section.lead)}</p>' if section.lead else ""
    head = attributes({"id": section.key, "aria-labelledby": f"{section.key}-title"})
    return f'<section{head}><h2 id="{escape(section.key)}-title">{escape(section.title)}</h2>{lead}{section.body}</section>\n'


def _foot(origin: Sequence[tuple[str, str]], settings: str) -> str:
    told = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in origin)
    made = f"<div><dt>Made by</dt><dd>burnish {escape(version('burnish'))}</dd></div>"
    shown = f"<details><summary>Resolved settings</summary><pre>{escape(settings)}</pre></details>" if settings else ""
    return f"<footer><dl>{told}{made}</dl>{shown}</footer>"
