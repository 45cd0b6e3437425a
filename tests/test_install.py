"""A clean clone installs by itself: the core without torch works and is small; the files that drive development are whole."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
CORE_MOST_BYTES = 500e6
"""Without byte code; of it Polars alone has 180 MB, SciPy 115 MB, NumPy 57 MB."""
NOT_OURS = ("pip", "setuptools")


def said(command: list[object], folder: Path, **environment: str) -> str:
    """What a command prints; its errors are in the failure when it fails."""
    clean = {key: value for key, value in os.environ.items() if key not in {"VIRTUAL_ENV", "PYTHONPATH", "MAKEFLAGS"}}
    done = subprocess.run(
        list(map(str, command)), cwd=folder, env={**clean, **environment}, capture_output=True, text=True, check=False, timeout=900
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A clean clone, and the folder of programs of a new environment into which its core was installed, nothing else."""
    folder = tmp_path_factory.mktemp("install")
    clone, environment = folder / "clone", folder / "venv"
    said(["git", "clone", "--quiet", ROOT, clone], folder)
    said([sys.executable, "-m", "venv", environment], folder)
    python = environment / "bin/python"
    said([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-c", "constraints.txt", "."], clone)
    return clone, environment / "bin"


@pytest.fixture
def cells(installed, tmp_path):
    """A copy of some of the cells that ship with the repository, in an empty folder."""
    shipped, cells = installed[0] / "examples/bccd_cells", tmp_path / "cells"
    (cells / "images").mkdir(parents=True)
    lines = (shipped / "labels.jsonl").read_text().splitlines(keepends=True)[:60]
    (cells / "labels.jsonl").write_text("".join(lines))
    for line in lines:
        name = json.loads(line)["image"]
        (cells / name).write_bytes((shipped / name).read_bytes())
    return cells


@pytest.mark.slow
def test_the_core_brings_no_torch_and_stays_small(installed):
    site = next((installed[1].parent / "lib").glob("python*/site-packages"))
    names = {path.name.lower() for path in site.iterdir()}
    assert not names & {"cv2", "torch", "torchvision", "timm", "transformers", "sklearn", "pandas", "matplotlib"}
    files = (path for entry in site.iterdir() if not entry.name.startswith(NOT_OURS) for path in (entry, *entry.rglob("*")))
    size = sum(path.stat().st_size for path in files if path.is_file() and not path.is_symlink() and path.suffix != ".pyc")
    assert size < CORE_MOST_BYTES


@pytest.mark.slow
def test_the_installed_program_shows_its_help_and_version(installed, tmp_path):
    assert "Find the wrong labels" in said([installed[1] / "burnish", "--help"], tmp_path)
    assert said([installed[1] / "python", "-m", "burnish", "--version"], tmp_path).startswith("burnish ")


@pytest.mark.slow
@pytest.mark.parametrize(
    "tokens",
    [
        ["check", "cells", "--strict"],
        ["stats", "cells", "--out", "out"],
        ["convert", "cells", "out", "--to", "coco"],
        ["split", "cells", "--out", "out"],
        ["dedupe", "cells", "--out", "out"],
        ["preview", "cells", "--out", "out"],
        ["audit", "cells", "--folds", "3", "--repeats", "1", "--size", "24", "--out", "out"],
    ],
    ids=lambda tokens: tokens[0],
)
def test_the_core_alone_does_the_work(installed, cells, tokens):
    told = json.loads(said([installed[1] / "burnish", *tokens, "--json"], cells.parent, OMP_NUM_THREADS="1"))
    assert told["verb"] == tokens[0]
    assert all((cells.parent / path).exists() for path in told["files"])


@pytest.mark.slow
def test_a_network_asks_for_the_extra_by_its_command(installed, cells):
    command = [installed[1] / "burnish", "audit", "cells", "--model", "ResNet18"]
    done = subprocess.run(command, cwd=cells.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert "pip install 'burnish[audit]'" in done.stderr


@pytest.mark.parametrize("target", ["demo", "test", "test-slow", "lint", "bench", "docs", "clean", "help"])
def test_every_target_of_the_makefile_can_be_planned(target):
    plan = said(["make", "-n", target], ROOT)
    assert plan.strip()


def test_the_hook_before_a_commit_runs_the_lint_target():
    hooks = [hook for repo in yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"] for hook in repo["hooks"]]
    assert [(hook["entry"], hook["language"], hook["pass_filenames"]) for hook in hooks] == [("make lint", "system", False)]


def test_the_hook_file_is_valid():
    program = Path(sys.executable).with_name("pre-commit")
    if not program.exists():
        pytest.skip("pre-commit belongs to the lint tools, which are not installed here (make lint installs them)")
    said([program, "validate-config", ".pre-commit-config.yaml"], ROOT)


def test_the_pins_and_the_makefile_hold_no_addresses():
    for name in ("constraints.txt", "Makefile", "pyproject.toml"):
        text = (ROOT / name).read_text()
        for word in ("index-url", "--find-links", "@ http", "@ git+"):
            assert word not in text, f"{name} holds {word}"
