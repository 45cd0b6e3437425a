"""What balancing found, and writing it down: the plan, what consumers read, the history and the report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from burnish.balance.copies import Duplicated, as_counts, duplicate_files, remove_copies
from burnish.balance.page import balance_page
from burnish.balance.plans import save_outputs
from burnish.balance.solver import gap_of
from burnish.balance.sparse import applied
from burnish.engine.files import atomic_path, write_text
from burnish.formats.plans import Plan, write_plan
from burnish.report.numbers import number
from burnish.report.tables import text_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scipy.sparse import csr_array

    from burnish.balance.frontier import Frontier
    from burnish.balance.incidence import Incidence
    from burnish.balance.settings import BalanceConfig
    from burnish.data.dataset import Dataset
    from burnish.geometry.arrays import Ints


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """Whole copies, and how good they are proven to be.

    Attributes:
        copies: (N,) copies.
        value: The objective there.
        bound: No copies within the limits, whole or not, are below it (for solver exact: no whole ones).
        start: The objective with one copy each.
        relaxed: The objective at the best copies that need not be whole.
        history: One row a round.
    """

    copies: Ints
    value: float
    bound: float
    start: float
    relaxed: float
    history: pl.DataFrame

    @property
    def gap(self) -> float:
        """Share of the way from one copy each down to the bound that is left."""
        return gap_of(self.value, self.bound, self.start)


@dataclass(frozen=True, slots=True, eq=False)
class BalanceResult:
    """Everything that balancing found.

    Attributes:
        dataset: The dataset, as it was.
        config: The settings.
        incidence: Which objects are seen on which pictures.
        plan: How often each picture comes.
        outcome: How good that is.
        frontier: What other limits would bring; None where it was not worked out (one class, or very many pictures).
        baselines: One row a way of balancing, all at the plan's size: method, ratio, class_cv, superclass_cv (where there are some),
            growth, most_copies.
        advice: What the numbers mean, in words.
        seconds: Time spent in each part.
    """

    dataset: Dataset
    config: BalanceConfig
    incidence: Incidence
    plan: Plan
    outcome: Outcome
    frontier: Frontier | None
    baselines: pl.DataFrame
    advice: tuple[str, ...]
    seconds: Mapping[str, float]

    @property
    def table(self) -> pl.DataFrame:
        """One row a picture: image, path, frame, is_file, copies, why."""
        return self.plan.table

    @property
    def classes(self) -> pl.DataFrame:
        """One row a class: class, superclass (where there are some), objects, pictures, before, after (views of objects), share of each."""
        return class_table(self.incidence, self.outcome.copies)

    @property
    def superclasses(self) -> pl.DataFrame:
        """One row a superclass: superclass, before, after, and their shares; no rows where there are none."""
        names = self.incidence.superclasses
        before, after = (_sums(self.incidence.super_counts, n) if names else np.zeros(0) for n in (None, self.outcome.copies))
        return _with_shares(
            pl.DataFrame({"superclass": names, "before": before, "after": after}, schema_overrides={"superclass": pl.String})
        )

    @property
    def name(self) -> str:
        """The dataset's name: its folder, or its file."""
        path = Path(self.dataset.origin.get("path", self.dataset.root)).absolute()
        return path.parent.name if path.name == "labels.jsonl" else path.stem

    def save(self, folder: Path, *, force: bool = False) -> list[Path]:
        """Write plan.parquet and .csv, classes.csv, history.csv, report.html, and the outputs and duplicates of the settings.

        Raises:
            DataError: A picture to repeat is missing, a copy would replace a foreign file, or the disk is full.
        """
        del force
        written = write_plan(self.plan, folder)
        for name, table in (("classes.csv", self.classes), ("history.csv", self.outcome.history)):
            with atomic_path(folder / name) as temporary:
                table.write_csv(temporary)
            written.append(folder / name)
        written += save_outputs(self.plan, self.dataset, self.config.outputs, folder)
        made = self._duplicate()
        write_text(folder / "report.html", balance_page(self, made))
        return [*written, folder / "report.html"]

    def _duplicate(self) -> Duplicated | None:
        how = self.config.duplicates
        if how == "none":
            return None
        if how == "undo":
            return Duplicated(0, {}, remove_copies(self.dataset.root, self.dataset.image_files()["path"]))
        return duplicate_files(self.dataset.root, as_counts(self.plan.table["path"].to_list(), self.outcome.copies), how)

    def summary(self) -> dict[str, Any]:
        """Counts, metrics and the proof as plain values."""
        outcome = self.outcome
        return {
            "pictures": len(self.plan),
            "samples": self.plan.samples,
            "objective": self.config.objective,
            "start": outcome.start,
            "value": outcome.value,
            "bound": outcome.bound,
            "gap": outcome.gap,
            "methods": self.baselines.to_dicts(),
            "classes": self.classes.to_dicts(),
            "advice": list(self.advice),
            "seconds": {name: round(spent, 2) for name, spent in self.seconds.items()},
        }

    def __str__(self) -> str:
        kept = [name for name in ("class", "superclass", "before", "after", "share_before", "share_after") if name in self.classes.columns]
        formats = {"before": "count", "after": "count", "share_before": "percent", "share_after": "percent"}
        parts = [
            f"{self.plan}.",
            proof_text(self),
            text_table(self.classes.select(kept), formats=formats, most=20),  # pyright: ignore[reportArgumentType] - names of formats
            text_table(self.baselines),
            *(f"- {sentence}" for sentence in self.advice),
        ]
        return "\n\n".join(parts[:4]) + "\n\n" + "\n".join(parts[4:])


def proof_text(result: BalanceResult) -> str:
    """One sentence: from where to where, and what is proven."""
    outcome = result.outcome
    if outcome.gap == 0 and outcome.value >= outcome.start * (1 - 1e-9):
        return f"The objective ({result.config.objective}) is {number(outcome.start)}; proven: no copies within the limits lower it."
    return (
        f"The objective ({result.config.objective}) went from {number(outcome.start)} to {number(outcome.value)}; proven: nothing within "
        f"the limits is below {number(outcome.bound)}, so at most {outcome.gap:.2%} of the way is left."
    )


def class_table(incidence: Incidence, copies: Ints) -> pl.DataFrame:
    """One row a class; see `BalanceResult.classes`."""
    counts = incidence.counts
    table = pl.DataFrame({"class": incidence.classes})
    if incidence.superclasses:
        table = table.with_columns(superclass=pl.Series([incidence.superclasses[n] for n in incidence.superclass_of.tolist()]))
    return _with_shares(
        table.with_columns(
            objects=pl.Series(incidence.sizes),
            pictures=pl.Series(np.diff(counts.indptr), dtype=pl.Int64),
            before=pl.Series(_sums(counts, None)),
            after=pl.Series(_sums(counts, copies)),
        )
    )


def _with_shares(table: pl.DataFrame) -> pl.DataFrame:
    return table.with_columns(*((pl.col(name) / pl.col(name).sum()).alias(f"share_{name}") for name in ("before", "after")))


def _sums(counts: csr_array, copies: Ints | None) -> Ints:
    weights = np.ones(counts.shape[1]) if copies is None else copies.astype(np.float64)
    return np.rint(applied(counts, weights)).astype(np.int64)
