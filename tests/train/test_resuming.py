"""A training that was stopped, killed or interrupted continues as if nothing had been."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from training_builders import network, same, small_job, weights

from burnish.errors import DataError, WeightsError
from burnish.train.handlers.saving import BEST, LAST
from burnish.train.training import train

EVERYTHING = [
    {"name": "accumulation", "batches": 2},
    {"name": "skipping", "outlier": 30},
    {"name": "clipping", "norm": 1.0},
    {"name": "averaging", "decay": 0.9},
    {"name": "freezing", "stages": [{"glob": "0.*", "until": 1.5}]},
    {"name": "stopping", "rules": [{"name": "patience", "evaluations": 50}]},
    {"name": "saving", "every_steps": 1},
    "interrupts",
]
SCRIPT = """
import sys, time
from pathlib import Path
sys.path[:0] = [{tests!r}]
import torch
torch.set_num_threads(1)
import training_builders as built
from burnish.train.training import train

def slowly(model, batch):
    time.sleep(0.004)
    return built.forward(model, batch)

torch.manual_seed(3)
job = built.small_job(handlers={handlers!r}, epochs=8, evaluations_per_epoch=3, folder=Path(sys.argv[1]), forward=slowly,
                      schedule={{"name": "plateau", "patience": 1, "warmup": 0.5}})
torch.manual_seed(3)
print("ready", flush=True)
run = train(job)
average = job.handlers.named("averaging").state()["average"]
torch.save({{"model": job.model.state_dict(), "average": average}}, Path(sys.argv[1]) / "final.pt")
print("interrupted" if run.interrupted else "finished", run.step, flush=True)
"""


class StopAt:
    """A handler that sends this process a signal at a step."""

    name = "stop_at"

    def __init__(self, step, number):
        self.step, self.number = step, number

    def step_began(self, run):
        if run.step == self.step:
            os.kill(os.getpid(), self.number)


def job(folder=None, more=(), **settings):
    settings = {"handlers": EVERYTHING, "schedule": {"name": "plateau", "patience": 0}, "evaluations_per_epoch": 2, **settings}
    return small_job(folder=folder, more=more, **settings)


@pytest.fixture(scope="module")
def whole():
    """The weights and the average of a training that nothing disturbed."""
    done = job()
    torch.manual_seed(3)
    train(done)
    return weights(done.model), dict(done.handlers.named("averaging").state()["average"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("step", range(1, 9))
def test_a_signal_finishes_the_step_and_the_same_call_continues_inside_the_epoch(tmp_path, whole, step, number):
    before = signal.getsignal(number)
    first = job(tmp_path, [StopAt(step, number)])
    torch.manual_seed(3)
    run = train(first)
    assert (run.interrupted, run.step, run.stop) == (True, step + 1, f"{number.name} was received")
    assert signal.getsignal(number) is before
    torch.manual_seed(99)
    again = job(tmp_path, model=network(seed=8))
    assert train(again).stop == ""
    assert same(weights(again.model), whole[0])
    assert same(again.handlers.named("averaging").state()["average"], whole[1])


def test_a_second_interrupt_stops_at_once(tmp_path):
    class Twice(StopAt):
        def gradients_ready(self, run):
            self.step_began(run)

    before = signal.getsignal(signal.SIGINT)  # a shell that starts this in the background has it ignored
    with pytest.raises(KeyboardInterrupt):
        train(job(tmp_path, [Twice(2, signal.SIGINT)]))
    assert signal.getsignal(signal.SIGINT) is before
    assert torch.load(tmp_path / LAST)["run"]["step"] == 2


def test_chance_of_python_and_numpy_continues_too(tmp_path):
    numpy = pytest.importorskip("numpy")
    drawn = []

    class Draws:
        name = "draws"

        def step_began(self, _run):
            drawn.append((random.random(), numpy.random.random()))  # noqa: S311 - the global generators are the point

    for folder, stops in ((None, []), (tmp_path, [StopAt(3, signal.SIGTERM)]), (tmp_path, [])):
        if not (folder and not stops):
            random.seed(1)
            numpy.random.seed(1)
        train(job(folder, [Draws(), *stops], epochs=2))
    assert drawn[:6] == drawn[6:]


def test_the_best_checkpoint_holds_the_weights_that_were_evaluated(tmp_path):
    values = iter([0.5, 0.1, 0.3])
    seen = []
    train(
        small_job(
            folder=tmp_path,
            handlers=["saving", {"name": "averaging", "decay": 0.5}],
            evaluate=lambda model: seen.append(weights(model)) or {"loss": next(values)},
        )
    )
    best = torch.load(tmp_path / BEST)
    assert same(best["model"], seen[1])
    assert (best["metrics"], best["step"], best["target"]) == ({"loss": 0.1}, 12, "min loss")


def test_a_finished_training_is_not_trained_again(tmp_path):
    train(job(tmp_path))
    again = job(tmp_path, model=network(seed=5))
    assert train(again).step == 9
    assert same(weights(again.model), torch.load(tmp_path / LAST)["model"])


def test_a_training_that_stopped_early_stays_stopped(tmp_path):
    rules = [{"name": "stopping", "rules": [{"name": "goal", "when": "loss <= 1e9"}]}, "saving"]
    first = train(small_job(folder=tmp_path, handlers=rules))
    again = train(small_job(folder=tmp_path, handlers=rules))
    assert first.step == again.step == 6
    assert again.stop == "the goal 'loss <= 1e9' is reached"


def test_a_damaged_checkpoint_is_told(tmp_path):
    train(job(tmp_path))
    (tmp_path / LAST).write_bytes((tmp_path / LAST).read_bytes()[:1000])
    with pytest.raises(WeightsError, match=r"last.pt cannot be read.*Remove it to begin anew"):
        train(job(tmp_path))


def test_a_checkpoint_of_another_network_or_training_is_told_and_changes_nothing(tmp_path):
    train(job(tmp_path))
    model = torch.nn.Sequential(torch.nn.Linear(6, 1))
    before = weights(model)
    said = r"another network: \d+ tensors differ in name or shape \(0.weight, 0.bias, 1.weight, ...\)"
    with pytest.raises(WeightsError, match=said):
        train(small_job(model, handlers=["saving"], folder=tmp_path))
    assert same(before, weights(model))
    with pytest.raises(WeightsError, match="other settings or data"):
        train(job(tmp_path, fingerprint="new data"))


def test_a_folder_that_cannot_be_made_is_told_before_any_step(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="is a file"):
        train(job(tmp_path / "file" / "runs"))


@pytest.mark.slow
def test_a_process_killed_ten_times_at_random_ends_with_the_weights_of_an_undisturbed_one(tmp_path):
    script = SCRIPT.format(tests=str(Path(__file__).parents[1]), handlers=EVERYTHING)

    def start(folder):
        process = subprocess.Popen([sys.executable, "-c", script, folder], stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "ready\n"
        return process

    undisturbed = start(tmp_path / "whole")
    began = time.monotonic()
    assert undisturbed.communicate(timeout=60)[0].startswith("finished")
    spent = time.monotonic() - began
    rng, stops, killed = random.Random(0), [signal.SIGKILL, signal.SIGKILL, signal.SIGTERM], 0  # noqa: S311 - no secret
    while killed < 10:
        process = start(tmp_path / "killed")
        time.sleep(rng.uniform(0.02, spent / 8))
        if process.poll() is None:
            process.send_signal(stops[killed % 3])
            killed += 1
        process.communicate(timeout=60)
    assert start(tmp_path / "killed").communicate(timeout=60)[0].startswith("finished 24")
    wanted, found = torch.load(tmp_path / "whole/final.pt"), torch.load(tmp_path / "killed/final.pt")
    assert same(wanted["model"], found["model"])
    assert same(wanted["average"], found["average"])
