"""Losses on key points and on the ranking of detections, by their formulas in NumPy, with gradients by differences."""

import numpy as np
import pytest
import torch

from burnish.errors import ConfigError, DataError
from burnish.geometry.keypoint_sigmas import COCO_PERSON
from burnish.metrics.ranking import average_precision
from burnish.train import losses


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def tensors(*arrays):
    return tuple(torch.from_numpy(np.asarray(array)) for array in arrays)


def test_heatmaps_of_points_that_are_not_there_do_not_count(rng):
    predicted, target = rng.random((2, 3, 4, 4)), rng.random((2, 3, 4, 4))
    there = np.array([[1.0, 0, 1], [0, 0, 1]])
    found = losses.build("heatmap_mse")(*tensors(predicted, target), weight=torch.from_numpy(there)).mean.item()
    assert found == pytest.approx(((predicted - target) ** 2)[there > 0].mean())


def test_adaptive_wing_is_the_formula_of_its_paper(rng):
    predicted, target = rng.random((2, 3, 6, 6)) * 1.5, rng.random((2, 3, 6, 6))
    found = losses.build({"name": "adaptive_wing", "foreground_weight": 0})(*tensors(predicted, target)).mean.item()
    omega, theta, epsilon, alpha = 14.0, 0.5, 1.0, 2.1
    total = 0.0
    for p, g in zip(predicted.ravel(), target.ravel(), strict=True):
        gap, power = abs(p - g), alpha - g
        slope = omega * (1 / (1 + (theta / epsilon) ** power)) * power * (theta / epsilon) ** (power - 1) / epsilon
        offset = theta * slope - omega * np.log(1 + (theta / epsilon) ** power)
        total += omega * np.log(1 + (gap / epsilon) ** power) if gap < theta else slope * gap - offset
    assert found == pytest.approx(total / predicted.size)


def test_adaptive_wing_counts_the_surroundings_of_a_point_elevenfold():
    target = np.zeros((1, 1, 5, 5))
    target[0, 0, 2, 2] = 1
    values = losses.build("adaptive_wing")(*tensors(target + 0.1, target)).parts["adaptive_wing"].values
    assert values[0, 0, 1, 1] == pytest.approx(11 * values[0, 0, 0, 0].item())


@pytest.mark.parametrize("name", ["adaptive_wing", "heatmap_mse"])
def test_gradients_of_heatmaps_are_those_of_differences(name, rng):
    predicted, target = tensors(rng.random((1, 2, 4, 4)), rng.random((1, 2, 4, 4)))
    loss = losses.build(name)
    assert torch.autograd.gradcheck(lambda maps: loss(maps, target).mean, predicted.requires_grad_())


def test_a_perfect_heatmap_has_a_gradient_of_0():
    maps = torch.zeros(1, 1, 4, 4, requires_grad=True)
    assert not torch.autograd.grad(losses.build("adaptive_wing")(maps, maps.detach()).mean, maps)[0].any()


def test_oks_is_cocos_similarity(rng):
    predicted, target, areas = (
        rng.random((3, 17, 2)) * 50,
        np.concatenate([rng.random((3, 17, 2)) * 50, rng.integers(0, 3, (3, 17, 1))], 2),
        [900.0, 2500, 400],
    )
    found = losses.build("oks")(*tensors(predicted, target), areas=torch.tensor(areas)).mean.item()
    costs = []
    for points, truth, area in zip(predicted, target, areas, strict=True):
        variance = (2 * np.array(COCO_PERSON)) ** 2
        share = np.exp(-((points - truth[:, :2]) ** 2).sum(1) / variance / area / 2)
        costs.append(1 - share[truth[:, 2] > 0].mean())
    assert found == pytest.approx(np.mean(costs))


def test_objects_without_a_visible_point_do_not_count(rng):
    points = rng.random((2, 4, 2))
    target = np.concatenate([points + 1, np.array([1.0, 0])[:, None, None].repeat(4, 1)], 2)
    for name, options in (("oks", {"areas": torch.tensor([100.0, 100])}), ("wing", {})):
        loss = losses.build(name)
        both = loss(*tensors(points, target), **options).mean
        alone = loss(*tensors(points[:1], target[:1]), **{key: value[:1] for key, value in options.items()}).mean
        assert both == pytest.approx(alone.item())


def test_wing_is_logarithmic_near_0_and_straight_far_away():
    predicted, target = np.array([[[3.0, 40.0]]]), np.zeros((1, 1, 2))
    offset = 10 - 10 * np.log(1 + 10 / 2)
    found = losses.build("wing")(*tensors(predicted, target)).mean.item()
    assert found == pytest.approx((10 * np.log(1 + 3 / 2) + 40 - offset) / 2)


@pytest.mark.parametrize("name", ["oks", "wing"])
def test_gradients_of_points_are_those_of_differences(name, rng):
    points, target = tensors(rng.random((2, 3, 2)) * 10, rng.random((2, 3, 2)) * 10)
    options = {"areas": torch.tensor([100.0, 50])} if name == "oks" else {}
    loss = losses.build(name)
    assert torch.autograd.gradcheck(lambda rows: loss(rows, target, **options).mean, points.requires_grad_())


def test_points_and_sigmas_that_do_not_fit_are_told():
    with pytest.raises(DataError, match=r"expected \(N, K, 2\), and \(N, K, 2\) or \(N, K, 3\)"):
        losses.build("wing")(torch.zeros(2, 3, 2), torch.zeros(2, 4, 2))
    with pytest.raises(ConfigError, match="sigmas has 2 numbers, but there are 3 key points"):
        losses.build({"name": "oks", "sigmas": [0.1, 0.1]})(torch.zeros(2, 3, 2), torch.zeros(2, 3, 2), areas=torch.ones(2))


def test_a_steep_smooth_average_precision_is_the_average_precision(rng):
    scores, hits = rng.permutation(50) / 50, rng.random(50) < 0.3
    loss = losses.build({"name": "MAP", "temperature": 1e-4, "from_logits": False})
    found = loss(*tensors(scores, hits)).mean.item()
    assert 1 - found == pytest.approx(average_precision(scores, hits), abs=1e-6)


def test_classes_without_hits_and_detections_without_weight_do_not_count(rng):
    scores, hits = rng.random((20, 3)), rng.random((20, 3)) < 0.4
    hits[:, 1] = False
    loss = losses.build("MAP")
    result = loss(*tensors(scores, hits))
    assert result.counts["average_precision"] == 2
    weight = (np.arange(20) < 15).astype(float)
    some = loss(*tensors(scores[:15], hits[:15])).mean.item()
    assert loss(*tensors(scores, hits), weight=torch.from_numpy(weight)).mean.item() == pytest.approx(some)


def test_training_on_it_brings_the_hits_to_the_top(rng):
    features, hits = torch.from_numpy(rng.normal(size=(60, 4))), torch.from_numpy(rng.random(60) < 0.3)
    features[hits, 0] += 1.5
    line = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    loss = losses.build({"name": "MAP", "temperature": 0.1})
    before = average_precision((features @ line).detach() + 1e-9 * torch.arange(60), hits)
    optimiser = torch.optim.Adam([line], lr=0.1)
    for _ in range(50):
        optimiser.zero_grad()
        loss(features @ line, hits).mean.backward()
        optimiser.step()
    assert average_precision((features @ line).detach(), hits) > before + 0.2


def test_the_gradient_of_the_ranking_is_that_of_differences(rng):
    scores, hits = tensors(rng.normal(size=(12, 2)), rng.random((12, 2)) < 0.5)
    loss = losses.build({"name": "MAP", "temperature": 0.3})
    assert torch.autograd.gradcheck(lambda rows: loss(rows, hits).mean, scores.requires_grad_())
    with pytest.raises(DataError, match=r"expected \(N,\) or \(N, K\) for both"):
        loss(scores, hits[:, 0])
