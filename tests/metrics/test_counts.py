"""Counts are exact, and what is made of them is scikit-learn's; empty classes are left out or count as they are told to."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burnish.errors import ConfigError, DataError
from burnish.metrics.counts import averaged, label_counts, mask_counts, measured
from burnish.metrics.metric import build
from burnish.metrics.state import State, merged

maps = st.integers(0, 10_000).map(lambda seed: np.random.default_rng(seed).integers(0, 4, (2, 3, 5, 6)))


@settings(deadline=None, max_examples=40)
@given(maps)
def test_every_ratio_is_that_of_scikit_learn(pair):
    sk = pytest.importorskip("sklearn.metrics")
    found, true = pair
    counts = label_counts(found, true, 4).sum(axis=0)
    options = {"labels": range(4), "zero_division": np.nan}
    for measure, oracle in (
        ("iou", sk.jaccard_score),
        ("precision", sk.precision_score),
        ("recall", sk.recall_score),
        ("dice", sk.f1_score),
    ):
        arguments = options if measure != "iou" else {"labels": range(4), "zero_division": 0}
        expected = oracle(true.ravel(), found.ravel(), average=None, **arguments)
        assert measured(counts, measure, empty=0 if measure == "iou" else np.nan) == pytest.approx(expected, nan_ok=True)
    f2 = sk.fbeta_score(true.ravel(), found.ravel(), beta=2, average=None, **options)
    assert measured(counts, "f", beta=2) == pytest.approx(f2, nan_ok=True)
    for average in ("micro", "weighted"):
        expected = sk.precision_score(true.ravel(), found.ravel(), average=average, labels=range(4), zero_division=0)
        assert averaged(counts, "precision", average, empty=0) == pytest.approx(expected)


@settings(deadline=None, max_examples=40)
@given(maps)
def test_counts_of_pictures_add_up_and_specificity_is_the_recall_of_the_rest(pair):
    found, true = pair
    counts = label_counts(found, true, 4)
    assert (counts.sum(axis=2) == found[0].size).all()
    assert (counts.sum(axis=0) == label_counts(found.reshape(1, -1), true.reshape(1, -1), 4)[0]).all()
    for label in range(4):
        rest = mask_counts(found[:, None] != label, true[:, None] != label)[:, 0]
        assert measured(counts[:, label], "specificity") == pytest.approx(measured(rest, "recall"), nan_ok=True)


def test_dataset_and_image_iou_are_different_numbers_with_different_names():
    found = np.zeros((2, 4, 4), bool)
    true = found.copy()
    found[0, :2], true[0] = True, True
    found[1, 0, 0] = true[1, 0, 0] = True
    whole, each = build({"name": "iou", "mode": "binary"}), build({"name": "iou_image", "mode": "binary"})
    assert whole.result(whole.measure(found, true)) == {"iou_dataset": pytest.approx(9 / 17)}
    assert each.result(each.measure(found, true)) == {"iou_image": pytest.approx((8 / 16 + 1) / 2)}


def test_classes_tell_their_own_numbers_by_name():
    metric = build({"name": "iou", "per_class": True, "class_names": ["road", "sign"], "num_classes": 2})
    result = metric.result(metric.measure(np.array([[0, 0, 1, 1]]), np.array([[0, 1, 1, 1]])))
    assert result == {"iou_dataset": pytest.approx((1 / 2 + 2 / 3) / 2), "iou_dataset/road": 0.5, "iou_dataset/sign": pytest.approx(2 / 3)}


def test_a_class_that_is_nowhere_is_left_out_or_counts_as_it_is_told():
    found = true = np.array([[0, 0, 1]])
    for empty, expected in ((None, 1.0), (0.0, 2 / 3)):
        metric = build({"name": "iou", "num_classes": 3, "empty": empty})
        assert metric.result(metric.measure(found, true))["iou_dataset"] == pytest.approx(expected)
    assert np.isnan(build("iou").result(State())["iou_dataset"])


def test_ignored_pixels_count_for_no_class():
    found, true = np.array([[0, 1, 1, 0]]), np.array([[0, 1, 255, 255]])
    metric = build({"name": "iou", "num_classes": 2, "ignore_index": 255})
    assert metric.result(metric.measure(found, true))["iou_dataset"] == 1
    binary = build({"name": "recall", "mode": "binary", "ignore_index": 255})
    assert binary.result(binary.measure(np.array([[0.9, 0.1, 0.1]]), np.array([[1, 0, 255]])))["recall_dataset"] == 1


@pytest.mark.parametrize("shapes", [((2, 4, 4), (2, 4, 4)), ((2, 1, 4, 4), (2, 4, 4)), ((2, 4, 4), (2, 1, 4, 4)), ((2,), (2,))])
def test_binary_maps_may_carry_a_channel(shapes):
    metric = build({"name": "iou", "mode": "binary"})
    assert metric.result(metric.measure(np.full(shapes[0], 0.9), np.ones(shapes[1])))["iou_dataset"] == 1


def test_merging_is_the_same_in_any_grouping():
    metric = build({"name": "iou", "per": "image", "num_classes": 4})
    rng = np.random.default_rng(0)
    found, true = rng.integers(0, 4, (2, 6, 5, 5))
    parts = [metric.measure(found[rows], true[rows]) for rows in (slice(0, 1), slice(1, 4), slice(4, 6))]
    whole = metric.result(metric.measure(found, true))
    assert metric.result(merged(parts)) == metric.result(merged([parts[0], merged(parts[1:])])) == whole


def test_soft_overlaps_need_no_threshold_and_are_1_where_the_prediction_is_the_soft_target():
    chances, target = np.array([[0.5, 0.2], [0.0, 0.0]]), np.array([[1.0, 0.0], [0.0, 0.0]])
    metric = build("soft_overlap")
    assert metric.result(metric.measure(chances, target)) == pytest.approx({"soft_iou_dataset": 0.5 / 1.2, "soft_dice_dataset": 1.0 / 1.7})
    assert metric.result(metric.measure(chances, chances))["soft_iou_dataset"] == pytest.approx(1)
    each = build({"name": "soft_overlap", "per": "image", "empty": 1})
    assert each.result(each.measure(chances, target))["soft_iou_image"] == pytest.approx((0.5 / 1.2 + 1) / 2)


def test_what_does_not_fit_is_told():
    with pytest.raises(ConfigError, match="The predictions are labels; set num_classes"):
        build("iou").measure(np.zeros((2, 3), int), np.zeros((2, 3), int))
    with pytest.raises(DataError, match=r"The given labels hold 7; expected 0 to 2\. Set ignore_index"):
        build("iou").measure(np.zeros((1, 3, 2)), np.array([[0, 7]]))
    with pytest.raises(DataError, match=r"expected \(N, K, \.\.\.\) and \(N, \.\.\.\)"):
        build("iou").measure(np.zeros((1, 3, 2)), np.zeros((1, 5), int))
    with pytest.raises(ConfigError, match=r"There is no metric 'iuo'\. Did you mean 'iou'\?"):
        build("iuo")
    with pytest.raises(ConfigError, match=r"unknown key 'treshold'\. Did you mean 'threshold'\?"):
        build({"name": "iou", "treshold": 0.3})
