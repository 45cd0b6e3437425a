"""Losses: `losses.build({"name": "tversky", "fp_weight": 0.3, "fn_weight": 0.7})`; the names are those of `losses.LOSSES`.

Nothing heavy is loaded before a loss is built.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from burnish.train.losses.names import LOSSES

if TYPE_CHECKING:
    from burnish.train.losses.distances import signed_distances
    from burnish.train.losses.making import build

__all__ = ["LOSSES", "build", "signed_distances"]

_WHERE = {"build": "burnish.train.losses.making", "signed_distances": "burnish.train.losses.distances"}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)
