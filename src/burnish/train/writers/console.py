"""Numbers as lines on standard error."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from burnish.train.writers.flat import flattened, markdown_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import TextIO

    from burnish.train.writers.settings import ConsoleConfig
    from burnish.train.writers.writer import Picture, Rows


class ConsoleWriter:
    """One line for each thing that is told; of pictures and files, that they are there."""

    def __init__(self, config: ConsoleConfig, stream: TextIO | None = None) -> None:
        self._digits = config.digits
        self._stream = stream

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Print numbers."""
        self._say(step, "  ".join(f"{name} {value:.{self._digits}g}" for name, value in values.items()))

    def images(self, name: str, pictures: Sequence[Picture], step: int) -> None:
        """Print how many."""
        self._say(step, f"{name}: {len(pictures)} pictures")

    def figure(self, name: str, figure: Any, step: int) -> None:
        """Print that there is one."""
        del figure
        self._say(step, f"{name}: a figure")

    def table(self, name: str, rows: Rows, step: int) -> None:
        """Print it."""
        self._say(step, f"{name}:\n{markdown_text(rows)}")

    def text(self, name: str, text: str, step: int) -> None:
        """Print it."""
        self._say(step, f"{name}: {text}")

    def hyper_parameters(self, values: Mapping[str, Any], metrics: Mapping[str, float] | None = None) -> None:
        """Print them."""
        told = {**flattened(values), **(metrics or {})}
        self._print(", ".join(f"{key}={value}" for key, value in told.items()))

    def artifact(self, path: Path, name: str = "") -> None:
        """Print where it is."""
        self._print(f"{name or path.name}: {path}")

    def close(self) -> None:
        """Nothing is left."""

    def _say(self, step: int, text: str) -> None:
        self._print(f"step {step:>6}  {text}")

    def _print(self, text: str) -> None:
        print(text, file=self._stream or sys.stderr, flush=True)
