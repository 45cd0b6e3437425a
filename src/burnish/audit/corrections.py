"""corrected_labels.jsonl: the labels file of a dataset with the suspects' labels replaced, everything else as it was."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from burnish.errors import DataError
from burnish.formats.jsonl import rewrite_labels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from burnish.audit.settings import AuditConfig
    from burnish.data.dataset import Dataset

FILE = "corrected_labels.jsonl"


def corrections_path(dataset: Dataset, config: AuditConfig) -> Path | None:
    """Where the corrected labels of a labels.jsonl dataset go; None for other formats and where they are not wanted."""
    if not config.correct or dataset.origin.get("format") != "jsonl":
        return None
    source = Path(dataset.origin["path"])
    return (source if source.is_dir() else source.parent) / FILE


def refuse_existing_corrections(dataset: Dataset, config: AuditConfig, *, force: bool) -> None:
    """Say before any work that a result is there already.

    Raises:
        DataError: It is, and `force` is not set.
    """
    path = corrections_path(dataset, config)
    if path is not None and path.exists() and not force:
        raise DataError(f"{path} is there already. Move it away, add --force to replace it, or --no-correct to write none.")


def write_corrections(dataset: Dataset, config: AuditConfig, changes: Mapping[int, str]) -> list[Path]:
    """Write the corrected labels beside the labels.

    Args:
        dataset: A labels.jsonl dataset, whose image ids are line numbers.
        config: Whether they are wanted.
        changes: Image id to new label.
    """
    path = corrections_path(dataset, config)
    if path is None:
        return []
    source = Path(dataset.origin["path"])
    rewrite_labels(source / "labels.jsonl" if source.is_dir() else source, path, changes)
    return [path]
