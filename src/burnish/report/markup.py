"""Text into HTML, and data into a page: the only two doors by which a dataset's own words get into a report."""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def escape(text: object) -> str:
    """Text that means itself anywhere in HTML, also between quotes of either kind.

    Control characters and halves of surrogate pairs (from file names that are not UTF-8) become U+FFFD, so that the page
    can always be written and parsed.
    """
    return html.escape(_UNPRINTABLE.sub("\ufffd", str(text)), quote=True)


def attributes(values: Mapping[str, object]) -> str:
    """HTML attributes with a space before each; None and False leave one out, True gives its bare name."""
    return "".join(_attribute(name, value) for name, value in values.items() if value is not None and value is not False)


def json_block(key: str, data: Any) -> str:
    """Data for the page's script, in a block that no text inside can close or turn into markup.

    Args:
        key: The block's id.
        data: What JSON can hold; not-a-number and infinity are refused.
    """
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return f'<script type="application/json" id="{escape(key)}">{text}</script>'


def _attribute(name: str, value: object) -> str:
    return f" {name}" if value is True else f' {name}="{escape(value)}"'
