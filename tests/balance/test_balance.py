"""The verb: from a dataset of any format to a plan, what consumers read, and the report."""

import json

import numpy as np
import polars as pl
import pytest
from builders import boxes_dataset, labels_folder, tags_dataset

import burnish
from burnish.balance.balance import balance
from burnish.balance.settings import BalanceConfig
from burnish.cli.app import run
from burnish.data.taxonomy import LabelEntry, Member, Superlabel, Taxonomy
from burnish.errors import ConfigError, LabelError
from burnish.formats.label_tables import write_tables
from burnish.formats.plans import read_plan
from burnish.formats.recognise import write_dataset


def crowded(root, pictures=12):
    """Boxes of cars on all pictures, persons on every third, a dog on one."""
    dataset = boxes_dataset(root, pictures=pictures, classes=("car", "person", "dog"))
    rows = dataset.annotations.with_row_index("row")
    second = (pl.col("row") % 2) == 1
    picture = pl.col("row") // 2
    number = pl.when(second & (picture == 0)).then(2).when(second & (picture % 3 == 1)).then(1).otherwise(0)
    return dataset.with_tables(annotations=rows.with_columns(number.cast(pl.Int32).alias("class")).drop("row"))


def test_rare_classes_gain_within_the_budget(tmp_path):
    result = balance(crowded(tmp_path), BalanceConfig(budget=2.0, max_copies=5))
    after = dict(result.classes.select("class", "share_after").iter_rows())
    before = dict(result.classes.select("class", "share_before").iter_rows())
    assert after["dog"] > before["dog"]
    assert after["person"] > before["person"]
    assert result.plan.samples <= 24
    assert result.outcome.gap <= 0.01
    assert result.table.filter(pl.col("copies") > 1)["why"].str.contains("shows").all()


@pytest.mark.parametrize("objective", ["cv", "ratio", "variance"])
@pytest.mark.parametrize("solver", ["burnish", "exact"])
def test_every_objective_and_solver_gives_a_plan_with_proof(tmp_path, objective, solver):
    result = balance(crowded(tmp_path), BalanceConfig(objective=objective, solver=solver, max_copies=4, weights={"files": 0}))
    assert result.outcome.bound <= result.outcome.value <= result.outcome.start
    assert result.outcome.gap <= 0.05


def test_the_torch_solver_gives_a_plan_too(tmp_path):
    pytest.importorskip("torch")
    result = balance(crowded(tmp_path), BalanceConfig(solver="torch", objective="variance", gradient={"device": "cpu"}))
    assert result.outcome.value <= result.outcome.start
    assert "files_counter_loss" in result.outcome.history.columns


def test_saving_writes_plan_lists_weights_history_and_report(tmp_path):
    dataset = crowded(tmp_path / "data")
    result = balance(dataset, BalanceConfig(outputs=("list", "weights", "coco")))
    written = result.save(tmp_path / "out")
    assert all(path.exists() for path in written)
    assert read_plan(tmp_path / "out").table.equals(result.table)
    assert len((tmp_path / "out/train.txt").read_text("utf-8").splitlines()) == result.plan.samples
    assert len(burnish.open(tmp_path / "out/coco")) == result.plan.samples
    page = (tmp_path / "out/report.html").read_text("utf-8")
    for told in ("Balance against size", "Floors of the largest class", "What binds", "Beside others", "proven bound", *result.advice):
        assert told.replace("'", "&#x27;") in page or told in page


def test_pictures_with_labels_of_their_own_can_be_balanced_wholly(tmp_path):
    dataset = tags_dataset(tmp_path, ["cat"] * 6 + ["dog"] * 2)
    result = balance(dataset, BalanceConfig(budget=2.0, weights={"files": 0}))
    assert result.classes["after"].to_list() == [6, 6]
    assert result.outcome.gap == pytest.approx(0, abs=1e-6)
    assert "Repetition can make the classes equal" in result.advice[0]


def test_classes_that_never_come_apart_are_told_with_their_floor(tmp_path):
    dataset = boxes_dataset(tmp_path, pictures=4, classes=("car",))
    more = dataset.annotations.with_columns(pl.when(pl.col("id") % 2 == 0).then(1).otherwise(0).cast(pl.Int32).alias("class"))
    twice = pl.concat([more, more.filter(pl.col("class") == 0).with_columns(pl.col("id") + 100)])
    classes = pl.DataFrame({"id": [0, 1], "name": ["car", "person"]})
    result = balance(dataset.with_tables(annotations=twice, classes=classes))
    assert "car is on 100% of the pictures with person, 2.0 on average" in "".join(result.advice)
    assert "cannot go below 2" in "".join(result.advice)
    assert (result.plan.copies == 1).all()
    assert "Nothing can be gained" in "".join(result.advice)


def test_one_class_or_one_object_says_that_nothing_can_be_gained(tmp_path):
    result = balance(tags_dataset(tmp_path, ["cat"]))
    assert (result.plan.copies == 1).all()
    assert result.frontier is None
    assert "There is one class, cat: nothing can be gained" in str(result)
    result.save(tmp_path / "out")


def test_a_class_on_every_picture_is_no_error(tmp_path):
    assert balance(crowded(tmp_path)).outcome.gap <= 0.01


def test_leaving_pictures_out_keeps_the_size_and_the_background(tmp_path):
    dataset = crowded(tmp_path)
    bare = dataset.with_tables(annotations=dataset.annotations.filter(pl.col("image") != 3))
    result = balance(bare, BalanceConfig(allow_drop=True, budget=1.0, max_copies=5, weights={"files": 0}))
    copies = dict(result.table.select("image", "copies").iter_rows())
    assert copies[3] == 1
    assert result.plan.samples == 12
    assert min(copies.values()) == 0
    assert "left out" in str(result.plan)


def test_a_target_is_approached(tmp_path):
    dataset = tags_dataset(tmp_path, ["cat"] * 4 + ["dog"] * 4)
    result = balance(dataset, BalanceConfig(target={"cat": 3, "dog": 1}, weights={"files": 0}, max_copies=5))
    assert result.classes["share_after"].to_list() == pytest.approx([0.75, 0.25])


def test_superclasses_are_evened_out_and_shown(tmp_path):
    dataset = tags_dataset(tmp_path, ["cat"] * 6 + ["dog"] * 6 + ["car"] * 3)
    classes = dataset.classes.with_columns(superclass=pl.Series(["animal", "animal", "vehicle"]))
    result = balance(
        dataset.with_tables(classes=classes.sort("name", descending=False)), BalanceConfig(weights={"files": 0}, max_copies=10)
    )
    after = dict(result.superclasses.select("superclass", "after").iter_rows())
    assert len(after) == 2
    assert result.baselines["superclass_cv"][1] < result.baselines["superclass_cv"][0]


TABLES = Taxonomy(
    (
        LabelEntry("Animals", position=(1,)),
        LabelEntry("A cat", "cat", position=(1, 1)),
        LabelEntry("A dog", "dog", position=(1, 2)),
        LabelEntry("A wolf", "wolf", position=(1, 3)),
        LabelEntry("A face", "face", position=(1, 4)),
    ),
    (
        Superlabel("Cats", (Member("A cat"),), 1, "Высокий"),
        Superlabel("Dogs", (Member("A dog"), Member("A wolf")), 2, "Высокий"),
        Superlabel("Secret", (Member("A face"),), -1, "Нет"),
    ),
)


def test_label_tables_say_what_is_balanced(tmp_path):
    labels, superlabels = map(str, write_tables(TABLES, tmp_path / "tables"))
    dataset = tags_dataset(tmp_path, ["cat"] * 6 + ["dog", "wolf"] + ["face"])
    trained = balance(dataset, BalanceConfig(labels=labels, superlabels=superlabels))
    assert trained.incidence.classes == ("Cats", "Dogs")
    assert trained.incidence.skipped[1] == 1
    assert len(trained.plan) == 8
    marked = balance(dataset, BalanceConfig(labels=labels, superlabels=superlabels, chain="mark"))
    assert sorted(marked.incidence.classes) == ["cat", "dog", "wolf"]
    assert sorted(marked.incidence.superclasses) == ["Cats", "Dogs"]
    with pytest.raises(LabelError, match="do not know 1 of the labels"):
        balance(tags_dataset(tmp_path / "other", ["cat", "cow"]), BalanceConfig(labels=labels, superlabels=superlabels))


def test_the_val_split_is_never_repeated(tmp_path):
    dataset = crowded(tmp_path)
    splits = pl.Series(["train", "train", "train", "val"] * 3)
    result = balance(dataset.with_tables(images=dataset.images.with_columns(split=splits)))
    assert len(result.plan) == 9


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"budget": 0.5}, "every picture is kept at least once"),
        ({"budget": 30, "max_copies": 20}, "a budget of 30 cannot be spent with max_copies 20"),
        ({"budget": -1}, "greater than 0"),
        ({"max_copies": 0}, "greater than or equal to 1"),
        ({"objective": "ratio", "solver": "torch"}, "take solver burnish or exact"),
        ({"solver": "torch", "allow_drop": True}, "only adds copies"),
    ],
)
def test_limits_that_contradict_one_another_are_refused(values, message):
    with pytest.raises(ConfigError, match=message):
        BalanceConfig.make(**values)


def test_files_are_repeated_only_where_labels_are_files_of_pictures(tmp_path):
    dataset = crowded(tmp_path / "data")
    with pytest.raises(ConfigError, match="whose labels are not files of single pictures"):
        balance(dataset, BalanceConfig(duplicates="hard"))
    write_dataset(dataset, tmp_path / "yolo", "yolo", media="copy")
    config = BalanceConfig(duplicates="hard", max_copies=3)
    with pytest.raises(ConfigError, match="does not go with allow_drop"):
        balance(burnish.open(tmp_path / "yolo"), config.model_copy(update={"allow_drop": True}))
    first = balance(burnish.open(tmp_path / "yolo"), config)
    first.save(tmp_path / "out")
    assert len(burnish.open(tmp_path / "yolo")) == first.plan.samples
    again = balance(burnish.open(tmp_path / "yolo"), config)
    assert again.table.select("path", "copies").equals(first.table.select("path", "copies"))
    again.save(tmp_path / "out")
    assert len(burnish.open(tmp_path / "yolo")) == first.plan.samples
    undoing = balance(burnish.open(tmp_path / "yolo"), config.model_copy(update={"duplicates": "undo"}))
    assert len(burnish.open(tmp_path / "yolo")) == first.plan.samples
    undoing.save(tmp_path / "out")
    assert len(burnish.open(tmp_path / "yolo")) == 12


def test_the_command_line_gives_the_summary_as_json(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    labels_folder(tmp_path / "cells", ["a"] * 6 + ["b"] * 2)
    assert run(["balance", "cells", "--budget", "1.5", "--json", "--quiet"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["pictures"], told["verb"]) == (8, "balance")
    assert told["gap"] <= 0.01
    assert (tmp_path / "runs/balance/cells/report.html").is_file()


def test_dry_run_writes_nothing(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    labels_folder(tmp_path / "cells", ["a"] * 4 + ["b"] * 2)
    assert run(["balance", "cells", "--dry-run"]) == 0
    assert "Plan of" in capsys.readouterr().out
    assert not (tmp_path / "runs").exists()


def test_the_result_does_not_depend_on_the_run(tmp_path):
    dataset = crowded(tmp_path)
    one, other = (balance(dataset).plan.copies for _ in range(2))
    assert np.array_equal(one, other)
