"""COCO's evaluation, which faster-coco-eval computes: what goes into it, and the numbers that come out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from burnish.errors import ConfigError, DataError, extra

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from burnish.metrics.settings import MapConfig, MaskMapConfig
    from burnish.metrics.state import State

    Kind = Literal["bbox", "segm", "keypoints"]
    Objects = list[dict[str, Any]]


def evaluated(
    kind: Kind,
    annotations: Objects,
    results: Objects,
    *,
    images: Objects,
    classes: Sequence[int],
    names: Sequence[str],
    sigmas: Sequence[float] | None = None,
    each: Sequence[str] | None = None,
    levels: Sequence[int] = (50,),
) -> dict[str, float]:
    """COCO's numbers; NaN where there is no true object of a size to find.

    Args:
        kind: What objects are compared by.
        annotations: True objects as in a COCO file.
        results: Detections as in a file of results.
        images: The pictures, also those without any object.
        classes: Numbers from 1.
        names: What the numbers are called, in COCO's order; the first is the mean over all overlaps.
        sigmas: Of key points.
        each: What classes are called; their numbers are told too then, as `NAME/CLASS`.
        levels: Overlaps in percent at which these are also told, as `NAME_50/CLASS`.
    """
    if not annotations:
        return dict.fromkeys(names, float("nan"))
    with extra("train"):
        from faster_coco_eval import COCO, COCOeval_faster  # noqa: PLC0415 - only this needs it
    dataset = {"images": images, "annotations": annotations, "categories": [{"id": number, "name": str(number)} for number in classes]}
    truth = COCO(dataset)
    found: Any = truth.loadRes(results) if results else COCO({**dataset, "annotations": []})
    evaluation = COCOeval_faster(truth, found, kind, kpt_oks_sigmas=None if sigmas is None else [*sigmas])
    evaluation.run()
    values = [float(value) for value in evaluation.stats[: len(names)]]
    whole = {name: float("nan") if value < 0 else value for name, value in zip(names, values, strict=True)}
    return whole if each is None else whole | _of_classes(evaluation.eval["precision"], each, names[0], levels)


def class_labels(config: MapConfig | MaskMapConfig, classes: NDArray[np.int64]) -> list[str] | None:
    """What the evaluated classes, counted from 1, are called; None where nobody asks.

    Raises:
        ConfigError: A class has no name.
    """
    if not config.per_class:
        return None
    names = config.class_names
    if names is not None and len(classes) and classes[-1] > len(names):
        raise ConfigError(f"There are {len(names)} class_names, but class {classes[-1] - 1} (counted from 0) among the boxes.")
    return [str(number - 1) if names is None else names[number - 1] for number in classes.tolist()]


def numbered(images: ArrayLike) -> Objects:
    """Pictures by their numbers, each once."""
    return [{"id": number} for number in sorted({int(image) for image in np.asarray(images)})]


def rows_of(values: ArrayLike, columns: int, name: str) -> NDArray[np.float64]:
    """Rows (n, columns) of objects.

    Raises:
        DataError: They have another shape.
    """
    rows = np.asarray(values, dtype=np.float64)
    rows = rows.reshape(0, columns) if rows.size == 0 else rows
    if rows.ndim != 2 or rows.shape[1] != columns:  # noqa: PLR2004 - rows and columns
        raise DataError(f"The {name} have the shape {rows.shape}; expected (n, {columns}).")
    return rows


def checked(state: State) -> State:
    """A state of which every object's picture is named.

    Raises:
        DataError: One is not.
    """
    for name in ("found", "true"):
        strange = np.setdiff1d(state.rows[name][:, 0], state.rows["images"])
        if len(strange):
            raise DataError(f"Objects stand in picture {int(strange[0])}, which is not among images ({len(strange)} such pictures).")
    return state


def _of_classes(precision: Any, labels: Sequence[str], name: str, levels: Sequence[int]) -> dict[str, float]:
    """Of precisions (IoU, recall, class, size, most) the means over recall, at all IoUs and at some, where a class has true objects."""
    told: dict[str, float] = {}
    for number, label in enumerate(labels):
        own = np.asarray(precision, dtype=np.float64)[:, :, number, 0, -1]
        if (own > -1).any():
            told[f"{name}/{label}"] = float(own[own > -1].mean())
            told |= {f"{name}_{level}/{label}": _mean_at(own, level) for level in levels}
    return told


def _mean_at(precision: NDArray[np.float64], level: int) -> float:
    """Of precisions (IoU from 0.5 in steps of 0.05, recall) the mean at one IoU in percent."""
    own = precision[(level - 50) // 5]
    return float(own[own > -1].mean())
