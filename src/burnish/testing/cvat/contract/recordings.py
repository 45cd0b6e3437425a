"""Recorded exchanges as they lie in a folder: scenarios in JSON, files beside them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from burnish.errors import FormatError

Json = dict[str, Any]

_ANNOTATION_ROUTES: Final = r"(tasks|jobs)/\d+/annotations/?"
_CLIENT_ROUTES: Final = tuple(
    re.compile(f"/api/(?:{route})")
    for route in (
        r"server/about",
        r"server/annotation/formats",
        r"auth/login",
        r"users/self",
        r"users",
        r"projects(/\d+)?",
        r"tasks(/\d+)?",
        r"jobs(/\d+)?",
        r"labels(/\d+)?",
        r"tasks/\d+/data/?(meta|[^/]*)",
        r"jobs/\d+/data/?(meta|[^/]*)",
        _ANNOTATION_ROUTES + r"[^/]*",
        r"(tasks|jobs|projects)/\d+/dataset/(export|download)",
        r"(tasks|projects)/(\d+/)?backup(/[^/]*)?/?",
        r"requests(/.*)?",
        r"issues(/\d+)?",
        r"comments(/\d+)?",
        r"guides(/\d+)?",
        r"assets(/.*)?",
        r"organizations",
    )
)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and the answer that the real server gave."""

    scenario: str
    number: int
    note: str
    method: str
    path: str
    query: list[tuple[str, str]]
    request: Json
    response: Json
    is_standin: bool
    """Whether the content was made by a stand-in and not by CVAT."""

    @property
    def status(self) -> int:
        """The recorded status."""
        return int(self.response["status"])

    @property
    def name(self) -> str:
        """What the exchange is called in reports."""
        query = "&".join(f"{key}={value}" for key, value in self.query)
        return f"{self.scenario} #{self.number} {self.method} {self.path}{'?' if query else ''}{query}"

    @property
    def is_clients(self) -> bool:
        """Whether a client that moves data between CVAT and files sends such requests; it asks only for formats of CVAT's own."""
        return not self.is_standin and any(route.fullmatch(self.path) for route in _CLIENT_ROUTES)


@dataclass(frozen=True, slots=True)
class Recordings:
    """All scenarios of a folder."""

    folder: Path
    scenarios: dict[str, list[Exchange]]

    def file(self, name: str) -> bytes:
        """The content of a recorded file."""
        return (self.folder / name).read_bytes()

    def nearest(self, length: int, filename: str) -> bytes:
        """The recorded file that was uploaded in pieces, which are not recorded: of that suffix and nearest in length."""
        files = [path for path in (self.folder / "bodies").iterdir() if path.suffix == Path(filename).suffix]
        return min(files, key=lambda path: abs(path.stat().st_size - length)).read_bytes()


def load(folder: Path) -> Recordings:
    """Read the scenarios of a folder in the order of their numbers.

    Raises:
        FormatError: There are none.
    """
    paths = sorted(path for path in folder.glob("[0-9][0-9]_*.json"))
    if not paths:
        raise FormatError("No recorded scenarios (00_server.json, 01_auth.json, ...) are here.", path=folder)
    return Recordings(folder, {path.stem: _scenario(path) for path in paths})


def _scenario(path: Path) -> list[Exchange]:
    return [
        Exchange(
            scenario=path.stem,
            number=found["n"],
            note=found.get("note", ""),
            method=found["method"],
            path=found["path"],
            query=[(key, value) for key, value in found.get("query") or []],
            request=found["request"],
            response=found["response"],
            is_standin="standin" in found,
        )
        for found in json.loads(path.read_text("utf-8"))["exchanges"]
    ]
