"""Optimisers made of their descriptions: those of torch, timm and schedule-free."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from burnish.config import nearest
from burnish.descriptions import describe, maker
from burnish.errors import ConfigError, MissingExtra, extra
from burnish.train.optim.names import OPTIMIZERS
from burnish.train.optim.parameters import parameter_groups
from burnish.train.optim.settings import OptimizerConfig, ParametersConfig

with extra("train"):
    import torch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from burnish.config import Config

Groups = list[dict[str, Any]]

_TORCH = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "adamax": torch.optim.Adamax,
    "nadam": torch.optim.NAdam,
    "radam": torch.optim.RAdam,
    "rmsprop": torch.optim.RMSprop,
}
_FREE = {
    "schedule_free_sgd": "SGDScheduleFree",
    "schedule_free_adamw": "AdamWScheduleFree",
    "schedule_free_radam": "RAdamScheduleFree",
}


def build_optimizer(
    given: Config | Mapping[str, Any] | str, model: torch.nn.Module, parameters: ParametersConfig | Mapping[str, Any] | None = None
) -> torch.optim.Optimizer:
    """Make an optimiser of a network's parameters.

    Args:
        given: A name (`"adamw"`), a mapping with the key `name`, or a description.
        model: The network; parameters that rules freeze need no gradient afterwards.
        parameters: Which parameters, in which groups; None takes those of the description.

    Raises:
        ConfigError: A name or key is unknown, a value does not fit, or a rule matches nothing.
        MissingExtra: The library of the optimiser is not installed.
    """
    description = describe(OPTIMIZERS, given)
    make = maker(OPTIMIZERS, description)
    if not isinstance(description, OptimizerConfig):
        raise ConfigError(f"A {type(description).__name__} describes no optimiser.")
    rules = description.parameters if parameters is None else parameters
    rules = rules if isinstance(rules, ParametersConfig) else ParametersConfig.make(**rules)
    return make(description, parameter_groups(model, rules, lr=description.lr, weight_decay=description.weight_decay))


def of_torch(config: OptimizerConfig, groups: Groups) -> torch.optim.Optimizer:
    """An optimiser of torch."""
    return _made(_TORCH[config.name], config, groups, _settings(config))


def of_timm(config: OptimizerConfig, groups: Groups) -> torch.optim.Optimizer:
    """An optimiser of timm, with the defaults that go with its name there."""
    with extra("train"):
        from timm.optim import get_optimizer_class, get_optimizer_info, list_optimizers  # noqa: PLC0415 - loads much
    settings = _settings(config)
    name = str(settings.pop("optimizer", config.name))
    known: Any = list_optimizers()
    if name not in known:
        raise ConfigError(f"timm has no optimiser '{name}'. {nearest(name, known)}")
    info = get_optimizer_info(name)
    try:
        kind = get_optimizer_class(name, bind_defaults=False)
    except (ImportError, AssertionError) as error:
        raise MissingExtra(f"The optimiser '{name}' of timm needs more than is here: {error}.") from error
    return _made(kind, config, groups, {**(info.defaults or {}), **settings})


def schedule_free(config: OptimizerConfig, groups: Groups) -> torch.optim.Optimizer:
    """An optimiser that averages in place of a schedule.

    Its weights are those of the average only after `optimizer.eval()`, which the training loop calls before it evaluates or saves the best.
    """
    with extra("train"):
        import schedulefree  # noqa: PLC0415 - only where it is asked for
    return _made(getattr(schedulefree, _FREE[config.name]), config, groups, _settings(config))


def _settings(config: OptimizerConfig) -> dict[str, Any]:
    """The arguments that a description stands for; those of the groups go with the groups."""
    return {**config.model_dump(exclude={"name", "lr", "weight_decay", "options", "parameters"}), **config.options}


def _made(kind: Any, config: OptimizerConfig, groups: Groups, settings: dict[str, Any]) -> torch.optim.Optimizer:
    known = set(inspect.signature(kind).parameters) - {"params", "lr", "weight_decay"}
    unknown = sorted(set(settings) - known)
    if unknown:
        raise ConfigError(f"The optimiser '{config.name}' takes no '{unknown[0]}'. {nearest(unknown[0], known)}")
    return kind(groups, lr=config.lr, weight_decay=config.weight_decay, **settings)
