"""The verb doctor: what is wrong with a training is told before it begins, and nothing is left changed."""

import numpy as np
import pytest
import torch
from PIL import Image
from task_builders import write_figures, write_squares

import burnish
from burnish.errors import ConfigError
from burnish.train.doctor import doctor
from burnish.train.doctoring.settings import DoctorConfig
from burnish.train.policies.settings import TrainConfig

QUICK = ("ONNX export", "int8")


def settings(**more):
    values = {"network": {"name": "unet", "width": 4, "depth": 2}, "size": 32, "batch_size": 4, "data": {"workers": 1}, "without": QUICK}
    return DoctorConfig.make(**{**values, "hardware": {"device": "cpu"}, **more})


def verdicts(result):
    return {one.name: one.status for one in result.findings}


@pytest.fixture(scope="module")
def examined(discs):
    return doctor(discs, settings())


def test_a_sound_training_has_no_errors(examined):
    assert examined.exit_code == 0
    found = verdicts(examined)
    assert {"versions", "device", "cores", "parts", "disk", "statistics", "first loss", "target", "gradients", "memory"} <= set(found)
    assert "error" not in found.values()


def test_classes_come_with_their_frequencies_and_weights(examined):
    classes = examined.classes
    assert classes["class"].to_list() == ["background", "object"]
    assert classes["share_of_pixels"].sum() == pytest.approx(1)
    assert classes["pos_weight"][1] > 1


def test_results_are_a_table_a_text_and_files(examined, tmp_path):
    assert examined.table.columns == ["check", "verdict", "found", "do"]
    assert str(examined).splitlines()[-1].startswith(f"{len(examined.findings)} checks: ")
    assert {path.name for path in examined.save(tmp_path)} == {"doctor.csv", "report.html", "classes.csv"}
    assert "first loss" in (tmp_path / "report.html").read_text()
    assert examined.summary()["verdicts"]["ok"] > 10


@pytest.mark.slow
def test_nothing_is_left_changed(discs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = sorted(discs.root.rglob("*"))
    chance = torch.get_rng_state()
    doctor(discs, settings(statistics=False, evaluation={"writers": [{"name": "tensorboard", "folder": str(tmp_path / "told")}]}))
    assert sorted(discs.root.rglob("*")) == before
    assert not list(tmp_path.iterdir())
    assert torch.equal(chance, torch.get_rng_state())


def test_without_a_dataset_only_the_machine_is_looked_at():
    result = doctor()
    assert list(verdicts(result)) == ["versions", "device", "cores", "training"]
    assert result.exit_code == 0
    assert f"torch {torch.__version__.partition('+')[0]}" in result.findings[0].found


def test_a_target_that_no_evaluation_gives_is_an_error(discs):
    result = doctor(discs, settings(evaluation={"target": "max accuracy_of_luck"}, statistics=False))
    found = next(one for one in result.findings if one.name == "target")
    assert found.status == "error"
    assert "asks for the metric 'accuracy_of_luck'" in found.found
    assert result.exit_code == 3


def test_a_loss_for_another_task_is_told_and_ends_the_look(discs):
    result = doctor(discs, settings(loss="huber"))
    assert verdicts(result)["settings"] == "error"
    assert "gradients" not in verdicts(result)


@pytest.mark.slow
def test_small_batches_for_batch_normalisation_are_told(discs):
    config = settings(network={"name": "unet", "width": 4, "depth": 2, "norm": "batch"}, statistics=False)
    found = next(one for one in doctor(discs, config).findings if one.name == "batch normalisation")
    assert found.status == "warning"
    assert "see 4 pictures at a time" in found.found


@pytest.mark.slow
def test_classes_that_a_part_lacks_and_rare_ones_are_told(tmp_path):
    rng = np.random.default_rng(0)
    for part, names in (("train", {"cat": 12, "dog": 12, "owl": 2}), ("val", {"cat": 3, "dog": 3})):
        for name, count in names.items():
            (tmp_path / part / name).mkdir(parents=True)
            for number in range(count):
                Image.fromarray(rng.integers(0, 255, (16, 16, 3), dtype=np.uint8)).save(tmp_path / part / name / f"{number}.png")
    config = DoctorConfig.make(size=16, batch_size=4, data={"workers": 1}, without=QUICK, hardware={"device": "cpu"})
    result = doctor(burnish.open(tmp_path), config)
    found = {one.name: one for one in result.findings}
    assert found["classes of val"].found == "owl is on no picture of the part val."
    assert found["rare classes"].found == "owl (2) is on fewer than 10 training pictures."
    assert result.classes["class"].to_list() == ["cat", "dog", "owl"]


@pytest.mark.slow
def test_the_largest_batch_and_a_rate_come_when_asked(discs):
    result = doctor(discs, settings(batch=True, rate=True, statistics=False))
    found = {one.name: one for one in result.findings}
    assert found["largest batch"].found.startswith("batch 8 (")
    assert found["learning rate"].found.startswith("learning rate ")


def test_a_check_to_leave_out_must_exist(discs):
    with pytest.raises(ConfigError, match="There is no check 'onnx' of the network to leave out"):
        doctor(discs, settings(without=("onnx",), statistics=False))


def test_every_setting_of_a_training_is_one_of_the_doctor():
    assert set(TrainConfig.model_fields) < set(DoctorConfig.model_fields)


@pytest.mark.slow
@pytest.mark.parametrize(("write", "network"), [(write_squares, {"name": "centres"}), (write_figures, {"name": "heatmaps"})])
def test_networks_with_losses_of_their_own_are_tried_too(tmp_path, write, network):
    write(tmp_path, 6, split="train")
    write(tmp_path, 3, split="val", seed=1)
    config = DoctorConfig.make(
        network=network, size=64, batch_size=3, data={"workers": 1}, without=QUICK, hardware={"device": "cpu"}, batch=True
    )
    result = doctor(burnish.open(tmp_path), config)
    found = {one.name: one for one in result.findings}
    assert [str(one) for one in result.findings if one.status == "error"] == []
    assert found["gradients"].status == "ok"
    assert found["statistics"].found.startswith("6 pictures")
