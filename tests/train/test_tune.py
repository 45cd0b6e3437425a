"""The verb tune: searches over small trainings, with all that is kept of them."""

import json
import signal

import pytest

from burnish.cli.app import run
from burnish.config import load
from burnish.errors import ConfigError, ModelError
from burnish.train.handlers.interrupts import Interrupts
from burnish.train.policies.settings import TrainConfig
from burnish.train.train import train
from burnish.train.tune import tune
from burnish.train.tuning.settings import TuneConfig
from burnish.train.tuning.space import settings_of

pytest.importorskip("optuna", reason="the extra tune is not installed")

TRAINING = {
    "network": {"name": "unet", "width": 4, "depth": 2},
    "size": 32,
    "epochs": 1,
    "batch_size": 4,
    "augs": {"strength": "none"},
    "data": {"workers": 1},
    "evaluation": {"pictures": 0},
}
RATES = {"optimizer.lr": {"low": 1e-4, "high": 0.1, "log": True}}


def settings(**more):
    return TuneConfig.make(**{"trials": 3, "space": RATES, "training": TRAINING, **more})


@pytest.fixture(scope="module")
def searched(discs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("search")
    space = {**RATES, "loss": {"choices": ["dice", "BCE"]}, "network.width": {"low": 4, "high": 8, "step": 4}}
    result = tune(discs, settings(trials=8, space=space, pruner="none"), work=folder)
    result.save(folder)
    return result, folder


def test_each_trial_has_its_run_folder_and_all_share_the_decoded_pictures(searched):
    result, folder = searched
    assert len(result.trials) == 8
    assert {trial.state for trial in result.trials} <= {"complete", "pruned"}
    assert all((folder / "trials" / trial.folder / "best.pt").exists() for trial in result.trials)
    assert not any((folder / "trials" / trial.folder / "cache").exists() for trial in result.trials)
    assert (folder / "cache").is_dir()


def test_the_best_settings_train_the_best_trial_again(searched, discs, tmp_path):
    result, folder = searched
    best = result.summary()
    found = load(TrainConfig, folder / "config.yaml")
    assert found.optimizer.model_dump()["lr"] == pytest.approx(best["chosen"]["optimizer.lr"])
    assert found.data.cache is None
    again = train(discs, found, work=tmp_path)
    assert again.measured["val"]["iou_dataset"] == pytest.approx(best["value"])


def test_the_report_shows_course_settings_and_importance(searched):
    result, folder = searched
    page = (folder / "report.html").read_text()
    assert all(text in page for text in ("optimizer.lr", "network.width", "best so far", "Settings and target", "PED-ANOVA"))
    assert set(result.importance) == {*result.config.space}
    assert result.table.height == 8
    assert str(result).startswith("Searched 3 settings for 'max iou_dataset': 8 trials")


def test_more_trials_go_on_from_those_that_are_done(discs, tmp_path):
    first = tune(discs, settings(trials=2), work=tmp_path)
    more = tune(discs, settings(trials=3), work=tmp_path)
    assert [trial.chosen for trial in more.trials[:2]] == [trial.chosen for trial in first.trials]
    assert [trial.chosen for trial in tune(discs, settings(trials=3)).trials] == [trial.chosen for trial in more.trials]


def test_an_interrupted_search_continues_inside_the_training(discs, tmp_path, monkeypatch):
    original, seen = Interrupts.stepped, []

    def in_the_second(self, run):
        seen.append(run.job.folder.name)
        if run.job.folder.name == "0001" and run.step == 2:
            self.received = signal.SIGINT
        original(self, run)

    monkeypatch.setattr(Interrupts, "stepped", in_the_second)
    half = tune(discs, settings(trials=2), work=tmp_path)
    assert half.interrupted
    assert half.exit_code == 130
    assert [trial.state for trial in half.trials] == ["complete", "unfinished"]
    steps = seen.count("0000")
    seen.clear()
    monkeypatch.setattr(Interrupts, "stepped", lambda self, run: (seen.append(run.job.folder.name), original(self, run))[1])
    whole = tune(discs, settings(trials=2), work=tmp_path)
    assert [trial.state for trial in whole.trials] == ["complete", "complete"]
    assert seen == ["0001"] * (steps - 2)
    assert whole.trials[1].metrics == tune(discs, settings(trials=2)).trials[1].metrics


def test_a_training_that_is_behind_the_others_is_cut_short_and_kept_with_the_reason(discs, tmp_path):
    space = {"optimizer.lr": {"choices": [0.02, 1e-7]}}
    training = {**TRAINING, "epochs": 3}
    result = tune(discs, settings(trials=2, space=space, sampler="grid", seed=1, startup=1, training=training), work=tmp_path)
    assert [trial.chosen["optimizer.lr"] for trial in result.trials] == ["0.02", "1e-07"]
    assert [trial.state for trial in result.trials] == ["complete", "pruned"]
    assert result.trials[1].reason.startswith("pruned at evaluation")
    assert len(result.trials[1].course) < 3
    assert (tmp_path / "trials/0001/best.pt").exists()


def test_a_training_that_fails_does_not_end_the_search(discs, tmp_path):
    space = {"network.width": {"choices": [4, 8]}, "size": {"choices": [32]}, "loss": {"choices": ["BCE", "L1"]}}
    result = tune(discs, settings(trials=9, space=space, sampler="grid"), work=tmp_path)
    states = [trial.state for trial in result.trials]
    assert len(states) == 4  # the grid has no more
    assert states.count("failed") == 2
    failed = next(trial for trial in result.trials if trial.state == "failed")
    assert failed.reason.startswith("The loss 'l1' is not one on scores of classes")
    assert (tmp_path / "trials" / failed.folder / "error.txt").exists()


def test_a_search_of_which_nothing_comes_is_ended(discs, tmp_path):
    with pytest.raises(ModelError, match="The first 3 trainings of the search have all failed: The loss 'huber' is not one on scores"):
        tune(discs, settings(trials=9, space={"loss": {"choices": ["L1", "MSE", "huber", "smooth_l1"]}}, sampler="grid"), work=tmp_path)


def test_constraints_of_the_target_decide_before_it(discs):
    space = {"network.width": {"choices": [4, 8]}}
    training = {**TRAINING, "evaluation": {"pictures": 0, "target": "min loss with iou_dataset >= 1.5"}}
    result = tune(discs, settings(trials=2, space=space, sampler="grid", training=training))
    assert [trial.score.feasible for trial in result.trials] == [False, False]
    assert result.best is None
    assert "No training is complete and keeps the constraints" in str(result)


def test_another_search_in_the_folder_is_refused_and_force_begins_anew(discs, tmp_path):
    tune(discs, settings(trials=1), work=tmp_path)
    other = settings(trials=1, space={"optimizer.lr": {"low": 0.1, "high": 0.2}})
    with pytest.raises(ConfigError, match="holds a search over another space, training or dataset"):
        tune(discs, other, work=tmp_path)
    assert len(tune(discs, other, work=tmp_path, force=True).trials) == 1


@pytest.mark.slow
def test_two_processes_share_the_trials(discs, tmp_path):
    result = tune(discs, settings(trials=3, parallel=2), work=tmp_path)
    assert [trial.state for trial in result.trials] == ["complete"] * 3
    assert len({json.dumps(dict(trial.chosen)) for trial in result.trials}) == 3


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore", "error:::burnish")  # what Ray warns of in its own code says nothing of ours
def test_ray_runs_the_trials_and_the_same_command_finds_them_again(discs, tmp_path):
    result = tune(discs, settings(trials=2, engine="ray", pruner="halving"), work=tmp_path)
    result.save(tmp_path)
    assert [trial.state for trial in result.trials] == ["complete"] * 2
    rates = [trial.chosen["optimizer.lr"] for trial in result.trials]
    assert len(set(rates)) == 2
    assert all(1e-4 <= rate <= 0.1 for rate in rates)
    values = [trial.metrics["iou_dataset"] for trial in result.trials]
    assert result.best.optimizer.model_dump()["lr"] == pytest.approx(rates[values.index(max(values))])
    assert all((tmp_path / "trials" / trial.folder / "best.pt").exists() for trial in result.trials)
    again = tune(discs, settings(trials=2, engine="ray", pruner="halving"), work=tmp_path)
    assert [(trial.chosen, trial.metrics) for trial in again.trials] == [(trial.chosen, trial.metrics) for trial in result.trials]


@pytest.mark.parametrize(
    ("space", "told"),
    [
        ({}, "There is nothing to search"),
        (
            {"optimiser.lr": {"low": 0.1, "high": 1}},
            "The space varies 'optimiser.lr', and there is no 'optimiser'. Did you mean 'optimizer'",
        ),
        ({"optimizer.rate": {"low": 0.1, "high": 1}}, "there is no 'rate'"),
        ({"epochs": {"low": 0, "high": 4}}, "'epochs' is 0"),
        ({"evaluation.target": {"choices": ["max iou"]}}, "must be the same for all trainings"),
        ({"optimizer": {"choices": ["sgd", "sgd"]}}, "names a choice of 'optimizer' twice"),
    ],
)
def test_a_space_that_does_not_fit_is_refused_before_anything_is_trained(discs, space, told):
    with pytest.raises(ConfigError, match=told):
        tune(discs, settings(space=space))


def test_values_land_where_they_belong_and_what_was_open_stays_open():
    config = settings(
        space={
            "optimizer.lr": {"low": 0.1, "high": 1},
            "optimizer": {"choices": ["sgd", {"name": "adamw", "eps": 1e-6}]},
            "handlers.0.norm": {"low": 1, "high": 5},
        },
        training={**TRAINING, "handlers": [{"name": "clipping"}]},
    )
    chosen = {"optimizer.lr": 0.5, "optimizer": "sgd", "handlers.0.norm": 2}
    made = settings_of(config.training, chosen, config.space)
    assert made.optimizer.model_dump()["name"] == "sgd"
    assert made.optimizer.model_dump()["lr"] == 0.5
    assert made.handlers[0].model_dump()["norm"] == 2
    assert "mode" not in made.handlers[0].model_fields_set
    assert made.network.model_dump()["width"] == 4


def test_a_range_runs_from_low_to_high():
    with pytest.raises(ConfigError, match="low is 2 and high 1; expected low below high"):
        settings(space={"epochs": {"low": 2, "high": 1}})
    assert settings(space={"epochs": {"low": 1, "high": 8, "step": 3}}).space["epochs"].values() == [1, 4, 7]


def test_a_dry_run_tells_the_space_and_the_training_and_writes_nothing(discs, tmp_path, capsys):
    file = tmp_path / "tune.yaml"
    space = "space: {optimizer.lr: {low: 0.001, high: 0.1, log: true}, epochs: {choices: [1, 2]}}"
    file.write_text(f"{space}\ntraining: {{size: 32, network: {{name: unet, width: 4}}}}\n")
    code = run(["tune", str(discs.root), "-c", str(file), "--dry-run", "--trials", "3", "--out", str(tmp_path / "out")])
    told = capsys.readouterr().out
    assert code == 0
    assert "Would search 2 settings in 3 trials for 'max iou_dataset':" in told
    assert "optimizer.lr: 0.001 to 0.1, as a power" in told
    assert "epochs: one of 1, 2" in told
    assert not (tmp_path / "out").exists()
