"""Hierarchies as indented text for the terminal, and as Mermaid diagrams for pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Twig(NamedTuple):
    """One node of a hierarchy that is listed from the top down.

    Attributes:
        text: What it is called.
        depth: How far below the top it hangs, from 0.
        note: What stands behind it in text, and below it in a diagram.
        look: Name of the diagram's class for its colours; "" for none.
    """

    text: str
    depth: int = 0
    note: str = ""
    look: str = ""


def text_tree(twigs: Sequence[Twig]) -> str:
    """The hierarchy with lines that lead from each node to those below it; notes stand in a column."""
    drawn = [_branch(twigs, number) + twig.text for number, twig in enumerate(twigs)]
    width = max((len(line) for line, twig in zip(drawn, twigs, strict=True) if twig.note), default=0)
    return "\n".join(f"{line:<{width}}  {twig.note}".rstrip() for line, twig in zip(drawn, twigs, strict=True))


def mermaid_tree(twigs: Sequence[Twig], looks: dict[str, str] | None = None) -> str:
    """The hierarchy as a Mermaid flow chart, from left to right.

    Args:
        twigs: The nodes.
        looks: Style of each look, for instance `stroke:#d21e28`.
    """
    lines = ["flowchart LR"]
    lines += [f"  classDef {name} {style}" for name, style in (looks or {}).items()]
    for number, twig in enumerate(twigs):
        note = f"<br/>{_quoted(twig.note)}" if twig.note else ""
        look = f":::{twig.look}" if twig.look else ""
        lines.append(f'  n{number}["{_quoted(twig.text)}{note}"]{look}')
    lines += [f"  n{parent} --> n{number}" for number, parent in _parents(twigs)]
    return "\n".join(lines)


def _parents(twigs: Sequence[Twig]) -> Iterator[tuple[int, int]]:
    """Each node that hangs on another, and that one: the nearest above it that is less deep."""
    open_nodes: list[int] = []
    for number, twig in enumerate(twigs):
        while open_nodes and twigs[open_nodes[-1]].depth >= twig.depth:
            open_nodes.pop()
        if open_nodes:
            yield number, open_nodes[-1]
        open_nodes.append(number)


def _branch(twigs: Sequence[Twig], number: int) -> str:
    depth = twigs[number].depth
    if not depth:
        return ""
    lines = ["│  " if _continues(twigs, number, level) else "   " for level in range(1, depth)]
    return "".join(lines) + ("├─ " if _continues(twigs, number, depth) else "└─ ")


def _continues(twigs: Sequence[Twig], number: int, level: int) -> bool:
    """Whether another node of a level follows before the one above it ends."""
    following = next((twig.depth for twig in twigs[number + 1 :] if twig.depth <= level), 0)
    return following == level


def _quoted(text: str) -> str:
    """Mermaid reads quotes, angle brackets and # as its own; as codes they are text."""
    codes = {'"': "#quot;", "<": "#lt;", ">": "#gt;", "#": "#35;", "\n": " "}
    return "".join(codes.get(character, character) for character in text)
