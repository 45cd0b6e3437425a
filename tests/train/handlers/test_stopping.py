"""Stoppers end a training, by name or class name, alone or together."""

import io
import math
import signal
import sys

import pytest
from training_builders import small_job

from burnish.errors import ConfigError, DataError
from burnish.train.handlers.interrupts import is_answered
from burnish.train.target import parse_target
from burnish.train.training import train


def stopped(rules, values, target="max iou", **more):
    """How many evaluations there were, and why the training ended."""
    left = iter(values)
    job = small_job(
        epochs=len(values),
        handlers=[{"name": "stopping", "rules": rules}],
        target=parse_target(target),
        evaluate=lambda _model: {"iou": next(left), "ms": 30.0},
        **more,
    )
    run = train(job)
    return run.evaluations, run.stop


@pytest.mark.parametrize("name", ["patience", "EarlyStopping", "EarlyStopper"])
def test_patience_ends_after_evaluations_without_a_gain(name):
    found = stopped([{"name": name, "evaluations": 2}], [0.1, 0.3, 0.2, 0.3, 0.9])
    assert found == (4, "the target 'max iou' has brought no gain in 2 evaluations")


def test_a_small_gain_may_be_none():
    assert stopped([{"name": "patience", "evaluations": 2, "threshold": 0.1}], [0.5, 0.51, 0.52, 0.53])[0] == 3
    assert stopped([{"name": "patience", "evaluations": 2}], [0.5, 0.51, 0.52, 0.53]) == (4, "")


def test_a_goal_that_is_reached_ends_the_training():
    assert stopped([{"name": "goal", "when": "iou >= 0.5 and ms <= 30"}], [0.1, 0.5, 0.9]) == (
        2,
        "the goal 'iou >= 0.5 and ms <= 30' is reached",
    )


def test_a_hopeless_training_ends():
    evaluations, reason = stopped([{"name": "Hopeless", "unless": "iou >= 0.2", "after": 2}], [0.1, 0.1, 0.9])
    assert (evaluations, reason) == (2, "'iou >= 0.2' does not hold after 2 evaluations")


def test_no_number_ends_the_training():
    assert stopped(["not_finite"], [0.1, math.nan, 0.3]) == (2, "the metric 'iou' is nan")


def test_time_that_is_up_ends_the_training_within_the_epoch():
    evaluations, reason = stopped([{"name": "time_limit", "minutes": 1e-9}], [0.1])
    assert evaluations == 0
    assert "is used up" in reason


def test_rules_can_be_joined():
    both = [{"name": "goal", "when": "iou >= 0.2"}, {"name": "goal", "when": "iou >= 0.4"}]
    assert stopped([{"name": "all_of", "rules": both}], [0.1, 0.3, 0.5, 0.6])[0] == 3
    assert stopped([{"name": "AnyOf", "rules": both}], [0.1, 0.3, 0.5, 0.6])[0] == 2


def test_unknown_stoppers_and_metrics_are_told_with_the_nearest():
    with pytest.raises(ConfigError, match=r"no stopper 'patiens'. Did you mean '[Pp]atience'"):
        stopped(["patiens"], [0.1])
    with pytest.raises(DataError, match=r"'iuo', which no evaluation gives. Did you mean 'iou'"):
        stopped([{"name": "goal", "when": "iuo >= 1"}], [0.1])


@pytest.mark.parametrize(("keys", "steps", "interrupted"), [("c\n", 18, False), ("x\ns\n", 18, False), ("q\n", 3, True), ("", 3, True)])
def test_on_a_terminal_ctrl_c_asks_whether_to_go_on(keys, steps, interrupted, monkeypatch, tmp_path):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr("sys.stdin", Terminal(keys))
    monkeypatch.setattr("sys.stderr", Terminal())

    class Pressing:
        name = "pressing"

        def step_began(self, run):
            if run.step == 2:
                signal.raise_signal(signal.SIGINT)

    job = small_job(handlers=["saving", {"name": "interrupts", "ask": True}], more=[Pressing()], folder=tmp_path)
    run = train(job)
    assert (run.step, run.interrupted) == (steps, interrupted)
    assert is_answered()
    assert "[s]ave" in sys.stderr.getvalue()
