import numpy as np
import polars as pl
from builders import boxes_dataset, write_picture
from PIL import Image

import burnish
from burnish.data.findings import finding, findings_table
from burnish.formats.findings import read_findings
from burnish.inspect.settings import CheckConfig


def _kinds(result):
    return dict(result.table.group_by("kind").len().sort("kind").iter_rows())


def test_a_sound_dataset_has_no_issues(tmp_path):
    result = burnish.check(boxes_dataset(tmp_path))
    assert result.table.is_empty()
    assert str(result).endswith("No issues.")


def test_a_missing_picture_is_named(tmp_path):
    dataset = boxes_dataset(tmp_path)
    (tmp_path / "images/1.jpg").unlink()
    result = burnish.check(dataset)
    assert result.table.select("kind", "image", "path").rows() == [("missing_file", 2, "images/1.jpg")]


def test_files_are_left_alone_when_asked(tmp_path):
    dataset = boxes_dataset(tmp_path)
    (tmp_path / "images/1.jpg").unlink()
    assert burnish.check(dataset, CheckConfig(files=False)).table.is_empty()


def test_a_picture_of_another_size_is_told_with_both_sizes(tmp_path):
    dataset = boxes_dataset(tmp_path)
    write_picture(tmp_path / "images/0.jpg", size=(24, 32))
    result = burnish.check(dataset)
    assert result.table.select("kind", "given", "suggestion").rows() == [("picture_size", "32 x 24", "24 x 32")]


def test_a_picture_cut_short_is_found_by_its_missing_end(tmp_path):
    dataset = boxes_dataset(tmp_path)
    path = tmp_path / "images/2.jpg"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) - 200])
    assert burnish.check(dataset).table.select("kind", "path").rows() == [("unreadable_picture", "images/2.jpg")]


def test_damage_before_the_end_of_a_picture_is_found_only_by_decoding(tmp_path):
    dataset = boxes_dataset(tmp_path)
    path = tmp_path / "images/2.jpg"
    write_picture(path.with_suffix(".png"), size=(32, 24))
    whole = bytearray(path.with_suffix(".png").read_bytes())
    whole[60:80] = bytes(20)
    path.write_bytes(whole)  # the content tells the format, not the name
    assert burnish.check(dataset).table.is_empty()
    assert _kinds(burnish.check(dataset, CheckConfig(decode=True))) == {"unreadable_picture": 1}


def test_fractions_that_are_no_numbers_are_found_by_decoding(tmp_path):
    dataset = boxes_dataset(tmp_path)
    Image.fromarray(np.full((24, 32), np.nan, np.float32)).save(tmp_path / "images/2.jpg", format="TIFF")
    (row,) = burnish.check(dataset, CheckConfig(decode=True)).table.iter_rows(named=True)
    assert row["kind"] == "unreadable_picture"
    assert "768 of its 768 pixels (100 %) are no numbers" in row["reason"]


def test_a_file_that_is_no_picture_is_unreadable(tmp_path):
    dataset = boxes_dataset(tmp_path)
    (tmp_path / "images/3.jpg").write_text("not a picture")
    result = burnish.check(dataset)
    assert result.table.select("kind", "path").rows() == [("unreadable_picture", "images/3.jpg")]


def test_what_the_tables_contradict_names_the_picture_file(tmp_path):
    dataset = boxes_dataset(tmp_path)
    wide = dataset.annotations.with_columns(pl.when(pl.col("id") == 4).then(99.0).otherwise(pl.col("x2")).alias("x2"))
    result = burnish.check(dataset.with_tables(annotations=wide))
    assert result.table.select("kind", "annotation", "path").rows() == [("box_outside", 4, "images/1.jpg")]
    assert "annotation 4: Its box (10.5, 4.0, 99.0, 20.0) leaves the picture of 32 x 24." in str(result)


def test_what_the_reader_noticed_is_told_once_however_often_it_stands(tmp_path):
    noticed = [finding("bad_line", "Line 3 is no JSON.", path="a.jsonl", position="line 3")] * 2
    result = burnish.check(boxes_dataset(tmp_path).with_notes(findings_table(noticed)))
    assert result.table.select("kind", "reason").rows() == [("bad_line", "Line 3 is no JSON.")]


def test_the_surest_issue_comes_first(tmp_path):
    noticed = [finding("hint", "perhaps", score=0.2), finding("note", "only told", is_issue=False), finding("fault", "surely")]
    result = burnish.check(boxes_dataset(tmp_path).with_notes(findings_table(noticed)))
    assert result.table["kind"].to_list() == ["fault", "hint", "note"]


def test_issues_fail_the_command_only_when_it_is_strict(tmp_path):
    dataset = boxes_dataset(tmp_path)
    assert burnish.check(dataset, CheckConfig(strict=True)).exit_code == 0
    (tmp_path / "images/0.jpg").unlink()
    assert burnish.check(dataset).exit_code == 0
    assert burnish.check(dataset, CheckConfig(strict=True)).exit_code == 3


def test_the_saved_findings_read_back_equal(tmp_path):
    dataset = boxes_dataset(tmp_path / "data")
    (tmp_path / "data/images/0.jpg").unlink()
    result = burnish.check(dataset)
    result.save(tmp_path / "out")
    assert read_findings(tmp_path / "out").table.equals(result.table, null_equal=True)
    assert result.summary() == {"issues": {"missing_file": 1}, "findings": 1}
