"""The config file of the label-issues service: its own text works as it stands, and every key of it is in force."""

import json
from pathlib import Path

import pytest
from builders import labels_folder

from burnish.audit.settings import AuditConfig
from burnish.cli.commands import resolve_settings
from burnish.errors import ConfigError

SEED = (Path(__file__).parent / "label_service_config.yaml").read_text(encoding="utf-8")
"""The file as the service's own guide gives it."""

COLOURS = ("black", "blue", "brown", "green", "grey", "orange", "red", "white", "yellow")


def settings(path: Path, text: str = SEED, *overrides: str) -> AuditConfig:
    path.write_text(text, encoding="utf-8")
    return resolve_settings(AuditConfig, path, {}, overrides, None)


def test_the_services_own_file_is_taken_as_it_stands(tmp_path):
    config = settings(tmp_path / "config.yaml")
    assert (config.model, config.folds, config.dataset, config.names) == ("EfficientNetV2_s", 5, "/workspace/dataset/", COLOURS)
    assert (config.draw, config.pages) == (500, ".")
    assert config.train.model_dump() == {
        "epochs": 15,
        "batch_size": 32,
        "num_workers": 40,
        "patience": 2,
        "warmup": 1.0,
        "lr": 0.0003,
        "min_lr": 0.000005,
        "factor": 0.9,
        "weighted_sampler": True,
    }
    assert config.transform.model_dump(exclude_none=True) == {
        "resize": {"size": (224, 224)},
        "rotation": {"degrees": 35.0},
        "hflip": {"p": 0.5},
        "vflip": {"p": 0.0},
        "perspective": {"distortion_scale": 0.1, "p": 0.2},
    }


@pytest.mark.parametrize(
    ("old", "new", "place", "value"),
    [
        ("do_visualize: True", "do_visualize: False", "draw", 0),
        ("num_images_to_vis: 500", "num_images_to_vis: 7", "draw", 7),
        ("class_name: EfficientNetV2_s", "class_name: ResNet18", "model", "ResNet18"),
        ("epochs: 15", "epochs: 3", "train.epochs", 3),
        ("batch_size: 32", "batch_size: 8", "train.batch_size", 8),
        ("num_workers: 40", "num_workers: 1", "train.num_workers", 1),
        ("patience: 2", "patience: 4", "train.patience", 4),
        ("warmup: 1 ", "warmup: 0.3 ", "train.warmup", 0.3),
        ("  lr: 0.0003", "  lr: 0.01", "train.lr", 0.01),
        ("min_lr: 0.000005", "min_lr: 0.00001", "train.min_lr", 0.00001),
        ("factor: 0.9", "factor: 0.5", "train.factor", 0.5),
        ("weighted_sampler: True", "weighted_sampler: False", "train.weighted_sampler", False),
        ("num_folds: 5", "num_folds: 3", "folds", 3),
        ("dataset_path: /workspace/dataset/", "dataset_path: /data", "dataset", "/data"),
        ("'black',  'blue'", "'blue',  'black'", "names", ("blue", "black", *COLOURS[2:])),
        ("size: [224, 224]", "size: [64, 96]", "transform.resize.size", (64, 96)),
        ("degrees: 35", "degrees: 10", "transform.rotation.degrees", 10.0),
        ("p: 0.5", "p: 0.25", "transform.hflip.p", 0.25),
        ("p: 0.  ", "p: 1.  ", "transform.vflip.p", 1.0),
        ("distortion_scale: 0.1", "distortion_scale: 0.4", "transform.perspective.distortion_scale", 0.4),
        ("p: 0.2", "p: 0.6", "transform.perspective.p", 0.6),
    ],
)
def test_every_key_of_the_file_is_in_force(tmp_path, old, new, place, value):
    assert SEED.count(old) == 1
    found = settings(tmp_path / "config.yaml", SEED.replace(old, new))
    for name in place.split("."):
        found = getattr(found, name)
    assert found == value


def test_the_transforms_that_are_commented_out_are_off_and_can_be_turned_on(tmp_path):
    off = settings(tmp_path / "config.yaml").transform
    assert (off.color_jitter, off.random_crop, off.blur) == (None, None, None)
    commented = SEED[SEED.index("    # color_jitter") : SEED.index("# Если не")]
    on = settings(tmp_path / "config.yaml", SEED.replace(commented, commented.replace("# ", ""))).transform
    assert on.color_jitter.model_dump() == {"brightness": 0.3, "contrast": 0.2, "saturation": 0.1, "hue": 0.1}
    assert (on.random_crop.size, on.blur.kernel_size, on.blur.sigma) == ((128, 128), (5, 9), (0.1, 5.0))


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("weighted_sampler", "weighted_sampl", "line 18: unknown key 'Training.weighted_sampl'. Did you mean 'weighted_sampler'?"),
        ("num_classes: 9", "num_classes: 8", "Model.num_classes is 8, but Dataset.names has 9 names; make them agree"),
        ("epochs: 15", "epochs: a lot", "line 10: 'Training.epochs' is 'a lot': input should be a valid integer"),
        ("rotation:", "rotatoin:", "unknown key 'Dataset.transform.rotatoin'. Did you mean 'rotation'?"),
    ],
)
def test_a_mistake_in_the_file_is_told_as_the_file_spells_it(tmp_path, old, new, text):
    assert SEED.count(old) == 1
    with pytest.raises(ConfigError) as raised:
        settings(tmp_path / "config.yaml", SEED.replace(old, new))
    assert text in str(raised.value)


@pytest.mark.slow
def test_the_file_drives_a_whole_audit_that_trains_networks(tmp_path, monkeypatch, capsys):
    torch = pytest.importorskip("torch")
    from burnish.cli.app import run  # noqa: PLC0415 - the program, after torch is known to be there

    torch.set_num_threads(1)
    monkeypatch.chdir(tmp_path)
    cells = labels_folder(tmp_path / "dataset", ["black", "red", "yellow"] * 20, wrong={4: "black", 12: "red", 26: "red"})
    text = (
        SEED.replace("/workspace/dataset/", "dataset/")
        .replace("class_name: EfficientNetV2_s", "class_name: small")
        .replace("size: [224, 224]", "size: [24, 32]")
        .replace("num_folds: 5", "num_folds: 2")
        .replace("lr: 0.0003", "lr: 0.003")
        .replace("num_images_to_vis: 500", "num_images_to_vis: 2")
    )
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    assert run(["audit", "-c", "config.yaml", "--out", "drawed", "--json"]) == 0
    rows = [json.loads(line) for line in (cells / "corrected_labels.jsonl").read_text().splitlines()]
    assert len(rows) == 60
    told = json.loads(capsys.readouterr().out)
    assert (told["model"], told["folds"], told["labels"]) == ("small", 2, 60)
    assert [path.name for path in (tmp_path / "drawed").glob("*.jpg")] == ["0.jpg"]
    assert (tmp_path / "drawed/report.html").is_file()
