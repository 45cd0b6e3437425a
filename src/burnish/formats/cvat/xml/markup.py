"""XML as CVAT's server writes it: two blanks a level, an element with a list below on lines of its own even where the list is empty."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias
from xml.sax.saxutils import escape, quoteattr

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_NO_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

Attributes: TypeAlias = "Sequence[tuple[str, str]]"


class Node(NamedTuple):
    """One element: its text, or the elements below."""

    tag: str
    content: str | Sequence[Node]
    attributes: Attributes = ()


def document(root: Node) -> bytes:
    """The bytes of a file; characters that XML 1.0 cannot hold become U+FFFD."""
    text = '<?xml version="1.0" encoding="utf-8"?>\n' + "".join(_lines(root, ""))
    return text.encode("utf-8")


def holdable(text: str) -> bool:
    """Whether XML 1.0 can hold every character of a text."""
    return _NO_XML.search(text) is None


def _lines(node: Node, indent: str) -> Iterator[str]:
    head = node.tag + "".join(f" {name}={quoteattr(_held(value))}" for name, value in node.attributes)
    if isinstance(node.content, str):
        yield f"{indent}<{head}>{escape(_held(node.content), {chr(13): '&#13;'})}</{node.tag}>\n"
        return
    yield f"{indent}<{head}>\n"
    for child in node.content:
        yield from _lines(child, indent + "  ")
    yield f"{indent}</{node.tag}>\n"


def _held(text: str) -> str:
    return text if _NO_XML.search(text) is None else _NO_XML.sub("\ufffd", text)
