"""A smooth average precision: what can be trained of mAP.

mAP itself is made of ranks and of matches at thresholds of overlap, and both are flat almost everywhere: there is no gradient. Here the
matches are taken as given (a detection hits or not, as any assigner or the evaluation decides), and the ranks are made smooth. So the
scores learn to rank hits before the rest; the boxes learn from a box loss beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from burnish.errors import DataError, extra
from burnish.train.losses.loss import Part, full, part

with extra("train"):
    import torch

if TYPE_CHECKING:
    from torch import Tensor

    from burnish.train.losses.settings.boxes import AveragePrecisionConfig


def average_precision(config: AveragePrecisionConfig, predicted: Tensor, target: Tensor, *, weight: Tensor | None) -> Part:
    """1 - smooth average precision of each class that has hits (Brown et al., "Smooth-AP", 2020).

    For a hit i, with s((x_j - x_i) / t) as how much j stands before i: AP_i = (1 + sum over hits j) / (1 + sum over all j), without i
    itself; the mean over the hits, weighted.

    Args:
        config: The description.
        predicted: (N,) or (N, K) scores of detections.
        target: The same shape; 1 (or True) for a hit, 0 for none.
        weight: (N,) how much each detection counts; 0 leaves it out of every rank.

    Raises:
        DataError: Shapes do not fit.
    """
    if predicted.shape != target.shape or predicted.ndim not in {1, 2}:
        found = f"{tuple(predicted.shape)} and {tuple(target.shape)}"
        raise DataError(f"Scores and hits have the shapes {found}; expected (N,) or (N, K) for both.")
    scores = predicted.sigmoid() if config.from_logits else predicted
    scores, hits = (values.reshape(len(values), -1) for values in (scores, full(target).to(scores.dtype)))
    rows = torch.ones_like(scores[:, 0]) if weight is None else full(weight).to(scores.dtype)
    values = [_class_loss(config.temperature, column, hit, rows) for column, hit in zip(scores.T, hits.T, strict=True)]
    present = (hits * rows.unsqueeze(1)).sum(0) > 0
    return part(torch.stack(values) if values else scores.sum(0), present)


def _class_loss(temperature: float, scores: Tensor, hits: Tensor, rows: Tensor) -> Tensor:
    places = torch.nonzero(hits * rows > 0).squeeze(1)
    before = torch.sigmoid((scores.unsqueeze(0) - scores[places].unsqueeze(1)) / temperature) * rows
    own = torch.arange(len(scores), device=scores.device).unsqueeze(0) == places.unsqueeze(1)
    before = torch.where(own, 0.0, before)
    precision = (1 + (before * hits).sum(1)) / (1 + before.sum(1))
    counts = (hits * rows)[places]
    return 1 - (precision * counts).sum() / counts.sum().clamp_min(torch.finfo(scores.dtype).tiny)
