import numpy as np
import polars as pl
import pytest

from burnish.audit.confident import confident_issues, label_quality
from burnish.audit.label_issues import label_issues
from burnish.errors import ConfigError, DataError
from burnish.metrics.ranking import average_precision, f1


def noisy_set(seed=0, *, count=3000, classes=10, noise=0.2, strength=4.0, pairs=False, dtype=np.float64):
    """A calibrated model's softmax over noisy logits, and labels of which a known share was exchanged."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, count)
    logits = rng.normal(0, 1.2, (count, classes))
    logits[np.arange(count), truth] += strength
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    step = 1 if pairs else rng.integers(1, classes, count)
    given = np.where(rng.random(count) < noise, (truth + step) % classes, truth)
    return given, probabilities.astype(dtype), truth


def judged(given, probabilities, truth, **options):
    table = label_issues(given, probabilities, **options)
    wrong = given != truth
    return average_precision(table["score"], wrong), f1(table["is_issue"], wrong)


def test_the_table_has_one_row_for_each_label_in_the_given_order():
    given, probabilities, _ = noisy_set(count=50)
    table = label_issues(given, probabilities)
    assert table.schema == {
        "row": pl.Int64,
        "score": pl.Float64,
        "is_issue": pl.Boolean,
        "given": pl.Int64,
        "suggested": pl.Int64,
        "reason": pl.String,
    }
    assert table["row"].to_list() == list(range(50))
    assert table["given"].to_list() == given.tolist()
    assert table["score"].is_between(0, 1).all()


def test_names_come_back_as_names_and_the_reason_holds_the_numbers():
    probabilities = np.tile([0.9, 0.06, 0.04], (90, 1))
    probabilities[30:60], probabilities[60:] = np.roll(probabilities[30:60], 1, axis=1), np.roll(probabilities[60:], 2, axis=1)
    names = np.repeat(["cat", "dog", "ox"], 30).tolist()
    names[0] = "dog"
    first = label_issues(names, probabilities, class_names=["cat", "dog", "ox"]).row(0, named=True)
    assert first["is_issue"]
    assert (first["given"], first["suggested"]) == ("dog", "cat")
    assert first["reason"] == "model gives 0.90 to 'cat' and 0.06 to the given 'dog'"


@pytest.mark.parametrize("noise", [0.05, 0.2, 0.4])
@pytest.mark.parametrize("pairs", [False, True])
def test_the_ranking_is_at_least_as_good_as_self_confidence(noise, pairs):
    given, probabilities, truth = noisy_set(3, noise=noise, pairs=pairs)
    wrong = given != truth
    ours, _ = judged(given, probabilities, truth)
    assert ours >= average_precision(1 - label_quality(given, probabilities), wrong)


@pytest.mark.parametrize("noise", [0.05, 0.2, 0.4])
@pytest.mark.parametrize("pairs", [False, True])
def test_the_cut_off_is_no_worse_than_the_better_of_two_simple_rules(noise, pairs):
    given, probabilities, truth = noisy_set(4, noise=noise, pairs=pairs)
    wrong = given != truth
    _, ours = judged(given, probabilities, truth)
    rules = f1(confident_issues(given, probabilities), wrong), f1(probabilities.argmax(axis=1) != given, wrong)
    assert ours >= max(rules) - 0.02


def test_sparse_noise_ranks_an_exchange_that_happens_above_one_that_does_not():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 6000)
    given = np.where((truth == 0) & (rng.random(6000) < 0.4), 1, truth)
    probabilities = np.full((6000, 3), 0.02)
    probabilities[np.arange(6000), truth] = 0.96
    probabilities[:2], given[:2] = [0.5, 0.25, 0.25], [1, 2]
    table = label_issues(given, probabilities)
    assert table["score"][0] > table["score"][1]


def test_predictions_that_know_nothing_flag_nothing():
    rng = np.random.default_rng(1)
    for classes in (2, 10):
        table = label_issues(rng.integers(0, classes, 2000), rng.dirichlet(np.ones(classes), 2000))
        assert table["is_issue"].sum() == 0


def test_constant_predictions_flag_nothing():
    assert label_issues(np.arange(40) % 4, np.full((40, 4), 0.25))["is_issue"].sum() == 0


def test_right_labels_of_a_sure_model_stand():
    truth = np.arange(400) % 4
    probabilities = np.full((400, 4), 0.01)
    probabilities[np.arange(400), truth] = 0.97
    table = label_issues(truth, probabilities)
    assert table["is_issue"].sum() == 0
    assert table["suggested"].to_list() == truth.tolist()


def test_two_classes_with_few_errors_flag_few():
    given, probabilities, truth = noisy_set(5, classes=2, noise=0.05, strength=3.0)
    flagged = label_issues(given, probabilities)["is_issue"]
    assert flagged.mean() < 0.15
    assert f1(flagged, given != truth) > 0.6


def test_a_flagged_label_always_has_another_suggestion():
    given, probabilities, _ = noisy_set(6, noise=0.4, strength=1.5)
    flagged = label_issues(given, probabilities).filter("is_issue")
    assert flagged.height
    assert (flagged["given"] != flagged["suggested"]).all()


def test_a_class_without_examples_is_no_obstacle():
    given, probabilities, truth = noisy_set(7)
    extra = np.zeros((len(given), 2))
    wider = np.hstack([probabilities, extra])
    precision, _ = judged(given, wider, truth)
    assert precision > 0.95


def test_labels_all_of_one_class_are_judged():
    probabilities = np.tile([0.9, 0.1], (50, 1))
    probabilities[0] = 0.01, 0.99
    table = label_issues(np.zeros(50, dtype=int), probabilities)
    assert table["score"].arg_max() == 0


def test_a_thousand_classes_and_fifty_examples_work():
    given, probabilities, truth = noisy_set(8, count=50, classes=1000, strength=9.0)
    precision, _ = judged(given, probabilities, truth)
    assert precision > 0.9


def test_float32_and_half_precision_give_the_ranking_of_float64():
    given, probabilities, truth = noisy_set(9)
    full, _ = judged(given, probabilities, truth)
    for narrow in (np.float32, np.float16):
        assert judged(given, probabilities.astype(narrow), truth)[0] == pytest.approx(full, abs=0.003)


def test_lists_are_taken_and_inputs_stay_as_they_were():
    given, probabilities, _ = noisy_set(10, count=60)
    before = given.copy(), probabilities.copy()
    table = label_issues(given, probabilities)
    assert np.array_equal(before[0], given)
    assert np.array_equal(before[1], probabilities)
    assert label_issues(given.tolist(), probabilities.tolist()).equals(table)


def test_the_result_is_the_same_every_time_and_in_every_order():
    given, probabilities, _ = noisy_set(11)
    order = np.random.default_rng(0).permutation(len(given))
    table, again, shuffled = (label_issues(given[o], probabilities[o]) for o in (slice(None), slice(None), order))
    assert table.equals(again)
    np.testing.assert_allclose(shuffled["score"], table["score"].to_numpy()[order], atol=1e-6)


def test_a_rule_of_confident_learning_can_be_asked_for():
    given, probabilities, _ = noisy_set(12, count=400)
    table = label_issues(given, probabilities, method="prune_by_class")
    assert table["is_issue"].to_list() == confident_issues(given, probabilities, "prune_by_class").tolist()
    np.testing.assert_allclose(table["score"], 1 - label_quality(given, probabilities))


def embedded(seed, *, good):
    given, probabilities, truth = noisy_set(seed, count=1200, strength=2.0)
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(10, 16))
    points = centres[truth] + 0.4 * rng.normal(size=(1200, 16)) if good else rng.normal(size=(1200, 16))
    return given, probabilities, truth, points


def test_embeddings_that_separate_the_classes_help():
    given, probabilities, truth, points = embedded(13, good=True)
    assert judged(given, probabilities, truth, embeddings=points)[0] > judged(given, probabilities, truth)[0] + 0.01


def test_embeddings_that_know_nothing_change_nothing():
    given, probabilities, _, points = embedded(14, good=False)
    assert label_issues(given, probabilities, embeddings=points).equals(label_issues(given, probabilities))


GOOD = np.full((4, 2), 0.5)


@pytest.mark.parametrize(
    ("labels", "probabilities", "options", "message"),
    [
        ([0, 1], GOOD, {}, "2 labels, but probabilities for 4 examples"),
        ([[0, 1, 0, 1]], GOOD, {}, "labels must have one dimension"),
        ([0, 1, 2, 1], GOOD, {}, "label 2 in row 2; with 2 classes labels go from 0 to 1"),
        ([0, 1, -1, 1], GOOD, {}, "label -1 in row 2"),
        ([0, 1, 0.5, 1], GOOD, {}, "label 0.5 in row 2; class indices must be whole numbers"),
        ([0, 1, np.nan, 1], GOOD, {}, "label nan in row 2"),
        (["a", "b", "a", "b"], GOOD, {}, "pass class_names"),
        (["a", "b", "z", "b"], GOOD, {"class_names": ["a", "b"]}, "label 'z' in row 2 is none of the class names: 'a', 'b'"),
        ([0, 1, 0, 1], GOOD, {"class_names": ["a"]}, "1 class names, but probabilities for 2 classes"),
        ([0, 1, 0, 1], GOOD, {"class_names": ["a", "a"]}, "class name 'a' stands more than once"),
        ([True, False, True, False], GOOD, {}, "labels must be class indices or class names; found bool"),
        ([0, 0], np.ones((2, 1)), {}, "1 class; a label can only be wrong where there are at least 2"),
        ([], np.empty((0, 2)), {}, "no example"),
        ([0, 1], [0.5, 0.5], {}, "two dimensions"),
        ([0, 1], [[0.5, 0.5], [1.0]], {}, "cannot be read as one array"),
        ([0, 1], [[0.5, 0.5], [np.nan, 1.0]], {}, "row 1 hold NaN"),
        ([0, 1], [[0.5, 0.5], [np.inf, 1.0]], {}, "row 1 hold NaN or infinity"),
        ([0, 1], [[0.5, 0.5], [-0.2, 1.2]], {}, "row 1 hold the negative value -0.2"),
        ([0, 1], [[0.5, 0.5], [0.9, 0.9]], {}, "row 1 hold values that sum to 1.8"),
        ([0, 1], [["a", "b"], ["c", "d"]], {}, "probabilities must be numbers"),
        ([0, 1, 0, 1], GOOD, {"embeddings": np.ones((3, 2))}, "embeddings must have shape"),
        ([0, 1, 0, 1], GOOD, {"embeddings": np.full((4, 2), np.nan)}, "NaN or infinity in row 0"),
    ],
)
def test_what_cannot_be_judged_is_refused_with_the_place(labels, probabilities, options, message):
    with pytest.raises(DataError, match=message):
        label_issues(labels, probabilities, **options)


def test_an_unknown_method_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match="prune_by_noise_rate"):
        label_issues([0, 1, 0, 1], GOOD, method="magic")


def test_embeddings_with_a_rule_that_cannot_use_them_are_refused():
    with pytest.raises(ConfigError, match="does not use embeddings"):
        label_issues([0, 1, 0, 1], GOOD, method="both", embeddings=np.ones((4, 2)))
