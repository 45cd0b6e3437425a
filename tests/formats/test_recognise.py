import json

import pytest
from format_builders import put_picture

import burnish
from burnish.engine.archives import pack
from burnish.errors import BurnishError, DataError, FormatError
from burnish.formats.recognise import FORMATS, load_format, open_dataset, recognise_format, write_dataset
from burnish.testing.datasets import boxes_dataset

COCO = {"images": [], "annotations": [], "categories": []}


def test_a_plain_folder_of_pictures_opens_without_labels(tmp_path):
    put_picture(tmp_path / "deep/er/b.png")
    put_picture(tmp_path / "a.png")
    dataset = open_dataset(tmp_path)
    assert dataset.origin["format"] == "pictures"
    assert dataset.media["path"].to_list() == ["a.png", "deep/er/b.png"]


def test_one_picture_is_a_dataset_of_one(tmp_path):
    put_picture(tmp_path / "a.png")
    assert len(burnish.open(tmp_path / "a.png")) == 1


def test_a_missing_path_is_answered_with_near_names(tmp_path):
    (tmp_path / "dataset_v2").mkdir()
    with pytest.raises(FormatError, match=r"Near names in .*: dataset_v2"):
        open_dataset(tmp_path / "dataset_v3")


def test_an_unknown_folder_is_answered_with_what_was_seen_and_what_is_known(tmp_path):
    (tmp_path / "notes.docx").write_bytes(b"x")
    with pytest.raises(FormatError, match=r"Seen: 1 \.docx among the first entries \(notes\.docx\)") as caught:
        open_dataset(tmp_path)
    assert all(name in str(caught.value) for name in FORMATS)


def test_an_empty_folder_is_said_to_be_empty(tmp_path):
    with pytest.raises(FormatError, match="Seen: an empty folder"):
        open_dataset(tmp_path)


def test_a_folder_that_could_be_two_formats_is_not_guessed(tmp_path):
    (tmp_path / "data.json").write_text(json.dumps(COCO))
    (tmp_path / "data.yaml").write_text("train: images\nnames: [a]\n")
    with pytest.raises(FormatError, match="yolo and coco"):
        open_dataset(tmp_path)
    assert open_dataset(tmp_path, format="coco").origin["format"] == "coco"


def test_a_misspelt_format_is_answered_with_the_nearest(tmp_path):
    with pytest.raises(DataError, match="Did you mean 'coco'"):
        open_dataset(tmp_path, format="cocoo")


def test_a_format_that_is_only_read_refuses_to_write(tmp_path):
    put_picture(tmp_path / "in/a.png")
    with pytest.raises(DataError, match="can be read only"):
        write_dataset(open_dataset(tmp_path / "in"), tmp_path / "out", "pictures")


def test_a_failed_write_leaves_nothing_behind(tmp_path):
    put_picture(tmp_path / "in/a.png")
    with pytest.raises(BurnishError, match="nonsense"):
        write_dataset(open_dataset(tmp_path / "in"), tmp_path / "out", "yolo", task="nonsense")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_the_folder_that_holds_the_pictures_is_never_replaced(tmp_path):
    put_picture(tmp_path / "in/a.png")
    with pytest.raises(DataError, match="holds the pictures"):
        write_dataset(open_dataset(tmp_path / "in"), tmp_path / "in", "coco", force=True)
    assert (tmp_path / "in/a.png").is_file()


def test_pictures_of_one_name_stay_two(tmp_path):
    put_picture(tmp_path / "in/images/a.png")
    put_picture(tmp_path / "in/a.png")
    findings = write_dataset(open_dataset(tmp_path / "in"), tmp_path / "out", "coco")
    assert len(open_dataset(tmp_path / "out")) == 2
    assert findings["kind"].to_list() == ["renamed"]


def test_linked_pictures_hold_the_same_bytes(tmp_path):
    put_picture(tmp_path / "in/a.png")
    write_dataset(open_dataset(tmp_path / "in"), tmp_path / "out", "yolo", media="link")
    assert (tmp_path / "out/images/a.png").samefile(tmp_path / "in/a.png")


@pytest.mark.parametrize("name", FORMATS)
def test_every_module_of_the_catalogue_bears_its_name(name):
    assert name == load_format(name).NAME


@pytest.mark.parametrize(
    ("place", "form"),
    {
        "formats/edge_made_here/yolo": "yolo",
        "formats/edge_made_here/yolo/data.yaml": "yolo",
        "formats/edge_made_here/coco": "coco",
        "formats/edge_made_here/coco/instances.json": "coco",
        "formats/edge_made_here/voc": "voc",
        "formats/datumaro_fixtures/coco_dataset/coco": "coco",
        "formats/datumaro_fixtures/coco_dataset/coco_roboflow": "coco",
        "formats/datumaro_fixtures/coco_dataset/mmdet_coco": "coco",
        "formats/datumaro_fixtures/yolo_dataset/labels": "yolo",
        "formats/datumaro_fixtures/yolo_dataset/strict": "yolo",
        "formats/datumaro_fixtures/yolo_dataset/annotations": "yolo",
        "formats/datumaro_fixtures/roboflow_dataset/yolo": "yolo",
        "formats/datumaro_fixtures/roboflow_dataset/yolo_obb": "yolo",
        "formats/datumaro_fixtures/roboflow_dataset/coco": "coco",
        "formats/labelme_json": "labelme",
        "badimages": "pictures",
        "bccd": "voc",
        "cifar10n": "jsonl",
    }.items(),
)
def test_real_data_is_recognised_by_its_content(shared_data, place, form):
    assert recognise_format(shared_data / place) == form


@pytest.mark.parametrize("below", ["", "export"])
def test_an_archive_of_any_format_is_opened_by_what_it_holds(tmp_path, monkeypatch, below):
    monkeypatch.setenv("BURNISH_CACHE", str(tmp_path / "cache"))
    write_dataset(boxes_dataset(tmp_path / "made"), tmp_path / "packed" / below / "set" if below else tmp_path / "packed", "voc")
    pack(tmp_path / "packed" / below, tmp_path / "street.zip")
    opened = open_dataset(tmp_path / "street.zip")
    assert opened.origin["format"] == "voc"
    assert opened.origin["path"] == str(tmp_path / "street.zip")
    assert opened.annotations.height == 8
    assert all((opened.root / path).is_file() for path in opened.image_files()["path"])


def test_an_archive_of_nothing_known_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("BURNISH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/a.txt").write_text("a note")
    pack(tmp_path / "notes", tmp_path / "notes.zip")
    with pytest.raises(FormatError, match="No known format"):
        open_dataset(tmp_path / "notes.zip")
