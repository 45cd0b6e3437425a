"""Writers made of their descriptions: always several in one, so that none can stop a training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from burnish.descriptions import describe, maker
from burnish.errors import ConfigError
from burnish.train.writers.multi import MultiWriter
from burnish.train.writers.names import WRITERS
from burnish.train.writers.settings import OptunaConfig

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from burnish.config import Config
    from burnish.train.writers.writer import Writer


def build_writers(
    given: Iterable[Config | Mapping[str, Any] | str], *, trial: Any = None, more: Mapping[str, Writer] | None = None
) -> MultiWriter:
    """Make writers.

    Args:
        given: Names, mappings with the key `name`, or descriptions.
        trial: The trial of Optuna that the writer `optuna` reports to.
        more: Writers of your own, by name.

    Raises:
        ConfigError: A name or key is unknown, or there is no trial for `optuna`.
        MissingExtra: The library of a writer is not installed; the message holds the command.
    """
    members: dict[str, Any] = {}
    for one in given:
        description = describe(WRITERS, one)
        make = maker(WRITERS, description)
        name: str = description.model_dump(include={"name"})["name"]
        if isinstance(description, OptunaConfig):
            if trial is None:
                raise ConfigError("The writer 'optuna' reports to a trial, and there is none; it belongs into a search.")
            made = make(description, trial)
        else:
            made = make(description)
        members[_free_name(name, members)] = made
    return MultiWriter({**members, **(more or {})})


def _free_name(name: str, taken: Mapping[str, Any]) -> str:
    """The name, with a number where a writer is there twice, which is fine: two folders, say."""
    numbered = (f"{name} {number}" for number in range(2, len(taken) + 3))
    return name if name not in taken else next(one for one in numbered if one not in taken)
