"""The writer that writes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from burnish.train.writers.writer import Picture, Rows


class NullWriter:
    """Takes everything and keeps nothing."""

    def __init__(self, _config: object = None) -> None:
        pass

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Nothing."""

    def images(self, name: str, pictures: Sequence[Picture], step: int) -> None:
        """Nothing."""

    def figure(self, name: str, figure: Any, step: int) -> None:
        """Nothing."""

    def table(self, name: str, rows: Rows, step: int) -> None:
        """Nothing."""

    def text(self, name: str, text: str, step: int) -> None:
        """Nothing."""

    def hyper_parameters(self, values: Mapping[str, Any], metrics: Mapping[str, float] | None = None) -> None:
        """Nothing."""

    def artifact(self, path: Path, name: str = "") -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""
