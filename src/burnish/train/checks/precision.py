"""Whether the network and its loss bear mixed precision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from burnish.errors import extra
from burnish.train.checks.finding import Example, Finding, LossCall, loss_of, told
from burnish.train.finders.traceless import traceless

with extra("train"):
    import torch

if TYPE_CHECKING:
    from torch import Tensor, nn

_NEAR = 0.05
_ALIKE = 0.9
_SCALES = (1024.0, 1.0)
_FLOAT32 = "Take precision float32, or compute the loss in float32 (losses of burnish.train do)."


def bf16(model: nn.Module, example: Example, loss: LossCall) -> Finding:
    """A forward and backward pass under bf16 autocast."""
    return _half(model, example, loss, torch.bfloat16, "bf16")


def fp16(model: nn.Module, example: Example, loss: LossCall) -> Finding:
    """A forward and backward pass under fp16 autocast, with the loss scaled."""
    return _half(model, example, loss, torch.float16, "fp16")


def _half(model: nn.Module, example: Example, loss: LossCall, kind: torch.dtype, name: str) -> Finding:
    title = f"precision {name}"
    wanted, gradient = _passes(model, example, loss, None)
    found, other = torch.full((), torch.nan), gradient
    for scale in _SCALES if kind == torch.float16 else (1.0,):
        try:
            found, other = _passes(model, example, loss, kind, scale)
        except (RuntimeError, NotImplementedError) as error:
            if torch.amp.is_autocast_available(example.inputs.device.type) and "not implemented for" not in str(error):
                return Finding(title, "error", f"The pass fails under autocast: {told(error)}.", _FLOAT32)
            return Finding(title, "not checked", f"This device cannot do it: {told(error)}.", "Check where it is to be trained.")
        if torch.isfinite(other).all():
            break
    if not torch.isfinite(found):
        return Finding(title, "error", f"The loss is {float(found):g}; in float32 it is {float(wanted):g}.", _FLOAT32)
    if not torch.isfinite(other).all():
        return Finding(title, "error", "Gradients are infinite or no numbers, though the loss is one.", _FLOAT32)
    far = float(abs(found - wanted) / max(float(abs(wanted)), 1e-6))
    alike = float(torch.nn.functional.cosine_similarity(other, gradient, dim=0)) if gradient.any() else 1.0
    text = f"The loss differs from float32 by {far:.1%}, and gradients point the same way to {alike:.3f} of 1."
    if far > _NEAR or alike < _ALIKE:
        return Finding(title, "warning", text, _FLOAT32)
    return Finding(title, "ok", text)


def _passes(model: nn.Module, example: Example, loss: LossCall, kind: torch.dtype | None, scale: float = 1.0) -> tuple[Tensor, Tensor]:
    """The loss and all gradients after one another, with the same chance each time."""
    device = example.inputs.device.type
    with traceless(model):
        model.train()
        model.zero_grad()
        with torch.autocast(device, kind, enabled=kind is not None):
            value = loss_of(model, example, loss)
        (value.float() * scale).backward()
        gradients = [parameter.grad.flatten().double() / scale for parameter in model.parameters() if parameter.grad is not None]
        return value.detach().double().cpu(), torch.cat(gradients).cpu() if gradients else torch.zeros(1).double()
