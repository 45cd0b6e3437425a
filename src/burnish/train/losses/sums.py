"""The sums that region losses stand on, with gradients written out: one pass over the pixels forward, one back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from burnish.errors import extra
from burnish.train.losses.scores import one_hot

with extra("train"):
    import torch
    from torch.autograd.function import FunctionCtx, once_differentiable

if TYPE_CHECKING:
    from torch import Tensor

    Sums: TypeAlias = tuple["Tensor", "Tensor", "Tensor", "Tensor"]


def label_sums(probable: Tensor, labels: Tensor, weights: Tensor | None, *, squared: bool) -> Sums:
    """Sums over pixels of hard labels.

    Args:
        probable: (B, C, N) probabilities p.
        labels: (B, N) classes.
        weights: (B, 1, N) or (B, C, N) or None.
        squared: Sum p^2 rather than p.

    Returns:
        Sums (B, C) of p g, of p (or p^2), of g, and of p.
    """
    if weights is not None and weights.shape[1] != 1:
        return class_sums(probable, one_hot(labels, probable.shape[1], probable.dtype), weights, semimetric=False, squared=squared)
    pixels = None if weights is None else weights.squeeze(1)
    overlap, second, true = _LabelSums.apply(probable, labels, pixels, squared)  # pyright: ignore[reportGeneralTypeIssues]
    first = _dot(probable, weights) if squared else second
    return overlap, second, true, first


def class_sums(probable: Tensor, soft: Tensor, weights: Tensor | None, *, semimetric: bool, squared: bool) -> Sums:
    """Sums over pixels of soft targets.

    Args:
        probable: (B, C, N) probabilities p.
        soft: (B, C, N) targets g from 0 to 1.
        weights: (B, 1, N) or (B, C, N) or None.
        semimetric: Take (p + g - |p - g|) / 2, the lesser of both, for p g.
        squared: Sum p^2 and g^2 rather than p and g.

    Returns:
        Sums (B, C) of the overlap, of p (or p^2), of g (or g^2), and of p.
    """
    first = _dot(probable, weights)
    overlap = _dot(torch.minimum(probable, soft), weights) if semimetric else _dot(probable, _times(soft, weights))
    if not squared:
        return overlap, first, _dot(soft, weights), first
    return overlap, _dot(probable, _times(probable, weights)), _dot(soft, _times(soft, weights)), first


class _LabelSums(torch.autograd.Function):
    """Overlap and area of each class without a one-hot copy of the labels.

    Autograd would keep and fill several arrays of the size of the probabilities; here the gradient is filled once.
    """

    @staticmethod
    def forward(
        ctx: FunctionCtx,
        probable: Tensor,
        labels: Tensor,
        weights: Tensor | None,
        squared: bool,  # noqa: FBT001 - autograd passes by position
    ) -> tuple[Tensor, Tensor, Tensor]:
        batch, classes, _ = probable.shape
        ctx.save_for_backward(probable, labels, weights)  # pyright: ignore[reportArgumentType] - None may be saved
        ctx.squared = squared  # pyright: ignore[reportAttributeAccessIssue]
        own = probable.gather(1, labels.unsqueeze(1)).squeeze(1)
        own = own if weights is None else own * weights
        overlap = _by_label(own, labels, classes)
        ones = torch.ones((), dtype=probable.dtype, device=probable.device) if weights is None else weights
        true = _by_label(ones.expand(labels.shape), labels, classes)
        shaped = None if weights is None else weights.view(batch, 1, -1)
        second = _dot(probable, _times(probable, shaped)) if squared else _dot(probable, shaped)
        ctx.mark_non_differentiable(true)
        return overlap, second, true

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride] - torch calls it with one gradient an output
        ctx: Any, overlap: Tensor, second: Tensor, _true: Tensor
    ) -> tuple[Tensor, None, None, None]:
        probable, labels, weights = ctx.saved_tensors
        gradient = second.unsqueeze(2).expand_as(probable)
        gradient = probable * (2 * gradient) if ctx.squared else gradient.contiguous()
        if weights is not None:
            gradient *= weights.unsqueeze(1)
        own = overlap.gather(1, labels)
        own = own if weights is None else own * weights
        return gradient.scatter_add_(1, labels.unsqueeze(1), own.unsqueeze(1)), None, None, None


def _by_label(values: Tensor, labels: Tensor, classes: int) -> Tensor:
    """(B, C) sums of values (B, N) by label, added in float64: there may be a million pixels to one sum."""
    rows = labels + classes * torch.arange(len(labels), device=labels.device).unsqueeze(1)
    wide = values.dtype if values.device.type == "mps" else torch.float64
    sums = torch.zeros(len(labels) * classes, dtype=wide, device=values.device)
    return sums.scatter_add_(0, rows.flatten(), values.to(wide).flatten()).view(-1, classes).to(values.dtype)


class _Dot(torch.autograd.Function):
    """Sums over pixels of a product, without keeping a product of that size.

    A picture at a time on a CPU: its product stays in the cache, and torch adds it up pairwise, where the quick route, a matrix product,
    would lose digits of sums over a million pixels.
    """

    @staticmethod
    def forward(ctx: FunctionCtx, values: Tensor, weights: Tensor) -> Tensor:
        ctx.save_for_backward(values, weights)
        if values.device.type == "cpu":
            return torch.stack([(one * other).sum(1) for one, other in zip(values, weights, strict=True)])
        return (values * weights).sum(2)

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride] - torch calls it with one gradient an output
        ctx: Any, gradient: Tensor
    ) -> tuple[Tensor | None, Tensor | None]:
        values, weights = ctx.saved_tensors
        first, second = ctx.needs_input_grad
        gradient = gradient.unsqueeze(2)
        return gradient * weights.expand_as(values) if first else None, (gradient * values).sum_to_size(weights.shape) if second else None


def _dot(values: Tensor, weights: Tensor | None) -> Tensor:
    """(B, C) sums over pixels of values (B, C, N) times weights (B, 1, N) or (B, C, N)."""
    if weights is None or len(values) == 0:
        return values.sum(2)
    return _Dot.apply(values, weights)  # pyright: ignore[reportReturnType]


def _times(values: Tensor, weights: Tensor | None) -> Tensor:
    return values if weights is None else values * weights
