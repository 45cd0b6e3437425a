"""What a broken picture and extreme targets do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from burnish.errors import extra
from burnish.train.checks.finding import Example, Finding, LossCall, loss_of, tensors_in, told

with extra("train"):
    import torch

if TYPE_CHECKING:
    from torch import Tensor, nn


def broken_inputs(model: nn.Module, example: Example, loss: LossCall) -> Finding:
    """A picture with one NaN and one infinite number among good ones: is it noticed, and does it do harm to others?"""
    name = "broken inputs"
    inputs = example.inputs.clone(memory_format=torch.contiguous_format)
    inputs[0].view(-1)[0], inputs[0].view(-1)[-1] = torch.nan, torch.inf
    model.eval()
    with torch.no_grad():
        rows = [value for value in tensors_in(model(inputs)) if value.ndim and len(value) == len(inputs)]
    if any(not torch.isfinite(value[1:]).all() for value in rows):
        advice = "Pictures of a batch are mixed; see 'batch independence'."
        return Finding(name, "error", "A broken picture spoils the results of the others in its batch.", advice)
    model.train()
    value = loss_of(model, Example(inputs, example.targets), loss)
    if torch.isfinite(value):
        advice = "Refuse pictures with numbers that are none when they are loaded."
        return Finding(name, "warning", f"A broken picture goes unnoticed: the loss is {float(value.detach()):g}.", advice)
    spoilt = [key for key, buffer in model.named_buffers() if buffer.is_floating_point() and not torch.isfinite(buffer).all()]
    if spoilt:
        found = f"The loss shows a broken picture, but {len(spoilt)} running statistics are spoilt for good ({spoilt[0]})."
        return Finding(name, "warning", found, "Skipping the step does not bring them back: refuse such pictures when they are loaded.")
    return Finding(
        name, "ok", "The loss shows a broken picture, and nothing else is spoilt.", "Let the handler 'skipping' leave such steps out."
    )


def extreme_targets(model: nn.Module, example: Example, loss: LossCall) -> Finding:
    """The loss and its gradient where nothing is to be found, and where everything is."""
    name = "extreme targets"
    model.train()
    cases = {"empty": emptied(example.targets), "full": filled(example.targets)}
    bad: list[str] = []
    for case, targets in cases.items():
        if targets is None:
            continue
        model.zero_grad()
        try:
            value = loss_of(model, Example(example.inputs, targets), loss)
            value.backward() if value.requires_grad else None
        except (RuntimeError, ValueError, IndexError) as error:
            bad.append(f"{case} targets fail: {told(error)}")
            continue
        gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
        if not torch.isfinite(value) or not all(torch.isfinite(gradient).all() for gradient in gradients):
            bad.append(
                f"{case} targets give the loss {float(value.detach()):g}"
                + (" with gradients that are no numbers" if torch.isfinite(value) else "")
            )
    if bad:
        advice = "Divide by counts of at least 1, or say what a class that is not there costs (`empty` of the region losses)."
        return Finding(name, "error", f"{'; '.join(bad)}.", advice)
    tried = [case for case, targets in cases.items() if targets is not None]
    if not tried:
        return Finding(name, "not checked", f"It is not known how to empty targets of the kind {type(example.targets).__name__}.")
    return Finding(name, "ok", f"The loss and its gradients are finite on {' and '.join(tried)} targets.")


def emptied(targets: Any) -> Any:
    """Targets of pictures on which nothing is: zeros, or no rows in the tensors of each picture; None where that is not known."""
    match targets:
        case torch.Tensor():
            return torch.zeros_like(targets)
        case list() if targets and all(isinstance(one, Mapping) for one in targets):
            return [{key: _no_rows(value) for key, value in one.items()} for one in targets]
        case Mapping():
            return _each(targets, emptied)
        case tuple():
            parts = [emptied(part) for part in targets]
            return None if any(part is None for part in parts) else tuple(parts)
        case _:
            return None


def filled(targets: Any) -> Any:
    """Targets that are everywhere the highest class or 1; None where that is not known."""
    match targets:
        case torch.Tensor():
            return torch.ones_like(targets) if targets.is_floating_point() else torch.full_like(targets, _highest(targets))
        case Mapping():
            return _each(targets, filled)
        case tuple():
            parts = [filled(part) for part in targets]
            return None if any(part is None for part in parts) else tuple(parts)
        case _:
            return None


def _each(targets: Mapping[Any, Any], change: Any) -> dict[Any, Any] | None:
    changed = {key: change(value) for key, value in targets.items()}
    return None if any(value is None for value in changed.values()) else changed


def _no_rows(value: Any) -> Any:
    return value[:0] if isinstance(value, torch.Tensor) and value.ndim else value


def _highest(targets: Tensor) -> int:
    """The highest class; 255 and its like mean that a pixel does not count."""
    classes = targets[(targets >= 0) & (targets != 255)]  # noqa: PLR2004 - `IGNORED` of samples
    return max(int(classes.max()), 1) if len(classes) else 1
