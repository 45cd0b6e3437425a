"""All checks, one after another, whatever one of them comes upon; afterwards the network is as it was before."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from burnish.engine.progress import Progress, silent
from burnish.errors import DataError
from burnish.train.checks.bad_values import broken_inputs, extreme_targets
from burnish.train.checks.exporting import int8, onnx_export
from burnish.train.checks.finding import Check, Example, Finding, LossCall, told
from burnish.train.checks.gradients import gradients_reach
from burnish.train.checks.loading import loading_speed
from burnish.train.checks.memory import memory
from burnish.train.checks.precision import bf16, fp16
from burnish.train.checks.repeatability import batch_independence, deterministic
from burnish.train.checks.sizes import batch_of_one, divisible_sizes
from burnish.train.finders.traceless import traceless

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from torch import nn

_LEAST = 2


def all_checks(
    *, batches: Iterable[Any] | None = None, batch: int | None = None, limit_bytes: int | None = None, states: int = 2
) -> dict[str, Check]:
    """Every check by name, in the order in which one explains the next.

    Args:
        batches: An epoch of the training's batches, for `loading`.
        batch: Pictures of a batch, for `memory`; None is those of the example.
        limit_bytes: Memory that there is, for `memory`.
        states: Numbers that the optimiser keeps for each parameter, for `memory`.
    """
    return {
        "gradients": gradients_reach,
        "extreme targets": extreme_targets,
        "broken inputs": broken_inputs,
        "determinism": deterministic,
        "batch independence": batch_independence,
        "batch of one": batch_of_one,
        "divisible sizes": divisible_sizes,
        "precision bf16": bf16,
        "precision fp16": fp16,
        "memory": partial(memory, batch=batch, limit_bytes=limit_bytes, states=states),
        "ONNX export": onnx_export,
        "int8": int8,
        "loading": partial(loading_speed, batches=batches),
    }


def run_checks(
    model: nn.Module, example: Example, loss: LossCall, *, checks: Mapping[str, Check] | None = None, progress: Progress = silent
) -> tuple[Finding, ...]:
    """Run checks in their order. One that raises is an error among the findings, and the next one goes on.

    Args:
        model: The network, on its device.
        example: A batch of at least two pictures, as the training has them.
        loss: Its loss.
        checks: By name; None is `all_checks()`.
        progress: Where to report.

    Raises:
        DataError: The example has fewer than two pictures.
    """
    if len(example.inputs) < _LEAST:
        raise DataError(f"The example has {len(example.inputs)} pictures; expected at least {_LEAST}, so that they can be told apart.")
    chosen = all_checks() if checks is None else checks
    findings: list[Finding] = []
    with progress.task("Checks", len(chosen)) as advance:
        for name, check in chosen.items():
            with traceless(model):
                findings.append(_found(name, check, model, example, loss))
            advance(1)
    return tuple(findings)


def _found(name: str, check: Check, model: nn.Module, example: Example, loss: LossCall) -> Finding:
    try:
        return check(model, example, loss)
    except Exception as error:  # noqa: BLE001 - the other checks have something to say, whatever this one came upon
        return Finding(
            name, "error", f"The check failed: {told(error)}.", "Call the network and its loss on this batch by hand to see where."
        )
