"""COCO's numbers of masks equal those of pycocotools, whatever the batches."""

import numpy as np
import pytest
from coco_oracle import coco_numbers

from burnish.errors import ConfigError, DataError
from burnish.geometry import rle
from burnish.metrics.metric import build
from burnish.metrics.state import merged

pytest.importorskip("faster_coco_eval")

HEIGHT, WIDTH, PICTURES = 140, 150, 8
ALL = [*range(PICTURES)]


def disc(x, y, radius):
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    return rle.compress(rle.encode((rows - y) ** 2 + (columns - x) ** 2 <= radius**2))


def discs(seed):
    """True discs, some of them crowds, and detections: most of them near a true one, others anywhere."""
    rng = np.random.default_rng(seed)
    places = rng.uniform([10, 10, 4], [WIDTH - 10, HEIGHT - 10, 70], (40, 3))
    true = np.column_stack([rng.integers(0, PICTURES, 40), rng.integers(0, 2, 40), rng.random(40) < 0.1, np.full(40, np.nan)])
    near = rng.permutation(40)[:30]
    found = np.column_stack([true[near, :2], rng.random(30)])
    found = np.concatenate([found, np.column_stack([rng.integers(0, PICTURES, 6), rng.integers(0, 2, 6), rng.random(6)])])
    moved = [*(places[near] + rng.normal(0, 1.5, (30, 3))), *([60, 45, 9],) * 6]
    return found, [disc(*one) for one in moved], true, [disc(*one) for one in places]


def measured(metric, objects, images):
    found, masks, true, true_masks = objects
    chosen = [np.flatnonzero(np.isin(rows[:, 0], images)) for rows in (found, true)]
    codes = [[some[row] for row in rows] for some, rows in zip((masks, true_masks), chosen, strict=True)]
    options = {"masks": codes[0], "true_masks": codes[1], "images": images, "sizes": [[HEIGHT, WIDTH]] * len(images)}
    return metric.measure(found[chosen[0]], true[chosen[1]], **options)


def oracle(found, masks, true, true_masks):
    code = lambda data: {"size": [HEIGHT, WIDTH], "counts": data.decode()}  # noqa: E731
    annotations = [
        {"id": n, "image_id": int(row[0]), "category_id": int(row[1]) + 1, "iscrowd": int(row[2]), "segmentation": code(data),
         "area": rle.area(rle.decompress(data)), "bbox": [0, 0, 1, 1]}
        for n, (row, data) in enumerate(zip(true, true_masks, strict=True), start=1)
    ]  # fmt: skip
    results = [
        {"image_id": int(row[0]), "category_id": int(row[1]) + 1, "score": row[2], "segmentation": code(data)}
        for row, data in zip(found, masks, strict=True)
    ]
    pictures = [{"id": number, "height": HEIGHT, "width": WIDTH} for number in range(PICTURES)]
    return coco_numbers(pictures, annotations, results, classes=(1, 2), kind="segm")


def test_mask_map_is_cocos_in_parts_as_in_the_whole():
    objects = discs(0)
    metric = build("mask_map")
    result = metric.result(merged([measured(metric, objects, [*images]) for images in (range(3), range(3, PICTURES))]))
    assert [*result.values()] == pytest.approx(oracle(*objects).tolist())
    assert [*result][:3] == ["mask_map", "mask_map_50", "mask_map_75"]
    assert 0.1 < result["mask_map"] < 0.9


def test_each_class_is_measured_as_if_it_were_alone():
    found, masks, true, true_masks = discs(1)
    told = build({"name": "mask_map", "per_class": True, "class_names": ("one", "two")})
    values = told.result(measured(told, (found, masks, true, true_masks), ALL))
    alone = build("mask_map")
    for number, name in enumerate(("one", "two")):
        chosen = [np.flatnonzero(rows[:, 1] == number) for rows in (found, true)]
        codes = [[some[row] for row in rows] for some, rows in zip((masks, true_masks), chosen, strict=True)]
        own = measured(alone, (found[chosen[0]], codes[0], true[chosen[1]], codes[1]), ALL)
        assert values[f"mask_map/{name}"] == pytest.approx(alone.result(own)["mask_map"])
        assert values[f"mask_map_50/{name}"] == pytest.approx(alone.result(own)["mask_map_50"])
    few = build({"name": "mask_map", "per_class": True, "class_names": ("one",)})
    with pytest.raises(ConfigError, match="There are 1 class_names, but class 1"):
        few.result(measured(few, (found, masks, true, true_masks), ALL))


def test_perfect_masks_have_a_map_of_1_and_none_of_0():
    _, _, true, true_masks = discs(2)
    true[:, 2] = 0
    found = np.column_stack([true[:, :2], np.ones(len(true))])
    metric = build("segm_map")
    assert metric.result(measured(metric, (found, true_masks, true, true_masks), ALL))["mask_map"] == pytest.approx(1)
    assert metric.result(measured(metric, (found[:0], [], true, true_masks), ALL))["mask_map"] == 0
    assert np.isnan(metric.result(measured(metric, (found, true_masks, true[:0], []), ALL))["mask_map"])


def test_an_object_without_a_mask_is_told():
    found, masks, true, true_masks = discs(0)
    with pytest.raises(DataError, match="36 detections with 35 masks and 40 true objects with 40"):
        build("mask_map").measure(found, true, masks=masks[1:], true_masks=true_masks, images=range(PICTURES), sizes=[[1, 1]] * PICTURES)
