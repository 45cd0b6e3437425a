"""What a server's refusal means and what to do about it."""

from __future__ import annotations

import json
import re
from typing import Any, Final

_HINTS: Final = {
    401: "The token is wrong or has expired: make a new one in CVAT under Profile, Security, and set CVAT_TOKEN.",
    403: "This user may not do that; ask the owner, or name the organisation (?org=NAME in the address, or --org).",
    404: "Nothing of that number is there for this user; it may lie in another organisation (--org).",
    413: "The server does not take files of that size.",
    429: "The server is throttling; it was asked again after a while and still refused. Run the same command later.",
}
_TITLE: Final = re.compile(r"<title>(.*?)</title>", re.DOTALL)
_LONGEST: Final = 600


def refusal(status: int, content: bytes, *, method: str, path: str, host: str) -> str:
    """A message of what was asked, what the server said, and what helps."""
    said = server_words(content)
    hint = _HINTS.get(status, "This is a fault of the server; its log tells more." if status == 500 else "")  # noqa: PLR2004 - its own fault
    return " ".join(part for part in (f"{host} refused {method} {path} ({status}): {said or 'no reason given'}.", hint) if part)


def server_words(content: bytes) -> str:
    """The reason in a refusal's body: JSON in any of CVAT's forms, a page, or plain text; without the closing full stop."""
    text = content.decode(errors="replace").strip()
    try:
        text = "; ".join(_leaves(json.loads(text)))
    except ValueError:
        found = _TITLE.search(text)
        text = found[1].strip() if found else text
    return " ".join(text.split())[:_LONGEST].rstrip(".")


def _leaves(value: Any, above: str = "") -> list[str]:
    if isinstance(value, dict):
        return [leaf for key, each in value.items() for leaf in _leaves(each, _below(above, str(key)))]
    if isinstance(value, list):
        return [
            leaf for place, each in enumerate(value) for leaf in _leaves(each, f"{above}[{place}]" if isinstance(each, dict) else above)
        ]
    return [f"{above}: {value}" if above else str(value)]


def _below(above: str, key: str) -> str:
    if key in {"detail", "non_field_errors"}:
        return above
    return f"{above}.{key}" if above else key
