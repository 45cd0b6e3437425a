"""Metrics of classified pictures equal scikit-learn's and their definitions, in parts as in the whole."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burnish.descriptions import config_class
from burnish.errors import DataError
from burnish.metrics.calibration import calibration_error, reliability
from burnish.metrics.metric import build
from burnish.metrics.names import METRICS
from burnish.metrics.ranking import auroc, precision_recall_curve, roc_curve
from burnish.metrics.state import State, merged


@pytest.fixture
def batch():
    rng = np.random.default_rng(0)
    scores = rng.dirichlet(np.ones(5), 60)
    return scores, rng.integers(0, 5, 60)


def test_accuracy_among_the_highest_is_scikit_learns(batch):
    sk = pytest.importorskip("sklearn.metrics")
    metric = build({"name": "accuracy", "top": [1, 2, 5]})
    expected = [sk.top_k_accuracy_score(batch[1], batch[0], k=top, labels=range(5)) for top in (1, 2)]
    assert metric.result(metric.measure(*batch)) == {"accuracy": expected[0], "accuracy_top2": expected[1], "accuracy_top5": 1.0}


def test_equal_scores_are_no_hit_for_all_of_them():
    metric = build("accuracy")
    assert metric.result(metric.measure(np.zeros((4, 4)), np.arange(4))) == {"accuracy": 0.25}


def test_the_confusion_matrix_is_kept_and_told_by_three_numbers(batch):
    sk = pytest.importorskip("sklearn.metrics")
    metric = build("confusion")
    state = merged([metric.measure(batch[0][:7], batch[1][:7]), metric.measure(batch[0][7:], batch[1][7:])])
    labels = batch[0].argmax(1)
    assert (state.sums["confusion"] == sk.confusion_matrix(batch[1], labels)).all()
    assert metric.result(state)["balanced_accuracy"] == pytest.approx(sk.balanced_accuracy_score(batch[1], labels))


def test_the_calibration_error_is_its_definition(batch):
    scores, given_classes = batch
    metric = build({"name": "ece", "bins": 10})
    state = merged([metric.measure(scores[:20], given_classes[:20]), metric.measure(scores[20:], given_classes[20:])])
    confidence, right = scores.max(1), scores.argmax(1) == given_classes
    expected = 0.0
    gaps = []
    for low in np.arange(10) / 10:
        inside = (confidence > low) & (confidence <= low + 0.1)
        if inside.any():
            gaps.append(abs(confidence[inside].mean() - right[inside].mean()))
            expected += inside.mean() * gaps[-1]
    assert metric.result(state) == {"ece": pytest.approx(expected), "ece_max": pytest.approx(max(gaps))}


def test_a_forecast_that_comes_true_as_often_as_it_says_is_calibrated():
    sums = reliability(np.repeat(0.8, 10), np.arange(10) < 8)
    assert calibration_error(sums) == pytest.approx(0)
    assert np.isnan(calibration_error(np.zeros((3, 3))))
    with pytest.raises(DataError, match=r"The confidence in row 1 is 1\.5; expected a probability"):
        reliability([0.1, 1.5], [True, False])


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=30).filter(
        lambda rows: 0 < sum(b for _, b in rows) < len(rows)
    )
)
def test_curves_are_scikit_learns_and_hold_the_area(rows):
    sk = pytest.importorskip("sklearn.metrics")
    score, truth = np.array(rows, dtype=float).T
    precision, recall, thresholds = sk.precision_recall_curve(truth, score)
    curve = precision_recall_curve(score, truth)[::-1]
    kept = np.isin(curve[:, 0], thresholds)
    assert curve[kept] == pytest.approx(np.stack([thresholds, precision[:-1], recall[:-1]], 1))
    curve = np.concatenate([[[0, 0, 0]], roc_curve(score, truth)])
    assert np.trapezoid(curve[:, 2], curve[:, 1]) == pytest.approx(auroc(score, truth))


def test_areas_of_several_classes_are_the_mean_of_each_against_the_rest(batch):
    sk = pytest.importorskip("sklearn.metrics")
    scores, classes = batch
    metric = build("auroc")
    state = merged([metric.measure(scores[:9], classes[:9]), metric.measure(scores[9:], classes[9:])])
    assert metric.result(state)["auroc"] == pytest.approx(sk.roc_auc_score(classes, scores, multi_class="ovr"))
    precise = build("average_precision")
    expected = np.mean([sk.average_precision_score(classes == label, scores[:, label]) for label in range(5)])
    assert precise.result(state)["average_precision"] == pytest.approx(expected)
    assert np.isnan(metric.result(metric.measure(scores[:3, 0], np.zeros(3)))["auroc"])


@pytest.mark.parametrize(
    "name", ["accuracy", "confusion", "ece", "auroc", "average_precision", "soft_overlap", "surfaces", "map", "oks_ap"]
)
def test_of_nothing_every_number_is_nan(name):
    assert all(np.isnan(value) for value in build(name).result(State()).values())


def test_classes_that_are_none_are_told_with_their_row():
    with pytest.raises(DataError, match="Row 1 has the class 9; expected 0 to 1"):
        build("accuracy").measure(np.zeros((2, 2)), np.array([0, 9]))


def test_describing_a_metric_loads_no_numpy():
    code = "import sys; from burnish.metrics.names import METRICS; from burnish.descriptions import describe, schema\n"
    code += "describe(METRICS, 'iou_image'); schema(METRICS); sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", sorted(METRICS.entries))
def test_every_metric_has_a_description_with_its_name_and_a_word_on_every_field(name):
    cls = config_class(METRICS, name)
    assert cls.model_fields["name"].default == name
    assert all(field.description for field in cls.model_fields.values())
    given = {"name": name, "num_classes": 2} if name == "panoptic" else {"name": name}
    assert build(given).description.name == name


def test_every_other_name_of_a_metric_makes_it():
    for alias, target in METRICS.aliases.items():
        given = {"name": alias, "num_classes": 2} if target.name == "panoptic" else alias
        assert build(given).description.name == target.name
