"""One writer that is several. One that fails is told of, and after some failures in a row left out; the training goes on."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from burnish.train.distributed import is_first

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from burnish.train.writers.writer import Picture, Rows, Writer

_MOST_FAILURES = 5


class MultiWriter:
    """Tells each of its members everything; only the first of several ranks does.

    Attributes:
        members: By name.
        failures: How often each has failed in a row.
    """

    def __init__(self, members: Mapping[str, Writer]) -> None:
        self.members = dict(members)
        self.failures = dict.fromkeys(self.members, 0)

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Numbers of one step."""
        self._tell("scalars", values, step)

    def images(self, name: str, pictures: Sequence[Picture], step: int) -> None:
        """Pictures."""
        self._tell("images", name, pictures, step)

    def figure(self, name: str, figure: Any, step: int) -> None:
        """A figure."""
        self._tell("figure", name, figure, step)

    def table(self, name: str, rows: Rows, step: int) -> None:
        """Rows."""
        self._tell("table", name, rows, step)

    def text(self, name: str, text: str, step: int) -> None:
        """Words."""
        self._tell("text", name, text, step)

    def hyper_parameters(self, values: Mapping[str, Any], metrics: Mapping[str, float] | None = None) -> None:
        """Settings, and what they led to."""
        self._tell("hyper_parameters", values, metrics)

    def artifact(self, path: Path, name: str = "") -> None:
        """A file."""
        self._tell("artifact", path, name)

    def close(self) -> None:
        """End all, those that were left out too."""
        self.failures = dict.fromkeys(self.members, 0)
        self._tell("close")

    @property
    def stop(self) -> str:
        """Why a member wants the training to end (a search that prunes it); empty while none does."""
        return next(filter(None, (getattr(member, "stop", "") for member in self.members.values())), "")

    def _tell(self, event: str, *told: Any) -> None:
        if not is_first():
            return
        for name, member in self.members.items():
            if self.failures[name] < _MOST_FAILURES:
                self._tell_one(name, member, event, told)

    def _tell_one(self, name: str, member: Writer, event: str, told: tuple[Any, ...]) -> None:
        try:
            getattr(member, event)(*told)
        except Exception as error:  # noqa: BLE001 - whatever it is, hours of training are worth more
            self.failures[name] += 1
            end = " It is left out from now on." if self.failures[name] >= _MOST_FAILURES else ""
            logging.getLogger("burnish").warning("The writer '%s' failed at %s: %s: %s.%s", name, event, type(error).__name__, error, end)
        else:
            self.failures[name] = 0
