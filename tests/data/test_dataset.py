import numpy as np
import polars as pl
import pytest
from builders import boxes_dataset

from burnish.data.dataset import make_dataset, same_content
from burnish.data.schema import TABLES
from burnish.errors import DataError


def test_every_declared_column_is_there_with_its_default(tmp_path):
    dataset = boxes_dataset(tmp_path)
    assert dataset.annotations.columns == [column.name for column in TABLES["annotations"]]
    assert dataset.annotations["rotation"].to_list() == [0.0] * 8
    assert dataset.annotations["score"].null_count() == 8


def test_one_picture_is_seen_as_arrays(tmp_path):
    labels = boxes_dataset(tmp_path).labels(2)
    np.testing.assert_array_equal(labels.boxes, [[2, 3, 9, 12], [10.5, 4, 30.25, 20]])
    assert labels.classes.tolist() == [0, 1]
    assert labels.size == (32, 24)


def test_all_pictures_are_seen_in_order_also_those_without_annotations(tmp_path):
    dataset = boxes_dataset(tmp_path)
    bare = dataset.with_tables(annotations=dataset.annotations.filter(pl.col("image") != 2))
    assert [(view.image, len(view)) for view in bare.iter_labels()] == [(1, 2), (2, 0), (3, 2), (4, 2)]


def test_an_unknown_column_is_named(tmp_path):
    with pytest.raises(DataError, match=r"Unknown columns \['colour'\]"):
        make_dataset(
            tmp_path, media=pl.DataFrame({"id": [1], "path": ["a"], "colour": ["red"]}), images=pl.DataFrame({"id": [1], "media": [1]})
        )


def test_a_value_that_is_no_kind_is_refused(tmp_path):
    dataset = boxes_dataset(tmp_path)
    with pytest.raises(DataError, match="declared type"):
        dataset.with_tables(annotations=dataset.annotations.with_columns(pl.lit("circle").alias("kind")))


def test_replacing_a_table_leaves_the_first_dataset_as_it_was(tmp_path):
    dataset = boxes_dataset(tmp_path)
    changed = dataset.with_tables(annotations=dataset.annotations.head(1))
    assert (dataset.annotations.height, changed.annotations.height) == (8, 1)
    assert not same_content(dataset, changed)


def test_asking_for_an_unknown_picture_says_so(tmp_path):
    with pytest.raises(DataError, match="no picture 99"):
        boxes_dataset(tmp_path).labels(99)


def test_the_text_of_a_dataset_counts_what_it_holds(tmp_path):
    assert str(boxes_dataset(tmp_path)).endswith(": 8 box; 2 classes")
