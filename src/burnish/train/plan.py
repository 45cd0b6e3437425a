"""What a training would do, told before anything is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from burnish.config import dump

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from burnish.train.policies.policy import Policy
    from burnish.train.policies.settings import TrainConfig


@dataclass(frozen=True, slots=True, eq=False)
class TrainPlan:
    """A training that was not begun.

    Attributes:
        config: The settings, with every choice made.
        policy: The task and its pictures.
    """

    config: TrainConfig
    policy: Policy

    @property
    def pictures(self) -> Mapping[str, int]:
        """How many each part has."""
        return {part: len(self.policy.examples.part(part)) for part in ("train", "val", "test")}

    def save(self, folder: Path, *, force: bool = False) -> list[Path]:
        """Write nothing."""
        del folder, force
        return []

    def summary(self) -> dict[str, Any]:
        """Task, pictures of each part, classes, notes and settings as plain values."""
        examples = self.policy.examples
        return {
            "task": examples.task,
            "mode": examples.mode,
            "pictures": dict(self.pictures),
            "classes": list(examples.classes),
            "notes": list(examples.notes),
            "settings": self.config.model_dump(mode="json"),
        }

    def __str__(self) -> str:
        examples = self.policy.examples
        counts = ", ".join(f"{number:,} {part}" for part, number in self.pictures.items())
        head = f"Would train {getattr(self.config.network, 'name', '')} for {examples.task} ({examples.mode}) on {counts} pictures."
        return "\n".join([head, *examples.notes, "", dump(self.config).rstrip()])
