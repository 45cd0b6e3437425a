"""Checkpoints: written whole or not at all, and read without running anything that they hold."""

from __future__ import annotations

import os
import pickle
import warnings
from typing import TYPE_CHECKING, Any, Final

from burnish.engine.files import atomic_path
from burnish.errors import WeightsError, extra
from burnish.media.unreadable import foreign_content

with extra("audit"):
    import torch

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_HEAD: Final = 512
_ARCHIVE: Final = b"PK\x03\x04"  # torch writes a ZIP archive


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


def read_checkpoint(path: Path, *, remedy: str) -> dict[str, Any]:
    """Read a checkpoint that must be whole.

    Args:
        path: The file.
        remedy: What to do where it is not, as a sentence.

    Raises:
        WeightsError: It is damaged, or no checkpoint.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of unusual pickle protocols; what cannot be read is an error below
            content = torch.load(path, map_location="cpu", weights_only=True)
    except (EOFError, OSError, RuntimeError, ValueError, KeyError, pickle.UnpicklingError) as error:
        raise WeightsError(f"The checkpoint {path} cannot be read: {_why_unreadable(path)}. {remedy}") from error
    if not isinstance(content, dict):
        raise WeightsError(f"{path} holds a {type(content).__name__}; expected a checkpoint of a training. {remedy}")
    return content


def _why_unreadable(path: Path) -> str:
    """By what the file is: the reader's own words are of archives and offsets."""
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD)
            size = stream.seek(0, os.SEEK_END)
    except OSError as error:
        return error.strerror or str(error)
    if not size:
        return "it is empty (0 bytes)"
    foreign = None if head.startswith(_ARCHIVE) else foreign_content(head, "a checkpoint")
    return f"{foreign or 'it is cut short, damaged or no checkpoint'} ({size:,} bytes)"
