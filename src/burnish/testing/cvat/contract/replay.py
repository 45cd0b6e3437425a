"""Replaying recorded scenarios one after the other against a fresh server."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from burnish.testing.cvat.contract.bodies import file_differences
from burnish.testing.cvat.contract.comparison import differences
from burnish.testing.cvat.contract.names import Names, kind_of_path
from burnish.testing.cvat.contract.sending import Received, Sender
from burnish.testing.cvat.server import cvat_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from burnish.testing.cvat.contract.recordings import Exchange, Recordings
    from burnish.testing.cvat.server import Server

_RECORDED_HOST: Final = "http://cvat.local"
_OPEN: Final = frozenset({"queued", "started"})
_POLLS: Final = 10
_FLOOD: Final = 200
_A_MINUTE: Final = 61


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one exchange went.

    Attributes:
        exchange: What was recorded.
        differences: How this server's answer differs; empty when it matches.
    """

    exchange: Exchange
    differences: tuple[str, ...]

    @property
    def matches(self) -> bool:
        """Whether nothing differs."""
        return not self.differences


@dataclass(slots=True)
class _Replay:
    server: Server
    recordings: Recordings
    sender: Sender
    names: Names
    outcomes: list[Outcome] = field(default_factory=list)


def replay(recordings: Recordings, *, first_id: int = 1, polls: int = 1) -> list[Outcome]:
    """Send every recorded request in order and compare the answers.

    Args:
        recordings: Scenarios; the later ones build on the earlier ones.
        first_id: Where the fresh server begins to count, to show that numbers are paired and not expected.
        polls: How often its background requests are polled before they are done.
    """
    with cvat_server(users={"admin": "PASSWORD"}, first_id=first_id, polls=polls) as server:
        names = Names(_RECORDED_HOST, server.url)
        running = _Replay(server, recordings, Sender(server.url, recordings, names), names)
        running.sender.wallet.keys["admin"] = server.users["admin"].token
        for exchanges in recordings.scenarios.values():
            for exchange in exchanges:
                found = tuple(_compare(running, exchange))
                running.outcomes.append(Outcome(exchange, found))
        return running.outcomes


def _compare(running: _Replay, exchange: Exchange) -> Iterator[str]:
    received = _send(running, exchange)
    if received.status != exchange.status:
        yield f"status {received.status} instead of {exchange.status}: {received.content[:200].decode(errors='replace')}"
        return
    response = exchange.response
    if "json" in response:
        yield from _compare_json(running, exchange, received)
    elif "file" in response:
        recorded = running.recordings.file(response["file"])
        yield from file_differences(response["file"], recorded, received.content, running.names, is_standin=exchange.is_standin)
    elif "text" in response and "browser" not in exchange.note:
        if response["text"] != received.content.decode():
            yield f"text {received.content[:100].decode()!r} instead of {response['text'][:100]!r}"
    elif received.content and "text" not in response:
        yield f"a body where none was recorded: {received.content[:100]!r}"


def _send(running: _Replay, exchange: Exchange) -> Received:
    if exchange.status == HTTPStatus.TOO_MANY_REQUESTS:
        _flood(running)
    received = running.sender.send(exchange)
    if received.status == HTTPStatus.TOO_MANY_REQUESTS != exchange.status:
        running.server.advance(_A_MINUTE)
        received = running.sender.send(exchange)
    if _is_poll(exchange) and _state(exchange.response.get("json")) not in _OPEN:
        for _ in range(_POLLS):
            if _state(_json(received)) not in _OPEN:
                break
            received = running.sender.send(exchange)
    return received


def _compare_json(running: _Replay, exchange: Exchange, received: Received) -> Iterator[str]:
    recorded, ours = exchange.response["json"], _json(received)
    if ours is None:
        yield f"no JSON: {received.content[:100]!r}"
        return
    if _is_poll(exchange) and _state(recorded) in _OPEN:
        # How far the work is at this moment is chance; what work it is, is not.
        recorded, ours = recorded["operation"], ours.get("operation")
    yield from differences(recorded, ours, running.names, kind_of_path(exchange.path))


def _flood(running: _Replay) -> None:
    """Ask without a login until the server has had enough; these requests are told in the recordings' notes, not recorded."""
    for _ in range(_FLOOD):
        answer = running.sender.request("GET", "/api/server/about", {"Accept": "*/*"})
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            return


def _is_poll(exchange: Exchange) -> bool:
    return exchange.method == "GET" and exchange.path.startswith("/api/requests/action") and exchange.status == HTTPStatus.OK


def _state(body: Any) -> str:
    return str(body.get("status", "")) if isinstance(body, dict) else ""


def _json(received: Received) -> Any:
    try:
        return json.loads(received.content)
    except ValueError:
        return None
