import json

import numpy as np
import polars as pl
import pytest
from format_builders import HEIGHT, WIDTH, mask, pictured

import burnish
from burnish.errors import ConfigError, DataError
from burnish.formats import coco, masks
from burnish.formats.indexed import read_indexed
from burnish.formats.painting import layers_of, paint_objects
from burnish.geometry import rle
from burnish.inspect.settings import ConvertConfig, MasksConfig
from burnish.media.images import read_image


def covering(left, right, number, **more):
    """A mask of all rows and some columns."""
    pixels = np.zeros((HEIGHT, WIDTH), dtype=np.bool_)
    pixels[:, left:right] = True
    return mask(1, number, pixels) | more


def overlapping(root, **columns):
    """Road below a car and a person, whose halves overlap; the person's class has the higher priority, the car the higher z order."""
    rows = [covering(0, 16, 0), covering(2, 10, 1, z_order=5), covering(6, 14, 2, z_order=1), covering(14, 16, 1)]
    dataset = pictured(root, ["a.png"], rows, ["road", "car", "person"], **columns)
    return dataset.with_tables(classes=dataset.classes.with_columns(priority=pl.Series([0, 1, 2], dtype=pl.Int32)))


def row_of(path):
    return read_indexed(path).values[0].tolist()


def test_the_class_of_higher_priority_lies_on_top(tmp_path):
    masks.write(overlapping(tmp_path / "in"), tmp_path / "out")
    assert row_of(tmp_path / "out/masks/a.png") == [1] * 2 + [2] * 4 + [3] * 8 + [2] * 2


def test_the_drawing_order_may_decide_instead(tmp_path):
    masks.write(overlapping(tmp_path / "in"), tmp_path / "out", paint="z")
    assert row_of(tmp_path / "out/masks/a.png") == [1] * 2 + [2] * 8 + [3] * 4 + [2] * 2


def test_classes_to_ignore_lie_on_top_with_the_value_that_counts_for_nothing(tmp_path):
    masks.write(overlapping(tmp_path / "in"), tmp_path / "out", ignore=["car"])
    assert row_of(tmp_path / "out/masks/a.png") == [1] * 2 + [255] * 8 + [3] * 4 + [255] * 2
    with pytest.raises(DataError, match="bus"):
        masks.write(overlapping(tmp_path / "again"), tmp_path / "more", ignore=["bus"])


def test_more_classes_than_a_byte_holds_are_written_with_sixteen_bits(tmp_path):
    names = [f"c{n}" for n in range(400)]
    masks.write(pictured(tmp_path / "in", ["a.png"], [covering(0, 8, 399), covering(8, 16, 3)], names), tmp_path / "out", ignore=["c3"])
    assert row_of(tmp_path / "out/masks/a.png") == [400] * 8 + [65535] * 8


def test_boxes_are_painted_whole_below_the_rest_and_ellipses_by_their_outline(tmp_path):
    corners = {"image": 1, "class": 0, "x1": 2.0, "y1": 1.0, "x2": 12.0, "y2": 9.0}
    shapes = [corners | {"kind": "box"}, corners | {"kind": "ellipse", "class": 1}, corners | {"kind": "box", "rotation": 90.0, "class": 2}]
    dataset = pictured(tmp_path / "in", ["a.png"], shapes, ["box", "ellipse", "turned"])
    findings = masks.write(dataset, tmp_path / "out")
    values = read_indexed(tmp_path / "out/masks/a.png").values
    assert np.count_nonzero(values == 1) == 2 * 8, "what the turned box and the ellipse leave of ten by eight"
    assert np.count_nonzero(values == 2) == pytest.approx(np.pi * 5 * 4, abs=4)
    assert values[0, 7] == 3, "the turned box is eight wide and ten high"
    told = findings.filter(pl.col("kind") == "rasterised").select("annotation", "is_issue").sort("annotation").rows()
    assert told == [(1, True), (2, False), (3, True)]


def test_owners_covered_and_areas_add_up(tmp_path):
    dataset = overlapping(tmp_path)
    painted = paint_objects(dataset.annotations.to_dicts(), (WIDTH, HEIGHT), layers_of(dataset))
    seen = np.bincount(painted.owners.ravel(), minlength=5)[1:]
    assert (seen + painted.covered == painted.areas).all()
    assert seen.sum() == WIDTH * HEIGHT


def panoptic(folder):
    (file,) = sorted((folder / "annotations").glob("*.json"))
    return json.loads(file.read_text()), file.with_suffix("")


def test_panoptic_files_give_every_pixel_to_one_segment(tmp_path):
    dataset = overlapping(tmp_path / "in", split=["val"])
    coco.write(dataset, tmp_path / "out", task="panoptic", stuff=["road"])
    told, folder = panoptic(tmp_path / "out")
    (entry,) = told["annotations"]
    pixels = read_image(folder / entry["file_name"], mode="unchanged").astype(np.int64)
    numbers = pixels[..., 0] + 256 * pixels[..., 1] + 65536 * pixels[..., 2]
    assert folder.name == "panoptic_val"
    assert [c["isthing"] for c in told["categories"]] == [0, 1, 1]
    segments = {segment["id"]: segment for segment in entry["segments_info"]}
    assert sorted(segments) == sorted(np.unique(numbers).tolist())
    assert {number: int((numbers == number).sum()) for number in segments} == {n: s["area"] for n, s in segments.items()}
    assert sum(s["area"] for s in segments.values()) == WIDTH * HEIGHT
    assert sorted((s["category_id"], s["bbox"]) for s in segments.values()) == [
        (0, [0, 0, 2, 12]),
        (1, [2, 0, 4, 12]),
        (1, [14, 0, 2, 12]),
        (2, [6, 0, 8, 12]),
    ]


def test_panoptic_files_are_read_again_as_they_were_painted(tmp_path):
    dataset = overlapping(tmp_path / "in")
    burnish.convert(dataset, ConvertConfig(to="masks", task="panoptic", masks=MasksConfig(paint="z"))).save(tmp_path / "out")
    again = burnish.open(tmp_path / "out")
    areas = [rle.area(rle.decompress(m)) // HEIGHT for m in again.annotations.sort("class", "x1")["mask"]]
    assert areas == [2, 8, 2, 4]
    assert burnish.check(again).table.is_empty()


def test_stuff_is_one_segment_a_picture_and_what_has_no_class_is_nothing(tmp_path):
    rows = [covering(0, 4, 0), covering(8, 12, 0), covering(12, 16, None)]
    coco.write(pictured(tmp_path / "in", ["a.png"], rows, ["sky"]), tmp_path / "out", task="panoptic", stuff=["sky"])
    told, _ = panoptic(tmp_path / "out")
    assert [(s["area"], s["bbox"]) for s in told["annotations"][0]["segments_info"]] == [(8 * HEIGHT, [0, 0, 12, 12])]


def test_what_was_no_thing_in_a_coco_file_stays_so(tmp_path):
    coco.write(overlapping(tmp_path / "in"), tmp_path / "first", task="panoptic", stuff=["road"])
    coco.write(burnish.open(tmp_path / "first"), tmp_path / "second", task="panoptic")
    assert [c["isthing"] for c in panoptic(tmp_path / "second")[0]["categories"]] == [0, 1, 1]


def test_dials_of_masks_are_refused_where_they_mean_nothing(tmp_path):
    dataset = overlapping(tmp_path)
    with pytest.raises(ConfigError, match="no meaning for the format yolo"):
        burnish.convert(dataset, ConvertConfig(to="yolo", masks=MasksConfig(paint="z")))
    with pytest.raises(ConfigError, match="stuff to panoptic"):
        burnish.convert(dataset, ConvertConfig(to="masks", task="semantic", masks=MasksConfig(stuff=("road",))))


def test_the_field_s_words_name_the_styles(tmp_path):
    for task, folder in (("semantic", "masks"), ("instance", "instances")):
        burnish.convert(overlapping(tmp_path / "in" / task), ConvertConfig(to="masks", task=task)).save(tmp_path / task)
        assert (tmp_path / task / folder / "a.png").is_file()
