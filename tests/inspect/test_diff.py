import polars as pl
import pytest
from builders import boxes_dataset

import burnish
from burnish.data.dataset import make_dataset
from burnish.errors import ConfigError
from burnish.formats import versioned
from burnish.inspect.settings import DiffConfig


def _changed(dataset, column, row, value):
    table = dataset.annotations
    return dataset.with_tables(
        annotations=table.with_columns(pl.when(pl.col("id") == row).then(value).otherwise(pl.col(column)).alias(column))
    )


def test_a_moved_box_is_a_change_with_both_boxes(tmp_path):
    left = boxes_dataset(tmp_path)
    table = burnish.diff(left, _changed(left, "x2", 1, pl.lit(9.5))).table
    assert table.rows() == [("changed", "annotation", "images/0.jpg", "car box 2.0 3.0 9.0 12.0", "car box 2.0 3.0 9.5 12.0")]


def test_another_class_is_a_relabelling(tmp_path):
    left = boxes_dataset(tmp_path)
    right = _changed(left, "class", 1, pl.lit(1, dtype=pl.Int32))
    assert burnish.diff(left, right).table["change"].to_list() == ["relabelled"]
    assert burnish.diff(left, right).summary()["changes"] == {"annotation relabelled": 1}


def test_added_and_removed_annotations_and_pictures_are_told(tmp_path):
    left = boxes_dataset(tmp_path)
    right = left.with_tables(images=left.images.filter(pl.col("id") != 4), annotations=left.annotations.filter(pl.col("image") != 4))
    removed = burnish.diff(left, right).summary()["changes"]
    added = burnish.diff(right, left).summary()["changes"]
    assert removed == {"annotation removed": 2, "picture removed": 1}
    assert added == {"annotation added": 2, "picture added": 1}


def test_a_new_class_is_told_by_its_name(tmp_path):
    left = boxes_dataset(tmp_path)
    bus = pl.DataFrame({"id": [2], "name": ["bus"]}, schema_overrides={"id": pl.Int32})
    right = left.with_tables(classes=pl.concat([left.classes, bus], how="diagonal"))
    assert burnish.diff(left, right).table.rows() == [("added", "class", "bus", None, "bus")]


def test_a_picture_in_another_split_has_moved(tmp_path):
    left = boxes_dataset(tmp_path)
    right = left.with_tables(images=left.images.with_columns(pl.when(pl.col("id") == 2).then(pl.lit("val")).alias("split")))
    assert burnish.diff(left, right).table.rows() == [("moved", "picture", "images/1.jpg", "no split", "val")]


def test_a_polygon_with_another_point_is_changed_although_its_box_is_not(tmp_path):
    left = boxes_dataset(tmp_path, pictures=1)
    shapes = left.annotations.head(1)

    def polygon(*points):
        return left.with_tables(annotations=shapes.with_columns(kind=pl.lit("polygon"), points=pl.lit(pl.Series([list(points)]))))

    before, after = polygon(2.0, 3.0, 9.0, 3.0, 9.0, 12.0), polygon(2.0, 3.0, 9.0, 3.0, 2.0, 12.0)
    assert burnish.diff(before, after).table["change"].to_list() == ["changed"]
    assert burnish.diff(before, before).table.is_empty()


def test_other_class_ids_with_equal_names_are_no_difference(tmp_path):
    left = boxes_dataset(tmp_path)
    right = left.with_tables(
        classes=left.classes.with_columns(pl.col("id") + 10), annotations=left.annotations.with_columns(pl.col("class") + 10)
    )
    assert burnish.diff(left, right).table.is_empty()


def test_pictures_can_be_matched_by_id_when_their_paths_changed(tmp_path):
    left = boxes_dataset(tmp_path)
    right = left.with_tables(media=left.media.with_columns(("renamed_" + pl.col("path").str.replace("/", "/new_")).alias("path")))
    by_path = burnish.diff(left, right).summary()["changes"]
    by_id = burnish.diff(left, right, DiffConfig(by="id")).summary()["changes"]
    assert by_path["annotation removed"] == 8
    assert "annotation removed" not in by_id


def test_the_difference_is_told_with_signs_and_written_as_csv(tmp_path):
    left = boxes_dataset(tmp_path / "data")
    difference = burnish.diff(left, _changed(left, "x2", 1, pl.lit(9.5)))
    (path,) = difference.save(tmp_path)
    assert pl.read_csv(path).rows() == difference.table.rows()
    assert "~ images/0.jpg: car box 2.0 3.0 9.0 12.0 -> car box 2.0 3.0 9.5 12.0" in str(difference)


def test_one_dataset_alone_needs_a_version_before(tmp_path):
    dataset = boxes_dataset(tmp_path / "pictures")
    with pytest.raises(ConfigError, match="Name two datasets"):
        burnish.diff(dataset)
    versioned.add_version(dataset, tmp_path / "data", verb="convert")
    with pytest.raises(ConfigError, match="first version"):
        burnish.diff(burnish.open(tmp_path / "data"))


def test_frames_of_a_video_are_told_by_their_numbers_and_flags_and_attributes_count(tmp_path):
    frames = pl.DataFrame({"id": [0, 1], "media": 0, "frame": [0, 1], "true_frame": [4, 8], "width": 64, "height": 48})
    video = pl.DataFrame({"id": [0], "path": ["one.mp4"], "kind": ["video"]})
    rows = pl.DataFrame({"id": [0, 1], "image": [0, 1], "class": 0, "kind": "box", "x1": 1.0, "y1": 1.0, "x2": 9.0, "y2": 9.0, "track": 2})
    classes = pl.DataFrame({"id": [0], "name": ["car"]})
    before = make_dataset(tmp_path, media=video, images=frames, annotations=rows, classes=classes)
    attributes = pl.DataFrame({"annotation": [0], "name": ["colour"], "value": ["red"]})
    changed = rows.with_columns(occluded=pl.Series([False, True]))
    after = make_dataset(tmp_path, media=video, images=frames, annotations=changed, classes=classes, attributes=attributes)
    told = burnish.diff(before, after).table.select("change", "path", "after").rows()
    assert told == [
        ("changed", "one.mp4 frame 4", "car #2 box 1.0 1.0 9.0 9.0 colour=red"),
        ("changed", "one.mp4 frame 8", "car #2 box 1.0 1.0 9.0 9.0 occluded"),
    ]


def test_a_dataset_that_lies_in_another_folder_is_matched_by_what_follows_it(tmp_path):
    before = boxes_dataset(tmp_path)
    below = before.with_tables(media=before.media.with_columns(path="copy/of/" + pl.col("path")))
    assert burnish.diff(before, below).table.is_empty()
