import json

import polars as pl
import pytest
from builders import boxes_dataset, tags_dataset

import burnish
from burnish.data.dataset import same_content
from burnish.data.findings import finding, findings_table
from burnish.errors import ConfigError, DataError, FormatError
from burnish.formats import versioned
from burnish.formats.findings import Findings, read_findings, write_findings
from burnish.inspect.settings import ApplyConfig, HistoryConfig, UndoConfig


def _stored(tmp_path, labels=("red", "red", "blue", "green")):
    dataset = tags_dataset(tmp_path / "pictures", list(labels))
    versioned.add_version(dataset, tmp_path / "data", verb="convert")
    return tmp_path / "data"


def _relabel(folder, image, suggestion, score=0.9):
    rows = [finding("label", "looks different", score=score, image=image, annotation=image, suggestion=suggestion)]
    return Findings(findings_table(rows), {"dataset": str(folder)})


def test_a_stored_dataset_reads_back_equal(tmp_path):
    dataset = boxes_dataset(tmp_path / "pictures")
    versioned.add_version(dataset, tmp_path / "data", verb="convert")
    again = burnish.open(tmp_path / "data")
    assert same_content(dataset, again)
    assert (again.root / again.media["path"][0]).is_file()


def test_columns_that_are_not_used_are_not_stored(tmp_path):
    versioned.add_version(boxes_dataset(tmp_path / "pictures"), tmp_path / "data", verb="convert")
    stored = next((tmp_path / "data" / "tables").glob("annotations-*.parquet"))
    assert pl.read_parquet(stored).columns == ["id", "image", "class", "kind", "x1", "y1", "x2", "y2"]


def test_applied_findings_become_a_version_that_shares_unchanged_tables(tmp_path):
    folder = _stored(tmp_path)
    applied = burnish.apply(_relabel(folder, 1, "blue"))
    assert applied.save_in_place() == [folder]
    before, after = (versioned.all_versions(folder)[n] for n in (1, 2))
    assert (after.parent, after.verb, after.config["applied"]) == (1, "apply", {"label": 1})
    assert after.tables["images"].file == before.tables["images"].file
    assert burnish.open(folder).labels(1).classes.tolist() == [1]
    assert burnish.open(folder, version=1).labels(1).classes.tolist() == [0]


def test_findings_below_the_least_score_are_not_applied(tmp_path):
    folder = _stored(tmp_path)
    applied = burnish.apply(_relabel(folder, 1, "blue", score=0.4), ApplyConfig(min_score=0.5))
    assert str(applied) == "Applied: nothing"


def test_findings_of_another_dataset_are_refused_and_change_nothing(tmp_path):
    folder = _stored(tmp_path)
    with pytest.raises(DataError, match=r"does not have \(first: \[99\]\)"):
        burnish.apply(_relabel(folder, 99, "blue"))
    with pytest.raises(DataError, match=r"classes \['violet'\]"):
        burnish.apply(_relabel(folder, 1, "violet"))
    assert list(versioned.all_versions(folder)) == [1]


def test_findings_without_a_dataset_ask_for_one():
    with pytest.raises(ConfigError, match="--dataset"):
        burnish.apply(Findings(findings_table([])))


def test_a_picture_suggested_for_removal_leaves_the_dataset_but_not_the_disk(tmp_path):
    folder = _stored(tmp_path)
    rows = [finding("near_duplicate", "a copy", image=2, suggestion="remove")]
    applied = burnish.apply(Findings(findings_table(rows), {"dataset": str(folder)}))
    assert applied.dataset.images["id"].to_list() == [1, 3, 4]
    assert applied.dataset.annotations["image"].to_list() == [1, 3, 4]
    assert (tmp_path / "pictures/images/2.jpg").is_file()


def test_the_history_tells_what_made_each_version(tmp_path):
    folder = _stored(tmp_path)
    burnish.apply(_relabel(folder, 1, "blue")).save_in_place()
    history = burnish.history(folder)
    assert history.table["verb"].to_list() == ["apply", "convert"]
    assert str(history).startswith("* 2 from 1")


def test_undo_goes_back_and_forth_and_loses_nothing(tmp_path):
    folder = _stored(tmp_path)
    burnish.apply(_relabel(folder, 1, "blue")).save_in_place()
    burnish.undo(folder).save_in_place()
    assert burnish.open(folder).labels(1).classes.tolist() == [0]
    assert [v.number for v in burnish.history(folder, HistoryConfig(everything=True)).versions] == [2, 1]
    burnish.undo(folder, UndoConfig(to=2)).save_in_place()
    assert burnish.open(folder).labels(1).classes.tolist() == [1]


def test_a_version_after_an_undo_has_the_version_it_was_made_from_as_parent(tmp_path):
    folder = _stored(tmp_path)
    burnish.apply(_relabel(folder, 1, "blue")).save_in_place()
    burnish.undo(folder).save_in_place()
    burnish.apply(_relabel(folder, 1, "green")).save_in_place()
    assert [(v.number, v.parent) for v in burnish.history(folder).versions] == [(3, 1), (1, None)]


def test_the_first_version_cannot_be_undone(tmp_path):
    with pytest.raises(DataError, match="nothing to undo"):
        burnish.undo(_stored(tmp_path))


def test_a_difference_names_what_changed(tmp_path):
    folder = _stored(tmp_path)
    burnish.apply(_relabel(folder, 1, "blue")).save_in_place()
    difference = burnish.diff(burnish.open(folder))
    assert difference.table.rows() == [("relabelled", "annotation", "images/1.jpg", "red tag", "blue tag")]


def test_equal_datasets_have_no_difference(tmp_path):
    dataset = boxes_dataset(tmp_path)
    assert str(burnish.diff(dataset, dataset)).endswith("No difference.")


def test_findings_come_back_from_parquet_and_from_csv(tmp_path):
    findings = _relabel(tmp_path / "somewhere", 1, "blue")
    parquet, csv = write_findings(findings, tmp_path)
    for path in (parquet, csv, tmp_path):
        again = read_findings(path)
        assert again.table.equals(findings.table, null_equal=True)
        assert again.about["dataset"] == str(tmp_path / "somewhere")


def test_a_folder_that_holds_something_else_is_not_written_into(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "thesis.txt").write_text("x")
    with pytest.raises(DataError, match="not empty"):
        versioned.add_version(boxes_dataset(tmp_path / "p"), tmp_path / "data", verb="convert")


def test_a_lost_table_is_named(tmp_path):
    folder = _stored(tmp_path)
    next((folder / "tables").glob("classes-*")).unlink()
    with pytest.raises(FormatError, match="table 'classes' of version 1 is missing"):
        burnish.open(folder)


def test_a_manifest_of_the_future_is_refused(tmp_path):
    folder = _stored(tmp_path)
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"burnish_schema": 99}))
    with pytest.raises(DataError, match="schema 99"):
        burnish.open(folder)
