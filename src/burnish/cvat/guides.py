"""The guide of a project or task: its text, and the pictures in it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from burnish.cvat.tree import Node, node_at
from burnish.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

_ASSET: Final = re.compile(r"/api/assets/([0-9a-f-]{36})")


@dataclass(frozen=True, slots=True)
class Guide:
    """Instructions for annotators.

    Attributes:
        markdown: The text; pictures stand in it as `/api/assets/NUMBER`.
        assets: Name and bytes of each picture, by that number.
    """

    markdown: str
    assets: Mapping[str, tuple[str, bytes]] = field(default_factory=dict[str, tuple[str, bytes]])


def read_guide(node: Node) -> Guide | None:
    """The guide of a project or task with its pictures; None where there is none.

    Raises:
        ConfigError: The node has no guide of its own.
    """
    number = _guide_number(node)
    if number is None:
        return None
    text = str(node.connection.get(f"guides/{number}")["markdown"])
    return Guide(text, {asset: _asset(node, asset, text) for asset in dict.fromkeys(_ASSET.findall(text))})


def write_guide(node: Node, guide: Guide) -> None:
    """Give a project or task a guide, or replace the text of the one that it has; pictures are sent along and get numbers of this server.

    Raises:
        ConfigError: The node has no guide of its own.
    """
    connection, number = node.connection, _guide_number(node)
    if number is None:
        number = connection.post("guides", {f"{node.kind}_id": node.id, "markdown": ""})["id"]
    there = set(_ASSET.findall(connection.get(f"guides/{number}")["markdown"]))
    numbers = {asset: asset if asset in there else _send_asset(node, number, *guide.assets[asset]) for asset in guide.assets}
    text = _ASSET.sub(lambda found: f"/api/assets/{numbers.get(found[1], found[1])}", guide.markdown)
    connection.patch(f"guides/{number}", {"markdown": text})


def _guide_number(node: Node) -> int | None:
    if node.kind not in ("project", "task"):
        raise ConfigError(f"{node} has no guide of its own; projects and tasks do.")
    fresh = node_at(node.connection, node.address)
    return fresh.about.get("guide_id")


def _asset(node: Node, asset: str, text: str) -> tuple[str, bytes]:
    """Bytes of a picture, and the name that the text gives it: the server does not tell its own."""
    found = node.connection.request("GET", f"assets/{asset}")
    named = re.search(rf"!\[([^\]]+)\]\([^)]*{asset}", text)
    ending = found.headers.get("Content-Type", "").partition("/")[2].partition(";")[0] or "png"
    name = named[1] if named else asset
    return (name if "." in name else f"{name}.{ending}", found.content)


def _send_asset(node: Node, guide: int, name: str, content: bytes) -> str:
    fields = [("file", (name, content)), ("guide_id", str(guide))]
    return str(node.connection.request("POST", "assets", fields=fields).json()["uuid"])
