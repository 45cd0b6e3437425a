import csv
import json
from pathlib import Path

import polars as pl
import pytest
from builders import boxes_dataset
from format_builders import box, boxes, differing, fresh_folders, pictured, plain_names, pointed, points, put_picture
from hypothesis import given, settings
from hypothesis import strategies as st

import burnish
from burnish.errors import FormatError
from burnish.formats import via_csv

HEADER = ["filename", "file_size", "file_attributes", "region_count", "region_id", "region_shape_attributes", "region_attributes"]
TRIANGLE = {"name": "polygon", "all_points_x": [1, 5, 5], "all_points_y": [1, 1, 4.5]}


def via(folder: Path, *rows: tuple[str, object, object], file_attributes: object = None) -> Path:
    """Each row: filename, shape, attributes; texts are written as they are."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = [[_text(cell) for cell in row] for row in rows]
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(HEADER)
        writer.writerows([name, 10, _text(file_attributes or {}), 1, 0, shape, attributes] for name, shape, attributes in texts)
    for name, *_ in rows:
        put_picture(folder / "images" / name)
    return folder / "labels.csv"


def _text(cell: object) -> str:
    return cell if isinstance(cell, str) else json.dumps(cell)


SHAPES = {
    "box": ({"name": "rect", "x": 1, "y": 2.5, "width": 3, "height": 4}, (1, 2.5, 4, 6.5)),
    "polygon": (TRIANGLE, (1, 1, 5, 4.5)),
    "polyline": ({**TRIANGLE, "name": "polyline"}, (1, 1, 5, 4.5)),
    "points": ({"name": "point", "cx": 3, "cy": 4}, (3, 4, 3, 4)),
    "ellipse": ({"name": "ellipse", "cx": 5, "cy": 6, "rx": 2, "ry": 1}, (3, 5, 7, 7)),
}


@pytest.mark.parametrize("kind", SHAPES)
def test_each_shape_becomes_an_annotation_of_its_kind(tmp_path, kind):
    shape, around = SHAPES[kind]
    dataset = via_csv.read(via(tmp_path, ("a.png", shape, {"class": "cat"})))
    assert dataset.annotations.select("kind", "x1", "y1", "x2", "y2").row(0) == (kind, *around)
    assert dataset.notes.is_empty()


def test_a_circle_is_an_ellipse_and_comes_back_as_a_circle(tmp_path):
    dataset = via_csv.read(via(tmp_path / "in", ("a.png", {"name": "circle", "cx": 5, "cy": 6, "r": 2.5}, {"class": "cat"})))
    via_csv.write(dataset, tmp_path / "out")
    assert '{""name"":""circle"",""cx"":5,""cy"":6,""r"":2.5}' in (tmp_path / "out/labels.csv").read_text()


def test_an_angle_is_radians_there_and_degrees_here(tmp_path):
    shape = {"name": "ellipse", "cx": 5, "cy": 6, "rx": 2, "ry": 1, "theta": 1.5707963267948966}
    assert via_csv.read(via(tmp_path, ("a.png", shape, {}))).annotations["rotation"].to_list() == [90]


@pytest.mark.parametrize("key", ["class", "Label", "defect", "shade"])
def test_the_class_is_the_attribute_that_is_called_so_or_the_only_one(tmp_path, key):
    dataset = via_csv.read(via(tmp_path / "in", ("a.png", TRIANGLE, {key: "cat"})))
    assert dataset.class_names() == {0: "cat"}
    via_csv.write(dataset, tmp_path / "out")
    assert differing(dataset, via_csv.read(tmp_path / "out")) == []


def test_the_caller_may_name_the_class_attribute_and_others_are_kept(tmp_path):
    dataset = via_csv.read(via(tmp_path, ("a.png", TRIANGLE, {"class": "x", "depth": "2", "n": 3})), class_key="depth")
    assert dataset.class_names() == {0: "2"}
    assert dataset.attributes.select("name", "value").rows() == [("class", "x"), ("n", "3")]


def test_a_ticked_box_names_the_class_and_two_of_them_do_not(tmp_path):
    rows = [("a.png", TRIANGLE, {"class": {"cat": True, "dog": False}}), ("b.png", TRIANGLE, {"class": {"cat": True, "dog": True}})]
    dataset = via_csv.read(via(tmp_path, *rows))
    assert dataset.annotations["class"].to_list() == [0, None]
    assert dataset.notes["kind"].to_list() == ["no_label"]


def test_regions_without_any_attribute_are_one_class(tmp_path):
    assert via_csv.read(via(tmp_path, ("a.png", TRIANGLE, {}))).class_names() == {0: "object"}


@pytest.mark.parametrize("empty", ["{}", ""])
def test_a_row_without_a_region_is_a_background_picture(tmp_path, empty):
    dataset = via_csv.read(via(tmp_path, ("a.png", empty, empty)))
    assert (len(dataset), dataset.annotations.height) == (1, 0)
    assert dataset.notes.is_empty()


def test_quotes_doubled_once_too_often_are_read(tmp_path):
    dataset = via_csv.read(via(tmp_path, ("a.png", json.dumps(TRIANGLE).replace('"', '""'), "{}")))
    assert dataset.annotations.height == 1


@pytest.mark.parametrize(
    "shape",
    [
        "{",
        "[1]",
        {"name": "cube"},
        {"name": "rect", "x": 1},
        {"name": "circle", "cx": "a", "cy": 1, "r": 1},
        {**TRIANGLE, "all_points_x": [1]},
    ],
)
def test_a_region_that_cannot_be_read_is_told_with_its_line(tmp_path, shape):
    dataset = via_csv.read(via(tmp_path, ("a.png", TRIANGLE, {}), ("b.png", shape, {})))
    assert (len(dataset), dataset.annotations.height) == (2, 1)
    assert dataset.notes.select("kind", "position").rows() == [("broken_region", "line 3")]


def test_an_outline_of_many_points_is_read(tmp_path):
    shape = {"name": "polygon", "all_points_x": list(range(30000)), "all_points_y": list(range(30000))}
    assert len(via_csv.read(via(tmp_path, ("a.png", shape, {}))).annotations["points"][0]) == 60000


def test_a_row_with_missing_cells_is_told(tmp_path):
    file = via(tmp_path, ("a.png", TRIANGLE, {}))
    file.write_text(file.read_text() + "b.png,1\n")
    assert via_csv.read(file).notes.select("kind", "position").rows() == [("broken_line", "line 3")]


def test_pictures_are_found_by_stem_and_missing_ones_are_told(tmp_path):
    file = via(tmp_path, ("a.png", TRIANGLE, {}), ("b.png", TRIANGLE, {}))
    (tmp_path / "images/a.png").rename(tmp_path / "images/a.jpg")
    (tmp_path / "images/b.png").unlink()
    dataset = via_csv.read(file)
    assert dataset.image_files()["path"].to_list() == ["images/a.jpg", "b.png"]
    assert dataset.notes["kind"].to_list() == ["missing_file"]


def test_file_attributes_come_back(tmp_path):
    dataset = via_csv.read(via(tmp_path / "in", ("a.png", TRIANGLE, {"class": "cat"}), file_attributes={"place": "Ü"}))
    via_csv.write(dataset, tmp_path / "out")
    assert differing(dataset, via_csv.read(tmp_path / "out")) == []


def test_another_csv_is_an_error_that_names_the_columns(tmp_path):
    (tmp_path / "labels.csv").write_text("a,b\n1,2\n")
    assert not via_csv.recognise(tmp_path)
    with pytest.raises(FormatError, match="region_shape_attributes"):
        via_csv.read(tmp_path)


def test_turned_boxes_several_points_and_attributes_called_as_the_class_are_told(tmp_path):
    rows = [box(1, 0, (1, 2, 3, 4), rotation=30.0), pointed(1, 0, "points", [1, 2, 3, 4]), box(1, 0, (1, 2, 3, 4))]
    dataset = pictured(tmp_path / "in", ["a.png"], rows, ["cat"])
    dataset = dataset.with_tables(attributes=pl.DataFrame({"annotation": [3], "name": ["class"], "value": ["x"]}))
    findings = via_csv.write(dataset, tmp_path / "out")
    assert sorted(findings["annotation"]) == [1, 2, 3]
    assert via_csv.read(tmp_path / "out").annotations.height == 1


@st.composite
def rows(draw: st.DrawFn, classes: int) -> list[dict]:
    kinds = draw(st.lists(st.sampled_from(["box", "ellipse", "polygon", "polyline", "points"]), max_size=4))
    return [_row(draw, kind, draw(st.integers(0, classes - 1))) for kind in kinds]


def _row(draw: st.DrawFn, kind: str, number: int) -> dict:
    if kind == "box":
        return box(1, number, draw(boxes()))
    if kind == "ellipse":
        turn = draw(st.floats(0, 360, exclude_max=True) | st.just(0.0))
        return {**box(1, number, draw(boxes()), rotation=turn), "kind": "ellipse"}
    least, most = {"polygon": (3, 6), "polyline": (2, 6), "points": (1, 1)}[kind]
    return pointed(1, number, kind, draw(points(least, most)))


@given(plain_names, st.data())
@settings(max_examples=40, deadline=None)
def test_what_is_written_reads_as_it_was(names, data):
    made = data.draw(rows(len(names)))
    with fresh_folders() as (source, target):
        dataset = pictured(source, ["a.png"], made, names)
        attributes = [{"annotation": a, "name": "ä", "value": data.draw(st.text(max_size=5))} for a in range(1, len(made) + 1)]
        dataset = dataset.with_tables(
            attributes=pl.DataFrame(attributes, schema={"annotation": pl.Int64, "name": pl.String, "value": pl.String})
        )
        assert via_csv.write(dataset, target, media="link").is_empty()
        assert differing(dataset, via_csv.read(target)) == []


def as_json(folder, *, project, numbered):
    """The CSV of a folder as VIA saves it in JSON: as a project or an export, of version 2 or 1, whose regions have numbers."""
    entries = {}
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            name = row["filename"]
            entry = entries.setdefault(name + row["file_size"], {"filename": name, "size": int(row["file_size"]), "regions": []})
            entry["file_attributes"] = json.loads(row["file_attributes"])
            if int(row["region_count"]):
                parts = {key: json.loads(row[f"region_{key}"]) for key in ("shape_attributes", "attributes")}
                entry["regions"].append({"shape_attributes": parts["shape_attributes"], "region_attributes": parts["attributes"]})
    for entry in entries.values():
        if numbered:
            entry["regions"] = {str(number): region for number, region in enumerate(entry["regions"])}
    whole = {"_via_settings": {"ui": {}}, "_via_img_metadata": entries, "_via_attributes": {"region": {}, "file": {}}}
    (folder / "labels.csv").unlink()
    (folder / "via.json").write_text(json.dumps(whole if project else entries), encoding="utf-8")


@pytest.mark.parametrize("project", [True, False])
@pytest.mark.parametrize("numbered", [True, False])
def test_projects_and_exports_in_json_are_what_the_csv_is(tmp_path, project, numbered):
    via_csv.write(boxes_dataset(tmp_path / "from", pictures=3, classes=("rare", "often")), tmp_path / "d")
    with (tmp_path / "d/labels.csv").open("a", encoding="utf-8") as stream:
        stream.write('images/none.jpg,5,"{""who"":""a""}",0,0,"{}","{}"\n')
    before = via_csv.read(tmp_path / "d")
    as_json(tmp_path / "d", project=project, numbered=numbered)
    after = burnish.open(tmp_path / "d")
    assert after.origin["format"] == "via_csv"
    assert differing(before, after) == []
    assert after.extras.equals(before.extras)


@pytest.mark.parametrize(
    "text", ['{"_via_img_metadata": {"a": {"regions": []}}}', '{"_via_img_metadata": [', '{"_via_img_metadata": {"a": 3}}']
)
def test_json_that_is_none_of_via_s_is_told(tmp_path, text):
    (tmp_path / "via.json").write_text(text, encoding="utf-8")
    with pytest.raises(
        FormatError, match=r"via\.json: this is no JSON of the VGG Image Annotator .*for each picture its filename and regions"
    ):
        via_csv.read(tmp_path / "via.json")
