"""COCO's mean average precision of masks, one to an object: those of a picture may overlap."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from burnish.errors import DataError
from burnish.geometry import rle
from burnish.metrics.coco import checked, class_labels, evaluated, rows_of
from burnish.metrics.metric import Metric
from burnish.metrics.state import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from burnish.metrics.coco import Objects
    from burnish.metrics.settings import MaskMapConfig

_NAMES: Final = (
    *("mask_map", "mask_map_50", "mask_map_75", "mask_map_small", "mask_map_medium", "mask_map_large"),
    *("mask_mar_1", "mask_mar_10", "mask_mar_100", "mask_mar_small", "mask_mar_medium", "mask_mar_large"),
)
_LEVELS: Final = (50, 75)
_FOUND, _TRUE = 3, 4


def mask_average_precision(config: MaskMapConfig) -> Metric:
    """COCO's twelve numbers of masks, `mask_map` first; with `per_class` also `mask_map/NAME`, `_50/NAME` and `_75/NAME`.

    It measures rows of detections (n, 3) of picture, class and score against rows of true objects (m, 4) of picture, class, crowd and area
    (NaN: that of the mask). Keywords: `masks` and `true_masks`, n and m byte strings, COCO's compressed run-length codes; `images`, the
    numbers of the pictures, and `sizes` (N, 2), their heights and widths.
    """
    return Metric(config, _state, partial(_result, config))


def _state(
    predicted: ArrayLike, given: ArrayLike, *, masks: Sequence[bytes], true_masks: Sequence[bytes], images: ArrayLike, sizes: ArrayLike
) -> State:
    found, true = rows_of(predicted, _FOUND, "detections"), rows_of(given, _TRUE, "true objects")
    if (len(found), len(true)) != (len(masks), len(true_masks)):
        told = f"{len(found)} detections with {len(masks)} masks and {len(true)} true objects with {len(true_masks)}"
        raise DataError(f"There are {told}; expected one mask for each.")
    numbers = np.asarray(images, dtype=np.int64).reshape(-1)
    rows = {"found": found, "true": true, "images": numbers, "sizes": np.asarray(sizes, dtype=np.int64).reshape(len(numbers), 2)}
    return checked(State(rows={**rows, **_packed("found", masks), **_packed("true", true_masks)}))


def _result(config: MaskMapConfig, state: State) -> dict[str, float]:
    if "true" not in state.rows:
        return dict.fromkeys(_NAMES, float("nan"))
    found, true = state.rows["found"], state.rows["true"]
    sizes = dict(zip(state.rows["images"].tolist(), state.rows["sizes"].tolist(), strict=True))
    annotations = _true_objects(true, _unpacked("true", state), sizes)
    results = [
        {"image_id": int(row[0]), "category_id": int(row[1]) + 1, "score": float(row[2]), "segmentation": _code(code, sizes[int(row[0])])}
        for row, code in zip(found, _unpacked("found", state), strict=True)
    ]
    pictures = [{"id": number, "height": height, "width": width} for number, (height, width) in sorted(sizes.items())]
    classes = np.unique(np.concatenate([true[:, 1], found[:, 1]])).astype(np.int64) + 1
    each = class_labels(config, classes)
    return evaluated("segm", annotations, results, images=pictures, classes=classes.tolist(), names=_NAMES, each=each, levels=_LEVELS)


def _true_objects(true: NDArray[np.float64], codes: list[bytes], sizes: dict[int, list[int]]) -> Objects:
    annotations: Objects = []
    for number, (row, code) in enumerate(zip(true, codes, strict=True), start=1):
        size = sizes[int(row[0])]
        runs = rle.decompress(code)
        bounds = rle.bounds(runs, size[0])
        x1, y1, x2, y2 = bounds[0].tolist() if len(bounds) else (0.0,) * 4
        known = {"id": number, "image_id": int(row[0]), "category_id": int(row[1]) + 1, "iscrowd": int(row[2])}
        area = float(rle.area(runs) if np.isnan(row[3]) else row[3])
        annotations.append({**known, "area": area, "bbox": [x1, y1, x2 - x1, y2 - y1], "segmentation": _code(code, size)})
    return annotations


def _code(code: bytes, size: list[int]) -> dict[str, object]:
    return {"size": size, "counts": code.decode("ascii")}


def _packed(name: str, codes: Sequence[bytes]) -> dict[str, NDArray[np.generic]]:
    """Codes one after another, and how long each is: arrays that go from rank to rank and merge like all rows."""
    together = np.frombuffer(b"".join(codes), dtype=np.uint8)
    return {f"{name}_codes": together, f"{name}_lengths": np.array([len(code) for code in codes], dtype=np.int64)}


def _unpacked(name: str, state: State) -> list[bytes]:
    together, ends = state.rows[f"{name}_codes"].tobytes(), np.cumsum(state.rows[f"{name}_lengths"]).tolist()
    return [together[start:end] for start, end in zip([0, *ends], ends, strict=False)]
