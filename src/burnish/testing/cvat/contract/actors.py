"""Who sent which request: the recordings write TOKEN for everybody's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from burnish.testing.cvat.contract.recordings import Exchange

_ADMIN: Final = "admin"
_ACTORS: Final[dict[str, dict[int, str]]] = {
    "01_auth": dict.fromkeys((31, 32, 33), "annotator1"),
    "15_jobs_assignment_roles": {
        **dict.fromkeys((4, 5, 6, 9, 10, 11, 12, 13, 14, 15, 16, 17, 30, 34, 35), "annotator1"),
        **dict.fromkeys((22, 23, 24, 25, 26, 27), "reviewer1"),
    },
    "21_delete": {7: "annotator1"},
}
_ACCESS_TOKENS: Final[dict[str, dict[int, str]]] = {
    "01_auth": {16: "ci", 17: "ci", 18: "ci", 19: "ci-ro", 20: "ci-ro", 21: "ci", 24: "ci-ro"},
    "20_sdk_2_80_flow": {66: "ci", 68: "no such token"},
}


def actor(exchange: Exchange) -> str:
    """The name of the user whose login key was sent."""
    return _ACTORS.get(exchange.scenario, {}).get(exchange.number, _ADMIN)


def bearer(exchange: Exchange) -> str | None:
    """The name of the personal access token that was sent, if one was."""
    return _ACCESS_TOKENS.get(exchange.scenario, {}).get(exchange.number)
