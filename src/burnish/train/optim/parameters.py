"""Which parameters of a network are trained, in which groups: chosen by name or type, with rates, decay and freezing of their own.

Every trainable parameter is in exactly one group; a tensor that two modules share counts once, under its first name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import translate
from typing import TYPE_CHECKING, Any

from burnish.config import nearest
from burnish.errors import ConfigError, extra

with extra("train"):
    import torch
    from torch import nn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from burnish.train.optim.settings import ParameterRule, ParametersConfig

_EMBEDDED = re.compile(r"(^|[._])(pos_embed|position_embeddings?|pos_emb|cls_token|dist_token|reg_token|mask_token)([._]|$)")


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A parameter where it stands in a network.

    Attributes:
        name: Its full name.
        parameter: Itself.
        module: The module that holds it.
    """

    name: str
    parameter: nn.Parameter
    module: nn.Module


def parameter_groups(model: nn.Module, config: ParametersConfig, *, lr: float, weight_decay: float) -> list[dict[str, Any]]:
    """The groups of an optimiser: `params`, `lr`, `weight_decay` and a `name` that says what is in each.

    Parameters that rules freeze need no gradient from now on and are in no group, like those that needed none before.

    Args:
        model: The network.
        config: What is different with which parameters.
        lr: Learning rate of the rest.
        weight_decay: Weight decay of the rest.

    Raises:
        ConfigError: A rule matches no parameter, or nothing is left to train.
    """
    places = tuple(parameter_places(model))
    rules = _rules_of(places, config.rules)
    depths = layer_depths(model) if config.layer_decay < 1 else {}
    undecayed = _undecayed(model, places, config)
    groups: dict[tuple[float, float], dict[str, Any]] = {}
    for place in places:
        rule = rules.get(place.name)
        if rule is not None and rule.freeze:
            place.parameter.requires_grad_(False)
        if not place.parameter.requires_grad:
            continue
        rate = _rate(rule, lr) * config.layer_decay ** (max(depths.values(), default=0) - depths.get(place.name, 0))
        own = None if rule is None else rule.weight_decay
        decay = own if own is not None else 0.0 if place.name in undecayed else weight_decay
        group = groups.setdefault((rate, decay), {"params": [], "lr": rate, "weight_decay": decay, "names": []})
        group["params"].append(place.parameter)
        group["names"].append(place.name)
    if not groups:
        raise ConfigError("No parameter is left to train: every one is frozen. Free some of them.")
    return [_named(group) for group in groups.values()]


def parameter_places(model: nn.Module) -> Iterator[Place]:
    """All parameters with the modules that hold them, each tensor once."""
    seen: set[int] = set()
    for prefix, module in model.named_modules():
        for name, parameter in module.named_parameters(recurse=False):
            if id(parameter) not in seen:
                seen.add(id(parameter))
                yield Place(f"{prefix}.{name}" if prefix else name, parameter, module)


def matches(place: Place, rule: ParameterRule) -> bool:
    """Whether a rule chooses a parameter."""
    if rule.glob is not None:
        return re.match(translate(rule.glob), place.name) is not None
    if rule.regex is not None:
        return re.search(rule.regex, place.name) is not None
    return rule.type in {cls.__name__ for cls in type(place.module).__mro__}


def chosen(places: Sequence[Place], rule: ParameterRule) -> list[Place]:
    """The parameters that a rule chooses.

    Raises:
        ConfigError: There is none; the message holds the nearest name.
    """
    found = [place for place in places if matches(place, rule)]
    if not found:
        text = rule.glob or rule.regex or rule.type or ""
        known = {type(place.module).__name__ for place in places} if rule.type else {place.name for place in places}
        hint = nearest(text, known) if len(known) <= _MOST_LISTED else nearest(text, known).partition(". ")[0][:_LONGEST_HINT]
        raise ConfigError(f"The rule '{text}' matches no parameter of this network. {hint}")
    return found


def is_norm(module: nn.Module) -> bool:
    """Whether a module normalises: those of torch by class, those of others by name."""
    return any("Norm" in cls.__name__ for cls in type(module).__mro__ if cls is not nn.Module)


def begin_training(model: nn.Module) -> None:
    """Set training mode, but leave normalisation whose parameters are all frozen in evaluation mode."""
    model.train()
    for module in model.modules():
        if is_norm(module):
            own = list(module.parameters(recurse=False))
            if own and not any(parameter.requires_grad for parameter in own):
                module.eval()


def layer_depths(model: nn.Module) -> dict[str, int]:
    """How deep each parameter lies, from 0 at the input: by timm's own order where the network has one, else by order of its blocks.

    Blocks are the children of the network, and in their place the members of those that are mere sequences.
    """
    matcher: Any = getattr(model, "group_matcher", None)
    if callable(matcher):
        with extra("train"):
            from timm.models import group_parameters  # noqa: PLC0415 - only for networks of timm
        depths: Any = group_parameters(model, matcher(coarse=False), reverse=True)
        return dict(depths)
    blocks = [prefix for prefix, _ in _blocks(model, "")]
    return {place.name: _block_of(place.name, blocks) for place in parameter_places(model)}


def group_table(optimizer: torch.optim.Optimizer) -> str:
    """The groups as text: name, number of tensors and of values, rate, decay."""
    rows = [f"{'group':<32} {'tensors':>8} {'values':>12} {'lr':>10} {'decay':>8}"]
    for group in optimizer.param_groups:
        values = sum(parameter.numel() for parameter in group["params"])
        name = str(group.get("name", ""))[:32]
        rows.append(f"{name:<32} {len(group['params']):>8,} {values:>12,} {group['lr']:>10.3g} {group['weight_decay']:>8.3g}")
    return "\n".join(rows)


_MOST_LISTED = 20
_LONGEST_HINT = 300


def _rules_of(places: Sequence[Place], rules: Sequence[ParameterRule]) -> dict[str, ParameterRule]:
    """The first rule that matches each parameter that any does."""
    found: dict[str, ParameterRule] = {}
    for rule in rules:
        for place in chosen(places, rule):
            found.setdefault(place.name, rule)
    return found


def _undecayed(model: nn.Module, places: Sequence[Place], config: ParametersConfig) -> set[str]:
    own: Any = getattr(model, "no_weight_decay", tuple)
    said: set[str] = set(own()) if "embedding" in config.no_decay else set()
    return said | {place.name for place in places if any(_IS[kind](place) for kind in config.no_decay)}


def _is_bias(place: Place) -> bool:
    return place.name.rpartition(".")[2].endswith("bias")


def _is_norm_parameter(place: Place) -> bool:
    return is_norm(place.module) or (place.parameter.ndim <= 1 and not _is_bias(place))


def _is_embedding(place: Place) -> bool:
    return isinstance(place.module, nn.Embedding | nn.EmbeddingBag) or _EMBEDDED.search(place.name) is not None


_IS = {"bias": _is_bias, "norm": _is_norm_parameter, "embedding": _is_embedding}


def _rate(rule: ParameterRule | None, lr: float) -> float:
    if rule is None:
        return lr
    return rule.lr if rule.lr is not None else lr * rule.lr_scale


def _named(group: dict[str, Any]) -> dict[str, Any]:
    names: list[str] = group.pop("names")
    roots = sorted({name.partition(".")[0] for name in names})
    more = f" +{len(roots) - 2}" if len(roots) > 2 else ""  # noqa: PLR2004 - two names fit
    return {**group, "name": ", ".join(roots[:2]) + more}


def _blocks(module: nn.Module, prefix: str) -> Iterator[tuple[str, nn.Module]]:
    for name, child in module.named_children():
        path = f"{prefix}{name}"
        if isinstance(child, nn.Sequential | nn.ModuleList) and len(child):
            yield from _blocks(child, f"{path}.")
        elif any(True for _ in child.parameters()):
            yield path, child


def _block_of(name: str, blocks: Sequence[str]) -> int:
    """A parameter of no block belongs to the network itself: positions and tokens, which are added at the input."""
    return next((number for number, path in enumerate(blocks) if name.startswith(f"{path}.")), 0)
