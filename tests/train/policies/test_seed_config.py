"""The config file of the binary segmentation service is taken as it stands."""

import re
from pathlib import Path

import pytest
import torch
from training_builders import Signalled

import burnish
from burnish.cli.app import run
from burnish.config import read_yaml
from burnish.errors import ConfigError, DataError
from burnish.models.networks.building import build_network
from burnish.train.policies.seed_config import is_seed
from burnish.train.policies.settings import TrainConfig
from burnish.train.train import train

FILE = """\
seed: 42
experiment_name: "Pipeline Defects Detection"
track_experiment: Yes

# --- data & image -------------------------------------------------
image_size: [704, 512]
train_dataset: Deposition_BASELINE
validataion_dataset: Deposition_BASELINE_VAL
evaluation_dataset: Deposition_EVAL

# binary - for strictly binary masks
# soft - for masks in the form of probability matrices
validation_metrics: soft
evaluation_metrics: binary

# --- model --------------------------------------------------------
model:
  name: UNetAttention # For supported models check src\\models\\__init__.py
  args:
    encoder_name: resnet34
    encoder_weights: imagenet
    in_channels: 3
    classes: 1
    freeze_encoder: True

# --- training hyper-parameters ------------------------------------
epochs: 30
learning_rate: 0.0001
batch_size: 2

criterion:
  name: TverskyLoss # For available loss functions check src/losses/__init__.py
  args:
    alpha: 0.5   # FN
    beta: 0.5    # FP
    smooth: 1
    mode: binary
    from_logits: True

# --- logging / checkpoints ----------------------------------------
scoring_per_epoch: 4
save_by_metric: IoU
visualization_samples: 30
"""


def adapted(text):
    return TrainConfig.make(**TrainConfig.adapt(read_yaml(text), text))


def test_the_file_is_known_by_its_keys():
    assert is_seed(read_yaml(FILE))
    assert not is_seed({"epochs": 3, "seed": 1})


def test_every_key_is_in_force(monkeypatch):
    monkeypatch.setenv("DATASETS_DIR", "/data")
    found = adapted(FILE)
    assert found.size == (704, 512)
    assert found.dataset == "/data/Deposition_BASELINE"
    assert found.data.validation_dataset == "/data/Deposition_BASELINE_VAL"
    assert found.data.test_dataset == "/data/Deposition_EVAL"
    assert found.data.soft is True
    assert found.network.model_dump() | {"gate": True, "encoder": "resnet34", "freeze_encoder": True} == found.network.model_dump()
    assert found.loss.model_dump()["fp_weight"] == 0.5
    assert (found.epochs, found.batch_size, found.evaluation.per_epoch, found.evaluation.pictures) == (30, 2, 4, 30)
    assert found.optimizer.model_dump() | {"name": "adam", "lr": 1e-4, "weight_decay": 0.01} == found.optimizer.model_dump()
    assert found.evaluation.target == "max soft_iou_image"
    assert found.evaluation.writers[0].model_dump()["experiment"] == "Pipeline Defects Detection"


@pytest.mark.parametrize(
    ("name", "kind", "target"),
    [
        ("Dice", "soft", "max soft_dice_image"),
        ("Soft IoU", "binary", "max soft_iou_image"),
        ("Loss", "soft", "min loss"),
        ("Recall", "binary", "max recall_image"),
    ],
)
def test_the_metric_that_saves_is_one_of_the_validation_set(name, kind, target):
    text = FILE.replace("save_by_metric: IoU", f"save_by_metric: {name}").replace("validation_metrics: soft", f"validation_metrics: {kind}")
    assert adapted(text).evaluation.target == target


def test_the_right_spelling_and_the_older_name_of_the_set_are_taken_too(tmp_path, monkeypatch):
    monkeypatch.setenv("DATASETS_DIR", str(tmp_path))
    (tmp_path / "Deposition_VAL").mkdir()
    assert adapted(FILE.replace("validataion", "validation")).data.validation_dataset == str(tmp_path / "Deposition_VAL")


def test_an_empty_evaluation_dataset_is_none():
    assert adapted(FILE.replace("evaluation_dataset: Deposition_EVAL", "evaluation_dataset:")).data.test_dataset is None


def test_variables_are_read_from_a_dotenv_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("# where\nexport DATASETS_DIR='/elsewhere'\n")
    assert adapted(FILE).dataset == "/elsewhere/Deposition_BASELINE"


def test_unknown_keys_are_told_as_the_file_spells_them():
    with pytest.raises(ConfigError, match=r"unknown key 'scoring_per_epochs'. Did you mean 'scoring_per_epoch'"):
        adapted(FILE.replace("scoring_per_epoch:", "scoring_per_epochs:"))


@pytest.fixture(autouse=True)
def bare(monkeypatch):
    """No variable of whoever runs the tests decides."""
    for name in ("DATASETS_DIR", "MODELS_DIR", "MLFLOW_TRACKING_URI", "USERNAME"):
        monkeypatch.delenv(name, raising=False)


def files_in(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def small(make_discs, tmp_path, monkeypatch):
    """The file's training, small and short, and its settings."""
    for name, count in (("D_BASELINE", 4), ("D_BASELINE_VAL", 2), ("D_EVAL", 2)):
        make_discs(f"sets/{name}", count)
    monkeypatch.setenv("DATASETS_DIR", str(tmp_path / "sets"))
    smaller = {"Deposition": "D", "[704, 512]": "[32, 32]", "epochs: 30": "epochs: 1", "resnet34": "resnet18", "imagenet": "null"}
    text = FILE
    for old, new in {**smaller, "Yes": "No", "scoring_per_epoch: 4": "scoring_per_epoch: 2"}.items():
        text = text.replace(old, new)
    return adapted(text)


def test_such_a_file_trains(make_discs, tmp_path, monkeypatch):
    config = small(make_discs, tmp_path, monkeypatch)
    result = train(burnish.open(config.dataset), config, work=tmp_path / "run")
    assert result.run.evaluations == 2
    assert {"iou_image", "soft_iou_image", "specificity_image"} <= set(result.measured["test"])
    assert config.evaluation.publish is None


def test_the_best_weights_come_into_models_dir_and_load_as_weights(make_discs, tmp_path, monkeypatch):
    monkeypatch.setenv("MODELS_DIR", str(tmp_path / "models"))
    config = small(make_discs, tmp_path, monkeypatch)
    dataset = burnish.open(config.dataset)
    result = train(dataset, config, work=tmp_path / "run")
    (path,) = files_in(tmp_path / "models")
    assert re.fullmatch(r"UNetAttention/D_BASELINE_\d{8}_\d{6}\.pth", path.relative_to(tmp_path / "models").as_posix())
    state = torch.load(path, weights_only=True)
    assert all(isinstance(value, torch.Tensor) for value in state.values())
    again = build_network({**config.network.model_dump(), "weights": str(path)}, outputs=1, image_size=(32, 32))
    trained = result.model.state_dict()
    assert all(torch.equal(value, trained[name]) for name, value in again.state_dict().items())
    train(dataset, config, work=tmp_path / "run")
    assert files_in(tmp_path / "models") == [path]


def test_another_models_dir_continues_the_same_training(make_discs, tmp_path, monkeypatch):
    config = small(make_discs, tmp_path, monkeypatch)
    train(burnish.open(config.dataset), config, work=tmp_path / "run")
    monkeypatch.setenv("MODELS_DIR", str(tmp_path / "models"))
    config = small(make_discs, tmp_path, monkeypatch)
    assert train(burnish.open(config.dataset), config, work=tmp_path / "run").run.evaluations == 2
    assert len(files_in(tmp_path / "models")) == 1


def test_an_interrupted_training_puts_nothing_into_models_dir(make_discs, tmp_path, monkeypatch):
    monkeypatch.setenv("MODELS_DIR", str(tmp_path / "models"))
    config = small(make_discs, tmp_path, monkeypatch)
    result = train(burnish.open(config.dataset), config, work=tmp_path / "run", handlers=[Signalled(1)])
    assert result.run.interrupted
    assert not (tmp_path / "models").exists()


def test_a_models_dir_that_cannot_be_made_is_told_before_the_training(make_discs, tmp_path, monkeypatch):
    (tmp_path / "models").write_text("a file")
    monkeypatch.setenv("MODELS_DIR", str(tmp_path / "models"))
    config = small(make_discs, tmp_path, monkeypatch)
    with pytest.raises(DataError, match=r"cannot be made, for .*models is a file"):
        train(burnish.open(config.dataset), config, work=tmp_path / "run")
    assert not (tmp_path / "run" / "last.pt").exists()


def test_the_user_of_the_environment_is_whose_run_it_is(monkeypatch):
    assert adapted(FILE).evaluation.writers[0].model_dump()["user"] is None
    monkeypatch.setenv("USERNAME", "analyst")
    assert adapted(FILE).evaluation.writers[0].model_dump()["user"] == "analyst"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore", "error:::burnish")  # what MLflow warns of in its own code says nothing of ours
def test_a_tracked_experiment_is_in_a_local_store_with_settings_results_and_weights(make_discs, tmp_path, monkeypatch):
    from mlflow import MlflowClient  # noqa: PLC0415 - of the group companions

    small(make_discs, tmp_path, monkeypatch)
    text = FILE.replace("Deposition", "D").replace("[704, 512]", "[32, 32]").replace("epochs: 30", "epochs: 1")
    (tmp_path / "config.yaml").write_text(text.replace("resnet34", "resnet18").replace("imagenet", "null"))
    monkeypatch.chdir(tmp_path)
    assert run(["train", "-c", "config.yaml", "--out", "run"]) == 0
    client = MlflowClient(tracking_uri="sqlite:///mlflow.db")
    (found,) = client.search_runs([client.get_experiment_by_name("Pipeline Defects Detection").experiment_id])
    assert (found.info.run_name, found.info.status) == ("UNetAttention_D_BASELINE", "FINISHED")
    assert (found.data.params["network.name"], found.data.params["optimizer.lr"]) == ("encoder_unet", "0.0001")
    rows = (tmp_path / "run/metrics.csv").read_text().splitlines()[1:]
    measured = {f"results/{part}/{name}": float(value) for part, name, value in (row.split(",") for row in rows)}
    assert {name: value for name, value in found.data.metrics.items() if name.startswith("results/")} == measured
    assert len(client.get_metric_history(found.info.run_id, "iou_dataset")) == 2
    kept = Path(client.download_artifacts(found.info.run_id, "", str(tmp_path)))
    assert all((kept / name).read_bytes() == (tmp_path / "run" / name).read_bytes() for name in ("best.pt", "config.yaml", "run.json"))
    assert len(list((kept / "images").iterdir())) == 2
