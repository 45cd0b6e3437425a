"""The audit as a service: the three volumes, the config file and the command that its users know."""

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from burnish.cli.app import run

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy" / "audit"
VOLUMES = [
    "./path/to/dataset:/workspace/dataset",
    "./configs/config.yaml:/workspace/configs/config.yaml",
    "./drawed/:/workspace/drawed",
]
WRONG = (4, 25)
COLOURS = {"red": (200, 30, 30), "green": (30, 180, 40), "blue": (30, 60, 200)}


@pytest.fixture
def service():
    return yaml.safe_load((DEPLOY / "docker-compose.yaml").read_text("utf-8"))["services"]["audit"]


def test_the_service_has_the_three_volumes(service):
    assert service["volumes"] == VOLUMES


def test_the_service_audits_with_the_mounted_settings(service):
    assert service["command"] == shlex.split("audit -c /workspace/configs/config.yaml --out /workspace/drawed")


def test_the_service_is_not_run_by_root(service):
    assert service["user"] == "${AUDIT_UID:-1000}:${AUDIT_GID:-1000}"
    users = re.findall(r"^USER (\S+)", (DEPLOY / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    assert users[-1] not in {"root", "0"}


def test_the_picture_of_the_service_starts_with_the_same_command(service):
    text = (DEPLOY / "Dockerfile").read_text("utf-8")
    assert 'ENTRYPOINT ["burnish"]' in text
    assert yaml.safe_load(re.search(r"^CMD (.*)$", text, re.MULTILINE)[1]) == service["command"]


def test_the_build_finds_what_it_copies(service):
    assert (DEPLOY / service["build"]["context"]).resolve() == ROOT
    assert (ROOT / service["build"]["dockerfile"]).is_file()
    copied = re.findall(r"^COPY (.*) \S+$", (DEPLOY / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    assert [name for line in copied for name in line.split() if not (ROOT / name).exists()] == []


def test_the_card_is_asked_for_only_where_there_is_one(service):
    assert "deploy" not in service
    gpu = yaml.safe_load((DEPLOY / "docker-compose.gpu.yaml").read_text("utf-8"))["services"]["audit"]
    assert gpu["deploy"]["resources"]["reservations"]["devices"][0]["capabilities"] == ["gpu"]


def test_the_config_file_is_that_of_the_service_it_replaces(shared_data):
    text = (shared_data.parent / "spec" / "seeds" / "label-issues.md").read_text("utf-8")
    assert (DEPLOY / "configs" / "config.yaml").read_text("utf-8") in text


@pytest.mark.slow
def test_the_service_writes_corrected_labels_and_drawn_pages(service, tmp_path):
    dataset, drawn = tmp_path / "dataset", tmp_path / "drawed"
    make_coloured_dataset(dataset)
    config = tmp_path / "config.yaml"
    config.write_text(shortened((DEPLOY / "configs" / "config.yaml").read_text("utf-8"), dataset), encoding="utf-8")
    places = {"/workspace/configs/config.yaml": str(config), "/workspace/drawed": str(drawn)}

    assert run([places.get(part, part) for part in service["command"]]) == 0

    given, corrected = (read_labels(dataset / name) for name in ("labels.jsonl", "corrected_labels.jsonl"))
    changed = {image for image in given if given[image] != corrected[image]}
    assert list(corrected) == list(given)
    assert changed == {f"images/{number}.png" for number in WRONG}
    assert (drawn / "0.jpg").is_file()
    assert (drawn / "report.html").is_file()


def read_labels(path):
    return {row["image"]: row["label"] for row in map(json.loads, path.read_text("utf-8").splitlines())}


def shortened(config, dataset):
    """The settings as they stand, with a quicker network, two folds, and small pictures."""
    for pattern, value in {
        r"class_name: \S+": "class_name: small",
        r"num_folds: \d+": "num_folds: 2",
        r"epochs: \d+": "epochs: 8",
        r"batch_size: \d+": "batch_size: 8",
        r"lr: 0\.0003": "lr: 0.003",
        r"size: \[224, 224\]": "size: [32, 32]",
        r"/workspace/dataset/": dataset.as_posix(),
    }.items():
        config, number = re.subn(pattern, value, config)
        assert number, pattern
    return config


def make_coloured_dataset(folder, pictures=60):
    """Noisy squares of three of the nine colours that the config file names, two of them with a wrong label."""
    (folder / "images").mkdir(parents=True)
    random = np.random.default_rng(0)
    names = list(COLOURS)
    lines = []
    for number in range(pictures):
        colour = names[number % 3]
        noise = random.normal(0, 25, (40, 40, 3))
        Image.fromarray((np.array(COLOURS[colour]) + noise).clip(0, 255).astype(np.uint8)).save(folder / "images" / f"{number}.png")
        label = names[(number + 1) % 3] if number in WRONG else colour
        lines.append(f'{{"image": "images/{number}.png", "label": "{label}"}}\n')
    (folder / "labels.jsonl").write_text("".join(lines), encoding="utf-8")
