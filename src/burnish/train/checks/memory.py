"""How much memory a training step takes, computed from what the backward pass keeps, so that no GPU is needed to know it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from burnish.errors import extra
from burnish.train.checks.finding import Example, Finding, LossCall, loss_of

with extra("train"):
    import torch

if TYPE_CHECKING:
    from torch import Tensor, nn

_MIB = 2**20


@dataclass(frozen=True, slots=True)
class MemoryEstimate:
    """Bytes of a training step in the precision of the network.

    Attributes:
        weights: Parameters and buffers.
        gradients: Of trainable parameters.
        states: Of the optimiser.
        picture: Kept for the backward pass for each picture.
        fixed: Kept for it whatever the batch.
    """

    weights: int
    gradients: int
    states: int
    picture: int
    fixed: int

    def total(self, batch: int) -> int:
        """Of a batch; what algorithms of the device need for themselves comes on top, usually 10 to 30 %."""
        return self.weights + self.gradients + self.states + self.fixed + batch * self.picture


def memory_estimate(model: nn.Module, example: Example, loss: LossCall, *, states: int = 2) -> MemoryEstimate:
    """Measure what a forward pass keeps on two sizes of batches.

    Args:
        model: The network.
        example: A batch.
        loss: Its loss.
        states: Numbers that the optimiser keeps for each parameter: 2 for Adam, 1 for momentum, 0 for plain descent.
    """
    small, large = (_kept(model, example.sized(size), loss) for size in (2, 4))
    picture = max(large - small, 0) // 2
    weights = sum(tensor.nbytes for tensor in (*model.parameters(), *model.buffers()))
    trained = sum(parameter.nbytes for parameter in model.parameters() if parameter.requires_grad)
    return MemoryEstimate(weights, trained, states * trained, picture, max(small - 2 * picture, 0))


def memory(
    model: nn.Module, example: Example, loss: LossCall, *, batch: int | None = None, limit_bytes: int | None = None, states: int = 2
) -> Finding:
    """Compare the estimate with what there is.

    Args:
        model: The network.
        example: A batch.
        loss: Its loss.
        batch: Pictures of a batch; None is those of the example.
        limit_bytes: What there is; None is the memory of the GPU, and nothing to compare with on a CPU.
        states: As in `memory_estimate`.
    """
    size, device = batch or len(example.inputs), example.inputs.device
    estimate = memory_estimate(model, example, loss, states=states)
    limit = limit_bytes if limit_bytes is not None or device.type != "cuda" else torch.cuda.get_device_properties(device).total_memory
    fixed = estimate.total(0)
    found = (
        f"About {estimate.picture / _MIB:,.1f} MiB a picture and {fixed / _MIB:,.1f} MiB besides: "
        f"{estimate.total(size) / _MIB:,.0f} MiB for batches of {size}"
    )
    if limit is not None and estimate.total(size) > limit:
        most = max((limit - fixed) // max(estimate.picture, 1), 0)
        advice = (
            f"Batches of at most {most}, accumulated; largest_batch finds the exact number."
            if most
            else "Take a smaller network or pictures."
        )
        return Finding("memory", "error", f"{found}, of {limit / _MIB:,.0f} MiB.", advice)
    return Finding("memory", "ok", f"{found}.")


def _kept(model: nn.Module, example: Example, loss: LossCall) -> int:
    """Bytes that the backward pass would need, each piece of memory once; weights are not among them."""
    own = {tensor.untyped_storage().data_ptr() for tensor in (*model.parameters(), *model.buffers())}
    held: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            held[storage.data_ptr()] = storage.nbytes()
        return tensor

    model.train()
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        value = loss_of(model, example, loss)
    total = sum(held.values())
    del value  # until here the graph held all pieces, so that no address came twice
    return total
