"""The sums that region losses stand on, with gradients written out.

Autograd would keep and fill many arrays of the size of the probabilities. Here nothing is kept but what came in, and the gradient is filled
once. On a CPU pictures go one after another, so that what lies between stays in the cache, and torch adds pairwise: the quick route for a
sum of products, a matrix product, loses digits of sums over a million pixels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from burnish.errors import extra
from burnish.train.losses.scores import one_hot

with extra("train"):
    import torch
    from torch.autograd.function import FunctionCtx, once_differentiable

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    pixels = None if weights is None else weights.expand(-1, 1, labels.shape[1]).squeeze(1)
    overlap, first, second, true = _LabelSums.apply(probable, labels, pixels, squared)  # pyright: ignore[reportGeneralTypeIssues]
    return overlap, second, true, first


def class_sums(probable: Tensor, soft: Tensor, weights: Tensor | None, *, semimetric: bool, squared: bool) -> Sums:
    """Sums over pixels of soft targets.

    Args:
        probable: (B, C, N) probabilities p.
        soft: (B, C, N) targets g from 0 to 1; they get no gradient.
        weights: (B, 1, N) or (B, C, N) or None.
        semimetric: Take (p + g - |p - g|) / 2, the lesser of both, for p g.
        squared: Sum p^2 and g^2 rather than p and g.

    Returns:
        Sums (B, C) of the overlap, of p (or p^2), of g (or g^2), and of p.
    """
    overlap, first, second = _ClassSums.apply(probable, soft, weights, semimetric, squared)  # pyright: ignore[reportGeneralTypeIssues]
    soft = soft.detach()
    true = torch.stack([_total(g * g if squared else g, w) for g, w in _pictures(soft, weights)])
    return overlap, second, true.view(soft.shape[:2]), first


class _LabelSums(torch.autograd.Function):
    """Of hard labels: sums of p g, p, p (or p^2) and g, without a one-hot copy of the labels."""

    @staticmethod
    def forward(
        ctx: FunctionCtx,
        probable: Tensor,
        labels: Tensor,
        weights: Tensor | None,
        squared: bool,  # noqa: FBT001 - autograd passes by position
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        ctx.save_for_backward(probable, labels, weights)  # pyright: ignore[reportArgumentType] - None may be saved
        ctx.squared = squared  # pyright: ignore[reportAttributeAccessIssue]
        rows: list[tuple[Tensor, ...]] = []
        for p, g, w in _pictures(probable, labels, weights):
            own = p.gather(-2, g.unsqueeze(-2)).squeeze(-2)
            overlap = _by_label(own if w is None else own * w, g, p.shape[-2])
            true = _by_label(torch.ones_like(own) if w is None else w, g, p.shape[-2])
            spread = None if w is None else w.unsqueeze(-2)
            first = _total(p, spread)
            rows.append((overlap, first, _total(p * p, spread) if squared else first, true))
        overlap, first, second, true = (torch.stack(column).view(probable.shape[:2]) for column in zip(*rows, strict=True))
        ctx.mark_non_differentiable(true)
        return overlap, first, second, true

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride] - torch calls it with one gradient an output
        ctx: Any, overlap: Tensor, first: Tensor, second: Tensor, _true: Tensor
    ) -> tuple[Tensor, None, None, None]:
        probable, labels, weights = ctx.saved_tensors
        gradient = torch.empty_like(probable)
        for p, g, w, out, o, f, s in _pictures(probable, labels, weights, gradient, overlap, first, second):
            _plain_gradient(out, p, f, s, squared=ctx.squared)
            out.scatter_add_(-2, g.unsqueeze(-2), o.gather(-1, g).unsqueeze(-2))
            if w is not None:
                out.mul_(w.unsqueeze(-2))
        return gradient, None, None, None


class _ClassSums(torch.autograd.Function):
    """Of soft targets: sums of p g (or of the lesser), p, and p (or p^2)."""

    @staticmethod
    def forward(  # noqa: PLR0917 - autograd passes by position
        ctx: FunctionCtx,
        probable: Tensor,
        soft: Tensor,
        weights: Tensor | None,
        semimetric: bool,  # noqa: FBT001 - likewise
        squared: bool,  # noqa: FBT001 - likewise
    ) -> tuple[Tensor, Tensor, Tensor]:
        ctx.save_for_backward(probable, soft, weights)  # pyright: ignore[reportArgumentType] - None may be saved
        ctx.form = semimetric, squared  # pyright: ignore[reportAttributeAccessIssue]
        rows: list[tuple[Tensor, ...]] = []
        for p, g, w in _pictures(probable, soft, weights):
            overlap, first = _total(torch.minimum(p, g) if semimetric else p * g, w), _total(p, w)
            rows.append((overlap, first, _total(p * p, w) if squared else first))
        overlap, first, second = (torch.stack(column).view(probable.shape[:2]) for column in zip(*rows, strict=True))
        return overlap, first, second

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride] - torch calls it with one gradient an output
        ctx: Any, overlap: Tensor, first: Tensor, second: Tensor
    ) -> tuple[Tensor, None, None, None, None]:
        probable, soft, weights = ctx.saved_tensors
        semimetric, squared = ctx.form
        gradient = torch.empty_like(probable)
        for p, g, w, out, o, f, s in _pictures(probable, soft, weights, gradient, overlap, first, second):
            # The lesser of p and g has the slope (1 + sign(g - p)) / 2: half of one where both are equal.
            _plain_gradient(out, p, f + o / 2 if semimetric else f, s, squared=squared)
            out.addcmul_((g - p).sign_() if semimetric else g, (o / 2 if semimetric else o).unsqueeze(-1))
            if w is not None:
                out.mul_(w)
        return gradient, None, None, None, None


def _pictures(*batches: Tensor | None) -> Iterator[tuple[Any, ...]]:
    """Parts of some batches: each picture on a CPU, all at once elsewhere and where there is none."""
    first = batches[0]
    assert first is not None
    if first.device.type != "cpu" or len(first) == 0:
        yield batches
        return
    for row in range(len(first)):
        yield tuple(None if batch is None else batch[row] for batch in batches)


def _plain_gradient(out: Tensor, p: Tensor, first: Tensor, second: Tensor, *, squared: bool) -> None:
    """Fill in the gradient that comes by the sums of p and of p (or p^2)."""
    if squared:
        torch.mul(p, 2 * second.unsqueeze(-1), out=out)
        out += first.unsqueeze(-1)
    else:
        out.copy_((first + second).unsqueeze(-1).expand_as(out))


def _total(values: Tensor, weights: Tensor | None) -> Tensor:
    return values.sum(-1) if weights is None else (values * weights).sum(-1)


def _by_label(values: Tensor, labels: Tensor, classes: int) -> Tensor:
    """(..., C) sums of values (..., N) by label, added in float64: there may be a million pixels to one sum."""
    wide = values.dtype if values.device.type == "mps" else torch.float64
    sums = torch.zeros(*labels.shape[:-1], classes, dtype=wide, device=values.device)
    return sums.scatter_add_(-1, labels, values.to(wide)).to(values.dtype)
