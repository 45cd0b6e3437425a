from dataclasses import replace

import numpy as np

from burnish.audit.calibration import fit_calibration
from burnish.audit.noise_model import fit_noise_model
from burnish.audit.posteriors import judge


def drawn(seed=0, *, count=20_000, classes=4, power=1.0, floor=0.0):
    """Labels drawn from a model's own probabilities, which are then reported raised to a power."""
    rng = np.random.default_rng(seed)
    honest = rng.dirichlet(np.full(classes, 0.4), count)
    labels = (honest.cumsum(axis=1) < rng.random((count, 1))).sum(axis=1).clip(max=classes - 1)
    labels = np.where(rng.random(count) < floor, rng.integers(0, classes, count), labels)
    reported = honest**power
    return labels, reported / reported.sum(axis=1, keepdims=True)


def test_the_exponent_undoes_over_and_under_confidence():
    for power in (0.5, 1.0, 2.0):
        assert abs(np.log(fit_calibration(*drawn(power=power)).exponent * power)) < 0.15


def test_the_floor_is_the_share_of_labels_given_at_random():
    assert abs(fit_calibration(*drawn(floor=0.2)).floor - 0.2) < 0.03


def test_the_anchors_recover_the_transitions_of_the_noise():
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 3, 30_000)
    transitions = np.array([[0.7, 0.3, 0.0], [0.0, 0.9, 0.1], [0.05, 0.05, 0.9]])
    labels = (transitions[truth].cumsum(axis=1) < rng.random((30_000, 1))).sum(axis=1)
    logits = rng.normal(0, 1, (30_000, 3))
    logits[np.arange(30_000), truth] += 4
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(fit_noise_model(labels, probabilities).anchors, transitions, atol=0.02)


def test_transitions_are_probabilities_also_for_classes_nobody_predicts():
    labels, probabilities = drawn(2, count=300)
    model = fit_noise_model(labels, np.hstack([probabilities, np.zeros((300, 3))]))
    for table in (model.anchors, model.everywhere):
        np.testing.assert_allclose(table.sum(axis=1), 1)
        assert (table > 0).all()


def test_posteriors_are_probabilities():
    labels, probabilities = drawn(3, count=2000)
    posteriors = judge(labels, probabilities, fit_noise_model(labels, probabilities))
    for values in (posteriors.score, posteriors.counting):
        assert ((values >= 0) & (values <= 1)).all()


def test_products_and_roots_give_the_posteriors_of_powers():
    labels, probabilities = drawn(5, count=500)
    model = fit_noise_model(labels, probabilities)
    logs = np.log(probabilities + 1e-6) + model.calibration.bias
    for power in (1.0, 1.5, 3.0, 4.5):
        model = replace(model, count_sharpness=power, anchors_share=1.0)
        weights = np.exp(logs * power * model.calibration.exponent) * model.anchors.T[labels]
        own = weights[np.arange(500), labels] / weights.sum(axis=1)
        np.testing.assert_allclose(judge(labels, probabilities, model).counting, 1 - own, atol=1e-4)
