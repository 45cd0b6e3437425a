"""Tables of labels as CSV: a row a label, classes as columns of 0 and 1, boxes by their sides, several tables for the splits."""

import polars as pl
import pytest
from builders import write_picture
from format_builders import box, pictured

import burnish
from burnish.errors import FormatError
from burnish.formats.recognise import open_dataset, write_dataset


def folder_of(root, tables, pictures=("images/1.jpg", "images/2.jpg", "images/3.jpg")):
    for number, name in enumerate(pictures):
        write_picture(root / name, number)
    for name, text in tables.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


def told(dataset):
    """Findings but the one on pictures without a row."""
    return dataset.notes.filter(pl.col("kind") != "unlisted_pictures")


def labels_of(dataset):
    """Each picture with the names of its tags, in their order."""
    names = dataset.class_names()
    files = dict(dataset.image_files().select("image", "path").iter_rows())
    found = {path: [] for path in files.values()}
    for image, number in dataset.annotations.select("image", "class").iter_rows():
        found[files[image]].append(names[number])
    return found


@pytest.mark.parametrize(
    "text",
    [
        "filename,label\n1.jpg,cat\n2.jpg,dog\n3.jpg,\n",
        "image_id;class\n1;cat\n2;dog\n3;\n",
        "\ufeffImage Path\tCategory\nimages/1.jpg\tcat\nimages\\2.jpg\tdog\n3.jpg\t\n",
        "filename, cat, dog\n1.jpg, 1, 0\n2.jpg, 0, 1\n3.jpg, 0, 0\n",
        '"file","dog","cat"\r\n"1.jpg","False","True"\r\n"2.jpg","True","False"\r\n"3.jpg","False","False"\r\n',
    ],
)
def test_the_ways_of_writing_one_class_a_picture_are_read_alike(text, tmp_path):
    dataset = burnish.open(folder_of(tmp_path, {"labels.csv": text}))
    assert dataset.origin["format"] == "csv"
    assert labels_of(dataset) == {"images/1.jpg": ["cat"], "images/2.jpg": ["dog"], "images/3.jpg": []}
    assert dataset.notes.is_empty()


@pytest.mark.parametrize(
    "text",
    ["image,labels\n1.jpg,cat|dog\n2.jpg,dog\n", "image,label\n1.jpg,cat\n1.jpg,dog\n2.jpg,dog\n", "image,cat,dog\n1.jpg,1,1\n2.jpg,0,1\n"],
)
def test_a_picture_may_have_several_classes(text, tmp_path):
    assert labels_of(burnish.open(folder_of(tmp_path, {"labels.csv": text}))) == {"images/1.jpg": ["cat", "dog"], "images/2.jpg": ["dog"]}


def test_a_class_that_no_picture_shows_stays_with_its_place_among_the_columns(tmp_path):
    dataset = burnish.open(folder_of(tmp_path, {"labels.csv": "image,zebra,ant\n1.jpg,0,0\n2.jpg,0,1\n"}))
    assert dataset.class_names() == {0: "zebra", 1: "ant"}


def test_splits_scenes_and_all_other_columns_are_kept(tmp_path):
    text = "image,label,split,group,camera\n1.jpg,cat,Train,a,left\n2.jpg,dog,valid,b,\n"
    dataset = burnish.open(folder_of(tmp_path, {"labels.csv": text}))
    assert dataset.images.select("split", "scene").rows() == [("train", "a"), ("val", "b")]
    assert dataset.extras["value"].to_list() == ['{"camera": "left"}']


@pytest.mark.parametrize(
    ("tables", "pictures"),
    [
        ({"train.csv": "id,label\n1,cat\n", "val.csv": "id,label\n2,dog\n", "test.csv": "id\n3\n"}, ("p/1.jpg", "p/2.jpg", "p/3.jpg")),
        (
            {"train/_classes.csv": "filename,cat,dog\n1.jpg,1,0\n", "valid/_classes.csv": "filename,cat,dog\n1.jpg,0,1\n"},
            ("train/1.jpg", "valid/1.jpg"),
        ),
    ],
)
def test_tables_named_as_splits_or_in_folders_named_so_are_one_dataset(tables, pictures, tmp_path):
    dataset = burnish.open(folder_of(tmp_path, tables, pictures))
    assert dataset.images["split"].to_list() == ["train", "val"]
    assert list(labels_of(dataset).values()) == [["cat"], ["dog"]]


def test_boxes_are_read_by_their_sides_in_pixels(tmp_path):
    text = "filename,width,height,class,xmin,ymin,xmax,ymax\n1.jpg,32,24,cat,1,2,9.5,12\n1.jpg,32,24,dog,3,4,5,6\n2.jpg,32,24,,,,,\n"
    dataset = burnish.open(folder_of(tmp_path, {"_annotations.csv": text}))
    assert dataset.annotations.select("image", "kind", "x1", "y1", "x2", "y2").rows() == [
        (1, "box", 1.0, 2.0, 9.5, 12.0),
        (1, "box", 3.0, 4.0, 5.0, 6.0),
    ]
    assert len(dataset) == 2


def test_boxes_in_shares_of_the_picture_are_refused(tmp_path):
    folder_of(tmp_path, {"labels.csv": "image,label,xmin,ymin,xmax,ymax\n1.jpg,cat,0.1,0.2,0.9,1.0\n"})
    with pytest.raises(FormatError, match="expected pixels"):
        open_dataset(tmp_path)


def test_what_cannot_be_read_is_told_with_its_line(tmp_path):
    rows = ["1.jpg,cat,1,1,9,9", "2.jpg,cat,1,1,9", ",cat,1,1,9,9", "3.jpg,cat,1,one,9,9", "3.jpg,,1,1,9,9"]
    text = "image,label,xmin,ymin,xmax,ymax\n" + "\n".join(rows) + "\n"
    dataset = burnish.open(folder_of(tmp_path, {"labels.csv": text}))
    found = told(dataset).select("kind", "position").rows()
    assert sorted(found, key=lambda one: one[1]) == [
        ("broken_line", "line 3"),
        ("broken_line", "line 4"),
        ("broken_region", "line 5"),
        ("no_label", "line 6"),
    ]
    assert dataset.annotations.height == 2


def test_a_picture_in_two_splits_counts_for_the_first_and_is_told(tmp_path):
    tables = {"train.csv": "image,label\n1.jpg,cat\n2.jpg,dog\n", "val.csv": "image,label\n2.jpg,dog\n"}
    dataset = burnish.open(folder_of(tmp_path, tables))
    assert dataset.images["split"].to_list() == ["train", "train"]
    assert dataset.notes.filter(pl.col("kind") == "several_splits")["path"].to_list() == ["images/2.jpg"]
    assert labels_of(dataset) == {"images/1.jpg": ["cat"], "images/2.jpg": ["dog"]}


def test_pictures_without_a_row_are_counted_and_no_issue(tmp_path):
    dataset = burnish.open(folder_of(tmp_path, {"labels.csv": "image,label\n2.jpg,cat\n"}))
    assert len(dataset) == 1
    (found,) = dataset.notes.rows(named=True)
    assert found["kind"] == "unlisted_pictures"
    assert found["reason"].startswith("2 pictures stand in no row")
    assert not found["is_issue"]


def test_another_table_of_labels_beside_it_is_told(tmp_path):
    tables = {"labels.csv": "image,label\n1.jpg,cat\n", "second_opinion.csv": "image,label\n1.jpg,dog\n"}
    dataset = burnish.open(folder_of(tmp_path, tables))
    assert labels_of(dataset) == {"images/1.jpg": ["cat"]}
    assert told(dataset).select("kind", "path").rows() == [("unread_table", "second_opinion.csv")]
    assert labels_of(burnish.open(tmp_path / "second_opinion.csv")) == {"images/1.jpg": ["dog"]}


@pytest.mark.parametrize(
    "text",
    [
        "image,label\nelsewhere.jpg,cat\n",  # none of its pictures is here
        'image,label,bbox\n1.jpg,cat,"[1, 2, 3, 4]"\n',
        "image,brightness,blurred\n1.jpg,0.3,1\n",
        "when,who\n2020,me\n",
        "",
    ],
)
def test_tables_that_say_nothing_of_these_pictures_leave_them_pictures(text, tmp_path):
    assert burnish.open(folder_of(tmp_path, {"notes.csv": text}, ("1.jpg", "2.jpg"))).origin["format"] == "pictures"


def test_without_a_table_of_labels_what_was_expected_is_said(tmp_path):
    folder_of(tmp_path, {"notes.csv": "when,who\n2020,me\n"})
    with pytest.raises(FormatError, match="a column that names pictures"):
        open_dataset(tmp_path, "csv")


def test_a_box_that_is_turned_or_without_a_class_is_told_when_it_is_written(tmp_path):
    rows = [box(1, 0, (1, 1, 9, 9)), {**box(1, 0, (1, 1, 9, 9)), "rotation": 30.0}, {**box(1, 0, (2, 2, 8, 8)), "class": None}]
    findings = write_dataset(pictured(tmp_path / "source", ["images/1.png"], rows, ["cat"]), tmp_path / "out", "csv")
    assert findings.filter("is_issue").height == 2
    assert burnish.open(tmp_path / "out").annotations.height == 1
