"""What ranks exchange while they train: weights at the beginning, gradients at each step, and word of an end.

Gradients are averaged in a few large pieces after the last backward pass of a step. Which parameters have one may differ from rank to rank
and from step to step (frozen stages, parts of a network that a batch does not need); a rank without one adds nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from burnish.errors import extra
from burnish.train.distributed import gathered, summed, world_size

with extra("train"):
    import torch
    from torch import distributed, nn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

    from burnish.train.run import Run

_PIECE: Final = 2**26
"""Bytes of a piece."""


def share_weights(model: nn.Module) -> None:
    """Give all ranks the parameters and buffers of the first."""
    if world_size() > 1:
        for tensor in (*model.parameters(), *model.buffers()):
            value = tensor.detach().contiguous()
            distributed.broadcast(value, 0)
            tensor.detach().copy_(value)


def exchange_gradients(run: Run) -> None:
    """Set the gradient of each trained parameter to the mean over the ranks.

    Nothing is done alone, and nothing for a `DistributedDataParallel`, which does it by itself.
    """
    if world_size() == 1 or isinstance(run.job.model, nn.parallel.DistributedDataParallel):
        return
    parameters = [p for group in run.job.optimizer.param_groups for p in group["params"] if p.requires_grad]
    has = torch.tensor([float(p.grad is not None) for p in parameters], device=run.device)
    wanted = [p for p, somewhere in zip(parameters, summed(has).tolist(), strict=True) if somewhere]
    for p in wanted:
        if p.grad is None:
            p.grad = torch.zeros_like(p)
    for piece in _pieces([p.grad for p in wanted if p.grad is not None]):
        _average(piece)


def agree(run: Run) -> None:
    """Let all ranks stop where one does, for the reason of the first that has one."""
    if world_size() == 1:
        return
    wish = torch.tensor(float(bool(run.stop)), device=run.device)
    if not float(summed(wish)):
        return
    told = gathered((run.stop, run.interrupted))
    run.end(next(stop for stop, _ in told if stop))
    run.interrupted = any(interrupted for _, interrupted in told)


def share_buffers(model: nn.Module) -> None:
    """Set running statistics to the mean over the ranks, so that all evaluate and save the same network; counts are equal anyway."""
    if world_size() > 1:
        for piece in _pieces([buffer for buffer in model.buffers() if buffer.is_floating_point()]):
            _average(piece)


def _average(tensors: Sequence[Tensor]) -> None:
    flat = torch.cat([tensor.detach().reshape(-1) for tensor in tensors])
    distributed.all_reduce(flat)
    flat /= world_size()
    for tensor, part in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
        tensor.detach().copy_(part.view(tensor.shape))


def _pieces(tensors: Sequence[Tensor]) -> Iterator[list[Tensor]]:
    """Tensors of one type at a time, together about as large as a piece."""
    for kind in dict.fromkeys(tensor.dtype for tensor in tensors):
        piece: list[Tensor] = []
        for tensor in (tensor for tensor in tensors if tensor.dtype == kind):
            piece.append(tensor)
            if sum(one.nbytes for one in piece) >= _PIECE:
                yield piece
                piece = []
        if piece:
            yield piece
