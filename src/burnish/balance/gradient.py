"""The optimiser of copybal: rounded gradient steps that only ever add copies, on all objects at once, on CPU or GPU."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from burnish.balance.problem import four_spreads
from burnish.engine.files import atomic_path
from burnish.errors import extra
from burnish.models.device import choose_device

with extra("audit"):
    import torch

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from scipy.sparse import csr_array

    from burnish.balance.incidence import Incidence
    from burnish.balance.objectives import Spread
    from burnish.balance.problem import Weights
    from burnish.geometry.arrays import Ints

COLUMNS: Final = {
    "step": pl.Int64,
    "loss": pl.Float64,
    "files_counter_loss": pl.Float64,
    "object_loss": pl.Float64,
    "class_loss": pl.Float64,
    "superclass_loss": pl.Float64,
    "grad_argmin": pl.Int64,
    "min_grad": pl.Int64,
    "max_copy_num": pl.Int64,
    "num_bal_files_frac": pl.Float64,
    "ds_frac": pl.Float64,
}
"""Columns of the history; the values are those before the step."""

_WRITE_EVERY = 200


@dataclass(frozen=True, slots=True)
class GradientLimits:
    """When to stop, and how far a step goes.

    Attributes:
        steps: Steps at most.
        lr: Learning rate at the start.
        max_copies: Copies of one picture at most; None for any number.
        budget: Samples as a multiple of the pictures; None for any number.
        max_copy_per_step: Copies added in one step at most.
        as_was: Do all that copybal did: steps that round to nothing end the search, a rise starts it again from one copy each, the budget
            is looked at after the step, and the last counts are taken rather than the best.
    """

    steps: int = 10_000
    lr: float = 1e-4
    max_copies: int | None = None
    budget: float | None = None
    max_copy_per_step: int = 50_000
    as_was: bool = False


def descend_rounded(
    incidence: Incidence,
    limits: GradientLimits,
    *,
    weights: Weights = (1.0, 1.0, 1.0, 1.0),
    device: str = "auto",
    history_file: Path | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> tuple[Ints, pl.DataFrame]:
    """Add copies where the gradient of the four variances is steepest.

    Each step adds round(-lr * gradient) where that is positive. A step that rounds to nothing is stretched until the steepest picture
    gets one copy; when the loss rises, the best counts so far are taken up again with half the rate. Ctrl-C ends the search, and what was
    reached is returned.

    Args:
        incidence: Who is seen where.
        limits: When to stop.
        weights: Of files, objects, classes, superclasses.
        device: cpu, cuda, mps or auto.
        history_file: CSV file that is kept up to date with the history.
        advance: Told the number of steps done since the last call.

    Returns:
        (N,) copies, and the history, one row a step.
    """
    place = choose_device(device)
    loss = _Loss(incidence, weights, place)
    search = _Search(loss, limits, torch.ones(len(incidence), dtype=torch.float64, device=place))
    with suppress(KeyboardInterrupt):
        for step in range(limits.steps):
            goes_on = search.step(step)
            advance(1)
            if history_file is not None and step % _WRITE_EVERY == _WRITE_EVERY - 1:
                _write(search.history(), history_file)
            if not goes_on:
                break
    history = search.history()
    if history_file is not None:
        _write(history, history_file)
    copies = np.rint(search.result().cpu().numpy()).astype(np.int64)
    if place.type == "cuda":
        torch.cuda.empty_cache()
    return copies, history


class _Loss:
    """The four variances and their gradient, on a device."""

    def __init__(self, incidence: Incidence, weights: Weights, device: torch.device) -> None:
        self.pictures = len(incidence)
        self.spreads = [None if spread is None else _Moved(spread, device) for spread in four_spreads(incidence, weights)]

    def __call__(self, copies: torch.Tensor) -> tuple[list[float], torch.Tensor]:
        """The four values, 0 for those without anything to vary, and the (N,) gradient of their sum."""
        gradient = torch.zeros_like(copies)
        values: list[float] = []
        for spread in self.spreads:
            value = 0.0 if spread is None else spread.add_slope(copies, gradient)
            values.append(value)
        return values, gradient


class _Moved:
    """A spread whose arrays lie on a device."""

    def __init__(self, spread: Spread, device: torch.device) -> None:
        self.rows, self.columns = (_sparse(table, device) for table in (spread.rows, spread.columns))
        self.group_of = torch.as_tensor(spread.group_of, device=device)
        self.number = torch.as_tensor(spread.number, device=device)
        self.mass = torch.as_tensor(spread.mass, device=device)
        self.pull = torch.as_tensor(spread.factor[spread.group_of] * spread.number, device=device)

    def add_slope(self, copies: torch.Tensor, gradient: torch.Tensor) -> float:
        forms = self.rows @ copies
        mean = torch.zeros_like(self.mass).index_add_(0, self.group_of, self.number * forms) / self.mass
        away = forms - mean[self.group_of]
        gradient += 2 * (self.columns @ (self.pull * away))
        return float((self.pull * away * away).sum())


class _Search:
    """The counts, the rate, and the best counts so far."""

    def __init__(self, loss: _Loss, limits: GradientLimits, copies: torch.Tensor) -> None:
        self.loss, self.limits, self.copies = loss, limits, copies
        self.rate, self.before = limits.lr, float("inf")
        self.best, self.best_loss, self.stretched = copies.clone(), float("inf"), False
        self.rows: list[tuple[float, ...]] = []

    def step(self, number: int) -> bool:
        """Do one step; whether there is to be another one."""
        values, gradient = self.loss(self.copies)
        total = sum(values)
        gradient.clamp_(max=0)
        self._note(number, total, values, gradient)
        return self._as_was(total, gradient) if self.limits.as_was else self._mended(total, gradient)

    def result(self) -> torch.Tensor:
        """The last counts, or the best ones."""
        return self.copies if self.limits.as_was else self.best

    def history(self) -> pl.DataFrame:
        """One row a step."""
        return pl.DataFrame(self.rows, schema=COLUMNS, orient="row")

    def _as_was(self, total: float, gradient: torch.Tensor) -> bool:
        old = self.copies.clone()
        self.copies = self._capped(self.copies + self._rounded(gradient))
        if bool((self.copies == old).all()) or bool((self.copies > 1).all()) or self._spent(self.copies):
            return False
        if total > self.before:
            self.copies = torch.ones_like(self.copies)
            self.rate /= 2
        self.before = total
        return True

    def _mended(self, total: float, gradient: torch.Tensor) -> bool:
        if total < self.best_loss:
            self.best, self.best_loss = self.copies.clone(), total
        elif self.stretched:
            return False
        else:
            self.copies, self.rate = self.best.clone(), self.rate / 2
            _, gradient = self.loss(self.copies)
            gradient.clamp_(max=0)
        added = self._within(self._rounded(gradient))
        self.stretched = not bool(added.any())
        if self.stretched:
            added = self._single(gradient)
        self.copies = self.copies + added
        return bool(added.any())

    def _rounded(self, gradient: torch.Tensor) -> torch.Tensor:
        added = -self.rate * gradient
        total = float(added.sum())
        if total > self.limits.max_copy_per_step:
            added = added * (self.limits.max_copy_per_step / total)
        return added.round()

    def _within(self, added: torch.Tensor) -> torch.Tensor:
        """No more than the limits leave; what is cut off is taken from the least steep."""
        added = self._capped(self.copies + added) - self.copies
        if self.limits.budget is None:
            return added
        room = float(np.floor(self.limits.budget * len(added) + 1e-9)) - float(self.copies.sum())
        if float(added.sum()) <= room:
            return added
        order = torch.argsort(added, descending=True, stable=True)
        sums = torch.cumsum(added[order], 0)
        kept = torch.zeros_like(added)
        kept[order] = (added[order] - (sums - room).clamp(min=0)).clamp(min=0)
        return kept

    def _single(self, gradient: torch.Tensor) -> torch.Tensor:
        """One copy more of the steepest picture that may have one."""
        added = torch.zeros_like(self.copies)
        free = gradient < 0
        if self.limits.max_copies is not None:
            free &= self.copies < self.limits.max_copies
        if bool(free.any()):
            added[int(torch.where(free, gradient, torch.inf).argmin())] = 1
        return self._within(added)

    def _capped(self, copies: torch.Tensor) -> torch.Tensor:
        return copies if self.limits.max_copies is None else copies.clamp(max=self.limits.max_copies)

    def _spent(self, copies: torch.Tensor) -> bool:
        return self.limits.budget is not None and float(copies.sum()) > self.limits.budget * len(copies)

    def _note(self, number: int, total: float, values: list[float], gradient: torch.Tensor) -> None:
        repeated = float((self.copies > 1).double().mean())
        lowest, highest = int(-gradient.min()), int(self.copies.max())
        self.rows.append((number, total, *values, int(gradient.argmin()), lowest, highest, repeated, float(self.copies.mean())))


def _sparse(table: csr_array, device: torch.device) -> torch.Tensor:
    rows = np.repeat(np.arange(len(table.indptr) - 1), np.diff(table.indptr))
    places = torch.as_tensor(np.stack([rows, table.indices]).astype(np.int64))
    values = torch.as_tensor(table.data)
    return torch.sparse_coo_tensor(places, values, table.shape, dtype=torch.float64, device=device, check_invariants=False).coalesce()


def _write(history: pl.DataFrame, path: Path) -> None:
    with atomic_path(path) as temporary:
        history.write_csv(temporary)
