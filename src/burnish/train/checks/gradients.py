"""Whether each parameter learns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from burnish.errors import extra
from burnish.train.checks.finding import Example, Finding, LossCall, loss_of

with extra("train"):
    import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

_LISTED = 4


def gradients_reach(model: nn.Module, example: Example, loss: LossCall) -> Finding:
    """Whether a gradient reaches every trainable parameter; ranks wait for one another where it does not."""
    name = "gradients"
    model.train()
    model.zero_grad()
    value = loss_of(model, example, loss)
    if not value.requires_grad:
        return Finding(name, "error", "The loss has no gradient.", "Look for detach(), argmax, no_grad or NumPy between input and loss.")
    value.backward()
    trained = [(key, parameter.grad) for key, parameter in model.named_parameters() if parameter.requires_grad]
    broken = [key for key, gradient in trained if gradient is not None and not torch.isfinite(gradient).all()]
    if broken:
        advice = "Look for logarithms, roots and divisions of 0."
        return Finding(name, "error", f"Gradients of {_listed(broken)} are infinite or no numbers.", advice)
    unused = [key for key, gradient in trained if gradient is None]
    if unused:
        advice = "Freeze or remove them; several ranks (DDP) otherwise need find_unused_parameters=True, or stop with an error."
        return Finding(name, "warning", f"No gradient reaches {_listed(unused)}.", advice)
    still = sum(not gradient.any() for _, gradient in trained if gradient is not None)
    more = f"; {still} have one of exactly 0 (behind weights that begin with 0, or dead)" if still else ""
    return Finding(name, "ok", f"A gradient reaches all {len(trained)} trainable parameters{more}.")


def _listed(names: Sequence[str]) -> str:
    return f"{len(names)} parameters ({', '.join(names[:_LISTED])}{', ...' if len(names) > _LISTED else ''})"
