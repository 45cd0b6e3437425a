"""The names under which folders and lists call the parts of a dataset."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

SPLITS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(("train", "training"), "train"),
        **dict.fromkeys(("val", "valid", "validation"), "val"),
        **dict.fromkeys(("test", "testing"), "test"),
    }
)
"""Folder names, in lower case, and the split that each stands for."""


def split_named(folder: str) -> str | None:
    """The split that a folder's name stands for, or None."""
    return SPLITS.get(folder.lower())
