"""Which pictures have the most of each confusion, so that a cell of the matrix leads to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_KEPT = 8


@dataclass(slots=True, eq=False)
class Guilty:
    """The worst pictures of every cell off the diagonal.

    Attributes:
        cells: Amount and row of each cell's pictures, at most a few.
    """

    cells: dict[tuple[int, int], list[tuple[int, int]]] = field(default_factory=dict[tuple[int, int], "list[tuple[int, int]]"])

    def add(self, row: int, matrix: NDArray[np.int64]) -> None:
        """Add a picture's (R, C) confusion."""
        for given, predicted in np.argwhere(matrix):
            if given != predicted:
                kept = self.cells.setdefault((int(given), int(predicted)), [])
                kept.append((int(matrix[given, predicted]), row))
                if len(kept) > _KEPT:
                    kept.remove(min(kept, key=lambda one: (one[0], -one[1])))

    def pictures(self) -> dict[tuple[int, int], list[int]]:
        """The rows of every cell, those with the most first."""
        return {cell: [row for _, row in sorted(kept, key=lambda one: (-one[0], one[1]))] for cell, kept in self.cells.items()}
