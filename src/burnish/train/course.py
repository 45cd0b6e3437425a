"""The course of a training out of its metrics.jsonl, also when it was stopped, killed and continued."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from burnish.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Course:
    """Numbers by step.

    Attributes:
        series: Of each name, its steps, rising, and values; NaN where there was no number.
    """

    series: Mapping[str, tuple[Sequence[int], Sequence[float]]]

    def over(self, names: Sequence[str]) -> tuple[list[int], dict[str, list[float]]]:
        """Several series on one axis: all their steps, and values at each, straight between those that are known and NaN beyond."""
        known = [name for name in names if name in self.series]
        steps = sorted({step for name in known for step in self.series[name][0]})
        return steps, {name: _filled(steps, *self.series[name]) for name in known}


def read_course(path: Path) -> Course:
    """Read what the writer wrote; where steps were done again after a kill, the later lines count.

    Raises:
        FormatError: A line other than a torn last one is no mapping of numbers.
    """
    if not path.is_file():
        return Course({})
    lines = path.read_text(encoding="utf-8").splitlines()
    kept: dict[str, dict[int, float]] = {}
    latest = -1
    for number, line in enumerate(lines, start=1):
        try:
            values = json.loads(line)
            step = int(values.pop("step"))
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            if number == len(lines):
                break  # a training that was killed while it wrote
            raise FormatError("this is no line of numbers with their step, as trainings write them.", path=path, position=number) from error
        if step < latest:
            _forget_after(kept, step)
        latest = step
        for name, value in values.items():
            kept.setdefault(name, {})[step] = math.nan if value is None else float(value)
    return Course({name: (list(found), list(found.values())) for name, found in kept.items() if found})


def _forget_after(kept: dict[str, dict[int, float]], step: int) -> None:
    """Steps that the training went back behind are told anew, or never came to be."""
    for found in kept.values():
        for later in [one for one in found if one > step]:
            del found[later]


def _filled(steps: Sequence[int], known: Sequence[int], values: Sequence[float]) -> list[float]:
    """Not-a-number stays where it was told, as a gap."""
    filled = np.interp(steps, known, values, left=math.nan, right=math.nan)
    return [float(value) for value in filled]
