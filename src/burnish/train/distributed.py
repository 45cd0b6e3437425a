"""Several processes that train together: what they add up, gather and leave to the first of them. Alone, each function does nothing.

The ranks of a job trust one another: small objects travel pickled between them, as torch does it itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from burnish.errors import extra

with extra("train"):
    import torch
    from torch import distributed

if TYPE_CHECKING:
    from torch import Tensor

T = TypeVar("T")


def world_size() -> int:
    """How many ranks there are; 1 alone."""
    return distributed.get_world_size() if _together() else 1


def rank() -> int:
    """This process's number, from 0."""
    return distributed.get_rank() if _together() else 0


def is_first() -> bool:
    """Whether this is the rank that writes and prints."""
    return rank() == 0


def summed(values: Tensor) -> Tensor:
    """The sum over the ranks of tensors of one shape, without their gradients; every rank gets it."""
    if not _together():
        return values
    total = values.detach().clone()
    distributed.all_reduce(total)
    return total


def averaged(values: Tensor) -> Tensor:
    """The mean over the ranks of tensors of one shape. Only right where all ranks count alike: add sums and counts otherwise."""
    return summed(values) / world_size()


def gathered(value: T) -> list[T]:
    """Each rank's value, in the order of the ranks, on every rank; for what is small."""
    if not _together():
        return [value]
    values: list[T | None] = [None] * world_size()
    distributed.all_gather_object(values, value)
    return values  # pyright: ignore[reportReturnType] - every place is filled


def gathered_rows(rows: Tensor) -> Tensor:
    """The rows (N, ...) of all ranks after one another, however many each has.

    Args:
        rows: Of one type, and of one shape but for N.
    """
    if not _together():
        return rows
    counts = [int(count) for count in gathered(len(rows))]
    padded = rows.new_zeros((max(counts), *rows.shape[1:]))
    padded[: len(rows)] = rows.detach()
    parts = [torch.empty_like(padded) for _ in counts]
    distributed.all_gather(parts, padded)
    return torch.cat([found[:count] for found, count in zip(parts, counts, strict=True)])


def _together() -> bool:
    return distributed.is_available() and distributed.is_initialized()
