"""Targets say which of two evaluations is better: expressions of metrics, under constraints, one after another."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burnish.config import Config
from burnish.errors import ConfigError, DataError
from burnish.train.target import TargetText, metric_names, parse_target, require_metrics, score


def better(text, first, second):
    target = parse_target(text)
    return score(target, first) > score(target, second)


def test_more_or_less_is_better_as_the_target_says():
    assert better("max iou", {"iou": 0.6}, {"iou": 0.5})
    assert better("min loss", {"loss": 0.5}, {"loss": 0.6})


def test_an_expression_of_several_metrics_counts():
    assert better("max 0.5*iou + 0.5 * f1", {"iou": 0.2, "f1": 1.0}, {"iou": 0.5, "f1": 0.5})
    assert score(parse_target("max mean(a, b) - c ** 2 / sqrt(4)"), {"a": 1, "b": 2, "c": 2}).values == (-0.5,)


def test_whatever_keeps_the_constraint_beats_whatever_does_not():
    text = "max iou_dataset with latency_ms <= 20"
    assert better(text, {"iou_dataset": 0.1, "latency_ms": 20}, {"iou_dataset": 0.9, "latency_ms": 20.1})


def test_among_those_that_break_it_the_nearer_one_is_better():
    text = "max iou with latency_ms < 20 and size_mb >= 3"
    assert better(text, {"iou": 0.1, "latency_ms": 21, "size_mb": 3}, {"iou": 0.9, "latency_ms": 30, "size_mb": 3})
    assert not better(text, {"iou": 0.9, "latency_ms": 20, "size_mb": 3}, {"iou": 0.1, "latency_ms": 19, "size_mb": 3})


def test_the_second_objective_decides_between_equals():
    assert better("max accuracy, then min loss", {"accuracy": 0.5, "loss": 1}, {"accuracy": 0.5, "loss": 2})
    assert better("max accuracy, min max(loss, 0)", {"accuracy": 0.6, "loss": 2}, {"accuracy": 0.5, "loss": 1})


@pytest.mark.parametrize("text", ["max x", "min x", "min x / y", "max sqrt(x)"])
def test_no_number_is_worst(text):
    assert better(text, {"x": 1.0, "y": 1.0}, {"x": math.nan if "sqrt" not in text else -1.0, "y": 0.0})


def test_a_constraint_on_no_number_is_broken():
    assert not score(parse_target("max x with y <= 1"), {"x": 1, "y": math.nan}).feasible


def test_names_with_other_letters_stand_in_quotes():
    assert score(parse_target('max "val/iou"'), {"val/iou": 0.5}).values == (0.5,)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 40)), min_size=2, max_size=8))
def test_the_best_score_is_the_best_that_is_allowed(rows):
    target = parse_target("max iou with ms <= 20")
    best = max(rows, key=lambda row: score(target, {"iou": row[0], "ms": row[1]}))
    allowed = [iou for iou, ms in rows if ms <= 20]
    assert best[0] == max(allowed) if allowed else best[1] == pytest.approx(min(ms for _, ms in rows))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("iou", "without max or min"),
        ("max", "without max or min"),
        ("max iou with latency", "without <="),
        ("max iou +", "no expression"),
        ("max __import__('os').system('true')", "expected metrics"),
        ("max iou if 1 else 2", "expected metrics"),
        ("max mxx(a, b)", r"calls 'mxx'. Did you mean 'max'"),
        ("max [1]", "expected metrics"),
    ],
)
def test_what_is_no_target_is_refused(text, said):
    with pytest.raises(ConfigError, match=said):
        parse_target(text)


def test_a_metric_that_is_not_there_is_told_with_the_nearest():
    target = parse_target("max iou_datast with latency_ms <= 20")
    assert metric_names(target) == ("iou_datast", "latency_ms")
    with pytest.raises(DataError, match=r"'iou_datast'.*Did you mean 'iou_dataset'"):
        require_metrics(target, {"iou_dataset": 1.0, "latency_ms": 2.0})
    with pytest.raises(DataError, match=r"no metric 'iou_datast'. Did you mean"):
        score(target, {"iou_dataset": 1.0, "latency_ms": 2.0})


class Settings(Config):
    """Settings with a target."""

    target: TargetText = parse_target("max iou")
    """What counts."""


def test_settings_hold_a_target_as_text():
    made = Settings.make(target="min loss with ms <= 3")
    assert Settings.make(**made.model_dump(mode="json")) == made
    with pytest.raises(ConfigError, match="'target' is 'loss'"):
        Settings.make(target="loss")
    assert Settings.model_json_schema()["properties"]["target"]["type"] == "string"
