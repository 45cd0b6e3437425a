"""Merging modes: `modes.build("per_box")` gives a function from the evidence on one picture to its soft masks.

The names are those of `modes.MODES`. Modes are pure functions of arrays; nothing heavy is loaded before one is built.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from burnish.refine.modes.names import MODES

if TYPE_CHECKING:
    from burnish.refine.modes.evidence import Evidence, Merged, Mode, Weak
    from burnish.refine.modes.making import build

__all__ = ["MODES", "Evidence", "Merged", "Mode", "Weak", "build"]

_WHERE = {
    "build": "burnish.refine.modes.making",
    **dict.fromkeys(("Evidence", "Merged", "Mode", "Weak"), "burnish.refine.modes.evidence"),
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)
