"""XML files of annotation tools, read with everything refused that a data file has no business to hold."""

from __future__ import annotations

import re
from copy import deepcopy
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET
from xml.parsers import expat

from burnish.errors import FormatError

if TYPE_CHECKING:
    from pathlib import Path

_DECLARED = re.compile(rb"""^<\?xml[^>]*encoding\s*=\s*["']([A-Za-z0-9._-]+)""")


def parse_xml(path: Path) -> ET.Element:
    """Read a file's root element in the encoding that it declares.

    Raises:
        FormatError: It cannot be opened, is not well-formed, or declares entities (which can read other files or grow without end).
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise FormatError(f"The file cannot be read: {error.strerror}.", path=path) from error
    try:
        return _parse(raw)
    except expat.ExpatError as error:
        what = expat.ErrorString(error.code) or "not well-formed"
        raise FormatError(f"This is no well-formed XML: {what}, column {error.offset + 1}.", path=path, position=error.lineno) from error
    except (ValueError, LookupError) as error:
        raise FormatError(f"This XML cannot be read: {error}.", path=path) from error


def child_text(element: ET.Element, path: str) -> str:
    """The text of an element below, without blanks around it; empty where there is none."""
    return (element.findtext(path) or "").strip()


def raw_xml(element: ET.Element) -> str:
    """An element as text without the blanks of pretty printing, to keep what the model does not know."""
    copy = deepcopy(element)
    copy.tail = None
    for part in copy.iter():
        if len(part) and not (part.text or "").strip():
            part.text = None
        for child in part:
            child.tail = (child.tail or "").strip() or None
    return ET.tostring(copy, encoding="unicode")


def _parse(raw: bytes) -> ET.Element:
    try:
        return _build(raw, None)
    except (ValueError, expat.ExpatError) as error:
        text = _decoded(raw, error)
        if text is None:
            raise
        return _build(text.encode("utf-8"), "utf-8")


def _decoded(raw: bytes, error: Exception) -> str | None:
    """Text in an encoding that Python knows and the parser does not, for instance gb2312."""
    unknown = isinstance(error, ValueError) or getattr(error, "code", None) == expat.errors.codes[expat.errors.XML_ERROR_UNKNOWN_ENCODING]
    declared = _DECLARED.match(raw)
    return raw.decode(declared[1].decode("ascii")) if unknown and declared else None


def _build(raw: bytes, encoding: str | None) -> ET.Element:
    builder = ET.TreeBuilder()
    parser = expat.ParserCreate(encoding)
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.EntityDeclHandler = _refuse_entity
    parser.Parse(raw, True)
    return builder.close()


def _refuse_entity(name: str, *_rest: object) -> None:
    raise ValueError(f"it declares the entity '{name}', and annotation files have no use for entities")
