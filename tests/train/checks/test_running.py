"""All checks run in their order, survive what one of them raises, and leave the network as it was."""

import pytest
import torch
from check_builders import example, loss, segmenter
from training_builders import same, weights

from burnish.errors import DataError
from burnish.train.checks.exporting import int8, onnx_export
from burnish.train.checks.finding import Finding
from burnish.train.checks.running import all_checks, run_checks

PLAIN = {name: check for name, check in all_checks().items() if name not in {"ONNX export", "int8"}}


def test_the_network_is_afterwards_what_it_was():
    model = segmenter().train()
    before, chance = weights(model), torch.get_rng_state()
    found = run_checks(model, example(), loss, checks=PLAIN)
    assert [one.name for one in found] == list(PLAIN)
    assert {one.name: one.status for one in found if one.status != "ok"} == {"broken inputs": "warning", "loading": "not checked"}
    assert same(before, weights(model))
    assert torch.equal(chance, torch.get_rng_state())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert model.training


def test_a_check_that_raises_is_a_finding_and_the_next_goes_on():
    def broken(_model, _example, _loss):
        raise KeyError("lost")

    def fine(_model, _example, _loss):
        return Finding("fine", "ok", "It works.")

    found = run_checks(segmenter(), example(), loss, checks={"broken": broken, "fine": fine})
    assert [(one.name, one.status) for one in found] == [("broken", "error"), ("fine", "ok")]
    assert "The check failed: KeyError: 'lost'." in found[0].found


def test_a_loss_that_fails_makes_findings_and_no_crash():
    found = run_checks(segmenter(), example(), lambda _output, _targets: 1 / 0, checks=PLAIN)
    told = {one.name: one.found for one in found if one.status == "error"}
    assert "ZeroDivisionError" in told["gradients"]
    assert {one.name for one in found if one.status == "ok"} == {"determinism", "batch independence", "divisible sizes"}


def test_one_picture_is_too_few():
    with pytest.raises(DataError, match="The example has 1 pictures; expected at least 2"):
        run_checks(segmenter(), example().sized(1), loss)


@pytest.mark.parametrize("check", [onnx_export, int8])
def test_without_the_exporter_nothing_is_claimed(check, monkeypatch):
    monkeypatch.setattr("burnish.train.checks.exporting.find_spec", lambda _name: None)
    found = check(segmenter(), example(), loss)
    assert (found.status, found.found) == ("not checked", "onnx is not installed.")
    assert found.advice.startswith("pip install onnx onnxscript")
