import polars as pl
import pytest
from builders import boxes_dataset

import burnish
from burnish.data.dataset import same_content
from burnish.data.findings import finding, findings_table
from burnish.data.taxonomy import LabelEntry, Member, Superlabel, Taxonomy
from burnish.errors import BurnishError, ConfigError, LabelError
from burnish.formats import versioned
from burnish.formats.findings import read_findings
from burnish.formats.label_tables import write_tables
from burnish.inspect.settings import ConvertConfig


@pytest.mark.parametrize("form", ["burnish", "coco", "yolo", "voc", "labelme", "via_csv"])
def test_boxes_survive_every_format(tmp_path, form):
    dataset = boxes_dataset(tmp_path / "data")
    burnish.convert(dataset, ConvertConfig(to=form)).save(tmp_path / "out")
    again = burnish.open(tmp_path / "out")
    boxes = [again.labels(image).boxes.round(2).tolist() for image in again.images["id"]]
    assert boxes == [dataset.labels(image).boxes.tolist() for image in dataset.images["id"]]
    assert sorted(again.classes["name"]) == ["car", "person"]


def test_pictures_are_copied_unless_told_otherwise(tmp_path):
    dataset = boxes_dataset(tmp_path / "data")
    burnish.convert(dataset, ConvertConfig(to="burnish")).save(tmp_path / "copied")
    burnish.convert(dataset, ConvertConfig(to="burnish", media="none")).save(tmp_path / "left")
    assert len(list((tmp_path / "copied/media").rglob("*.jpg"))) == 4
    assert burnish.check(burnish.open(tmp_path / "copied")).table.is_empty()
    assert list((tmp_path / "left").rglob("*.jpg")) == []
    assert same_content(burnish.open(tmp_path / "left"), dataset)


def test_nothing_is_written_before_it_is_saved(tmp_path):
    burnish.convert(boxes_dataset(tmp_path / "data"), ConvertConfig(to="coco"))
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_format_that_there_is_not_is_refused_by_name(tmp_path):
    with pytest.raises(BurnishError, match="cocoa"):
        burnish.convert(boxes_dataset(tmp_path), ConvertConfig(to="cocoa"))


def test_a_variant_of_another_format_is_refused_with_those_that_there_are(tmp_path):
    dataset = boxes_dataset(tmp_path)
    with pytest.raises(ConfigError, match="detect, segment, obb, pose, classify"):
        burnish.convert(dataset, ConvertConfig(to="yolo", task="palette"))
    with pytest.raises(ConfigError, match="these variants: none"):
        burnish.convert(dataset, ConvertConfig(to="voc", task="detect"))


def test_a_variant_reaches_the_writer(tmp_path):
    burnish.convert(boxes_dataset(tmp_path / "data"), ConvertConfig(to="yolo", task="segment")).save(tmp_path / "out")
    line = next((tmp_path / "out").rglob("0.txt")).read_text().splitlines()[0]
    assert len(line.split()) == 9


def test_what_the_format_cannot_carry_is_written_as_findings_beside_it(tmp_path):
    dataset = boxes_dataset(tmp_path / "data")
    scored = dataset.with_tables(annotations=dataset.annotations.with_columns(track=pl.col("id")))
    written = burnish.convert(scored, ConvertConfig(to="yolo")).save(tmp_path / "out")
    assert written[0] == tmp_path / "out"
    assert not read_findings(tmp_path / "out-findings").table.is_empty()


def test_what_the_reader_noticed_is_told_with_the_counts(tmp_path):
    noticed = boxes_dataset(tmp_path).with_notes(findings_table([finding("bad_line", "no JSON")]))
    made = burnish.convert(noticed, ConvertConfig(to="coco"))
    assert made.summary()["findings"] == {"bad_line": 1}
    assert made.summary()["counts"]["annotations"] == 8


def test_a_dataset_of_ours_becomes_a_first_version(tmp_path):
    burnish.convert(boxes_dataset(tmp_path / "data"), ConvertConfig(to="burnish")).save(tmp_path / "out")
    assert [(v.number, v.verb) for v in versioned.ancestry(tmp_path / "out")] == [(1, "convert")]


@pytest.fixture
def tables(tmp_path):
    labels = (LabelEntry("Машина", "car"), LabelEntry("Человек", "person"))
    superlabels = (Superlabel("Люди", (Member("Человек"),), 1), Superlabel("Лишнее", (Member("Машина"),), 0))
    return dict(zip(("labels", "superlabels"), map(str, write_tables(Taxonomy(labels, superlabels), tmp_path / "tables")), strict=True))


@pytest.mark.parametrize("form", ["coco", "yolo", "voc", "labelme", "via_csv"])
def test_label_tables_say_which_classes_are_written(tmp_path, tables, form):
    made = burnish.convert(boxes_dataset(tmp_path / "data"), ConvertConfig(to=form, **tables))
    made.save(tmp_path / "out")
    again = burnish.open(tmp_path / "out")
    assert again.classes["name"].to_list() == ["Люди"]
    assert (again.counts()["annotations"], again.counts()["images"]) == (4, 4)
    assert read_findings(tmp_path / "out-findings").table["kind"].to_list() == ["unused_class"] * 4
    assert "skipped: 4 objects of unused classes; left out: 0 pictures" in str(made)


def test_a_backup_for_annotators_keeps_what_is_unused(tmp_path, tables):
    burnish.convert(boxes_dataset(tmp_path / "data"), ConvertConfig(to="cvat", chain="mark", **tables)).save(tmp_path / "out")
    assert burnish.open(tmp_path / "out").counts()["annotations"] == 8


def test_our_own_format_keeps_what_is_unused_and_says_so(tmp_path, tables):
    burnish.convert(boxes_dataset(tmp_path / "data"), ConvertConfig(to="burnish", chain="mark", **tables)).save(tmp_path / "out")
    again = burnish.open(tmp_path / "out")
    assert again.classes.select("name", "superclass", "status").rows() == [("car", "Лишнее", "unused"), ("person", "Люди", "used")]
    assert again.counts()["annotations"] == 8
    burnish.convert(again, ConvertConfig(to="yolo")).save(tmp_path / "yolo")
    assert burnish.open(tmp_path / "yolo").counts()["annotations"] == 4


def test_a_class_that_the_tables_do_not_know_stops_the_conversion(tmp_path, tables):
    with pytest.raises(LabelError, match="'bike'"):
        burnish.convert(boxes_dataset(tmp_path, classes=("car", "bike")), ConvertConfig(to="coco", **tables))


def test_problems_in_the_tables_are_told_and_the_way_to_see_them(tmp_path):
    (path,) = write_tables(Taxonomy(superlabels=(Superlabel("A", (Member("car"), Member("person")), 3),)), tmp_path / "tables")
    made = burnish.convert(boxes_dataset(tmp_path / "data"), ConvertConfig(to="coco", superlabels=str(path)))
    assert f"1 problem in the tables, see: burnish labels {path}" in str(made)
    assert made.summary()["findings"] == {"number_gap": 1}


def test_a_chain_without_tables_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="none is named"):
        burnish.convert(boxes_dataset(tmp_path), ConvertConfig(to="coco", chain="mark"))
