import json
from pathlib import Path

import polars as pl
import pytest
import yaml
from format_builders import box, fresh_folders, mask, pictured, pointed, put_picture
from hypothesis import given, settings
from hypothesis import strategies as st

from burnish.data.dataset import extra_fields
from burnish.errors import ConfigError, FormatError
from burnish.formats import yolo
from burnish.formats.recognise import open_dataset
from burnish.geometry import rle


def put(folder, **labels):
    """A data.yaml of two classes, and a picture of 16 x 12 for each label text (None: no label file)."""
    for stem, text in labels.items():
        put_picture(folder / f"images/{stem}.png")
        if text is not None:
            (folder / "labels").mkdir(exist_ok=True)
            (folder / f"labels/{stem}.txt").write_text(text, encoding="utf-8")
    configure(folder, train="images", names=["car", "bus"])
    return folder


def configure(folder, **fields):
    (folder / "data.yaml").write_text(yaml.safe_dump(fields, allow_unicode=True), encoding="utf-8")


def corners(dataset):
    return dataset.annotations.select("x1", "y1", "x2", "y2").rows()


@pytest.fixture(scope="module")
def edge(shared_data):
    return yolo.read(shared_data / "formats/edge_made_here/yolo")


def of_picture(dataset, stem):
    image = dataset.image_files().filter(pl.col("path") == f"images/train/{stem}.png")["image"][0]
    rows = dataset.annotations.filter(pl.col("image") == image)
    return [
        (number, kind, *(round(side, 6) for side in sides))
        for number, kind, *sides in rows.select("class", "kind", "x1", "y1", "x2", "y2").rows()
    ]


CASES = {  # picture of 100 x 80 -> class, kind, corners of each row
    "normal": [(0, "box", 40, 30, 60, 50), (1, "box", 5, 4, 15, 12)],
    "empty": [],
    "no_label": [],
    "crlf_bom": [(0, "box", 40, 30, 60, 50), (2, "box", 85, 68, 95, 76)],
    "outside": [(0, "box", 92, 30, 112, 50), (0, "box", -20, -8, 120, 88)],
    "unknown_class": [(None, "box", 40, 32, 60, 48)],
    "polygon": [(0, "polygon", 10, 8, 40, 40)],
    "confidence": [(0, "box", 40, 32, 60, 48)],
    "duplicate": [(0, "box", 40, 32, 60, 48)] * 2,
    "nan": [],
    "tabs_exp": [(1, "box", 40, 30, 60, 50)],
    "zero_size": [(0, "box", 50, 40, 50, 40)],
    "float_class": [(1, "box", 40, 32, 60, 48)],
    "pixels": [(0, "box", 40, 30, 60, 50)],
    "short_line": [],
    "mixed": [(0, "box", 40, 32, 60, 48), (0, "polygon", 10, 8, 40, 40)],
}


@pytest.mark.parametrize("stem", CASES)
def test_an_edge_case_is_read_as_what_it_says(edge, stem):
    assert of_picture(edge, stem) == CASES[stem]


def test_edge_cases_that_cannot_be_meant_are_told_with_file_and_line(edge):
    told = edge.notes.filter(pl.col("kind") != "split_overlap").select("kind", "path", "position").rows()
    assert set(told) == {
        ("label_without_image", "labels/train/no_image.txt", None),
        ("bad_line", "labels/train/nan.txt", "line 1"),
        ("bad_line", "labels/train/short_line.txt", "line 1"),
        ("unknown_class", "labels/train/unknown_class.txt", "line 1"),
        ("duplicate_annotation", "labels/train/duplicate.txt", "line 2"),
        ("not_normalised", "labels/train/pixels.txt", "line 1"),
        ("box_empty", "labels/train/zero_size.txt", "line 1"),
        ("box_outside", "labels/train/outside.txt", "line 1"),
        ("box_outside", "labels/train/outside.txt", "line 2"),
    }


def test_the_edge_case_of_a_confidence_is_a_score(edge):
    assert edge.annotations["score"].drop_nulls().to_list() == [0.873]


def test_every_edge_case_of_the_list_is_tested(shared_data):
    lines = (shared_data / "formats/edge_made_here/cases.jsonl").read_text(encoding="utf-8").splitlines()
    stems = {case["file"].rpartition("/")[2].partition(".")[0] for case in map(json.loads, lines) if case["format"] == "yolo"}
    assert stems == {*CASES, "no_image"}


def test_a_picture_in_two_splits_stays_in_the_first_and_is_told(edge):
    assert set(edge.images["split"]) == {"train"}
    assert edge.notes.filter(pl.col("kind") == "split_overlap").height == 16


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(*[st.floats(-50, 50)] * 4).map(lambda r: (min(r[0], r[2]), min(r[1], r[3]), max(r[0], r[2]), max(r[1], r[3]))),
        min_size=1,
        max_size=4,
    )
)
def test_corners_come_back_within_a_millionth_of_a_pixel(rows):
    with fresh_folders() as (source, target):
        dataset = pictured(source, ["images/a.png"], [box(1, 0, row) for row in rows], ["car"])
        yolo.write(dataset, target)
        for read, drawn in zip(corners(yolo.read(target)), rows, strict=True):
            assert read == pytest.approx(drawn, abs=1e-6)


def test_classes_get_consecutive_numbers_and_come_back_by_name(tmp_path):
    dataset = pictured(tmp_path / "in", ["images/a.png"], [box(1, 30, (1, 1, 5, 5))])
    classes = pl.DataFrame({"id": [7, 30], "name": ["car", "дефект"]})
    yolo.write(dataset.with_tables(classes=classes), tmp_path / "out")
    again = yolo.read(tmp_path / "out")
    assert again.classes.select("id", "name").rows() == [(0, "car"), (1, "дефект")]
    assert again.annotations["class"].to_list() == [1]


@pytest.mark.parametrize("names", [["car", "bus"], {0: "car", 1: "bus"}, {"0": "car", "1": "bus"}])
def test_names_may_be_a_list_or_a_mapping(tmp_path, names):
    put(tmp_path, a="1 .5 .5 .5 .5")
    configure(tmp_path, train="images", names=names)
    assert yolo.read(tmp_path / "data.yaml").classes["name"].to_list() == ["car", "bus"]


@pytest.mark.parametrize("entry", ["images", "./images", ["images"], "list.txt", "../images", "/elsewhere/images"])
def test_a_split_may_be_a_folder_folders_or_a_list_of_files(tmp_path, entry):
    put(tmp_path, a="1 .5 .5 .5 .5")
    (tmp_path / "list.txt").write_text("./images/a.png\n")
    configure(tmp_path, val=entry, names=["car", "bus"])
    dataset = yolo.read(tmp_path)
    assert dataset.media["path"].to_list() == ["images/a.png"]
    if entry == "/elsewhere/images":
        assert "missing_folder" in dataset.notes["kind"]
    else:
        assert dataset.images["split"].to_list() == ["val"]


def test_a_listed_picture_that_is_missing_is_told(tmp_path):
    put(tmp_path, a="1 .5 .5 .5 .5")
    (tmp_path / "list.txt").write_text("images/a.png\nimages/gone.png\n")
    configure(tmp_path, train="list.txt", names=["car", "bus"])
    notes = yolo.read(tmp_path).notes
    assert notes.select("kind", "path").rows() == [("missing_file", "images/gone.png")]


def test_a_path_of_another_machine_does_not_matter(tmp_path):
    put(tmp_path, a="1 .5 .5 .5 .5")
    configure(tmp_path, path="/home/someone/data", train="images", names=["car", "bus"])
    assert yolo.read(tmp_path).annotations.height == 1


def test_bare_folders_are_read_without_a_data_yaml(tmp_path):
    put(tmp_path, a="1 .5 .5 .5 .5")
    (tmp_path / "data.yaml").unlink()
    dataset = yolo.read(tmp_path)
    assert yolo.recognise(tmp_path)
    assert dataset.classes["name"].to_list() == ["0", "1"]
    assert dataset.notes["kind"].to_list() == ["no_names"]


def test_turned_boxes_come_back_turned(tmp_path):
    rows = [box(1, 0, (2.0, 3.0, 10.0, 7.0), rotation=30.0), box(1, 0, (1.0, 1.0, 4.0, 3.0), rotation=0.0)]
    dataset = pictured(tmp_path / "in", ["images/a.png"], rows, ["car"])
    assert yolo.write(dataset, tmp_path / "out").is_empty()
    again = yolo.read(tmp_path / "out")
    assert again.annotations["rotation"].to_list() == pytest.approx([30.0, 0.0], abs=1e-6)
    assert corners(again)[0] == pytest.approx((2, 3, 10, 7), abs=1e-6)
    assert len((tmp_path / "out/labels/a.txt").read_text().split("\n")[0].split()) == 9


def test_rectangles_that_are_not_all_upright_are_taken_for_turned_boxes(tmp_path):
    put(tmp_path, a="0 0.5 0.1 0.8 0.5 0.5 0.9 0.2 0.5")
    assert set(yolo.read(tmp_path, task="obb").annotations["kind"]) == {"box"}
    assert set(yolo.read(tmp_path, task="segment").annotations["kind"]) == {"polygon"}


def test_keypoints_come_back_with_their_names(tmp_path):
    points = [1.0, 2.0, 5.0, 6.0]
    row = {**pointed(1, 0, "skeleton", points), "visibility": [2, 1]}
    dataset = pictured(tmp_path / "in", ["images/a.png"], [row], ["person"])
    skeleton = json.dumps({"points": ["nose", "ear"], "edges": [[0, 1]]})
    yolo.write(dataset.with_tables(classes=dataset.classes.with_columns(skeleton=pl.lit(skeleton))), tmp_path / "out")
    settings_written = yaml.safe_load((tmp_path / "out/data.yaml").read_text())
    again = yolo.read(tmp_path / "out")
    assert settings_written["kpt_shape"] == [2, 3]
    assert again.annotations["points"][0].to_list() == pytest.approx(points, abs=1e-6)
    assert again.annotations["visibility"][0].to_list() == [2, 1]
    assert json.loads(again.classes["skeleton"][0]) == json.loads(skeleton)


def test_keypoints_of_two_numbers_are_seen_unless_at_the_origin(tmp_path):
    put(tmp_path, a="0 .5 .5 .5 .5 .25 .5 0 0")
    configure(tmp_path, train="images", names=["car"], kpt_shape=[2, 2])
    dataset = yolo.read(tmp_path)
    assert dataset.annotations.select("kind", "points", "visibility").row(0) == ("skeleton", [4.0, 6.0, 0.0, 0.0], [2, 0])


def test_a_kpt_shape_that_makes_no_sense_is_refused(tmp_path):
    put(tmp_path, a="")
    configure(tmp_path, train="images", names=["car"], kpt_shape=[17])
    with pytest.raises(ConfigError, match=r"kpt_shape is \[17\]"):
        yolo.read(tmp_path)


def test_tags_become_folders_and_come_back(tmp_path):
    rows = [{"image": 1, "class": 1, "kind": "tag"}, {"image": 2, "class": 0, "kind": "tag"}]
    dataset = pictured(tmp_path / "in", ["x/a.png", "y/a.png"], rows, ["cat/dog", "bus"], split=["train", "val"])
    yolo.write(dataset, tmp_path / "out")
    again = yolo.read(tmp_path / "out", task="classify")
    names = again.class_names()
    assert [(names[c], s) for c, s in zip(again.annotations["class"], again.images["split"], strict=True)] == [
        ("bus", "train"),
        ("cat/dog", "val"),
    ]


def test_masks_and_parts_become_one_outline_and_are_told(tmp_path):
    pixels = rle.decode([2, 3, 9, 3, 175], 12, 16)
    two = {**pointed(1, 0, "polygon", [1, 1, 3, 1, 3, 3, 8, 8, 11, 8, 11, 11]), "parts": [3, 3]}
    dataset = pictured(tmp_path / "in", ["images/a.png"], [mask(1, 0, pixels), two], ["car"])
    findings = yolo.write(dataset, tmp_path / "out")
    again = yolo.read(tmp_path / "out")
    assert again.annotations["kind"].to_list() == ["polygon", "polygon"]
    assert findings.select("kind", "annotation").rows() == [("approximated", 1), ("approximated", 2)]


def test_scores_are_written_only_when_asked_for(tmp_path):
    dataset = pictured(tmp_path / "in", ["images/a.png"], [box(1, 0, (1, 1, 5, 5), score=0.5)], ["car"])
    assert yolo.write(dataset, tmp_path / "plain")["kind"].to_list() == ["not_carried"]
    assert yolo.write(dataset, tmp_path / "scored", scores=True).is_empty()
    assert yolo.read(tmp_path / "scored").annotations["score"].to_list() == [0.5]


def test_pictures_that_differ_in_their_ending_keep_their_own_labels(tmp_path):
    rows = [box(1, 0, (1, 1, 5, 5)), box(2, 0, (2, 2, 6, 6))]
    dataset = pictured(tmp_path / "in", ["images/a.png", "images/a.jpg"], rows, ["car"])
    findings = yolo.write(dataset, tmp_path / "out")
    assert sorted(corners(yolo.read(tmp_path / "out"))) == [pytest.approx((1, 1, 5, 5)), pytest.approx((2, 2, 6, 6))]
    assert findings["suggestion"].to_list() == ["images/a.jpg.jpg"]


def test_an_undivided_dataset_stays_undivided_though_trainers_want_splits(tmp_path):
    dataset = pictured(tmp_path / "in", ["images/a.png"], [box(1, 0, (1, 1, 5, 5))], ["car"])
    yolo.write(dataset, tmp_path / "out")
    assert yaml.safe_load((tmp_path / "out/data.yaml").read_text())["val"] == "images"
    assert yolo.read(tmp_path / "out").images["split"].to_list() == [None]


def test_labels_of_an_unreadable_picture_are_told_line_by_line(tmp_path):
    put(tmp_path, a="0 .5 .5 .5 .5\n1 .5 .5 .5 .5")
    (tmp_path / "images/a.png").write_bytes(b"")
    notes = yolo.read(tmp_path).notes
    assert notes.select("kind", "position").rows() == [("unreadable_picture", None), ("bad_line", "line 1"), ("bad_line", "line 2")]


def test_labels_that_are_no_text_are_told(tmp_path):
    put(tmp_path, a="0 .5 .5 .5 .5", b="")
    (tmp_path / "labels/b.txt").write_bytes(b"\xff\x00\x81")
    dataset = yolo.read(tmp_path)
    assert dataset.annotations.height == 1
    assert dataset.notes.select("kind", "path").rows() == [("unreadable_labels", "labels/b.txt")]


def test_the_class_that_has_no_name_is_kept_aside(tmp_path):
    dataset = yolo.read(put(tmp_path, a="9 .5 .5 .5 .5"))
    assert extra_fields(dataset, "yolo", "annotations") == {1: {"class": 9}}


def test_two_classes_of_one_name_stay_two(tmp_path):
    put(tmp_path, a="1 .5 .5 .5 .5")
    configure(tmp_path, train="images", names=["car", "car"])
    assert yolo.read(tmp_path).classes["name"].to_list() == ["car", "car (1)"]


def test_broken_yaml_is_an_error_with_its_line(tmp_path):
    (tmp_path / "data.yaml").write_text("train: images\nnames: [a\n")
    with pytest.raises(FormatError, match="line"):
        yolo.read(tmp_path / "data.yaml")


@pytest.mark.parametrize(
    ("place", "count"),
    {"yolo_dataset/labels": 4, "yolo_dataset/strict": 2, "yolo_dataset/annotations": 2, "roboflow_dataset/yolo": 4}.items(),
)
def test_a_layout_of_the_field_is_read(shared_data, place, count):
    dataset = yolo.read(shared_data / "formats/datumaro_fixtures" / place)
    assert dataset.annotations.height == count
    assert dataset.notes.is_empty()
    assert dataset.annotations["class"].null_count() == 0


def test_roboflows_turned_boxes_in_pixels_are_read_by_class_name(shared_data):
    dataset = yolo.read(shared_data / "formats/datumaro_fixtures/roboflow_dataset/yolo_obb")
    names = dataset.class_names()
    assert [names[number] for number in dataset.annotations["class"]] == ["label_0", "label_1", "label_0", "label_1"]
    assert corners(dataset)[0] == pytest.approx((0, 0, 2, 2))


def exported(root: Path, subset: str, *, pictured: bool) -> None:
    """The layout that CVAT and Darknet share."""
    (root / f"obj_{subset}_data").mkdir(parents=True)
    (root / f"obj_{subset}_data/a.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    (root / f"{subset}.txt").write_text(f"data/obj_{subset}_data/a.png\n")
    (root / "obj.names").write_text("car\n")
    (root / "obj.data").write_text(f"classes = 1\n{subset} = data/{subset}.txt\nnames = data/obj.names\nbackup = backup/\n")
    if pictured:
        put_picture(root / f"obj_{subset}_data/a.png")


@pytest.mark.parametrize(("subset", "split"), [("train", "train"), ("Train", "train"), ("Validation", "val"), ("default", "default")])
def test_each_list_of_darknet_is_a_split(tmp_path, subset, split):
    exported(tmp_path, subset, pictured=True)
    dataset = yolo.read(tmp_path)
    assert dataset.images["split"].to_list() == [split]
    assert dataset.annotations.select("x1", "y1", "x2", "y2").rows() == [(4, 3, 12, 9)]
    assert dataset.notes.is_empty()


def test_labels_of_listed_pictures_that_are_not_there_are_told(tmp_path):
    exported(tmp_path, "train", pictured=False)
    assert yolo.read(tmp_path).notes["kind"].to_list() == ["missing_file", "bad_line"]


def test_what_cvat_exported_as_yolo_is_read(backups):
    dataset = open_dataset(backups / "09_exports_task.038.YOLO_1.1.zip")
    assert dataset.images["split"].unique().to_list() == ["train"]
    assert dataset.annotations["kind"].to_list() == ["box"] * 3
    assert dataset.notes.is_empty()
