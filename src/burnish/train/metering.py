"""Meters of metrics: fed with tensors batch by batch, merged over ranks, divided once at the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from burnish.errors import DataError, extra
from burnish.metrics.metric import Metric
from burnish.metrics.metric import build as build_metric
from burnish.metrics.segmentation import counts
from burnish.metrics.settings import DecisionConfig
from burnish.metrics.state import State, merged
from burnish.train.distributed import gathered

with extra("train"):
    import torch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from burnish.config import Config

_HALF = 0.5


@dataclass(slots=True, eq=False)
class Meter:
    """A metric of everything that it has been shown.

    Attributes:
        metric: What is measured.
        state: Of all batches so far, on this rank.
    """

    metric: Metric
    state: State = field(default_factory=State)

    def update(self, predicted: Any, given: Any, **options: Any) -> None:
        """Add a batch of tensors or arrays, as the metric takes them; counts are made where the tensors are."""
        self.state = merged([self.state, self._measured(predicted, given, options)])

    def compute(self, *, together: bool = True) -> dict[str, float]:
        """The numbers of all batches, of all ranks where `together`; then all ranks must call. What writers take."""
        return self.metric.result(self.merged_state() if together else self.state)

    def merged_state(self) -> State:
        """The state of all ranks, for instance for the confusion matrix itself; all ranks must call."""
        return merged(gathered(self.state))

    def reset(self) -> None:
        """Begin again."""
        self.state = State()

    def _measured(self, predicted: Any, given: Any, options: Mapping[str, Any]) -> State:
        config = self.metric.description
        if self.metric.of_counts is not None and isinstance(predicted, torch.Tensor) and isinstance(config, DecisionConfig) and not options:
            return self.metric.of_counts(tensor_counts(config, predicted.detach(), torch.as_tensor(given)).cpu().numpy())
        return self.metric.measure(_array(predicted), _array(given), **{name: _array(value) for name, value in options.items()})


def build(given: Config | Mapping[str, Any] | str) -> Meter:
    """A meter of a metric that is named or described, as `burnish.metrics.metric.build` takes it."""
    return Meter(build_metric(given))


def mean_cost(costs: Sequence[tuple[float, int]]) -> float:
    """The mean over the pictures of all ranks of the mean cost and number of pictures of each batch; all ranks must call."""
    every = [cost for costs_of_rank in gathered(list(costs)) for cost in costs_of_rank]
    return sum(cost * number for cost, number in every) / max(sum(number for _, number in every), 1)


def tensor_counts(config: DecisionConfig, predicted: Tensor, given: Tensor) -> Tensor:
    """Counts (N, K, 4) of a batch as `burnish.metrics.segmentation.counts` makes them, on the device of the tensors.

    Raises:
        DataError: Shapes do not fit or a label is no class (told on the CPU; a GPU is not made to wait for it).
    """
    given = given.to(predicted.device)
    if config.mode != "multiclass":
        return _mask_counts(config, predicted, given)
    if predicted.shape == given.shape or predicted.ndim != given.ndim + 1:
        return torch.from_numpy(counts(config, _array(predicted), _array(given)))
    if (predicted.shape[0], *predicted.shape[2:]) != tuple(given.shape):
        raise DataError(
            f"Predictions have the shape {tuple(predicted.shape)}, targets {tuple(given.shape)}; expected (N, K, ...) and (N, ...)."
        )
    classes = predicted.shape[1]
    labels, true = (found.reshape(len(given), -1) for found in (_best(predicted), given))
    return _label_counts(labels, true, classes, config.ignore_index)


def _best(scores: Tensor) -> Tensor:
    """The class (N, ...) of the highest of scores (N, K, ...); NumPy finds it several times as fast as torch does on a CPU."""
    if scores.device.type == "cpu" and scores.dtype in {torch.float32, torch.float64}:
        return torch.from_numpy(scores.numpy().argmax(axis=1))
    return scores.argmax(1)


def _label_counts(labels: Tensor, true: Tensor, classes: int, ignore_index: int | None) -> Tensor:
    """Counts of labels (N, P): pairs are numbered and counted, ignored ones under a number of their own."""
    pairs = true.long() * classes + labels
    if ignore_index is not None:
        pairs = torch.where(true == ignore_index, classes * classes, pairs)
    if pairs.device.type == "cpu" and pairs.numel():
        low, high = (int(bound) for bound in pairs.aminmax())
        if low < 0 or high > classes * classes - (ignore_index is None):
            raise DataError(f"The targets hold labels outside of 0 to {classes - 1}. Set ignore_index if they mark what to ignore.")
    width = classes * classes + 1
    rows = torch.arange(len(pairs), device=pairs.device).unsqueeze(1) * width
    found = torch.bincount((pairs + rows).flatten(), minlength=len(pairs) * width).view(-1, width)
    matrix = found[:, :-1].view(-1, classes, classes)
    hits = matrix.diagonal(dim1=1, dim2=2)
    alarms, misses = matrix.sum(1) - hits, matrix.sum(2) - hits
    return torch.stack([hits, alarms, misses, matrix.sum((1, 2)).unsqueeze(1) - hits - alarms - misses], 2)


def _mask_counts(config: DecisionConfig, predicted: Tensor, given: Tensor) -> Tensor:
    if config.mode == "binary":
        predicted, given = (values.reshape(len(values), 1, -1) for values in (predicted, given))
    if predicted.shape != given.shape:
        raise DataError(f"Predictions have the shape {tuple(predicted.shape)}, targets {tuple(given.shape)}; they must be equal.")
    found, true = predicted if predicted.dtype == torch.bool else predicted > config.threshold, given > _HALF
    if config.ignore_index is not None:
        valid = given != config.ignore_index
        found, true = found & valid, true & valid
        total = _number(valid)
    else:
        total = torch.full(found.shape[:2], found[0, 0].numel() if found.numel() else 0, device=found.device)
    hits = _number(found & true)
    alarms, misses = _number(found) - hits, _number(true) - hits
    return torch.stack([hits, alarms, misses, total - hits - alarms - misses], 2)


def _number(masks: Tensor) -> Tensor:
    """How many are True, (N, K)."""
    return masks.flatten(2).sum(2) if masks.ndim > 2 else masks.long()  # noqa: PLR2004 - pictures and classes


def _array(values: Any) -> Any:
    if not isinstance(values, torch.Tensor):
        return values
    values = values.detach().cpu()
    return (values.float() if values.dtype in {torch.bfloat16, torch.float16} else values).numpy()
