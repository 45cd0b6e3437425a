"""Writers keep what they are told; of several, one that fails stops nothing."""

import csv
import json
import logging
import struct

import numpy as np
import pytest
from training_builders import small_job
from writer_builders import PICTURE, ROWS, tell_all

from burnish.descriptions import config_class
from burnish.errors import ConfigError, MissingExtra
from burnish.train.training import train
from burnish.train.writers.flat import flattened, markdown_text
from burnish.train.writers.making import build_writers
from burnish.train.writers.multi import MultiWriter
from burnish.train.writers.names import WRITERS
from burnish.train.writers.writer import EVENTS

LIBRARIES = {
    "tensorboard": "tensorboardX",
    "mlflow": "mlflow",
    "wandb": "wandb",
    "clearml": "clearml",
    "aim": "aim",
    "trackio": "trackio",
    "ray_tune": "ray",
}


@pytest.fixture
def quiet(caplog):
    """Fails the test when a member failed: several in one would hide it."""
    caplog.set_level(logging.WARNING, logger="burnish")
    yield
    assert [record.getMessage() for record in caplog.records if "failed at" in record.getMessage()] == []


@pytest.mark.parametrize("name", sorted(WRITERS.entries))
def test_every_writer_has_all_methods(name):
    module, _, attribute = WRITERS.entries[name].make.partition(":")
    made = getattr(__import__(module, fromlist=[attribute]), attribute)
    assert all(callable(getattr(made, event)) for event in EVENTS)
    assert config_class(WRITERS, name).model_fields["name"].annotation is not None


@pytest.mark.usefixtures("quiet")
def test_json_lines_hold_the_numbers_and_files_the_rest(tmp_path):
    tell_all(build_writers([{"name": "jsonl", "folder": tmp_path / "run"}]), tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    assert lines == [{"step": 1, "train/loss": 1.5, "iou": 0.25}, {"step": 2, "train/loss": 0.75, "iou": 0.5}]
    assert sorted(str(path.relative_to(tmp_path / "run")) for path in (tmp_path / "run").rglob("*") if path.is_file()) == [
        "artifacts/kept",
        "figures/curve_00000002.png",
        "hyper_parameters.json",
        "images/worst_00000002_0.png",
        "images/worst_00000002_1.png",
        "metrics.jsonl",
        "tables/per_class_00000002.csv",
        "texts/note_00000002.txt",
    ]
    from PIL import Image  # noqa: PLC0415 - only here

    assert np.array_equal(np.asarray(Image.open(tmp_path / "run/images/worst_00000002_0.png")), PICTURE)


def test_a_continued_training_appends(tmp_path):
    for step in (1, 2):
        writer = build_writers([{"name": "csv", "folder": tmp_path}])
        writer.scalars({"val, loss": 0.1 * step, "iou": float("nan")}, step)
        writer.close()
    rows = list(csv.DictReader((tmp_path / "metrics.csv").read_text().splitlines()))
    assert [(row["step"], row["name"], row["value"]) for row in rows] == [
        ("1", "val, loss", "0.1"),
        ("1", "iou", "nan"),
        ("2", "val, loss", "0.2"),
        ("2", "iou", "nan"),
    ]


def test_what_is_no_number_is_null_in_json(tmp_path):
    writer = build_writers([{"name": "jsonl", "folder": tmp_path}])
    writer.scalars({"loss": float("inf")}, 1)
    assert json.loads((tmp_path / "metrics.jsonl").read_text()) == {"step": 1, "loss": None}


@pytest.mark.usefixtures("quiet")
def test_the_console_tells_everything_in_lines(tmp_path, capsys):
    tell_all(build_writers(["console", "null"]), tmp_path)
    told = capsys.readouterr().err
    assert "step      1  train/loss 1.5  iou 0.25\n" in told
    assert "optimizer.name=adamw, optimizer.lr=0.1, epochs=3, tags=['x']" in told
    assert "worst: 2 pictures" in told
    assert f"kept: {tmp_path / 'weights.bin'}" in told


def events(folder):
    """The events of TensorBoard's files: each a length, a check, the message, a check."""
    from tensorboardX.proto.event_pb2 import Event  # noqa: PLC0415 - only where it is installed

    for path in sorted(folder.rglob("events.*")):
        data, at = path.read_bytes(), 0
        while at < len(data):
            (size,) = struct.unpack_from("<Q", data, at)
            event = Event()
            event.ParseFromString(data[at + 12 : at + 12 + size])
            yield event
            at += 16 + size


def session(value):
    """The settings that a summary holds for TensorBoard's tab of hyper-parameters."""
    from tensorboardX.proto.plugin_hparams_pb2 import HParamsPluginData  # noqa: PLC0415 - only where it is installed

    data = HParamsPluginData.FromString(value.metadata.plugin_data.content)
    return {name: getattr(one, one.WhichOneof("kind")) for name, one in data.session_start_info.hparams.items()}


@pytest.mark.usefixtures("quiet")
def test_tensorboard_files_hold_numbers_pictures_and_texts(tmp_path):
    tell_all(build_writers([{"name": "tensorboard", "folder": tmp_path / "tb"}]), tmp_path)
    values = [(event.step, value) for event in events(tmp_path / "tb") for value in event.summary.value]
    numbers = {(step, value.tag): value.simple_value for step, value in values if value.HasField("simple_value")}
    assert numbers[1, "train/loss"] == 1.5
    assert numbers[2, "iou"] == 0.5
    pictures = {value.tag: (value.image.height, value.image.width) for _, value in values if value.HasField("image")}
    assert pictures == {"worst/0": (6, 5), "worst/1": (6, 5), "curve": (6, 5)}
    texts = b" ".join(value.tensor.string_val[0] for _, value in values if value.tensor.string_val).decode()
    assert "all < well, ä" in texts
    assert "| c | 0.25 |" in texts
    begun = [session(value) for _, value in values if value.tag == "_hparams_/session_start_info"]
    assert begun == [{"optimizer.name": "adamw", "optimizer.lr": 0.1, "epochs": 3.0, "tags": "['x']"}]
    assert numbers[0, "iou"] == 0.625


@pytest.mark.usefixtures("quiet")
def test_tensorboard_keeps_the_settings_of_a_training_without_results(tmp_path):
    writer = build_writers([{"name": "tensorboard", "folder": tmp_path}])
    writer.hyper_parameters({"epochs": 3})
    writer.close()
    values = [value for event in events(tmp_path) for value in event.summary.value]
    assert [session(value) for value in values if value.tag == "_hparams_/session_start_info"] == [{"epochs": 3.0}]


@pytest.mark.parametrize("name", LIBRARIES)
def test_a_missing_library_is_told_when_the_writer_is_built(name, monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, {"ray_tune": "ray.tune"}.get(name, LIBRARIES[name]), None)
    settings = {"folder": tmp_path} if name == "tensorboard" else {}
    with pytest.raises(MissingExtra, match=r"is not installed, and this writer needs it. Install it with: pip install"):
        build_writers([{"name": name, **settings}])


def test_optuna_prunes_a_training_that_lags_behind():
    import optuna  # noqa: PLC0415 - only here

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    reached = []

    def objective(trial):
        worse = trial.number
        values = iter(range(9))
        writer = build_writers([{"name": "optuna", "metric": "loss"}], trial=trial)
        job = small_job(epochs=6, evaluate=lambda _model: {"loss": next(values) * 0.0 + worse}, writer=writer)
        run = train(job)
        writer.hyper_parameters({"lr": 0.1}, {"loss": run.metrics["loss"]})
        reached.append(run.evaluations)
        if writer.stop:
            raise optuna.TrialPruned(writer.stop)
        return run.metrics["loss"]

    study = optuna.create_study(pruner=optuna.pruners.MedianPruner(n_startup_trials=1, n_warmup_steps=0))
    study.optimize(objective, n_trials=2)
    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "PRUNED"]
    assert reached == [6, 1]
    assert study.trials[0].intermediate_values == dict.fromkeys(range(6, 37, 6), 0.0)
    assert study.trials[1].user_attrs == {"lr": 0.1, "loss": 1.0}


class Broken:
    """A writer that fails so often, then works."""

    def __init__(self, times):
        self.left, self.calls = times, 0

    def scalars(self, _values, _step):
        self.calls += 1
        self.left -= 1
        if self.left >= 0:
            raise OSError("the server is away")

    def close(self):
        raise OSError("the server is still away")


def test_one_that_fails_never_stops_the_training_nor_the_others(tmp_path, caplog):
    broken = Broken(99)
    writer = build_writers([{"name": "jsonl", "folder": tmp_path}], more={"own": broken})
    run = train(small_job(epochs=9, writer=writer))
    writer.close()
    assert run.epoch == 9
    assert len((tmp_path / "metrics.jsonl").read_text().splitlines()) == 19
    assert broken.calls == 5
    assert "The writer 'own' failed at scalars: OSError: the server is away. It is left out from now on." in caplog.text
    assert "failed at close" in caplog.text


def test_one_that_recovers_stays():
    broken = Broken(3)
    writer = MultiWriter({"own": broken})
    for step in range(9):
        writer.scalars({}, step)
    assert (broken.calls, writer.failures) == (9, {"own": 0})


def test_the_same_writer_may_be_there_twice(tmp_path):
    writer = build_writers([{"name": "jsonl", "folder": tmp_path / name} for name in "ab"])
    assert list(writer.members) == ["jsonl", "jsonl 2"]


def test_optuna_without_a_trial_and_unknown_writers_are_refused():
    with pytest.raises(ConfigError, match="there is none; it belongs into a search"):
        build_writers([{"name": "optuna", "metric": "iou"}])
    with pytest.raises(ConfigError, match=r"no writer 'tensorbord'. Did you mean 'tensorboard'"):
        build_writers(["tensorbord"])
    with pytest.raises(ConfigError, match="'folder' is missing"):
        build_writers(["csv"])


def test_nested_settings_become_flat_and_tables_markdown():
    assert flattened({"a": {"b": {"c": 1}}, "d": None}) == {"a.b.c": 1, "d": "None"}
    assert markdown_text(ROWS).splitlines() == ["| class | iou |", "| --- | --- |", "| a\\|b | 0.5 |", "| c | 0.25 |"]
