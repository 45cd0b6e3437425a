"""The space of a search: from ranges to values, and from values to the settings of one training."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from burnish.config import Config, nearest
from burnish.errors import ConfigError
from burnish.train.tuning.settings import ChoicesConfig, RangeConfig

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from burnish.train.policies.settings import TrainConfig
    from burnish.train.tuning.settings import TuneConfig

_OF_THE_SEARCH = ("dataset", "hardware", "evaluation.target", "evaluation.writers", "data.cache")


def check_space(config: TuneConfig) -> None:
    """Make sure that every setting of the space exists and takes the ends of its range or its first choice.

    Raises:
        ConfigError: It does not, or the space is empty, or a grid has a range that cannot be counted.
    """
    if not config.space:
        raise ConfigError(
            "There is nothing to search. Give space, for instance space: {optimizer.lr: {low: 0.0001, high: 0.01, log: true}}."
        )
    for key, values in config.space.items():
        if any(key == own or key.startswith(f"{own}.") for own in _OF_THE_SEARCH):
            raise ConfigError(f"The space varies '{key}', which must be the same for all trainings of a search.")
        if isinstance(values, ChoicesConfig):
            texts = labels(values)
            if len(set(texts)) < len(texts):
                raise ConfigError(f"The space names a choice of '{key}' twice.")
        if config.sampler == "grid" and values.values() is None:
            raise ConfigError(f"A grid needs values that can be counted: give '{key}' a step, or choices.")
    for number in (0, -1):
        settings_of(config.training, {key: _end(values, number) for key, values in config.space.items()}, config.space)


def settings_of(training: TrainConfig, chosen: Mapping[str, Any], space: Mapping[str, RangeConfig | ChoicesConfig]) -> TrainConfig:
    """The settings of one training.

    Args:
        training: Those that stay.
        chosen: A value for each key of the space; of choices, their labels.
        space: What the labels stand for.

    Raises:
        ConfigError: There is no such setting, or it does not take the value.
    """
    config: Any = training
    for key in sorted(chosen, key=lambda key: key.count(".")):  # an optimiser before its rate
        values = space[key]
        value = values.choices[labels(values).index(chosen[key])] if isinstance(values, ChoicesConfig) else chosen[key]
        config = _placed(config, key.split("."), value, key)
    return config


def labels(values: ChoicesConfig) -> list[str]:
    """What choices are called: texts as they are, everything else as JSON."""
    return [one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in values.choices]


def grid(config: TuneConfig) -> list[dict[str, Any]]:
    """Every combination once, in an order that the seed decides, so that a search that ends early has seen some of everything."""
    axes = [labels(values) if isinstance(values, ChoicesConfig) else values.values() or [] for values in config.space.values()]
    every = [dict(zip(config.space, values, strict=True)) for values in itertools.product(*axes)]
    return [every[number] for number in np.random.default_rng(config.seed).permutation(len(every))]


def _end(values: RangeConfig | ChoicesConfig, number: int) -> Any:
    return labels(values)[number] if isinstance(values, ChoicesConfig) else (values.low, values.high)[number]


def _placed(holder: Any, keys: Sequence[str], value: Any, key: str) -> Any:
    """The holder with another value at a place; what the user left open stays open."""
    if not keys:
        return value
    first, rest = keys[0], keys[1:]
    match holder:
        case Config():
            if first not in type(holder).model_fields:
                raise ConfigError(f"The space varies '{key}', and there is no '{first}'. {nearest(first, type(holder).model_fields)}")
            given = {name: getattr(holder, name) for name in holder.model_fields_set}
            return type(holder).make(**{**given, first: _placed(getattr(holder, first), rest, value, key)})
        case dict():
            return {**holder, first: _placed(holder.get(first), rest, value, key)}  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
        case tuple() if first.isdigit() and int(first) < len(holder):  # pyright: ignore[reportUnknownArgumentType]
            members: list[Any] = list(holder)  # pyright: ignore[reportUnknownArgumentType]
            members[int(first)] = _placed(members[int(first)], rest, value, key)
            return tuple(members)
        case _:
            above = key.removesuffix(".".join(keys)).rstrip(".")
            raise ConfigError(
                f"The space varies '{key}', but training.{above} is not given; say which one it is, for instance by its name."
            )
