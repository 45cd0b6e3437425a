"""KITTI: boxes in lines of text, masks in pictures of numbers, as the benchmark and CVAT write them."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from format_builders import HEIGHT, WIDTH, box, boxes, class_names, differing, fresh_folders, mask, pictured, put_picture
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from burnish.errors import FormatError
from burnish.formats import kitti
from burnish.formats.recognise import open_dataset, recognise_format, write_dataset

SPACE = "-10 {box} -1 -1 -1 -1000 -1000 -1000 -10"
CAR = "Car 0.25 1 -1.57 {} 1.5 1.6 3.9 -2.5 1.7 20.25 0.5"
COLOURS = "0 0 0 background\n250 115 118 car\n0 170 0 road surface\n"


def benchmark(root: Path, *lines: str, folder: str = "training", stem: str = "000001") -> Path:
    put_picture(root / f"{folder}/image_2/{stem}.png")
    file = root / f"{folder}/label_2/{stem}.txt"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return root


def numbers(path: Path, *rows: int, mode: str = "I;16") -> None:
    """A picture whose first rows have these values."""
    values = np.zeros((HEIGHT, WIDTH), dtype=np.uint16 if mode == "I;16" else np.uint8)
    for row, value in enumerate(rows):
        values[row] = value
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)


def told(dataset) -> list[tuple]:
    names = dataset.class_names()
    return [(names.get(number), *corners) for number, *corners in dataset.annotations.select("class", "x1", "y1", "x2", "y2").iter_rows()]


def attributes(dataset) -> list[tuple[str, str]]:
    return dataset.attributes.select("name", "value").rows()


def test_a_line_of_the_benchmark_is_a_box_with_what_else_it_says(tmp_path):
    dataset = open_dataset(benchmark(tmp_path, CAR.format("1 2.5 5 6")))
    assert dataset.origin["format"] == "kitti"
    assert told(dataset) == [("Car", 1, 2.5, 5, 6)]
    assert dataset.annotations.select("occluded", "score").rows() == [(True, None)]
    assert attributes(dataset) == [
        ("truncated", "0.25"),
        ("alpha", "-1.57"),
        ("dimensions", "1.5 1.6 3.9"),
        ("location", "-2.5 1.7 20.25"),
        ("rotation_y", "0.5"),
    ]
    assert dataset.notes.is_empty()


@pytest.mark.parametrize("space", [SPACE, "-1 {box} -1 -1 -1 -1 -1 -1 -1", "0.0 {box} 0.0 0 0 0 0 0 0"])
def test_what_a_line_does_not_know_of_space_is_no_attribute(tmp_path, space):
    dataset = kitti.read(benchmark(tmp_path, f"Car 0.0 0 {space.format(box='1 2 5 6')}"))
    assert attributes(dataset) == []


def test_an_angle_without_a_place_is_kept(tmp_path):
    assert attributes(kitti.read(benchmark(tmp_path, "Car 0 0 0.5 1 2 5 6 -1 -1 -1 -1000 -1000 -1000 -10"))) == [("alpha", "0.5")]


def test_heavy_occlusion_keeps_its_degree(tmp_path):
    lines = [f"Car 0 {degree} {SPACE.format(box='1 2 5 6')}" for degree in range(4)]
    dataset = kitti.read(benchmark(tmp_path, *lines))
    assert dataset.annotations["occluded"].to_list() == [False, True, True, False]
    assert attributes(dataset) == [("occlusion", "2"), ("occlusion", "3")]


def test_scores_and_names_with_blanks_are_read(tmp_path):
    space = SPACE.format(box="1 2 5 6")
    dataset = kitti.read(benchmark(tmp_path, f"traffic light 0 0 {space} 0.75", f"Person_sitting 0 0 {space}"))
    assert [name for name, *_ in told(dataset)] == ["traffic light", "Person_sitting"]
    assert dataset.annotations["score"].to_list() == [0.75, None]


def test_folders_are_splits_and_pictures_without_labels_stay(tmp_path):
    benchmark(tmp_path, CAR.format("1 2 5 6"))
    put_picture(tmp_path / "testing/image_2/000007.png")
    benchmark(tmp_path, folder="Validation", stem="a/b")
    dataset = kitti.read(tmp_path)
    assert dataset.images.select("split", "subset").rows() == [("val", "Validation"), ("test", None), ("train", None)]


def test_lines_that_are_none_are_told_with_their_file_and_line(tmp_path):
    dataset = kitti.read(benchmark(tmp_path, CAR.format("5 6 1 2"), "Car 0 0", "Car 0 0 0 1 2 nan 4 1 1 1 1 1 1 1"))
    assert told(dataset) == [("Car", 1, 2, 5, 6)]
    found = dataset.notes.select("kind", "path", "position").rows()
    assert found == [
        ("swapped_corners", "training/label_2/000001.txt", "line 1"),
        ("unreadable_line", "training/label_2/000001.txt", "line 2"),
        ("unreadable_line", "training/label_2/000001.txt", "line 3"),
    ]


def test_objects_are_masks_and_what_has_only_a_class_is_one_too(tmp_path):
    put_picture(tmp_path / "default/image_2/a.png")
    (tmp_path / "label_colors.txt").write_text(COLOURS)
    numbers(tmp_path / "default/instance/a.png", 256 + 1, 256 + 2, 0)
    numbers(tmp_path / "default/semantic/a.png", 1, 1, 2)
    dataset = open_dataset(tmp_path)
    assert dataset.origin["format"] == "kitti"
    assert told(dataset) == [("car", 0, 0, WIDTH, 1), ("car", 0, 1, WIDTH, 2), ("road surface", 0, 2, WIDTH, 3)]
    assert dataset.classes.select("name", "colour").rows() == [("car", "#fa7376"), ("road surface", "#00aa00")]


def test_without_a_table_of_colours_numbers_are_those_of_the_benchmark(tmp_path):
    put_picture(tmp_path / "training/image_2/a.png")
    numbers(tmp_path / "training/semantic/a.png", 7, 26, 40, mode="L")
    dataset = open_dataset(tmp_path)
    assert [name for name, *_ in told(dataset)] == ["road", "car", "40"]
    assert dataset.notes["kind"].to_list() == ["unknown_value"]


def test_colours_are_read_where_there_are_no_numbers_and_masks_give_the_size(tmp_path):
    (tmp_path / "label_colors.txt").write_text(COLOURS)
    pixels = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
    pixels[0], pixels[1] = (0, 170, 0), (9, 9, 9)
    (tmp_path / "semantic_rgb").mkdir()
    Image.fromarray(pixels).save(tmp_path / "semantic_rgb/a.png")
    dataset = kitti.read(tmp_path)
    assert told(dataset) == [("road surface", 0, 0, WIDTH, 1)]
    assert dataset.images.select("width", "height", "split").rows() == [(WIDTH, HEIGHT, None)]
    assert dataset.notes["kind"].to_list() == ["missing_file", "unknown_colour"]


def test_masks_that_cannot_be_read_are_told(tmp_path):
    put_picture(tmp_path / "image_2/a.png")
    put_picture(tmp_path / "semantic/a.png")
    (tmp_path / "instance").mkdir()
    (tmp_path / "instance/a.png").write_bytes(b"no picture")
    assert kitti.read(tmp_path).notes["kind"].to_list() == ["unreadable_mask", "unreadable_mask"]


def test_a_folder_without_anything_is_an_error(tmp_path):
    with pytest.raises(FormatError, match="label_2"):
        kitti.read(tmp_path)


@pytest.mark.parametrize("lines", [["0 0.5 0.5 0.1 0.1"], ["car 1 2 3 4"]])
def test_other_text_files_in_such_a_folder_are_not_taken_for_it(tmp_path, lines):
    assert not kitti.recognise(benchmark(tmp_path, *lines))


@given(class_names, st.lists(boxes(), max_size=4), st.data())
@settings(max_examples=25, deadline=None)
def test_boxes_come_back_to_the_last_digit(names, corners, data):
    numbered = st.integers(0, len(names) - 1)
    rows = [{**box(1, data.draw(numbered), c), "occluded": data.draw(st.booleans())} for c in corners]
    with fresh_folders() as (source, target):
        dataset = pictured(source, ["training/image_2/a.png"], rows, names, split=["train"])
        dataset = dataset.with_tables(classes=dataset.classes.with_columns(colour=pl.lit("#102030")))
        kitti.write(dataset, target)
        assert differing(dataset, kitti.read(target)) == []


def test_what_a_line_says_beyond_the_box_comes_back(tmp_path):
    lines = [CAR.format("1 2 5 6"), f"Van 0 3 {SPACE.format(box='1 2 5 6')} 0.5", "Car 0 2 0.5 1 2 5 6 -1 -1 -1 -1000 -1000 -1000 -10"]
    dataset = kitti.read(benchmark(tmp_path / "in", *lines))
    assert write_dataset(dataset, tmp_path / "out", "kitti").is_empty()
    written = (tmp_path / "out/training/label_2/000001.txt").read_text().splitlines()
    assert written == lines
    assert recognise_format(tmp_path / "out") == "kitti"


def test_masks_other_attributes_and_values_that_are_no_numbers_are_told(tmp_path):
    rows = [box(1, 0, (1, 2, 5, 6)), mask(1, 0, np.ones((HEIGHT, WIDTH), dtype=bool))]
    values = pl.DataFrame({"annotation": [1, 1, 1], "name": ["truncated", "alpha", "make"], "value": ["0.5", "steep", "Lada"]})
    dataset = pictured(tmp_path / "in", ["a.png"], rows, ["car"]).with_tables(attributes=values.with_columns(mutable=False))
    findings = kitti.write(dataset, tmp_path / "out")
    assert sorted(findings["given"].drop_nulls()) == ["alpha = steep", "make = Lada"]
    assert findings.filter(pl.col("annotation") == 2)["kind"].to_list() == ["not_carried"]
    assert (tmp_path / "out/label_2/a.txt").read_text() == "car 0.5 0 -10 1 2 5 6 -1 -1 -1 -1000 -1000 -1000 -10\n"


def test_a_dataset_that_cvat_exported_as_kitti_is_read(backups):
    dataset = open_dataset(backups / "09_exports_task.064.KITTI_1.0.zip")
    assert dataset.origin["format"] == "kitti"
    assert told(dataset)[0] == ("car", 30.25, 40.5, 110.75, 90.0999984741211)
    assert sorted(name for name, *_ in told(dataset)) == ["anything", "car", "crack", "crack", "road", "wheel"]
    assert dataset.images["split"].unique().to_list() == ["train"]
    assert dataset.notes["kind"].unique().to_list() == ["missing_file"]
