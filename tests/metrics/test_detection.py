"""COCO's numbers equal those of pycocotools; panoptic quality equals its definition by brute force."""

import itertools

import numpy as np
import pytest
from coco_oracle import coco_numbers
from hypothesis import given, settings
from hypothesis import strategies as st

from burnish.errors import ConfigError, DataError
from burnish.metrics.metric import build
from burnish.metrics.panoptic import panoptic_quality, panoptic_sums
from burnish.metrics.state import merged

pytest.importorskip("faster_coco_eval")


def numbered(count):
    return [{"id": number} for number in range(count)]


def boxes(seed):
    """True boxes and detections near them, in 12 pictures, with crowds and false alarms."""
    rng = np.random.default_rng(seed)
    corner, size = rng.uniform(0, 200, (60, 2)), rng.uniform(4, 130, (60, 2))
    true = np.column_stack(
        [rng.integers(0, 12, 60), rng.integers(0, 3, 60), rng.random(60) < 0.1, np.full(60, np.nan), corner, corner + size]
    )
    near = true[rng.permutation(60)[:45]]
    found = np.column_stack([near[:, :2], rng.random(45), near[:, 4:] + rng.normal(0, 4, (45, 4))])
    false = np.column_stack([rng.integers(0, 12, 10), rng.integers(0, 3, 10), rng.random(10), np.tile([0, 0, 30, 30], (10, 1))])
    return np.concatenate([found, false]), true


def test_map_is_cocos_in_parts_as_in_the_whole():
    found, true = boxes(0)
    metric = build("map")
    parts = []
    for images in (range(5), range(5, 12)):
        rows = [np.isin(objects[:, 0], [*images]) for objects in (found, true)]
        parts.append(metric.measure(found[rows[0]], true[rows[1]], images=[*images]))
    result = metric.result(merged(parts))
    sizes = true[:, 6:] - true[:, 4:6]
    annotations = [
        {"id": n + 1, "image_id": int(t[0]), "category_id": int(t[1]) + 1, "iscrowd": int(t[2]), "area": s.prod(), "bbox": [*t[4:6], *s]}
        for n, (t, s) in enumerate(zip(true, sizes, strict=True))
    ]
    results = [{"image_id": int(f[0]), "category_id": int(f[1]) + 1, "score": f[2], "bbox": [*f[3:5], *(f[5:] - f[3:5])]} for f in found]
    assert [*result.values()] == pytest.approx(coco_numbers(numbered(12), annotations, results, classes=(1, 2, 3), kind="bbox").tolist())
    assert list(result)[:3] == ["map", "map_50", "map_75"]
    assert 0.1 < result["map"] < 0.9


def test_perfect_detections_have_a_map_of_1_and_none_of_0():
    _, true = boxes(1)
    true[:, 2] = 0
    found = np.column_stack([true[:, :2], np.ones(60), true[:, 4:]])
    metric = build("map")
    assert metric.result(metric.measure(found, true, images=range(12)))["map"] == pytest.approx(1)
    assert metric.result(metric.measure([], true, images=range(12)))["map"] == 0
    assert np.isnan(metric.result(metric.measure(found, [], images=range(12)))["map"])


def test_objects_in_pictures_that_are_not_named_are_told():
    with pytest.raises(DataError, match="Objects stand in picture 11, which is not among images"):
        build("map").measure(*boxes(0), images=range(11))
    with pytest.raises(DataError, match=r"The detections have the shape \(1, 3\); expected \(n, 7\)"):
        build("map").measure([[0, 0, 0]], [], images=[0])


def test_oks_ap_is_cocos():
    rng = np.random.default_rng(0)
    corner, points = rng.uniform(0, 100, (20, 2)), rng.uniform(0, 80, (20, 17, 2))
    seen = rng.integers(0, 3, (20, 17, 1))
    images, areas = rng.integers(0, 5, 20), rng.uniform(1000, 20000, 20)
    true = np.column_stack(
        [images, np.zeros(20), areas, corner, corner + 80, np.concatenate([points + corner[:, None], seen], 2).reshape(20, -1)]
    )
    moved = np.concatenate([points + corner[:, None] + rng.normal(0, 4, points.shape), np.ones((20, 17, 1))], 2).reshape(20, -1)
    found = np.column_stack([images, rng.random(20), moved])
    metric = build("oks_ap")
    result = metric.result(metric.measure(found, true, images=range(5)))
    annotations = [
        {"id": n + 1, "image_id": int(t[0]), "category_id": 1, "iscrowd": 0, "area": t[2], "bbox": [*t[3:5], 80, 80],
         "keypoints": t[7:].tolist(), "num_keypoints": int((t[9::3] > 0).sum())}
        for n, t in enumerate(true)
    ]  # fmt: skip
    results = [{"image_id": int(f[0]), "category_id": 1, "score": f[1], "keypoints": f[2:].tolist()} for f in found]
    assert [*result.values()] == pytest.approx(coco_numbers(numbered(5), annotations, results, classes=(1,), kind="keypoints").tolist())
    with pytest.raises(ConfigError, match="There are 2 sigmas, but 17 key points"):
        build({"name": "oks_ap", "sigmas": [0.1, 0.1]}).result(metric.measure(found, true, images=range(5)))


def by_brute_force(found, true, found_classes, true_classes, *, classes, crowds):
    """Kirillov et al., sections 4.1 and 4.4, segment by segment."""
    sums = np.zeros((classes, 4))
    matched, taken = set(), set()
    valid = true != 0
    for (f, f_class), (t, t_class) in itertools.product(found_classes.items(), true_classes.items()):
        if f_class != t_class or t in crowds:
            continue
        one, two = (found == f) & valid, true == t
        if (one | two).any() and (one & two).sum() / (one | two).sum() > 0.5:
            sums[t_class, 0] += (one & two).sum() / (one | two).sum()
            sums[t_class, 1] += 1
            matched.add(f)
            taken.add(t)
    for f, f_class in found_classes.items():
        area = found == f
        excused = area & (~valid | np.isin(true, [t for t in crowds if true_classes[t] == f_class]))
        if f not in matched and area.any() and excused.sum() <= 0.5 * area.sum():
            sums[f_class, 2] += 1
    for t, t_class in true_classes.items():
        if t not in taken and t not in crowds and (true == t).any():
            sums[t_class, 3] += 1
    return sums


@settings(deadline=None, max_examples=80)
@given(st.integers(0, 100_000))
def test_panoptic_sums_are_those_of_brute_force(seed):
    rng = np.random.default_rng(seed)
    true = np.kron(rng.integers(0, 6, (3, 4)), np.ones((4, 4), int))
    found = np.where(rng.random(true.shape) < 0.2, rng.integers(0, 6, true.shape), np.roll(true, rng.integers(0, 3), 1))
    classes = {segment: int(rng.integers(0, 3)) for segment in range(1, 6)}
    other = {segment: label if rng.random() < 0.8 else int(rng.integers(0, 3)) for segment, label in classes.items()}
    crowds = [5] if rng.random() < 0.5 else []
    sums = panoptic_sums(found, true, other, classes, 3, crowds=crowds)
    assert sums == pytest.approx(by_brute_force(found, true, other, classes, classes=3, crowds=crowds))


def test_panoptic_quality_is_fit_times_recognition():
    values = panoptic_quality(np.array([[1.6, 2, 1, 1], [0, 0, 1, 0], [0, 0, 0, 0]], float))
    assert values[0] == pytest.approx([1.6 / 3, 0.8, 2 / 3])
    assert values[1].tolist() == [0, 0, 0]
    assert np.isnan(values[2]).all()


def test_pictures_of_panoptic_segments_add_up_and_segments_need_a_class():
    metric = build({"name": "pq", "num_classes": 2})
    segments = np.array([[1, 1, 2, 2]])
    state = metric.measure([segments] * 2, [segments] * 2, predicted_classes=[{1: 0, 2: 1}] * 2, given_classes=[{1: 0, 2: 1}, {1: 0, 2: 0}])
    assert metric.result(state)["pq"] == pytest.approx(np.mean([2 / 2.5, 1 / 1.5]))
    with pytest.raises(DataError, match="The true segment 2 has no class"):
        metric.measure([segments], [segments], predicted_classes=[{1: 0, 2: 1}], given_classes=[{1: 0}])


def test_each_class_is_measured_as_if_it_were_alone():
    found, true = boxes(3)
    told = build({"name": "map", "per_class": True, "class_names": ("one", "two", "three")})
    values = told.result(told.measure(found, true, images=np.arange(12)))
    alone = build("map")
    for number, name in enumerate(("one", "two", "three")):
        own = alone.measure(found[found[:, 1] == number], true[true[:, 1] == number], images=np.arange(12))
        assert values[f"map/{name}"] == pytest.approx(alone.result(own)["map"])
        assert values[f"map_50/{name}"] == pytest.approx(alone.result(own)["map_50"])
    assert values["map"] == pytest.approx(np.mean([values[f"map/{name}"] for name in ("one", "two", "three")]))


def test_too_few_class_names_are_told():
    found, true = boxes(3)
    told = build({"name": "map", "per_class": True, "class_names": ("one", "two")})
    with pytest.raises(ConfigError, match="There are 2 class_names, but class 2"):
        told.result(told.measure(found, true, images=np.arange(12)))
