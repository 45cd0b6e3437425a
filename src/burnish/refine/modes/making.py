"""From the name of a mode to the function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from burnish import descriptions
from burnish.refine.modes.names import MODES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from burnish.config import Config
    from burnish.refine.modes.evidence import Mode


def build(given: Config | Mapping[str, Any] | str) -> Mode:
    """Make the mode that a name, a mapping or a description says.

    Raises:
        ConfigError: The name or a key is unknown, or a value does not fit.
    """
    return descriptions.build(MODES, given)
