"""What a metric remembers of the batches that it has seen: sums that are added, and rows that are put after one another.

Nothing is divided before the end. So states of batches, workers and ranks merge in any grouping into the state of the whole.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """The memory of a metric.

    Attributes:
        sums: Arrays by name, of one shape in every batch; merged by adding.
        rows: Arrays (N, ...) by name; merged by concatenation.
    """

    sums: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    rows: Mapping[str, NDArray[Any]] = field(default_factory=dict)


def merged(states: Iterable[State]) -> State:
    """One state of many, in their order; the empty state of none."""
    kept = [*states]
    if len(kept) == 1:
        return kept[0]
    sums: dict[str, Any] = {}
    rows: dict[str, list[NDArray[Any]]] = {}
    for state in kept:
        for name, values in state.sums.items():
            sums[name] = sums[name] + values if name in sums else values
        for name, values in state.rows.items():
            rows.setdefault(name, []).append(values)
    return State(sums, {name: np.concatenate(parts) for name, parts in rows.items()})
