"""Filters by name, as the command line and recipes write them.

`timer` alone, `resize:512` with its first setting, and in YAML `caption: {text: draft, corner: top right}`. Filters around others take
those as a list: `beside: [resize:256, {colours: {source: rgb, target: grey}}]`.
"""

from __future__ import annotations

import inspect
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import yaml

from burnish.config import nearest
from burnish.errors import ConfigError
from burnish.video import pipeline as steps

if TYPE_CHECKING:
    from collections.abc import Callable

    from burnish.video.pipeline import Filter
    from burnish.video.settings import FiltersConfig

NAMED: Final[dict[str, Callable[..., Filter]]] = {
    "resize": steps.resize,
    "caption": steps.caption,
    "timer": steps.timer,
    "beside": steps.beside,
    "mix": steps.mix,
    "random_crop": steps.random_crop,
    "random_flip": steps.random_flip,
    "colours": steps.colours,
    "flow_colours": steps.flow_colours,
    "warp_previous": steps.warp_previous,
    "stabilise": steps.stabilise,
}
"""The filters that can be named; models and filters of one's own are put into pipelines in Python."""


def filter_from(config: FiltersConfig) -> Filter:
    """The pipeline that the settings name.

    Raises:
        ConfigError: A filter is unknown, or its settings do not fit.
    """
    return steps.pipeline(*(_one(entry, config.seed) for entry in config.steps))


def _one(entry: Any, seed: int) -> Filter:
    name, given = _name_and_settings(entry)
    if name not in NAMED:
        raise ConfigError(f"There is no filter '{name}'. {nearest(name, NAMED)}")
    make = NAMED[name]
    known = inspect.signature(make).parameters
    if "inner" in known:
        below = given.pop("inner", [])
        given["inner"] = steps.pipeline(*(_one(inner, seed) for inner in (below if isinstance(below, list) else [below])))
    if "seed" in known:
        given.setdefault("seed", seed)
    strange = [key for key in given if key not in known]
    if strange:
        raise ConfigError(f"The filter '{name}' has no setting '{strange[0]}'. {nearest(strange[0], known)}")
    try:
        inspect.signature(make).bind(**given)
        return partial(make, **given)()
    except TypeError as error:
        raise ConfigError(f"The filter '{name}' cannot be made of {given}: {error}.") from error


def _name_and_settings(entry: Any) -> tuple[str, dict[str, Any]]:
    """The name, and the settings by name."""
    if isinstance(entry, dict) and len(entry) == 1:  # pyright: ignore[reportUnknownArgumentType]
        name, value = next(iter(entry.items()))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        return str(name), _settings(str(name), value)  # pyright: ignore[reportUnknownArgumentType]
    if not isinstance(entry, str):
        raise ConfigError(f"{entry!r} is no filter; expected a name, name:value, or in YAML name: {{setting: value}}.")
    name, colon, text = entry.partition(":")
    try:
        return name.strip(), _settings(name.strip(), yaml.safe_load(text)) if colon else {}
    except yaml.YAMLError as error:
        raise ConfigError(f"'{text}' in '{entry}' cannot be read; expected a value (512) or settings ({{text: draft}}).") from error


def _settings(name: str, value: Any) -> dict[str, Any]:
    """Settings by name; a value alone belongs to the filter's first one."""
    if isinstance(value, dict):
        return {str(key): one for key, one in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    parameters = list(inspect.signature(NAMED[name]).parameters) if name in NAMED else []
    return {parameters[0]: value} if parameters else {}
