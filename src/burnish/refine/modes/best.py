"""The mode that is settled before anything is merged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from burnish.errors import ConfigError

if TYPE_CHECKING:
    from burnish.refine.modes.evidence import Mode
    from burnish.refine.modes.settings import BestConfig


def best(config: BestConfig) -> Mode:
    """Refuse: a single picture cannot tell which mode is best; `burnish.refine.choosing.settled` asks those that are drawn by hand.

    Raises:
        ConfigError: Always.
    """
    told = f"Mode {config.name} is settled on the hand-drawn pictures of a prepared dataset, which burnish refine does"
    raise ConfigError(f"{told}; a single picture cannot tell. Name one of the others here.")
