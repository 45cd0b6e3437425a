"""What every writer is. Whoever trains tells one writer, which may be several, and never learns which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    Picture: TypeAlias = NDArray[np.uint8]

Rows: TypeAlias = "Sequence[Mapping[str, Any]]"


class Writer(Protocol):
    """Takes what a training has to tell. `step` is the number of optimiser steps done."""

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Numbers of one step."""
        ...

    def images(self, name: str, pictures: Sequence[Picture], step: int) -> None:
        """Pictures, each (H, W, 3) uint8, RGB."""
        ...

    def figure(self, name: str, figure: Any, step: int) -> None:
        """A matplotlib figure, or anything with `savefig(path, format=...)`."""
        ...

    def table(self, name: str, rows: Rows, step: int) -> None:
        """Rows with the same keys."""
        ...

    def text(self, name: str, text: str, step: int) -> None:
        """Words."""
        ...

    def hyper_parameters(self, values: Mapping[str, Any], metrics: Mapping[str, float] | None = None) -> None:
        """The settings of the training, and at its end what they led to; nested ones are joined with dots."""
        ...

    def artifact(self, path: Path, name: str = "") -> None:
        """A file to be kept, under a name of its own if one is given."""
        ...

    def close(self) -> None:
        """Write what is left, and end."""
        ...


EVENTS = ("scalars", "images", "figure", "table", "text", "hyper_parameters", "artifact", "close")
"""The methods of a writer."""
