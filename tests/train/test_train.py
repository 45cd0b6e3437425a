"""The verb train: from a dataset to a run folder, on small pictures that a small network learns in seconds."""

import gc
import json
import shutil
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import yaml
from PIL import Image
from training_builders import Signalled, continued, same

import burnish
from burnish.cli.app import run
from burnish.config import load
from burnish.errors import ConfigError, DataError, MissingExtra, WeightsError
from burnish.train.policies.examples import gather, suited
from burnish.train.policies.settings import DataConfig, PredictConfig, TrainConfig
from burnish.train.predict import predict
from burnish.train.train import train
from burnish.train.trained import read_trained

SMALL = {"network": {"name": "unet", "width": 4, "depth": 2}, "size": 32, "batch_size": 4, "data": {"workers": 1}}


def settings(**more):
    return TrainConfig.make(**{**SMALL, "epochs": 2, "augs": {"strength": "none"}, "optimizer": {"lr": 0.02}, **more})


@pytest.fixture(scope="module")
def trained(discs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    result = train(discs, settings(epochs=12), work=folder)
    result.save(folder)
    return result, folder


def test_masks_are_learnt_and_the_best_weights_are_measured(trained):
    result, _ = trained
    assert result.measured["test"]["iou_dataset"] > 0.8
    assert result.policy.examples.task == "segmentation"
    assert result.policy.examples.mode == "binary"


def test_the_run_folder_holds_all_that_is_needed_later(trained):
    _, folder = trained
    names = {path.name for path in folder.iterdir()}
    assert {"best.pt", "last.pt", "config.yaml", "run.json", "environment.json", "metrics.jsonl"} <= names
    resolved = load(TrainConfig, folder / "config.yaml")
    assert resolved.network.model_dump()["width"] == 4
    assert resolved.loss.model_dump()["parts"]["pixels"]["loss"]["mode"] == "binary"
    environment = json.loads((folder / "environment.json").read_text())
    assert environment["packages"]["torch"] == torch.__version__.partition("+")[0]
    assert environment["processor"]
    assert environment["cores"] >= 1
    assert environment["memory_gb"] > 0
    assert f"{environment['processor']}, {environment['cores']} cores" in (folder / "report.html").read_text()


def test_the_resolved_settings_train_the_same_again(trained, discs, tmp_path):
    result, folder = trained
    again = train(discs, load(TrainConfig, folder / "config.yaml"), work=tmp_path)
    assert again.measured == result.measured


def test_a_finished_training_is_taken_as_it_is(trained, discs):
    result, folder = trained
    again = train(discs, settings(epochs=12), work=folder)
    assert again.run.step == result.run.step
    assert again.measured == result.measured


def test_another_training_in_the_folder_is_refused_with_what_differs(trained, discs):
    _, folder = trained
    with pytest.raises(ConfigError, match=r"holds another training \(epochs 12 there, 9 here"):
        train(discs, settings(epochs=9), work=folder)


def test_a_target_that_no_evaluation_gives_is_refused_before_the_first_step(discs, tmp_path):
    with pytest.raises(
        ConfigError, match=r"evaluation.target asks for the metric 'iou_datset'.*Did you mean 'iou_dataset'\?.*loss"
    ) as told:
        train(discs, settings(evaluation={"target": "max iou_datset"}), work=tmp_path)
    assert told.value.exit_code == 2
    assert not (tmp_path / "metrics.jsonl").exists()
    corrected = train(discs, settings(epochs=1, evaluation={"target": "max iou_dataset"}), work=tmp_path)
    assert corrected.run.evaluations == 1


@pytest.mark.parametrize(
    "rule", [{"name": "goal", "when": "dise > 0.9"}, {"name": "any_of", "rules": [{"name": "not_finite", "metrics": ["dise"]}]}]
)
def test_a_stopping_rule_that_asks_for_an_unknown_metric_is_refused_before_the_first_step(discs, tmp_path, rule):
    handlers = [{"name": "stopping", "rules": [rule]}]
    with pytest.raises(ConfigError, match=r"The stopping rule '(goal|not_finite)' asks for the metric 'dise'"):
        train(discs, settings(handlers=handlers), work=tmp_path)
    assert not (tmp_path / "metrics.jsonl").exists()


def test_looking_at_the_target_beforehand_changes_no_weight(discs, tmp_path, monkeypatch):
    network = {"name": "unet", "width": 4, "depth": 2, "dropout": 0.3}
    looked = train(discs, settings(network=network), work=tmp_path / "one").model.state_dict()
    monkeypatch.setattr("burnish.train.train.rehearse", lambda *_: None)
    not_looked = train(discs, settings(network=network), work=tmp_path / "two").model.state_dict()
    assert all(torch.equal(tensor, not_looked[name]) for name, tensor in looked.items())


def test_a_folder_whose_training_saved_nothing_is_begun_anew(discs, tmp_path):
    def broken(_run):
        raise RuntimeError

    handler = SimpleNamespace(name="broken", evaluated=broken)
    with pytest.raises(RuntimeError):
        train(discs, settings(epochs=2), work=tmp_path, handlers=[handler])
    before = (tmp_path / "metrics.jsonl").read_text()
    assert '"train/loss"' in before
    train(discs, settings(epochs=1, seed=4), work=tmp_path)
    assert not (tmp_path / "metrics.jsonl").read_text().startswith(before)


def test_the_time_of_a_picture_is_measured_where_the_target_asks_for_it(discs, tmp_path):
    result = train(discs, settings(evaluation={"target": "max iou_dataset with latency_ms <= 0.000001"}), work=tmp_path / "slow")
    assert result.measured["val"]["latency_ms"] > 0
    assert not result.run.score.feasible
    fast = train(discs, settings(evaluation={"target": "max iou_dataset with latency_ms <= 1e9"}), work=tmp_path / "fast")
    assert fast.run.score.feasible
    plain = train(discs, settings(), work=tmp_path / "plain")
    assert "latency_ms" not in plain.measured["val"]
    weights = plain.model.state_dict()
    assert all(torch.equal(tensor, weights[name]) for name, tensor in fast.model.state_dict().items())


def test_a_stopping_rule_may_ask_for_the_time_of_a_picture(discs, tmp_path):
    handlers = [{"name": "stopping", "rules": [{"name": "goal", "when": "latency_ms <= 1e9"}]}]
    result = train(discs, settings(epochs=3, handlers=handlers), work=tmp_path)
    assert result.run.evaluations == 1
    assert "latency_ms" in result.run.stop


def test_writers_are_told_settings_results_and_a_folder_that_predicts(discs, tmp_path):
    told = tmp_path / "told"
    writers = [{"name": "jsonl", "folder": told}, {"name": "csv", "folder": tmp_path / "table"}]
    result = train(discs, settings(evaluation={"writers": writers}), work=tmp_path / "run")
    about = json.loads((told / "hyper_parameters.json").read_text())
    assert (about["settings"]["network.name"], about["settings"]["epochs"]) == ("unet", 2)
    assert not [key for key in about["settings"] if "writers" in key]
    assert about["metrics"] == {f"{part}/{name}": value for part, metrics in result.measured.items() for name, value in metrics.items()}
    assert (told / "metrics.jsonl").read_bytes() == (tmp_path / "run/metrics.jsonl").read_bytes()
    assert not (tmp_path / "run/artifacts").exists()
    kept = read_trained(told / "artifacts").model.state_dict()
    assert all(torch.equal(tensor, kept[name]) for name, tensor in result.model.state_dict().items())


def test_a_training_that_was_stopped_tells_its_settings_and_no_results(discs, tmp_path):
    chosen = settings(batch_size=6, evaluation={"writers": [{"name": "jsonl", "folder": tmp_path / "told"}]})
    stopped = train(discs, chosen, work=tmp_path / "run", handlers=[Signalled(0)])
    assert ": 0.33 of 2 epochs in" in str(stopped)
    about = json.loads((tmp_path / "told/hyper_parameters.json").read_text())
    assert (about["settings"]["epochs"], about["metrics"]) == (2, {})
    assert sorted(path.name for path in (tmp_path / "told/artifacts").iterdir()) == ["config.yaml", "environment.json", "run.json"]


def test_a_writer_without_its_library_is_told_before_pictures_are_decoded(discs, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(MissingExtra, match="pip install mlflow"):
        train(discs, settings(evaluation={"writers": ["mlflow"]}), work=tmp_path)
    assert not (tmp_path / "cache").exists()


def test_force_begins_anew(discs, tmp_path):
    train(discs, settings(epochs=1), work=tmp_path)
    again = train(discs, settings(epochs=2), work=tmp_path, force=True)
    assert again.run.epoch == 2


def test_an_interrupted_training_continues_to_the_same_weights(discs, tmp_path):
    chosen = settings(epochs=3)
    assert same(*continued(train, discs, chosen, tmp_path, step=4))


def test_predictions_lie_in_each_pictures_own_size(trained, make_discs):
    _, folder = trained
    more = burnish.open(make_discs("large", 3, side=48))
    found = predict(more, PredictConfig(model=str(folder))).dataset
    assert found.annotations.height == 3
    assert set(found.annotations["source"].cast(str)) == {"auto"}
    labels = found.labels(int(found.images["id"][0]))
    assert labels.size == (48, 48)
    assert 0.5 < labels.scores[0] <= 1


def test_predictions_agree_with_hand_drawn_masks(trained, make_discs):
    from burnish.geometry import rle  # noqa: PLC0415

    _, folder = trained
    more = burnish.open(make_discs("others", 4, seed=9))
    found = predict(more, PredictConfig(model=str(folder), flips=True)).dataset
    shares = []
    for image in more.images["id"]:
        one, two = (rle.decode(rle.decompress(d.labels(int(image)).masks[0]), 32, 32) for d in (more, found))
        shares.append((one & two).sum() / (one | two).sum())
    assert np.mean(shares) > 0.75


def test_classes_of_pictures_are_learnt(colours, tmp_path):
    config = TrainConfig.make(size=16, epochs=4, batch_size=4, optimizer={"lr": 0.01}, data={"workers": 1, "share": 0.25})
    result = train(colours, config, work=tmp_path)
    assert result.policy.examples.task == "classification"
    assert result.measured["val"]["accuracy"] == 1
    found = predict(colours, PredictConfig(model=str(tmp_path))).dataset
    assert found.annotations["class"].to_list() == colours.annotations["class"].to_list()


@pytest.mark.parametrize("sampling", ["plain", "balanced"])
def test_a_class_can_be_drawn_as_often_as_the_others(colours, tmp_path, sampling):
    config = TrainConfig.make(size=16, epochs=1, batch_size=4, data={"workers": 1, "sampling": sampling})
    assert train(colours, config, work=tmp_path).run.step > 0


def test_datasets_of_their_own_validate_and_test(make_discs, tmp_path):
    own, val, test = (make_discs(name, count) for name, count in (("own", 6), ("val", 2), ("test", 3)))
    config = settings(epochs=1, data={"workers": 1, "validation_dataset": str(val), "test_dataset": str(test)})
    examples = train(burnish.open(own), config, work=tmp_path / "run").policy.examples
    assert [len(examples.part(part)) for part in ("train", "val", "test")] == [6, 2, 3]


def test_soft_masks_are_learnt_as_shares(make_discs, tmp_path):
    from PIL import Image  # noqa: PLC0415

    own = make_discs("soft", 6)
    for path in (own / "masks").iterdir():
        Image.fromarray(np.where(np.asarray(Image.open(path)) > 0, 76, 0).astype(np.uint8)).save(path)
    result = train(burnish.open(own), settings(epochs=1, data={"workers": 1, "soft": True}), work=tmp_path / "run")
    assert result.policy.examples.is_soft
    assert "soft_iou_dataset" in result.measured["val"]


def test_masks_are_taken_where_the_folder_opens_as_boxes(tmp_path, make_discs):
    own = make_discs("both", 4)
    boxes = {
        "images": [{"id": n, "file_name": f"images/{n}.png", "width": 32, "height": 32} for n in range(4)],
        "annotations": [{"id": n, "image_id": n, "category_id": 1, "bbox": [4, 4, 9, 9], "area": 81, "iscrowd": 0} for n in range(4)],
        "categories": [{"id": 1, "name": "disc"}],
    }
    (own / "boxes.coco.json").write_text(json.dumps(boxes))
    result = train(burnish.open(own), settings(epochs=1, task="segmentation"), work=tmp_path / "run")
    (note,) = [note for note in result.policy.examples.notes if "masks beside" in note]
    assert note.endswith("are learnt, not its boxes; data.format decides otherwise.")


def test_masks_beside_tags_are_told_as_learnt_in_place_of_tags(make_discs):
    own = make_discs("tagged", 4)
    rows = [{"image": f"images/{n}.png", "label": "disc"} for n in range(4)]
    (own / "labels.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    _, notes = suited(burnish.open(own, "jsonl"), "segmentation", DataConfig())
    assert notes == ("The masks beside labels.jsonl are learnt, not its tags; data.format decides otherwise.",)


def test_a_split_that_is_not_there_is_told_with_those_that_are(discs):
    with pytest.raises(DataError) as caught:
        gather(discs, None, DataConfig(train=("trian",)))
    told = str(caught.value)
    assert told.startswith("There is no picture to train on: no split is called trian. The splits are train (")
    assert "test (" in told
    assert told.endswith("Did you mean 'train'? Name them with data.train, or divide with burnish split.")


def test_when_every_picture_is_left_out_it_is_told_why(make_discs):
    own = make_discs("all-cut", 3)
    for path in (own / "images").iterdir():
        _cut(path)
    with pytest.raises(DataError, match=r"no picture to train on: 3 pictures cannot be decoded whole, and are left out: images/0\.png"):
        gather(burnish.open(own), None, DataConfig())


def test_a_picture_whose_mask_has_another_size_is_left_out_and_told(make_discs):
    own = make_discs("sizes", 6)
    Image.new("L", (32, 48), 255).save(own / "masks" / "3.png")
    examples = gather(burnish.open(own), None, DataConfig())
    assert [path.name for path, part in zip(examples.paths, examples.parts, strict=True) if part < 0] == ["3.png"]
    assert any("1 pictures have a mask that cannot be used" in note and "32 x 48" in note for note in examples.notes)


def _cut(path):
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])


def test_few_pictures_that_choose_the_weights_are_told(make_discs, tmp_path, capsys):
    own = make_discs("few", 6)
    command = ["train", str(own), "--out", str(tmp_path / "run"), *(f"--set={one}" for one in ("epochs=1", "size=32", "network.name=unet"))]
    assert run([*command, "--set=network.width=4"]) == 0
    assert "Only one picture validates, so that it is mostly chance" in capsys.readouterr().err
    latest = [*command, "--set=network.width=4", "--set=evaluation.target=max epoch", "--force"]
    assert run(latest) == 0
    assert "mostly chance" not in capsys.readouterr().err


def test_what_a_training_came_to_is_told_where_its_report_cannot_be_written(make_discs, tmp_path, capsys):
    own = make_discs("own", 8)
    (tmp_path / "run/report.html/in the way").mkdir(parents=True)
    (tmp_path / "c.yaml").write_text(yaml.safe_dump({**SMALL, "epochs": 1}))
    assert run(["train", str(own), "-c", str(tmp_path / "c.yaml"), "--out", str(tmp_path / "run")]) == 3
    told = capsys.readouterr().err
    assert "Trained unet for segmentation on" in told
    assert "report.html cannot be written" in told
    assert (tmp_path / "run/best.pt").exists()


def test_pictures_cut_short_are_left_out_by_name_and_the_training_goes_on(make_discs, tmp_path):
    own = make_discs("cut", 8)
    for name in ("2.png", "5.png"):
        _cut(own / "images" / name)
    result = train(burnish.open(own), settings(epochs=1), work=tmp_path / "run")
    examples = result.policy.examples
    assert {path.name for path, part in zip(examples.paths, examples.parts, strict=True) if part < 0} == {"2.png", "5.png"}
    (note,) = [note for note in examples.notes if "decoded whole" in note]
    assert "images/2.png (the PNG file is cut short; copy or download it again); images/5.png" in note
    result.save(tmp_path / "run")
    assert "images/5.png" in (tmp_path / "run/report.html").read_text()


def test_batches_gathered_into_a_step_equal_one_large_batch_for_each_part_of_the_loss(make_discs, tmp_path, caplog):
    own = make_discs("some", 8, split="train")
    make_discs("some", 2, split="val", seed=8)
    for number in (0, 3, 4):
        Image.new("L", (32, 32)).save(own / "masks/train" / f"{number}.png")  # no disc: no part of the region, but of the pixels
    parts = {"region": {"loss": {"name": "dice", "empty": "ignore", "per_image": True}}, "pixels": {"loss": "binary_cross_entropy"}}
    alike = {
        "network": {"name": "unet", "width": 4, "depth": 2, "norm": "group"},
        "loss": {"name": "combined", "parts": parts},
        "optimizer": {"name": "sgd", "lr": 0.1},
    }
    gathered = settings(**alike, batch_size=2, handlers=[{"name": "accumulation", "batches": 4}])
    whole = train(burnish.open(own), settings(**alike, batch_size=8), work=tmp_path / "whole")
    pieces = train(burnish.open(own), gathered, work=tmp_path / "pieces")
    assert pieces.run.step == whole.run.step == 2
    weights = whole.model.state_dict()
    assert all(torch.allclose(tensor, weights[name], rtol=1e-4, atol=1e-6) for name, tensor in pieces.model.state_dict().items())
    assert "proportions" not in caplog.text


def test_pictures_of_fractions_that_are_no_numbers_are_neither_learnt_nor_predicted(tmp_path):
    rng = np.random.default_rng(0)
    for name, light in (("dark", 0.1), ("light", 0.6)):
        (tmp_path / "data" / name).mkdir(parents=True)
        for number in range(4):
            values = (light + 0.3 * rng.random((32, 32))).astype(np.float32)
            values[: 8 if name == "dark" and number == 2 else 0] = np.nan
            Image.fromarray(values).save(tmp_path / "data" / name / f"{number}.tif")
    network = {"name": "classifier", "network": "small_net"}
    result = train(burnish.open(tmp_path / "data"), TrainConfig.make(**{**SMALL, "network": network, "epochs": 1}), work=tmp_path / "run")
    assert any("dark/2.tif (256 of its 1,024 pixels (25 %) are no numbers" in note for note in result.policy.examples.notes)
    result.save(tmp_path / "run")
    found = predict(burnish.open(tmp_path / "data"), PredictConfig(model=str(tmp_path / "run")))
    assert found.findings.select("kind", "path").rows() == [("unreadable_picture", "dark/2.tif")]


def test_decoded_pictures_of_earlier_runs_make_room_for_those_of_a_new_one(discs, tmp_path):
    data = {"workers": 1, "keep": {"keep": "raw", "disk_gb": 0.00015}}  # room for one of them
    train(discs, settings(epochs=1, data=data), work=tmp_path / "first")
    assert list((tmp_path / "first/cache").glob("*/state.npy"))
    gc.collect()  # nobody holds the first result any more
    train(discs, settings(epochs=1, data=data), work=tmp_path / "second")
    assert not list((tmp_path / "first/cache").glob("*/state.npy"))
    assert list((tmp_path / "second/cache").glob("*/state.npy"))
    assert (tmp_path / "first/best.pt").exists()


def test_pictures_cut_short_of_another_dataset_that_validates_are_left_out_too(make_discs):
    own, other = make_discs("own", 4), make_discs("other", 4, seed=6)
    _cut(other / "images" / "1.png")
    examples = gather(burnish.open(own), None, DataConfig(validation_dataset=str(other)))
    assert len(examples.part("val")) == 3
    assert any("other/images/1.png" in note for note in examples.notes)


def test_a_picture_whose_soft_mask_is_cut_short_is_left_out_with_the_name_of_the_mask(make_discs):
    own = make_discs("soft", 4)
    _cut(own / "masks" / "3.png")
    examples = gather(burnish.open(own), None, DataConfig(soft=True))
    assert [path.name for path, part in zip(examples.paths, examples.parts, strict=True) if part < 0] == ["3.png"]
    assert any("mask" in note and "3.png" in note for note in examples.notes)


def test_where_no_mask_fits_its_picture_the_reason_is_told(make_discs):
    own = make_discs("sizes", 2)
    for number in range(2):
        Image.new("L", (32, 48), 255).save(own / "masks" / f"{number}.png")
    with pytest.raises(DataError, match=r"2 problems were noticed while reading it, the first in masks/0.png: The mask is 32 x 48 pixels"):
        gather(burnish.open(own), None, DataConfig())


def test_pictures_without_any_label_are_told_without_empty_names(make_discs):
    own = make_discs("bare", 2)
    shutil.rmtree(own / "masks")
    with pytest.raises(DataError, match=r"No picture has a mask or polygon or ellipse or box; nothing can be learnt\.$"):
        gather(burnish.open(own), "segmentation", DataConfig())


@pytest.mark.parametrize("place", ["/proc/nope", "{}/file/inside"])
def test_a_cache_that_cannot_be_made_is_blamed_on_its_setting_and_on_no_picture(discs, tmp_path, place):
    (tmp_path / "file").write_text("")
    cache = place.format(tmp_path)
    with pytest.raises(ConfigError, match=rf"^data\.cache names no folder for decoded pictures\. {cache} cannot be made"):
        train(discs, settings(data={"workers": 1, "cache": cache}), work=tmp_path / "run")
    assert not (tmp_path / "run/metrics.jsonl").exists()


def test_unknown_keys_are_told_with_the_line_and_the_nearest(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("epochs: 3\noptimizer:\n  name: adamw\n  lrr: 0.1\n")
    with pytest.raises(ConfigError, match=r"line 4: unknown key 'optimizer.lrr'. Did you mean 'lr'?"):
        load(TrainConfig, path)


def test_a_network_of_another_task_is_told(discs, tmp_path):
    with pytest.raises(ConfigError, match="'classifier' is a network for classification"):
        train(discs, settings(network="classifier"), work=tmp_path)


def test_classes_that_the_dataset_lacks_are_told(discs, tmp_path):
    with pytest.raises(DataError, match="The dataset has no class 'disk'"):
        train(discs, settings(data={"classes": ["disk"]}), work=tmp_path)


def test_a_damaged_checkpoint_is_told(discs, tmp_path):
    train(discs, settings(epochs=1), work=tmp_path)
    (tmp_path / "last.pt").write_bytes(b"no checkpoint")
    with pytest.raises(WeightsError, match=r"cannot be read.*Remove it to begin anew"):
        train(discs, settings(epochs=1), work=tmp_path)
    (tmp_path / "best.pt").write_bytes(b"no checkpoint")
    with pytest.raises(WeightsError, match=r"cannot be read: it holds text.*Train again, or put a copy of it in its place\.$"):
        read_trained(tmp_path)


def test_a_checkpoint_of_another_network_is_told(discs, tmp_path):
    train(discs, settings(epochs=1), work=tmp_path)
    about = json.loads((tmp_path / "run.json").read_text())
    about["network"]["width"] = 8
    (tmp_path / "run.json").write_text(json.dumps(about))
    with pytest.raises(WeightsError, match="does not fit"):
        read_trained(tmp_path)


def test_numbers_that_are_none_end_the_training_with_a_way_out(discs, tmp_path):
    from burnish.errors import ModelError  # noqa: PLC0415

    config = settings(epochs=20, optimizer={"lr": 1e30}, handlers=[{"name": "skipping", "at_most": 3}])
    with pytest.raises(ModelError, match="Lower the learning rate"):
        train(discs, config, work=tmp_path)


@pytest.mark.slow
def test_ctrl_c_saves_and_the_same_command_continues(discs, tmp_path):
    file = tmp_path / "config.yaml"
    values = {**SMALL, "epochs": 30, "augs": {"strength": "none"}}
    file.write_text(yaml.safe_dump(values))
    command = [sys.executable, "-m", "burnish", "train", str(discs.root), "-c", str(file), "-o", str(tmp_path / "run")]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    while not (tmp_path / "run" / "last.pt").exists():
        time.sleep(0.1)
    running.send_signal(signal.SIGINT)
    out, _ = running.communicate(timeout=60)
    assert running.returncode == 130, out
    assert b"the same command continues it" in out
    done = subprocess.run(command, capture_output=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(discs, tmp_path, capsys):
    code = run(["train", str(discs.root), "--dry-run", "--epochs", "7", "--out", str(tmp_path / "run")])
    told = capsys.readouterr().out
    assert code == 0
    assert "Would train unet for segmentation (binary) on 14 train, 2 val, 4 test pictures." in told
    assert "epochs: 7" in told
    assert not (tmp_path / "run").exists()
