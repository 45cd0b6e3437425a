"""What a search would do, told before anything is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from burnish.train.tuning.settings import ChoicesConfig
from burnish.train.tuning.space import labels

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from burnish.train.plan import TrainPlan
    from burnish.train.tuning.settings import RangeConfig, TuneConfig


@dataclass(frozen=True, slots=True, eq=False)
class TunePlan:
    """A search that was not begun.

    Attributes:
        config: Its settings.
        training: What each training would be, but for the space.
    """

    config: TuneConfig
    training: TrainPlan

    @property
    def space(self) -> Mapping[str, str]:
        """What is varied, in words."""
        return {key: _told(values) for key, values in self.config.space.items()}

    def save(self, folder: Path, *, force: bool = False) -> list[Path]:
        """Write nothing."""
        del folder, force
        return []

    def summary(self) -> dict[str, Any]:
        """Trials, target and space, and what each training would be, as plain values."""
        target = self.training.config.evaluation.target
        return {"trials": self.config.trials, "target": target, "space": dict(self.space), "training": self.training.summary()}

    def __str__(self) -> str:
        head = f"Would search {len(self.space)} settings in {self.config.trials} trials for '{self.training.config.evaluation.target}':"
        return "\n".join([head, *(f"  {key}: {told}" for key, told in self.space.items()), "", str(self.training)])


def _told(values: RangeConfig | ChoicesConfig) -> str:
    if isinstance(values, ChoicesConfig):
        return "one of " + ", ".join(labels(values))
    how = ", as a power" if values.log else f", every {values.step:g}" if values.step else ""
    return f"{values.low:g} to {values.high:g}{how}"
