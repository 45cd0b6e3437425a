"""Metrics of class maps and masks: ratios of counts, soft overlaps, outlines.

Predictions and targets come as losses take them. Multiclass: scores (N, K, ...) or labels (N, ...), against labels (N, ...). Binary: scores
or booleans (N, ...) or (N, 1, ...), against numbers or booleans of either shape; multilabel: (N, K, ...) both. Without the dots pictures
as a whole are classified.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from burnish.errors import ConfigError, DataError
from burnish.geometry import masks as mask_geometry
from burnish.metrics.counts import averaged, label_counts, mask_counts, measured
from burnish.metrics.metric import Metric
from burnish.metrics.state import State
from burnish.metrics.surfaces import assd, hausdorff, nsd, surface_distances

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import ArrayLike, NDArray

    from burnish.metrics.counts import Measure
    from burnish.metrics.settings import BoundaryIouConfig, CountsConfig, DecisionConfig, SoftConfig, SurfacesConfig

_HALF = 0.5


def counted(config: CountsConfig) -> Metric:
    """Of counts: `iou_dataset`, `dice_image`, ...; with `per_class` also `iou_dataset/NAME`."""
    of_counts = partial(_counts_state, config)
    return Metric(config, lambda predicted, given: of_counts(counts(config, predicted, given)), partial(_counts_result, config), of_counts)


def soft(config: SoftConfig) -> Metric:
    """`soft_iou_...`, sum min(p, g) / sum max(p, g), and `soft_dice_...`, 2 sum min / (sum p + sum g), of probabilities (N, ...)."""
    return Metric(config, _soft_state, partial(_soft_result, config))


def surfaces(config: SurfacesConfig) -> Metric:
    """`hd95` (or of another percentile), `assd` and `nsd`: means over the classes of pictures where either mask has a pixel."""
    return Metric(config, partial(_surface_state, config), partial(_mean_result, names=(f"hd{config.percentile:g}", "assd", "nsd")))


def boundary_iou(config: BoundaryIouConfig) -> Metric:
    """`boundary_iou`: mean over the classes of pictures where either mask has a pixel."""
    return Metric(config, partial(_boundary_state, config), partial(_mean_result, names=("boundary_iou",)))


def counts(config: DecisionConfig, predicted: ArrayLike, given: ArrayLike) -> NDArray[np.int64]:
    """Counts (N, K, 4) of true and false positives and negatives of a batch, as the config decides.

    Raises:
        DataError: Shapes do not fit or a label is no class.
        ConfigError: Labels came without the number of classes.
    """
    found, true = np.asarray(predicted), np.asarray(given)
    if config.mode == "multiclass":
        labels, classes = labels_of(config, found, true)
        return label_counts(labels, true, classes, ignore_index=config.ignore_index)
    found, true, valid = decisions(config, found, true)
    return mask_counts(found, true, valid=valid)


def labels_of(config: DecisionConfig, predicted: NDArray[Any], given: NDArray[Any]) -> tuple[NDArray[Any], int]:
    """Predicted labels of the shape of the given ones, and the number of classes.

    Raises:
        DataError: Shapes do not fit.
        ConfigError: Labels came without the number of classes.
    """
    if predicted.shape == given.shape:
        if config.num_classes is None:
            raise ConfigError("The predictions are labels; set num_classes, or give scores (N, K, ...).")
        return predicted, config.num_classes
    if predicted.ndim != given.ndim + 1 or (predicted.shape[0], *predicted.shape[2:]) != given.shape:
        raise DataError(f"Predictions have the shape {predicted.shape}, targets {given.shape}; expected (N, K, ...) and (N, ...).")
    return predicted.argmax(axis=1), predicted.shape[1]


def decisions(
    config: DecisionConfig, predicted: NDArray[Any], given: NDArray[Any]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_] | None]:
    """Predicted and given masks (N, K, ...), and which pixels count (None: all).

    Raises:
        DataError: Shapes do not fit.
    """
    if config.mode == "binary":
        predicted, given = _with_channel(predicted, given)
    if predicted.shape != given.shape:
        raise DataError(f"Predictions have the shape {predicted.shape}, targets {given.shape}; they must be equal.")
    found = predicted if predicted.dtype == np.bool_ else predicted > config.threshold
    valid = None if config.ignore_index is None else given != config.ignore_index
    return found, given > _HALF, valid


def class_masks(config: DecisionConfig, predicted: ArrayLike, given: ArrayLike) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """Predicted and given mask (height, width) of every class of every picture; ignored pixels are in neither."""
    found, true = np.asarray(predicted), np.asarray(given)
    if config.mode == "multiclass":
        labels, classes = labels_of(config, found, true)
        valid = np.ones(true.shape, np.bool_) if config.ignore_index is None else true != config.ignore_index
        for row in range(len(true)):
            for label in range(classes):
                yield (labels[row] == label) & valid[row], (true[row] == label) & valid[row]
        return
    found, true, valid = decisions(config, found, true)
    for at in np.ndindex(*found.shape[:2]):
        yield (found[at], true[at]) if valid is None else (found[at] & valid[at], true[at] & valid[at])


def _counts_state(config: CountsConfig, found: NDArray[np.int64]) -> State:
    return State(rows={"counts": found}) if config.per == "image" else State(sums={"counts": found.sum(axis=0)})


def _counts_result(config: CountsConfig, state: State) -> dict[str, float]:
    measure = cast("Measure", config.model_dump(include={"name"})["name"])
    options = {"beta": getattr(config, "beta", 1.0), "empty": float("nan") if config.empty is None else config.empty}
    found = (state.rows if config.per == "image" else state.sums).get("counts")
    key = f"{measure}_{config.per}"
    if found is None:
        return {key: float("nan")}
    found = found if config.per == "image" else found[None]
    results = {key: _mean(averaged(found, measure, config.average, **options))}
    if config.per_class:
        values = measured(found, measure, **options)
        names = config.class_names or tuple(str(number) for number in range(values.shape[1]))
        results |= {f"{key}/{name}": _mean(column) for name, column in zip(names, values.T, strict=True)}
    return results


def _soft_state(predicted: ArrayLike, given: ArrayLike) -> State:
    found, true = (np.asarray(values, dtype=np.float32) for values in (predicted, given))
    if found.shape != true.shape:
        raise DataError(f"Predictions have the shape {found.shape}, targets {true.shape}; they must be equal.")
    found, true = found.reshape(len(found), -1), true.reshape(len(true), -1)
    lesser, total = np.minimum(found, true).sum(axis=1, dtype=np.float64), found.sum(axis=1, dtype=np.float64)
    return State(rows={"soft": np.stack([lesser, total + true.sum(axis=1, dtype=np.float64)], axis=1)})


def _soft_result(config: SoftConfig, state: State) -> dict[str, float]:
    rows = state.rows.get("soft", np.zeros((0, 2)))
    rows = rows if config.per == "image" else rows.sum(axis=0, keepdims=True)
    lesser, total = rows.T
    empty = float("nan") if config.empty is None else config.empty
    iou = np.divide(lesser, total - lesser, out=np.full(len(rows), empty), where=total > 0)
    dice = np.divide(2 * lesser, total, out=np.full(len(rows), empty), where=total > 0)
    return {f"soft_iou_{config.per}": _mean(iou), f"soft_dice_{config.per}": _mean(dice)}


def _surface_state(config: SurfacesConfig, predicted: ArrayLike, given: ArrayLike) -> State:
    rows = [_surface_row(config, found, true) for found, true in class_masks(config, predicted, given)]
    return State(rows={"values": np.array(rows, dtype=np.float64).reshape(-1, 3)})


def _surface_row(config: SurfacesConfig, found: NDArray[np.bool_], true: NDArray[np.bool_]) -> tuple[float, float, float]:
    distances = surface_distances(found, true, spacing=config.spacing)
    values = hausdorff(distances, config.percentile), assd(distances)
    if np.isinf(values[0]) and config.missing != "inf":
        diagonal = float(np.hypot(*(np.array(found.shape) * config.spacing)))
        values = (diagonal, diagonal) if config.missing == "diagonal" else (float("nan"), float("nan"))
    return *values, nsd(distances, config.tolerance)


def _boundary_state(config: BoundaryIouConfig, predicted: ArrayLike, given: ArrayLike) -> State:
    rows: list[float] = []
    for pair in class_masks(config, predicted, given):
        one, two = (mask_geometry.boundary(mask, config.width) for mask in pair)
        total = np.count_nonzero(one | two)
        rows.append(np.count_nonzero(one & two) / total if total else float("nan"))
    return State(rows={"values": np.array(rows, dtype=np.float64).reshape(-1, 1)})


def _mean_result(state: State, *, names: tuple[str, ...]) -> dict[str, float]:
    rows = state.rows.get("values", np.zeros((0, len(names))))
    return {name: _mean(column) for name, column in zip(names, rows.T, strict=True)}


def _mean(values: NDArray[np.float64]) -> float:
    """The mean of what is a number, NaN of nothing."""
    kept = values[~np.isnan(values)]
    return float(kept.mean()) if len(kept) else float("nan")


def _with_channel(predicted: NDArray[Any], given: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Binary predictions and targets as (N, 1, ...), whichever of both has the channel already."""
    dimensions = max(predicted.ndim, given.ndim)
    if predicted.ndim == given.ndim and (dimensions == 1 or predicted.shape[1] != 1):
        dimensions += 1
    widen: Callable[[NDArray[Any]], NDArray[Any]] = lambda array: array if array.ndim == dimensions else array[:, None]  # noqa: E731
    return widen(predicted), widen(given)
