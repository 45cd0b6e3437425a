"""Which number of the recorded server is which number of this one: learned from answers, used in requests."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import unquote

_NOUNS: Final = {
    "projects": "project",
    "tasks": "task",
    "jobs": "job",
    "labels": "label",
    "issues": "issue",
    "comments": "comment",
    "users": "user",
    "guides": "guide",
    "webhooks": "webhook",
    "organizations": "organization",
    "memberships": "membership",
    "access_tokens": "token",
    "reports": "report",
    "settings": "settings",
}
_PATH: Final = re.compile(rf"\b({'|'.join(_NOUNS)})/(\d+)\b")
_QUERY: Final = re.compile(r"\b(project|task|job|issue|user|report)_id=(\d+)")
_TARGET: Final = re.compile(r"\btarget=(task|job|project)&target_id=(\d+)")
_VARIABLE: Final = re.compile(r'(\{"var": "(project|task|job)_id"\}, )(\d+)')
_DRAWN: Final = re.compile(r'data-label-id="(\d+)"')
_INVALID: Final = re.compile(r"\b(label|spec)_id `(\d+)`")
_DUPLICATE: Final = re.compile(r"engine_trackedshape_pkey(.*)\(id\)=\((\d+)\)", re.DOTALL)
_UUID: Final = re.compile(r"(?:\d+_)?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

KINDS: Final = {
    "label_id": "label",
    "parent_id": "label",
    "spec_id": "attribute",
    "project_id": "project",
    "task_id": "task",
    "job_id": "job",
    "job": "job",
    "issue": "issue",
    "guide_id": "guide",
    "org_id": "organization",
    "organization": "organization",
    "organization_id": "organization",
    "data": "data",
    "assignee_id": "user",
    "assignee": "user",
    "color": "colour",
    "uuid": "uuid",
    "key": "secret",
    "invitation": "secret",
    "value": "value",
}
"""Which kind of name a field holds."""
_WITHIN: Final = {
    "owner": "user",
    "assignee": "user",
    "user": "user",
    "labels": "label",
    "sublabels": "label",
    "attributes": "attribute",
    "tags": "tag",
    "tracks": "track",
    "organization_info": "organization",
}


class Names:
    """Pairs of a recorded name and ours, for each kind."""

    def __init__(self, recorded_base: str, base: str) -> None:
        self._bases = (recorded_base, base)
        self._known: dict[str, dict[Any, Any]] = {}

    def learn(self, kind: str, recorded: Any, ours: Any) -> bool:
        """Note a pair; False if either is paired with another already."""
        pairs = self._known.setdefault(kind, {})
        if recorded in pairs:
            return bool(pairs[recorded] == ours)
        pairs[recorded] = ours
        return True

    def ours(self, kind: str, recorded: Any) -> Any:
        """Our name for a recorded one; itself while none is known."""
        return self._known.get(kind, {}).get(recorded, recorded)

    def text(self, recorded: str) -> str:
        """A path, query or address with our names in it."""
        words = unquote(recorded).replace(*self._bases)
        words = _UUID.sub(lambda found: str(self.ours("uuid", found[0])), words)
        words = _PATH.sub(lambda found: f"{found[1]}/{self.ours(_NOUNS[found[1]], int(found[2]))}", words)
        words = _TARGET.sub(lambda found: f"target={found[1]}&target_id={self.ours(found[1], int(found[2]))}", words)
        words = _VARIABLE.sub(lambda found: f"{found[1]}{self.ours(found[2], int(found[3]))}", words)
        words = _DRAWN.sub(lambda found: f'data-label-id="{self.ours("label", int(found[1]))}"', words)
        words = _INVALID.sub(lambda found: f"{found[1]}_id `{self.ours(KINDS[found[1] + '_id'], int(found[2]))}`", words)
        words = _DUPLICATE.sub(lambda found: f"engine_trackedshape_pkey{found[1]}(id)=({self.ours('key', int(found[2]))})", words)
        return _QUERY.sub(lambda found: f"{found[1]}_id={self.ours(found[1], int(found[2]))}", words)

    def learn_texts(self, recorded: str, ours: str) -> None:
        """Learn the names of uploads and background requests from a pair of addresses."""
        for one, two in zip(_UUID.findall(unquote(recorded)), _UUID.findall(unquote(ours)), strict=False):
            self.learn("uuid", one, two)

    def body(self, value: Any, within: str = "") -> Any:
        """A JSON body to send, with our names in it."""
        if isinstance(value, list):
            return [self.body(each, within) for each in value]
        if not isinstance(value, dict):
            return value
        return {key: self._field(key, each, within) for key, each in value.items()}

    def _field(self, key: str, value: Any, within: str) -> Any:
        if isinstance(value, (dict, list)):
            return self.body(value, inside(key, within))
        if key == "id":
            return self.ours(within, value)
        kind = KINDS.get(key)
        return self.ours(kind, value) if kind and isinstance(value, int) and not isinstance(value, bool) else value


def inside(key: str, within: str) -> str:
    """The kind of the objects under a key."""
    if key == "shapes":
        return "key" if within == "track" else "shape"
    if key == "elements":
        return within
    return _WITHIN.get(key, within)


def kind_of_path(path: str) -> str:
    """The kind of the objects that a path answers with."""
    parts = [part for part in path.split("/") if part in _NOUNS]
    return _NOUNS[parts[-1]] if parts else ""
