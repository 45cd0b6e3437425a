"""Checkpoints: written whole or not at all, and read without running anything that they hold."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

from burnish.engine.files import atomic_path
from burnish.errors import WeightsError, extra

with extra("audit"):
    import torch

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def save_checkpoint(path: Path, content: Mapping[str, Any]) -> None:
    """Write tensors and plain values; an earlier checkpoint stays until this one is complete.

    Raises:
        DataError: The disk is full or the folder cannot be written.
    """
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        try:
            torch.save(dict(content), stream)
        except RuntimeError as error:  # of torch's archive, which the system's refusal has left unfinished
            raise error.__context__ if isinstance(error.__context__, OSError) else error from None


def load_checkpoint(path: Path, *, fingerprint: str) -> dict[str, Any] | None:
    """Read a checkpoint of this very training; None where there is none, it is damaged, or it belongs to another training.

    Args:
        path: Where it may be.
        fingerprint: What `save_checkpoint` was given under this key.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (FileNotFoundError, EOFError, RuntimeError, ValueError, KeyError, pickle.UnpicklingError):
        return None
    return content if isinstance(content, dict) and content.get("fingerprint") == fingerprint else None


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint that must be whole.

    Raises:
        WeightsError: It is damaged, or no checkpoint.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (EOFError, OSError, RuntimeError, ValueError, KeyError, pickle.UnpicklingError) as error:
        reason = str(error).partition("\n")[0]
        raise WeightsError(
            f"The checkpoint {path} cannot be read: {reason}. Remove it to begin anew, or put a copy in its place."
        ) from error
    if not isinstance(content, dict):
        raise WeightsError(f"{path} holds a {type(content).__name__}; expected a checkpoint of a training.")
    return content
