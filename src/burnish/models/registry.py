"""The list of model families: ours and those of installed plug-ins, all through the entry-point group `burnish.models`.

A plug-in names a function "module:function" that takes nothing and gives a `ModelFamily`. That function's module should be light, since
listing runs it; `build` names the heavy one.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Literal

from burnish.config import nearest
from burnish.errors import ConfigError, ModelError

if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.metadata import EntryPoint

GROUP = "burnish.models"

Task = Literal["classifier", "embedder", "detector", "segmenter", "tracker"]


@dataclass(frozen=True, slots=True)
class ModelFamily:
    """What is known of a model family before anything heavy is loaded.

    Attributes:
        name: What the user writes.
        task: Which of the five Protocols its models keep.
        build: "module:function" that builds a model.
        summary: One line.
        code_licence: Licence of the code, as an SPDX name.
        weights_licence: Licence of pretrained weights, or what decides it.
        extra: The extra of this package that brings what it needs; None if the core is enough.
    """

    name: str
    task: Task
    build: str
    summary: str
    code_licence: str
    weights_licence: str
    extra: str | None = None


def list_families(task: Task | None = None) -> tuple[ModelFamily, ...]:
    """All families, or those of one task, sorted by name.

    Raises:
        ModelError: A plug-in's entry point cannot be loaded; the message names the package.
    """
    families = (_load(point) for point in entry_points(group=GROUP))
    return tuple(sorted((f for f in families if task in {None, f.task}), key=lambda family: family.name))


def find_family(name: str) -> ModelFamily:
    """The family of a name.

    Raises:
        ConfigError: There is none; the message says the nearest name.
        ModelError: A plug-in's entry point cannot be loaded.
    """
    points = {point.name: point for point in entry_points(group=GROUP)}
    if name not in points:
        raise ConfigError(f"There is no model family '{name}'. {nearest(name, points)}")
    return _load(points[name])


def builder(family: ModelFamily) -> Callable[..., Any]:
    """The function that builds models of a family.

    Raises:
        MissingExtra: What it needs is not installed; the message holds the command.
        ModelError: The family names a function that is not there.
    """
    module, _, function = family.build.partition(":")
    try:
        return getattr(importlib.import_module(module), function)
    except AttributeError as error:
        raise ModelError(f"The model family '{family.name}' names {family.build}, but there is no such function.") from error


def _load(point: EntryPoint) -> ModelFamily:
    package = point.dist.name if point.dist else "an installed package"
    try:
        family = point.load()()
    except (ImportError, AttributeError, TypeError) as error:
        message = f"The model family '{point.name}' of {package} cannot be loaded from {point.value}: {error}. Update or remove {package}."
        raise ModelError(message) from error
    if not isinstance(family, ModelFamily):
        raise ModelError(f"{point.value} of {package} gives a {type(family).__name__}; expected a burnish.models.registry.ModelFamily.")
    return family
