"""Recipes: steps in order, kept when finished, refused before anything runs when they cannot work."""

import json
from pathlib import Path

import pytest
from builders import labels_folder

import burnish
from burnish.formats.recognise import open_dataset

RECIPE = """dataset: cells
out: results
steps:
  - check
  - audit: {model: patches, folds: 3, repeats: 1, size: 24}
  - apply: {min_score: 0.5}
  - split: {val: 0.25}
  - convert: {to: yolo, task: classify}
"""
STEPS = ["01-check", "02-audit", "03-apply", "04-split", "05-convert"]


@pytest.fixture
def cells(tmp_path):
    (tmp_path / "r.yaml").write_text(RECIPE)
    return labels_folder(tmp_path / "cells", ["red", "blue", "green"] * 8, wrong={3: "blue", 7: "red"})


def finished(folder="results"):
    return {path.parent.name: path.stat().st_mtime_ns for path in Path(folder).glob("*/step.json")}


def test_a_recipe_runs_from_labels_to_a_split_yolo_set(burnish_cli, cells):
    said = burnish_cli("run", "r.yaml", "--json")
    assert said.code == 0, said.err
    assert list(said.json["steps"]) == STEPS
    assert said.json["steps"]["03-apply"].startswith("Applied: 2 label")
    made = open_dataset("results/05-convert/result")
    assert sorted(made.images["split"].unique()) == ["train", "val"]
    assert sorted(made.classes["name"]) == ["blue", "green", "red"]
    right = Path("results/05-convert/result")
    assert len(list(right.glob("*/red/*003.jpg"))) == 1
    assert (cells / "corrected_labels.jsonl").exists()


@pytest.mark.usefixtures("cells")
def test_finished_steps_are_kept_and_those_after_a_change_run_again(burnish_cli, tmp_path):
    assert burnish_cli("run", "r.yaml").code == 0
    first = finished()
    said = burnish_cli("run", "r.yaml")
    assert said.code == 0
    assert said.err.count("finished before") == 5
    assert finished() == first
    (tmp_path / "r.yaml").write_text(RECIPE.replace("val: 0.25", "val: 0.5"))
    said = burnish_cli("run", "r.yaml")
    assert said.code == 0, said.err
    assert {name for name, time in finished().items() if time != first[name]} == {"04-split", "05-convert"}


@pytest.mark.usefixtures("cells")
def test_a_recipe_that_stopped_continues_at_the_step_that_failed(burnish_cli, tmp_path):
    Path("results/04-split").parent.mkdir()
    Path("results/04-split").write_text("in the way")
    said = burnish_cli("run", "r.yaml")
    assert said.code == 3
    assert sorted(finished()) == ["01-check", "02-audit", "03-apply"]
    before = finished()
    Path("results/04-split").unlink()
    assert burnish_cli("run", "r.yaml").code == 0
    assert sorted(finished()) == STEPS
    assert {name: finished()[name] for name in before} == before
    assert (tmp_path / "results/05-convert/result").is_dir()


def test_a_changed_dataset_is_worked_on_again(burnish_cli, cells, tmp_path):
    (tmp_path / "r.yaml").write_text("dataset: cells\nout: results\nsteps: [check, stats]\n")
    assert burnish_cli("run", "r.yaml").code == 0
    first = finished()
    lines = (cells / "labels.jsonl").read_text().splitlines(keepends=True)
    (cells / "labels.jsonl").write_text("".join(lines[:-1]))
    assert burnish_cli("run", "r.yaml").code == 0
    assert all(time != first[name] for name, time in finished().items())


def test_a_recipe_does_not_replace_corrected_labels_unasked(burnish_cli, cells):
    (cells / "corrected_labels.jsonl").write_text("precious\n")
    said = burnish_cli("run", "r.yaml")
    assert said.code == 3
    assert "corrected_labels.jsonl is there already" in said.err
    assert (cells / "corrected_labels.jsonl").read_text() == "precious\n"
    assert burnish_cli("run", "r.yaml", "--force").code == 0
    assert len((cells / "corrected_labels.jsonl").read_text().splitlines()) == 24


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        ("[check, chek]", "r.yaml, line 2, step 2: there is no verb 'chek'. Did you mean 'check'?"),
        ("[check, undo]", "r.yaml, line 2, step 2: 'undo' makes no sense in a recipe. Use it on the results."),
        ("[check, 3]", "r.yaml, line 2, step 2: found 3; expected one verb, alone or with its settings, such as audit: {folds: 5}."),
        ("[check: 3]", "r.yaml, line 2, step 1: the settings of 'check' are 3; expected key: value pairs."),
        ("[apply]", "r.yaml: step 1 (apply) needs findings; put an audit, check or dedupe before it."),
        ("\n  - check\n  - audit:\n      fold: 3\n", "r.yaml, step 2 (audit): line 5: unknown key 'fold'. Did you mean 'folds'?"),
        ("[]", "r.yaml: line 2: 'steps' is []: tuple should have at least 1 item after validation, not 0."),
    ],
)
@pytest.mark.usefixtures("cells")
def test_a_recipe_that_cannot_work_is_refused_before_anything_runs(burnish_cli, tmp_path, steps, text):
    (tmp_path / "r.yaml").write_text(f"dataset: cells\nsteps: {steps}\n")
    said = burnish_cli("run", "r.yaml")
    assert (said.code, said.out, said.err) == (2, "", f"Settings (ConfigError): {text}\n")
    assert {path.name for path in tmp_path.iterdir()} == {"cells", "r.yaml"}


def test_a_strict_check_ends_a_recipe(burnish_cli, cells, tmp_path):
    (cells / "images/000.jpg").write_bytes(b"")
    (tmp_path / "r.yaml").write_text("dataset: cells\nout: results\nsteps: [{check: {strict: true}}, stats]\n")
    said = burnish_cli("run", "r.yaml")
    assert said.code == 3
    assert "Step 01-check ends the recipe" in said.err
    assert finished() == {}


@pytest.mark.usefixtures("cells")
def test_the_seed_of_a_recipe_reaches_its_steps(burnish_cli, tmp_path):
    (tmp_path / "r.yaml").write_text("dataset: cells\nout: results\nsteps: [split]\n")
    assert burnish_cli("run", "r.yaml", "--seed", 5).code == 0
    manifest = json.loads(Path("results/01-split/result/manifest.json").read_text())
    assert manifest["config"]["seed"] == 5


@pytest.mark.usefixtures("cells")
def test_a_recipe_works_on_a_named_version(burnish_cli, tmp_path):
    assert burnish_cli("convert", "cells", "kept", "--to", "burnish").code == 0
    (tmp_path / "r.yaml").write_text("dataset: kept@1\nout: results\nsteps: [stats]\n")
    assert burnish_cli("run", "r.yaml").code == 0


def test_the_recipe_that_ships_can_be_planned():
    shipped = Path(__file__).parents[2] / "examples/recipe.yaml"
    told = burnish.run(shipped, dry_run=True)
    assert [name for name, _ in told.lines] == STEPS


def test_a_step_runs_again_when_a_table_that_it_names_changes(burnish_cli, tmp_path):
    labels_folder(tmp_path / "cells", ["red", "blue", "green"] * 2)
    table = tmp_path / "superlabels.csv"
    table.write_text("No.,Superclass,Classes\n1,warm,red\n2,cold,blue\n,,green\n", encoding="utf-8")
    (tmp_path / "r.yaml").write_text("dataset: cells\nout: out\nsteps:\n  - convert: {to: folders, superlabels: superlabels.csv}\n")
    assert burnish_cli("run", "r.yaml").code == 0
    assert sorted(open_dataset("out/01-convert/result").classes["name"]) == ["cold", "warm"]
    table.write_text("No.,Superclass,Classes\n1,warm,red\n0,cold,blue\n,,green\n", encoding="utf-8")
    assert burnish_cli("run", "r.yaml").code == 0
    assert open_dataset("out/01-convert/result").classes["name"].to_list() == ["warm"]
