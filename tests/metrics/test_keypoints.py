"""Similarities and percentages of key points equal their definitions, whatever the batches."""

import math

import numpy as np
import pytest

from burnish.errors import ConfigError, DataError
from burnish.metrics.keypoints import keypoint_similarities
from burnish.metrics.metric import build
from burnish.metrics.state import merged


def points():
    rng = np.random.default_rng(0)
    true = np.concatenate([rng.uniform(0, 100, (9, 4, 2)), rng.integers(0, 3, (9, 4, 1))], axis=2)
    return true[..., :2] + rng.normal(0, 5, (9, 4, 2)), true, rng.uniform(20, 90, 9)


def test_points_within_the_share_of_the_side_are_right():
    found, true, sides = points()
    near = [
        math.dist(found[row, point], true[row, point, :2]) <= 0.1 * sides[row]
        for row in range(9)
        for point in range(4)
        if true[row, point, 2]
    ]
    metric = build("pck")
    assert metric.result(metric.measure(found, true, sides=sides)) == {"pck": pytest.approx(sum(near) / len(near))}


def test_batches_add_up():
    found, true, sides = points()
    metric = build({"name": "pck", "share": 0.2, "per_class": True, "class_names": tuple("abcd")})
    parts = [metric.measure(found[rows], true[rows], sides=sides[rows]) for rows in (slice(0, 2), slice(2, 9))]
    assert metric.result(merged(parts)) == metric.result(metric.measure(found, true, sides=sides))


def test_a_point_that_is_never_known_has_no_number():
    found, true, sides = points()
    true[:, 1, 2] = 0
    metric = build({"name": "pck", "per_class": True})
    assert math.isnan(metric.result(metric.measure(found, true, sides=sides))["pck/1"])


def test_shapes_that_do_not_fit_are_told():
    found, true, sides = points()
    with pytest.raises(DataError, match="expected"):
        build("pck").measure(found, true[..., :2], sides=sides)
    metric = build({"name": "pck", "per_class": True, "class_names": ("a",)})
    with pytest.raises(ConfigError, match="There are 1 class_names, but 4 key points"):
        metric.result(metric.measure(found, true, sides=sides))


def test_similarities_are_those_of_their_formula_point_by_point():
    found, true, _ = points()
    true[:, 0, 2] = 1  # each has a point that is known
    areas, sigmas = np.linspace(100, 4000, 9), (0.05, 0.1, 0.02, 0.07)
    values = keypoint_similarities(found[:5], true, areas, sigmas)
    for row in range(5):
        for column in range(9):
            known = [point for point in range(4) if true[column, point, 2]]
            near = [
                math.exp(-(math.dist(found[row, k], true[column, k, :2]) ** 2) / (2 * areas[column] * (2 * sigmas[k]) ** 2)) for k in known
            ]
            assert values[row, column] == pytest.approx(sum(near) / len(known))
    assert keypoint_similarities(np.zeros((0, 4, 3)), true, areas, sigmas).shape == (0, 9)
