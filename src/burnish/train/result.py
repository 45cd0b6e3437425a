"""What a training came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from burnish.config import dump
from burnish.engine.files import write_text
from burnish.report.numbers import fixed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import nn

    from burnish.train.policies.policy import Policy
    from burnish.train.policies.settings import TrainConfig
    from burnish.train.policies.showing import Showing
    from burnish.train.run import Run


@dataclass(frozen=True, slots=True, eq=False)
class TrainResult:
    """A trained network, with the weights of its best evaluation.

    Attributes:
        config: The settings, with every choice made.
        policy: The task and its pictures.
        model: The network, in evaluation mode.
        run: How the training went.
        measured: Metrics of the parts val and test with these weights.
        folder: The run folder, or None.
        showing: Draws predictions.
    """

    config: TrainConfig
    policy: Policy
    model: nn.Module
    run: Run
    measured: Mapping[str, Mapping[str, float]]
    folder: Path | None
    showing: Showing

    @property
    def table(self) -> pl.DataFrame:
        """One row a part and metric."""
        rows = [(part, name, value) for part, metrics in self.measured.items() for name, value in metrics.items()]
        return pl.DataFrame(rows, schema={"part": pl.String, "metric": pl.String, "value": pl.Float64}, orient="row")

    @property
    def exit_code(self) -> int:
        """130 where a signal ended the training."""
        return 130 if self.run.interrupted else 0

    def save(self, folder: Path, *, force: bool = False) -> list[Path]:
        """Write the report and the numbers beside what the training itself wrote."""
        from burnish.train.page import train_page  # noqa: PLC0415 - the page knows results

        del force
        write_text(folder / "metrics.csv", self.table.write_csv())
        write_text(folder / "config.yaml", dump(self.config))
        write_text(folder / "report.html", train_page(self, folder))
        written = ("report.html", "best.pt", "config.yaml", "metrics.csv", "metrics.jsonl", "environment.json")
        return [folder / name for name in written if (folder / name).exists()]

    def summary(self) -> dict[str, Any]:
        """Facts and numbers as plain values."""
        return {
            "task": self.policy.examples.task,
            "network": getattr(self.config.network, "name", ""),
            "epochs": round(self.run.position, 2),
            "steps": self.run.step,
            "best_step": None if self.run.best is None else self.run.best[1],
            "seconds": round(self.run.seconds, 1),
            "stopped": self.run.stop,
            **{part: dict(metrics) for part, metrics in self.measured.items()},
        }

    def __str__(self) -> str:
        examples = self.policy.examples
        counts = ", ".join(f"{len(examples.part(part)):,} {part}" for part in ("train", "val", "test") if len(examples.part(part)))
        lines = [f"Trained {getattr(self.config.network, 'name', '')} for {examples.task} on {counts} pictures: {self._course()}"]
        for part, metrics in self.measured.items():
            shown = [f"{name} {fixed(value, 4)}" for name, value in metrics.items() if "/" not in name]
            lines.append(f"  {part}: " + ", ".join(shown))
        if self.run.interrupted:
            lines.append("The training was interrupted; the same command continues it.")
        return "\n".join(lines)

    def _course(self) -> str:
        best = "" if self.run.best is None else f", best at step {self.run.best[1]:,} of {self.run.step:,}"
        reason = f" ({self.run.stop})" if self.run.stop else ""
        return f"{round(self.run.position, 2):g} of {self.config.epochs} epochs in {self.run.seconds:.0f} s{best}{reason}."
