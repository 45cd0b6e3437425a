"""Writers to the libraries of others, read back through these: `make test-slow` installs them, and without one its test fails."""

import json
import logging
import struct
import sys

import numpy as np
import pytest
from PIL import Image
from writer_builders import PICTURE, ROWS, tell_all

import burnish
from burnish.train.policies.settings import TrainConfig
from burnish.train.train import train
from burnish.train.writers.foreign import said_elsewhere
from burnish.train.writers.making import build_writers

# What the libraries warn of in their own code says nothing of ours.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore", "error:::burnish")]


@pytest.fixture(autouse=True)
def quiet(caplog, capsys):
    """Fails the test when a writer failed, since several in one would hide it, or when something was said where results belong."""
    caplog.set_level(logging.WARNING, logger="burnish")
    yield
    assert [record.getMessage() for record in caplog.records if "failed at" in record.getMessage()] == []
    assert capsys.readouterr().out == ""


def pixels(path):
    return np.asarray(Image.open(path).convert("RGB"))


def test_mlflow_keeps_settings_numbers_and_files_in_a_local_store(tmp_path):
    from mlflow import MlflowClient  # noqa: PLC0415 - of the group companions

    uri = f"sqlite:///{tmp_path / 'store.db'}"
    about = {"name": "mlflow", "uri": uri, "artifacts": (tmp_path / "files").as_uri(), "run": "first", "user": "analyst"}
    tell_all(build_writers([about]), tmp_path)
    client = MlflowClient(tracking_uri=uri)
    (run,) = client.search_runs([client.get_experiment_by_name("burnish").experiment_id])
    assert (run.info.run_name, run.info.status, run.data.tags["mlflow.user"]) == ("first", "FINISHED", "analyst")
    assert run.data.params == {"optimizer.name": "adamw", "optimizer.lr": "0.1", "epochs": "3", "tags": "['x']"}
    course = {name: [(one.step, one.value) for one in client.get_metric_history(run.info.run_id, name)] for name in run.data.metrics}
    assert course == {"train/loss": [(1, 1.5), (2, 0.75)], "iou": [(1, 0.25), (2, 0.5)], "results/iou": [(0, 0.625)]}
    files = tmp_path / "files" / run.info.run_id / "artifacts"
    assert np.array_equal(pixels(files / "images/worst_00000002_1.png"), PICTURE)
    assert np.array_equal(pixels(files / "figures/curve_00000002.png"), PICTURE)
    assert (files / "tables/per_class_00000002.csv").read_text() == "class,iou\na|b,0.5\nc,0.25\n"
    assert (files / "texts/note_00000002.txt").read_text(encoding="utf-8") == "all < well, ä"
    assert (files / "kept/weights.bin").read_bytes() == b"weights"


def wandb_records(path):
    """The records of a file that W&B writes offline: after 7 bytes LevelDB's log, in blocks of 32 KiB, of protocol buffers."""
    from wandb.proto.wandb_internal_pb2 import Record  # noqa: PLC0415 - of the group companions

    data, at, message = path.read_bytes(), 7, b""
    while at + 7 <= len(data):
        room = 32768 - at % 32768
        if room < 7:
            at += room
            continue
        _, size, kind = struct.unpack_from("<IHB", data, at)
        message += data[at + 7 : at + 7 + size]
        at += 7 + size
        if kind in {1, 4}:  # the whole of a record, or its end
            record = Record()
            record.ParseFromString(message)
            yield record
            message = b""


def items(rows):
    return {".".join(row.nested_key) or row.key: json.loads(row.value_json) for row in rows}


def test_wandb_keeps_settings_numbers_and_files_offline(tmp_path, monkeypatch):
    import wandb  # noqa: PLC0415 - of the group companions

    monkeypatch.setenv("WANDB_SILENT", "true")
    monkeypatch.setenv("WANDB_DATA_DIR", str(tmp_path / "data"))
    tell_all(build_writers([{"name": "wandb", "folder": tmp_path}]), tmp_path)
    wandb.teardown()  # a process of its own writes the file, and ends only now
    (path,) = tmp_path.rglob("run-*.wandb")
    records = list(wandb_records(path))
    told = [items(record.history.item) for record in records if record.WhichOneof("record_type") == "history"]
    assert [(row["_step"], row["train/loss"], row["iou"]) for row in told] == [(1, 1.5, 0.25), (2, 0.75, 0.5)]
    config, summary = {}, {}
    for record in records:
        config |= items(record.config.update)
        summary |= items(record.summary.update)
    assert config == {"optimizer": {"name": "adamw", "lr": 0.1}, "epochs": 3, "tags": ["x"]}
    assert summary["iou"] == 0.5
    assert summary["results/iou"] == 0.625
    files = path.parent / "files"
    assert told[1]["worst.count"] == 2
    assert all(np.array_equal(pixels(files / name), PICTURE) for name in (*told[1]["worst.filenames"], told[1]["curve.path"]))
    assert json.loads((files / told[1]["per class.path"]).read_text())["data"] == [["a|b", 0.5], ["c", 0.25]]
    assert (files / told[1]["note.path"]).read_text(encoding="utf-8") == "<pre>all &lt; well, ä</pre>"
    kept = {record.artifact.name: record.artifact.manifest for record in records if record.WhichOneof("record_type") == "artifact"}
    assert [(one.path, one.size) for one in kept["kept"].contents] == [("weights.bin", 7)]


def put_trackio(folder, monkeypatch):
    """Let Trackio keep everything in a folder: it reads the variable when it is imported, which another test may have done."""
    monkeypatch.setenv("TRACKIO_DIR", str(folder))
    for name in [name for name in sys.modules if name.partition(".")[0] == "trackio"]:
        monkeypatch.delitem(sys.modules, name)


def test_trackio_keeps_settings_numbers_and_files_in_its_database(tmp_path, monkeypatch):
    put_trackio(tmp_path / "trackio", monkeypatch)
    import trackio  # noqa: PLC0415 - of the group companions

    tell_all(build_writers([{"name": "trackio", "run": "first"}]), tmp_path)
    (run,) = trackio.Api().runs("burnish")
    settings = {key: value for key, value in run.config.items() if not key.startswith("_")}
    assert (run.name, settings) == ("first", {"optimizer.name": "adamw", "optimizer.lr": 0.1, "epochs": 3, "tags": "['x']"})
    rows = trackio.SQLiteStorage.get_logs("burnish", "first")
    numbers = [(row["step"], key, value) for row in rows for key, value in row.items() if isinstance(value, float)]
    assert numbers == [(1, "train/loss", 1.5), (1, "iou", 0.25), (2, "train/loss", 0.75), (2, "iou", 0.5), (3, "results/iou", 0.625)]
    told = {key: value for row in rows for key, value in row.items() if isinstance(value, dict)}
    media = tmp_path / "trackio/media"
    assert all(np.array_equal(pixels(media / told[name]["file_path"]), PICTURE) for name in ("worst/0", "worst/1", "curve"))
    assert told["per class"]["_value"] == ROWS
    assert told["note"]["_value"] == "all < well, ä"
    artifacts = trackio.SQLiteStorage.get_artifacts("burnish")
    assert [one["name"] for one in artifacts] == ["kept"]
    assert trackio.context_vars.current_run.get() is None  # else it would say good-bye at the end of the process


def test_clearml_keeps_settings_numbers_and_files_offline(tmp_path, monkeypatch):
    import clearml  # noqa: F401, PLC0415 - of the group companions

    monkeypatch.setenv("CLEARML_CACHE_DIR", str(tmp_path / "clearml"))
    monkeypatch.setattr("os.fork", lambda: pytest.fail("a process with the threads of a training is forked"))
    tell_all(build_writers(["clearml"]), tmp_path)
    (path,) = tmp_path.rglob("task.json")
    task = json.loads(path.read_text())
    settings = {name: one["value"] for name, one in task["hyperparams"]["General"].items()}
    assert settings == {"optimizer.name": "adamw", "optimizer.lr": "0.1", "epochs": "3", "tags": "['x']"}
    (kept,) = task["execution"]["artifacts"]
    assert (kept["key"], kept["content_size"]) == ("kept", 7)
    events = [event for line in (path.parent / "metrics.jsonl").read_text().splitlines() for event in json.loads(line)]
    numbers = [(one["iter"], one["metric"], one["variant"], one["value"]) for one in events if one["type"] == "training_stats_scalar"]
    assert numbers[:-1] == [(1, "train", "loss", 1.5), (1, "iou", "iou", 0.25), (2, "train", "loss", 0.75), (2, "iou", "iou", 0.5)]
    assert numbers[-1][1:] == ("Summary", "iou", 0.625)
    pictures = [one for one in events if one["type"] == "training_debug_image"]
    assert [(one["iter"], one["metric"], one["variant"]) for one in pictures] == [
        (2, "worst", "0"),
        (2, "worst", "1"),
        (2, "curve", "figure"),
    ]
    assert all(pixels(one["url"]).shape == PICTURE.shape for one in pictures)  # as JPEG
    (table,) = [one for one in events if one["type"] == "plot"]
    assert (table["iter"], table["metric"]) == (2, "per class")
    assert json.loads(table["plot_str"])["data"][0]["cells"]["values"] == [["a|b", "c"], [0.5, 0.25]]
    said = [event["msg"] for line in (path.parent / "log.jsonl").read_text().splitlines() for event in json.loads(line)]
    assert any("step 2, note: all < well, ä" in lines for lines in said)


def aim_run(folder):
    """The one run of a repository."""
    import aim  # noqa: PLC0415 - of the group companions
    from aim.sdk.index_manager import RepoIndexManager  # noqa: PLC0415 - likewise

    repository = aim.Repo(str(folder))
    (name,) = repository.list_all_runs()
    RepoIndexManager.get_index_manager(repository).index(name)  # as `aim up` does before it shows anything
    return repository.get_run(name)


def test_aim_keeps_settings_series_and_pictures_in_its_repository(tmp_path):
    from aim.storage.context import Context  # noqa: PLC0415 - of the group companions

    tell_all(build_writers([{"name": "aim", "folder": tmp_path / "aim", "experiment": "cells"}]), tmp_path)
    run = aim_run(tmp_path / "aim")
    assert (run.experiment, run.active) == ("cells", False)
    assert run["hparams"] == {"optimizer": {"name": "adamw", "lr": 0.1}, "epochs": 3, "tags": ["x"]}
    assert run["results"] == {"iou": 0.625}
    assert run["artifact.kept"] == str(tmp_path / "weights.bin")
    nowhere = Context({})
    assert {one.name for one in run.metrics()} == {"train/loss", "iou"}
    steps, (values, *_) = run.get_metric("train/loss", nowhere).data.items_list()
    assert (list(steps), list(values)) == ([1, 2], [1.5, 0.75])
    pictures = run.get_image_sequence("worst", nowhere).values.values_list()
    assert all(np.array_equal(np.asarray(one.to_pil_image()), PICTURE) for step in pictures for one in step)
    assert run.get_text_sequence("note", nowhere).values.values_list()[0].data == "all < well, ä"


def test_ray_tune_sees_a_row_for_each_evaluation(tmp_path):
    import ray  # noqa: PLC0415 - of the group companions
    from ray import tune  # noqa: PLC0415 - likewise

    def training(chosen):
        writer = build_writers(["ray_tune"])
        for step in (1, 2):
            writer.scalars({"train/loss": chosen["lr"] / step}, step)
            writer.scalars({"iou": step / 4}, step)
        writer.hyper_parameters(chosen, {"iou": 0.5})
        writer.close()

    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    try:
        place = tune.RunConfig(name="search", storage_path=str(tmp_path), verbose=0)
        with said_elsewhere():
            results = tune.Tuner(training, param_space={"lr": tune.grid_search([0.5, 0.25])}, run_config=place).fit()
    finally:
        ray.shutdown()
    rows = [result.metrics_dataframe[["step", "train/loss", "iou"]].to_numpy().tolist() for result in results]
    assert rows == [[[1, 0.5, 0.25], [2, 0.25, 0.5]], [[1, 0.25, 0.25], [2, 0.125, 0.5]]]


def test_a_training_tells_each_of_them_settings_course_results_and_weights(make_discs, tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_SILENT", "true")
    monkeypatch.setenv("WANDB_DATA_DIR", str(tmp_path / "wandb"))
    monkeypatch.setenv("CLEARML_CACHE_DIR", str(tmp_path / "clearml"))
    put_trackio(tmp_path / "trackio", monkeypatch)
    writers = [
        {"name": "mlflow", "uri": f"sqlite:///{tmp_path / 'store.db'}", "artifacts": (tmp_path / "mlflow").as_uri()},
        {"name": "wandb", "folder": tmp_path},
        {"name": "aim", "folder": tmp_path / "aim"},
        "trackio",
        "clearml",
    ]
    small = {"network": {"name": "unet", "width": 4, "depth": 2}, "size": 32, "batch_size": 4, "data": {"workers": 1}}
    config = TrainConfig.make(**small, epochs=2, evaluation={"writers": writers, "pictures": 2})
    result = train(burnish.open(make_discs("data", 12)), config, work=tmp_path / "run")
    told = aim_run(tmp_path / "aim")
    assert told["results"] == {f"val/{name}": value for name, value in result.measured["val"].items()}
    assert told["hparams"]["network"] == result.config.model_dump(mode="json")["network"]
    weights = (tmp_path / "run/best.pt").read_bytes()
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path.stat().st_size == len(weights)]
    holding = {path.relative_to(tmp_path).parts[0] for path in files if path.read_bytes() == weights}
    assert holding == {"run", "mlflow", "wandb", "trackio", "clearml"}  # Aim keeps the path
