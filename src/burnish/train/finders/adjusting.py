"""The settings of an optimiser follow the batch: what each group has, what it should have, and the step that sets it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from burnish.errors import ConfigError
from burnish.train.finders.scaling import (
    averaging_decay,
    batch_factor,
    half_life_mean,
    is_valid_sde,
    linear_rate,
    root_rate,
    scaled_eps,
    sde_mean,
    timescale_decay,
)
from burnish.train.finders.settings import AdjustConfig

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import polars as pl
    import torch

_COUPLED = {"SGD", "Adam", "RMSprop", "Adamax", "Adagrad"}
_LINEAR = {"SGD", "SGDW", "LARS", "Lars", "SGDP", "MADGRAD", "SGDScheduleFree", "ASGD"}


@dataclass(frozen=True, slots=True)
class Change:
    """One value.

    Attributes:
        group: Number of the group; -1 for what belongs to none.
        name: Key of the group, with the place in it for several (`betas[0]`); `averaging` for the running average of weights.
        old: What it was.
        new: What it should be.
        clamped: The rule was not valid any more, and this is the last value that is.
    """

    group: int
    name: str
    old: float
    new: float
    clamped: bool = False


@dataclass(frozen=True, slots=True)
class Adjusted:
    """What follows from another number of samples.

    Attributes:
        factor: Samples of the new step over those of the old one.
        steps_factor: What the number of steps is to be multiplied with, so that as many samples are seen.
        rule: Of the learning rate: linear, sqrt or none.
        changes: One for each value of each group, also where it stays.
    """

    factor: float
    steps_factor: float
    rule: str
    changes: tuple[Change, ...]

    @property
    def averaging(self) -> float | None:
        """The new decay of the running average of weights, if one was given."""
        return next((change.new for change in self.changes if change.name == "averaging"), None)

    @property
    def table(self) -> pl.DataFrame:
        """One row a value: group, name, old, new, clamped."""
        import polars as pl  # noqa: PLC0415 - only where a table is asked for

        rows = [(change.group, change.name, float(change.old), float(change.new), change.clamped) for change in self.changes]
        return pl.DataFrame(rows, schema=["group", "name", "old", "new", "clamped"], orient="row")

    def __str__(self) -> str:
        told = [f"{change.name} {change.old:.4g} -> {change.new:.4g}" for change in self.changes if change.group <= 0]
        return f"x{self.factor:g} samples a step ({self.rule} rate): {', '.join(told)}"


def adjusted(
    optimizer: torch.optim.Optimizer, *, old: int, new: int, config: AdjustConfig | None = None, averaging: float | None = None
) -> Adjusted:
    """Say what the settings of an optimiser should be with another number of samples a step; nothing is changed.

    Args:
        optimizer: With the settings that go with the old number.
        old: Samples of a step: batch x ranks x accumulated batches.
        new: The same from now on.
        config: Which rules.
        averaging: Decay of the running average of the weights, if there is one.

    Raises:
        ConfigError: A number is below 1, or a rule is not valid so far from the old number and `beyond` says refuse.
    """
    chosen, factor = config or AdjustConfig(), batch_factor(old, new)
    rule = rate_rule(optimizer) if chosen.lr == "auto" else chosen.lr
    decoupled = type(optimizer).__name__ not in _COUPLED
    if chosen.weight_decay == "timescale" and not decoupled:
        message = f"{type(optimizer).__name__} adds its weight decay to the gradient, where the timescale of decay has no meaning"
        raise ConfigError(f"{message}; expected an optimiser such as AdamW, or weight_decay none.")
    _refuse_signs(optimizer, chosen)
    changes = [change for number, group in enumerate(optimizer.param_groups) for change in _of_group(number, group, factor, rule, chosen)]
    if averaging is not None:
        changes.append(Change(-1, "averaging", averaging, averaging_decay(averaging, factor)))
    _judge(changes, factor, chosen)
    return Adjusted(factor, 1 / factor, rule, tuple(changes))


def apply_adjusted(optimizer: torch.optim.Optimizer, found: Adjusted) -> None:
    """Set what was found in the groups. A schedule that was made before goes on from the new rates.

    Raises:
        ConfigError: A value is not what it was when it was looked at: it was set already, or a schedule moved it.
    """
    wanted = [change for change in found.changes if change.group >= 0]
    for change in wanted:
        present = _value(optimizer.param_groups[change.group], change.name)
        if present != change.old:
            message = f"'{change.name}' of group {change.group} is {present:g}, and was {change.old:g} when the adjustment was computed"
            raise ConfigError(f"{message}. Compute it anew, before the training begins.")
    for change in wanted:
        _set(optimizer.param_groups[change.group], change.name, change.new)


def rate_rule(optimizer: torch.optim.Optimizer) -> str:
    """The rule of the learning rate: linear for plain gradients, sqrt where steps are divided by running means or take signs.

    Raises:
        ConfigError: The optimiser is of neither kind that is known.
    """
    kind, group = type(optimizer).__name__, optimizer.param_groups[0]
    if kind in _LINEAR:
        return "linear"
    if "betas" in group or "alpha" in group:
        return "sqrt"
    raise ConfigError(f"No rule is known for the learning rate of {kind}. Say lr: linear, sqrt or none.")


def _refuse_signs(optimizer: torch.optim.Optimizer, config: AdjustConfig) -> None:
    group = optimizer.param_groups[0]
    if config.betas == "sde" and "betas" in group and "eps" not in group:
        message = f"The rule sde was derived for Adam and RMSprop, and {type(optimizer).__name__} takes signs"
        raise ConfigError(f"{message}. Say betas: half_life or none.")


def _of_group(number: int, group: Mapping[str, Any], factor: float, rule: str, config: AdjustConfig) -> Iterator[Change]:
    scaled = {"linear": linear_rate, "sqrt": root_rate}.get(rule)
    for name in ("lr", "initial_lr"):
        if name in group:
            yield Change(number, name, float(group[name]), float(group[name]) if scaled is None else scaled(float(group[name]), factor))
    for place, beta in enumerate(group.get("betas", ())):
        yield _mean(number, f"betas[{place}]", beta, factor, config.betas)
    if "alpha" in group and "eps" in group:  # RMSprop; averaged SGD means something else by alpha
        yield _mean(number, "alpha", group["alpha"], factor, config.betas)
    if group.get("momentum"):
        yield _mean(number, "momentum", group["momentum"], factor, config.momentum)
    if "eps" in group and ("betas" in group or "alpha" in group):
        follows = config.eps and config.betas == "sde"
        yield Change(number, "eps", group["eps"], scaled_eps(group["eps"], factor) if follows else group["eps"])
    if config.weight_decay == "timescale" and "weight_decay" in group:
        rate_factor = 1.0 if scaled is None else scaled(1.0, factor)
        yield Change(number, "weight_decay", group["weight_decay"], timescale_decay(group["weight_decay"], factor, rate_factor))


def _mean(number: int, name: str, beta: float, factor: float, rule: str) -> Change:
    if rule == "half_life":
        return Change(number, name, beta, half_life_mean(beta, factor))
    if rule == "none" or beta == 0:
        return Change(number, name, beta, beta)
    return Change(number, name, beta, sde_mean(beta, factor), clamped=not is_valid_sde(beta, factor))


def _judge(changes: list[Change], factor: float, config: AdjustConfig) -> None:
    beyond = [change for change in changes if change.clamped]
    if not beyond:
        return
    first = beyond[0]
    limit = 1 / (1 - first.old)
    told = (
        f"'{first.name}' is {first.old:g}, whose rule is valid below {limit:.4g} times the samples, and these are {factor:g} times as many"
    )
    if config.beyond == "refuse":
        raise ConfigError(f"{told}. Take fewer, say betas: half_life (which has no limit), or beyond: clamp.")
    logging.getLogger("burnish").warning("%s: it becomes 0, and training may differ from that with the old number.", told)


def _value(group: Mapping[str, Any], name: str) -> float:
    key, place = _place(name)
    return float(group[key] if place is None else group[key][place])


def _set(group: dict[str, Any], name: str, value: float) -> None:
    key, place = _place(name)
    if place is not None:
        kept = list(group[key])
        kept[place] = value
        group[key] = tuple(kept)
    elif hasattr(group[key], "fill_"):  # a rate that lies on the GPU, for captured graphs
        group[key].fill_(value)
    else:
        group[key] = value


def _place(name: str) -> tuple[str, int | None]:
    key, bracket, rest = name.partition("[")
    return key, int(rest.removesuffix("]")) if bracket else None
