"""Metrics of objects: panoptic quality, and COCO's mean average precision of boxes and key points, which faster-coco-eval computes.

Rows of objects carry the number of their picture, so that batches and ranks may come in any order. A picture is named once by whoever
measures it; pictures without any object are named too.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from burnish.errors import ConfigError, DataError
from burnish.geometry.keypoint_sigmas import COCO_PERSON
from burnish.metrics.coco import checked, class_labels, evaluated, numbered, rows_of
from burnish.metrics.metric import Metric
from burnish.metrics.panoptic import panoptic_quality, panoptic_sums
from burnish.metrics.state import State

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import ArrayLike

    from burnish.metrics.settings import MapConfig, OksApConfig, PanopticConfig

_BOXES = (
    *("map", "map_50", "map_75", "map_small", "map_medium", "map_large"),
    *("mar_1", "mar_10", "mar_100", "mar_small", "mar_medium", "mar_large"),
)
_POINTS = (
    *("oks_ap", "oks_ap_50", "oks_ap_75", "oks_ap_medium", "oks_ap_large"),
    *("oks_ar", "oks_ar_50", "oks_ar_75", "oks_ar_medium", "oks_ar_large"),
)
_FOUND, _TRUE = 7, 8


def panoptic(config: PanopticConfig) -> Metric:
    """`pq`, `sq` and `rq`, means over classes.

    It measures lists of pictures: predicted and given segments (height, width), and keywords `predicted_classes` and `given_classes`,
    lists of mappings from segment to class, and `crowds`, a list of the crowd segments of each picture.
    """
    return Metric(config, partial(_panoptic_state, config), _panoptic_result)


def mean_average_precision(config: MapConfig) -> Metric:
    """COCO's twelve numbers, `map` first; with `per_class` also `map/NAME` and `map_50/NAME` of each class that has true boxes.

    It measures rows of detections (n, 7) of picture, class, score, x1, y1, x2, y2 against rows of true boxes (m, 8) of picture, class,
    crowd, area (NaN: that of the box), x1, y1, x2, y2; keyword `images`, the numbers of the pictures.
    """
    return Metric(config, _box_state, partial(_box_result, config))


def keypoint_average_precision(config: OksApConfig) -> Metric:
    """COCO's ten numbers of key points, `oks_ap` first.

    It measures rows of detections (n, 2 + 3 K) of picture, score, and x, y and confidence of each point, against rows of true objects
    (m, 7 + 3 K) of picture, crowd, area, x1, y1, x2, y2, and x, y and visibility of each point; keyword `images`, the numbers of the
    pictures.
    """
    return Metric(config, _point_state, partial(_point_result, config))


def _panoptic_state(
    config: PanopticConfig,
    predicted: Sequence[ArrayLike],
    given: Sequence[ArrayLike],
    *,
    predicted_classes: Sequence[Mapping[int, int]],
    given_classes: Sequence[Mapping[int, int]],
    crowds: Sequence[Collection[int]] | None = None,
) -> State:
    crowded = crowds if crowds is not None else [()] * len(given)
    pictures = zip(predicted, given, predicted_classes, given_classes, crowded, strict=True)
    sums = np.zeros((config.num_classes, 4))
    for found, true, found_classes, true_classes, crowd in pictures:
        sums += panoptic_sums(found, true, found_classes, true_classes, config.num_classes, void=config.void, crowds=crowd)
    return State(sums={"panoptic": sums})


def _panoptic_result(state: State) -> dict[str, float]:
    values = panoptic_quality(state.sums.get("panoptic", np.zeros((0, 4))))
    kept = values[~np.isnan(values[:, 0])]
    means = kept.mean(axis=0).tolist() if len(kept) else [float("nan")] * 3
    return dict(zip(("pq", "sq", "rq"), means, strict=True))


def _box_state(predicted: ArrayLike, given: ArrayLike, *, images: ArrayLike) -> State:
    found, true = rows_of(predicted, _FOUND, "detections"), rows_of(given, _TRUE, "true boxes")
    return checked(State(rows={"found": found, "true": true, "images": np.asarray(images, dtype=np.int64)}))


def _point_state(predicted: ArrayLike, given: ArrayLike, *, images: ArrayLike) -> State:
    found, true = np.asarray(predicted, dtype=np.float64), np.asarray(given, dtype=np.float64)
    if found.ndim != 2 or true.ndim != 2 or found.shape[1] + 5 != true.shape[1] or (found.shape[1] - 2) % 3:  # noqa: PLR2004
        raise DataError(f"Detections have the shape {found.shape}, true objects {true.shape}; expected (n, 2 + 3 K) and (m, 7 + 3 K).")
    return checked(State(rows={"found": found, "true": true, "images": np.asarray(images, dtype=np.int64)}))


def _box_result(config: MapConfig, state: State) -> dict[str, float]:
    if "true" not in state.rows:
        return dict.fromkeys(_BOXES, float("nan"))
    found, true = state.rows["found"], state.rows["true"]
    corners = true[:, 4:]
    boxes = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
    areas = np.where(np.isnan(true[:, 3]), boxes[:, 2:].prod(axis=1), true[:, 3])
    annotations = [
        {"id": row + 1, "image_id": int(true[row, 0]), "category_id": int(true[row, 1]) + 1, "iscrowd": int(true[row, 2]),
         "area": float(areas[row]), "bbox": boxes[row].tolist()}
        for row in range(len(true))
    ]  # fmt: skip
    sizes = found[:, 5:] - found[:, 3:5]
    results = [
        {"image_id": int(row[0]), "category_id": int(row[1]) + 1, "score": float(row[2]), "bbox": [*row[3:5].tolist(), *size.tolist()]}
        for row, size in zip(found, sizes, strict=True)
    ]
    classes = np.unique(np.concatenate([true[:, 1], found[:, 1]])).astype(np.int64) + 1
    each = class_labels(config, classes)
    pictures = numbered(state.rows["images"])
    return evaluated("bbox", annotations, results, images=pictures, classes=classes.tolist(), names=_BOXES, each=each)


def _point_result(config: OksApConfig, state: State) -> dict[str, float]:
    if "true" not in state.rows:
        return dict.fromkeys(_POINTS, float("nan"))
    found, true = state.rows["found"], state.rows["true"]
    count = (found.shape[1] - 2) // 3
    sigmas = config.sigmas or COCO_PERSON
    if len(sigmas) != count:
        raise ConfigError(f"There are {len(sigmas)} sigmas, but {count} key points; set sigmas, one for each point.")
    annotations = [
        {"id": row + 1, "image_id": int(one[0]), "category_id": 1, "iscrowd": int(one[1]), "area": float(one[2]),
         "bbox": [*one[3:5].tolist(), *(one[5:7] - one[3:5]).tolist()], "keypoints": one[7:].tolist(),
         "num_keypoints": int(np.count_nonzero(one[9::3] > 0))}
        for row, one in enumerate(true)
    ]  # fmt: skip
    results = [{"image_id": int(one[0]), "category_id": 1, "score": float(one[1]), "keypoints": one[2:].tolist()} for one in found]
    pictures = numbered(state.rows["images"])
    return evaluated("keypoints", annotations, results, images=pictures, classes=[1], names=_POINTS, sigmas=sigmas)
