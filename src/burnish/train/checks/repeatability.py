"""Whether evaluation gives the same answer for the same picture, whatever else happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from burnish.errors import extra
from burnish.train.checks.finding import Example, Finding, LossCall, tensors_in, told

with extra("train"):
    import torch

if TYPE_CHECKING:
    from torch import Tensor, nn

_NEAR = 1e-3
_MIXED = "Normalisation or attention mixes the pictures of a batch in eval(): look at training modes and at sums over axis 0."


def deterministic(model: nn.Module, example: Example, loss: LossCall) -> Finding:
    """Two evaluations of the same batch: the same bits, and nothing learned in between."""
    del loss
    name = "determinism"
    before = {key: value.clone() for key, value in model.state_dict().items()}
    first, second = _evaluated(model, example.inputs), _evaluated(model, example.inputs)
    changed = [key for key, value in model.state_dict().items() if not torch.equal(value, before[key])]
    if changed:
        advice = "A layer stays in training mode, or counts: look at its eval()."
        return Finding(name, "error", f"Evaluation changes {len(changed)} tensors of the network ({changed[0]}).", advice)
    far = _distance(first, second)
    if far == 0:
        return Finding(name, "ok", "Two evaluations of a batch give the same bits.")
    if far <= _NEAR:
        advice = "The order of sums varies on this device; torch.use_deterministic_algorithms(True) names the operation."
        return Finding(name, "warning", f"Two evaluations of a batch differ by {far:.1e} of the largest value.", advice)
    advice = "Something draws by chance in eval(), such as dropout without training=self.training."
    return Finding(name, "error", f"Two evaluations of a batch differ by {far:.1e} of the largest value.", advice)


def batch_independence(model: nn.Module, example: Example, loss: LossCall) -> Finding:
    """The result of a picture alone, and with the others around it in another order."""
    del loss
    name = "batch independence"
    inputs, count = example.inputs, len(example.inputs)
    together = [value for value in _evaluated(model, inputs) if value.ndim and len(value) == count]
    turned = [value.flip(0) for value in _evaluated(model, inputs.flip(0)) if value.ndim and len(value) == count]
    try:
        alone = [value for value in _evaluated(model, inputs[:1]) if value.ndim and len(value) == 1]
    except (RuntimeError, ValueError, IndexError) as error:
        return Finding(name, "error", f"A picture alone cannot be evaluated: {told(error)}.", _MIXED)
    if count < 2 or not together or len(alone) != len(together):  # noqa: PLR2004 - one picture has no others around it
        return Finding(name, "not checked", f"Outputs do not have one row for each of {count} pictures.", "Give at least two pictures.")
    far = max(_distance(together, turned), _distance([value[:1] for value in together], alone))
    if far > _NEAR:
        return Finding(name, "error", f"A picture's result changes by {far:.1e} of the largest value with the others in its batch.", _MIXED)
    return Finding(name, "ok", f"A picture's result does not depend on the others in its batch (to {far:.1e}).")


def _evaluated(model: nn.Module, inputs: Tensor) -> list[Tensor]:
    model.eval()
    with torch.no_grad():
        found: Any = model(inputs)
    return [value.float() for value in tensors_in(found)]


def _distance(first: list[Tensor], second: list[Tensor]) -> float:
    """The largest difference, relative to the largest value; infinite where shapes differ or only one is a number."""
    if [value.shape for value in first] != [value.shape for value in second]:
        return torch.inf
    far = 0.0
    for one, other in zip(first, second, strict=True):
        if torch.equal(one, other) or not one.numel():
            continue
        apart = float((one - other).abs().max() / one.abs().max().clamp_min(1e-12))
        far = max(far, apart if apart == apart else torch.inf)  # noqa: PLR0124 - no number equals itself
    return far
