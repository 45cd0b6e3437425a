"""JSON of Yandex's crowd."""

import json

import polars as pl
import pytest
from format_builders import box, pictured, pointed, put_picture

from burnish.errors import FormatError
from burnish.formats.recognise import open_dataset, write_dataset

POLYGON = {"label": "car", "shape": "polygon", "points": [{"left": 0.0, "top": 0.0}, {"left": 0.5, "top": 0.0}, {"left": 0.5, "top": 0.25}]}
RECTANGLE = {"label": "bus", "shape": "rectangle", "left": 0.25, "top": 0.5, "width": 0.5, "height": 0.25}


def crowd(folder, entries):
    folder.mkdir(exist_ok=True, parents=True)
    (folder / "result.json").write_text(json.dumps(entries), encoding="utf-8")
    return folder


def test_shares_of_the_sides_become_pixels(tmp_path):
    put_picture(tmp_path / "a.png")
    dataset = open_dataset(crowd(tmp_path, [{"image": "a.png", "polygons": [POLYGON, RECTANGLE]}]))
    assert dataset.annotations["points"][0].to_list() == [0.0, 0.0, 8.0, 0.0, 8.0, 3.0]
    assert dataset.annotations.select("x1", "y1", "x2", "y2").row(1) == (4.0, 6.0, 12.0, 9.0)
    assert dataset.classes["name"].to_list() == ["bus", "car"]


def test_frames_count_the_sorted_pictures_beside_the_file(tmp_path):
    for name in ("1.png", "2.png", "10.png"):
        put_picture(tmp_path / name)
    entries = [{"inputValues": {"frame": 2}, "outputValues": {"polygons": [RECTANGLE]}}, {"frame": 0, "polygons": []}]
    dataset = open_dataset(crowd(tmp_path, entries))
    assert dataset.image_files()["path"].to_list() == ["1.png", "10.png"]
    assert dataset.images["frame"].to_list() == [0, 2]


def test_values_that_were_not_given_may_be_null(tmp_path):
    put_picture(tmp_path / "a.png")
    entry = {"inputValues": None, "outputValues": None, "image": "a.png", "polygons": [RECTANGLE]}
    assert open_dataset(crowd(tmp_path, [entry])).annotations.height == 1


def test_what_is_written_is_read_back(tmp_path):
    rows = [box(1, 0, (1, 2, 5, 6)), pointed(2, 1, "polygon", [1, 1, 5, 1, 5, 5])]
    dataset = pictured(tmp_path / "in", ["b.png", "a.png"], rows, ["car", "дом"])
    write_dataset(dataset, tmp_path / "out", "yandex")
    again = open_dataset(tmp_path / "out")
    assert again.annotations.select("x1", "y1", "x2", "y2", "points").equals(dataset.annotations.select("x1", "y1", "x2", "y2", "points"))
    assert [path.rpartition("/")[2] for path in again.image_files()["path"]] == ["b.png", "a.png"]


def test_a_shape_that_is_none_is_told_and_the_others_stay(tmp_path):
    put_picture(tmp_path / "a.png")
    bad = [{"label": "car", "shape": "circle"}, {"shape": "rectangle"}, {**POLYGON, "points": POLYGON["points"][:2]}]
    dataset = open_dataset(crowd(tmp_path, [{"image": "a.png", "polygons": [*bad, RECTANGLE]}]))
    assert dataset.annotations.height == 1
    assert dataset.notes["kind"].to_list().count("unreadable_shape") == 3


def test_frames_beyond_the_pictures_are_refused(tmp_path):
    put_picture(tmp_path / "a.png")
    with pytest.raises(FormatError, match="up to number 5"):
        open_dataset(crowd(tmp_path, [{"frame": 5, "polygons": []}]))


def test_an_entry_without_polygons_is_refused_with_its_place(tmp_path):
    with pytest.raises(FormatError, match="'polygons'"):
        open_dataset(crowd(tmp_path, [{"image": "a.png", "polygons": []}, {"image": "b.png"}]), "yandex")


def test_a_cut_file_is_refused(tmp_path):
    file = crowd(tmp_path, [{"image": "a.png", "polygons": [POLYGON]}]) / "result.json"
    file.write_text(file.read_text()[:-5])
    with pytest.raises(FormatError, match="cut off"):
        open_dataset(file, "yandex")


def test_an_object_without_a_class_is_told(tmp_path):
    dataset = pictured(tmp_path / "in", ["a.png"], [box(1, None, (1, 1, 5, 5))], ["car"])
    findings = write_dataset(dataset, tmp_path / "out", "yandex")
    assert findings.filter(pl.col("annotation") == 1)["kind"].to_list() == ["not_carried"]
