"""Calibration and prediction."""

import numpy as np
import pytest
from scipy.special import softmax

from burnish.errors import DataError
from burnish.models.classifiers import build_classifier
from burnish.models.device import choose_device
from burnish.train.augs.settings import TransformConfig
from burnish.train.fitted import FittedClassifier, cross_entropy, fit_temperature, predict_probabilities


def fitted(transform=None, temperature=1.0):
    model = build_classifier("small_net", 4, image_size=(16, 16)).eval()
    return FittedClassifier(model, transform or TransformConfig(), choose_device("cpu"), (), 0, temperature)


def pictures(number=7):
    return np.random.default_rng(0).integers(0, 256, (number, 16, 16, 3), dtype=np.uint8)


def test_the_temperature_of_overconfident_logits_is_found():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 1.5, (4000, 5))
    labels = (softmax(logits, axis=1).cumsum(axis=1) > rng.random((4000, 1))).argmax(axis=1)
    assert fit_temperature(3 * logits, labels) == pytest.approx(3, rel=0.1)


def test_a_handful_of_rows_calibrates_nothing():
    assert fit_temperature(np.eye(3), np.arange(3)) == 1


def test_cross_entropy_of_certain_and_right_logits_is_zero():
    assert cross_entropy(1000 * np.eye(3), np.arange(3)) == pytest.approx(0)


def test_probabilities_add_up_to_one_and_do_not_depend_on_the_batch_size():
    classifier = fitted(temperature=2.0)
    rows = np.array([5, 0, 3, 3])
    whole = predict_probabilities(classifier, pictures(), rows)
    single = predict_probabilities(classifier, pictures(), rows, batch_size=1)
    assert whole.dtype == np.float64
    assert whole.sum(axis=1) == pytest.approx(np.ones(4))
    assert single == pytest.approx(whole, abs=1e-5)


def test_no_rows_give_no_probabilities():
    assert predict_probabilities(fitted(), pictures(), np.empty(0, dtype=np.int64)).shape == (0, 4)


def test_a_fitted_classifier_keeps_the_classifier_protocol_for_pictures_of_any_size():
    classifier = fitted(TransformConfig.make(resize={"size": [16, 16]}))
    assert classifier.classify([pictures()[0], np.zeros((40, 30, 3), dtype=np.uint8)]).shape == (2, 4)


def test_pictures_of_several_sizes_without_resize_are_refused():
    with pytest.raises(DataError, match="2 sizes"):
        fitted().classify([pictures()[0], np.zeros((40, 30, 3), dtype=np.uint8)])
