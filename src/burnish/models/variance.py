"""Variance that is defined also where there are too few elements for one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from burnish.errors import DataError, extra

with extra("train"):
    import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


def safe_variance(
    values: Tensor, dim: int | Sequence[int] | None = None, *, correction: int = 1, keepdim: bool = False, default: float = 0.0
) -> Tensor:
    """The variance, and a default where torch would warn and give NaN.

    Args:
        values: Numbers of any shape.
        dim: The dimensions to reduce; None takes all.
        correction: What is taken off the number of elements below the bar, 1 for the unbiased variance.
        keepdim: Keep reduced dimensions with length 1.
        default: The value where there are no more than `correction` elements.

    Raises:
        DataError: There is no such dimension.
    """
    shape = reduced_shape(values.shape, dim, keepdim=keepdim)
    if not has_variance(values.shape, dim, correction=correction):
        return values.new_full(shape, default)
    return torch.var(values, dim=_dimensions(len(values.shape), dim), correction=correction, keepdim=keepdim)


def reduced_shape(shape: Sequence[int], dim: int | Sequence[int] | None = None, *, keepdim: bool = False) -> tuple[int, ...]:
    """The shape that a reduction leaves.

    Raises:
        DataError: There is no such dimension.
    """
    gone = set(_dimensions(len(shape), dim))
    if keepdim:
        return tuple(1 if i in gone else length for i, length in enumerate(shape))
    return tuple(length for i, length in enumerate(shape) if i not in gone)


def has_variance(shape: Sequence[int], dim: int | Sequence[int] | None = None, *, correction: int = 1) -> bool:
    """Whether a reduction has enough elements for a variance.

    Raises:
        DataError: There is no such dimension.
    """
    return math.prod(shape[i] for i in _dimensions(len(shape), dim)) > correction


def _dimensions(count: int, dim: int | Sequence[int] | None) -> tuple[int, ...]:
    """Dimensions as numbers from 0; all of them where none is named, as torch reads None and ()."""
    wanted = () if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    wrong = [i for i in wanted if not -count <= i < count]
    if wrong:
        raise DataError(f"There is no dimension {wrong[0]} in {count} dimensions; expected {-count} to {count - 1}.")
    return tuple(i % count for i in wanted) or tuple(range(count))
