import polars as pl
import pytest
from builders import boxes_dataset, tags_dataset

from burnish.data.dataset import make_dataset
from burnish.data.findings import counts_by_kind
from burnish.data.invariants import broken_invariants


def _kinds(dataset):
    return sorted(set(broken_invariants(dataset)["kind"]))


def _with(dataset, row, **values):
    here = pl.col("id") == row
    types = dataset.annotations.schema
    changed = [pl.when(here).then(pl.lit(v, dtype=types[k])).otherwise(pl.col(k)).alias(k) for k, v in values.items()]
    return dataset.with_tables(annotations=dataset.annotations.with_columns(changed))


def test_a_sound_dataset_breaks_nothing(tmp_path):
    assert broken_invariants(boxes_dataset(tmp_path)).is_empty()


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"x1": float("nan")}, "not_a_number"),
        ({"x2": 1.0}, "no_area"),
        ({"x2": 40.0}, "box_outside"),
        ({"x1": None}, "no_box"),
        ({"class": 77}, "unknown_class"),
        ({"class": None}, "no_class"),
        ({"image": 99}, "unknown_image"),
        ({"score": 1.5}, "score_range"),
        ({"id": 2}, "repeated_id"),
    ],
)
def test_a_broken_row_is_found_and_named(tmp_path, values, kind):
    assert kind in _kinds(_with(boxes_dataset(tmp_path), 3, **values))


def test_a_finding_names_the_annotation_and_its_numbers(tmp_path):
    found = broken_invariants(_with(boxes_dataset(tmp_path), 3, x2=40.0)).row(0, named=True)
    assert (found["annotation"], found["image"]) == (3, 2)
    assert found["reason"] == "Its box (2.0, 3.0, 40.0, 12.0) leaves the picture of 32 x 24."


def test_half_a_pixel_beyond_the_edge_is_rounding(tmp_path):
    assert _kinds(_with(boxes_dataset(tmp_path), 3, x2=32.4)) == []


@pytest.mark.parametrize("points", [[1.0, 2.0, 3.0], [1.0, 2.0, 3.0, 4.0]])
def test_a_polygon_with_odd_or_too_few_points_is_found(tmp_path, points):
    table = boxes_dataset(tmp_path).annotations.with_columns(
        pl.when(pl.col("id") == 1).then(pl.lit("polygon")).otherwise(pl.col("kind").cast(pl.String)).alias("kind"),
        pl.when(pl.col("id") == 1).then(pl.Series([points], dtype=pl.List(pl.Float64)).first()).otherwise(None).alias("points"),
    )
    assert _kinds(boxes_dataset(tmp_path).with_tables(annotations=table)) == ["points"]


def test_an_equal_box_twice_on_one_picture_is_found_once(tmp_path):
    dataset = boxes_dataset(tmp_path)
    twice = pl.concat([dataset.annotations, dataset.annotations.head(1).with_columns(pl.lit(100, pl.Int64).alias("id"))])
    found = broken_invariants(dataset.with_tables(annotations=twice))
    assert found.select("kind", "annotation").rows() == [("repeated_annotation", 100)]


def test_one_picture_with_two_labels_is_found(tmp_path):
    dataset = tags_dataset(tmp_path, ["a", "b"])
    more = dataset.annotations.head(1).with_columns(pl.lit(9, pl.Int64).alias("id"), pl.lit(1, pl.Int32).alias("class"))
    assert _kinds(dataset.with_tables(annotations=pl.concat([dataset.annotations, more]))) == ["several_labels"]


def test_classes_that_differ_only_in_case_are_found(tmp_path):
    assert _kinds(tags_dataset(tmp_path, ["Car", "car "])) == ["class_names"]


def test_one_file_in_two_rows_is_found(tmp_path):
    dataset = tags_dataset(tmp_path, ["a", "b"])
    assert _kinds(dataset.with_tables(media=dataset.media.with_columns(pl.lit("images/1.jpg").alias("path")))) == ["repeated_path"]


def test_paths_that_differ_only_in_unicode_form_are_found(tmp_path):
    dataset = tags_dataset(tmp_path, ["a", "b"])
    media = dataset.media.with_columns(pl.Series("path", ["\u0439.jpg", "\u0438\u0306.jpg"]))
    assert _kinds(dataset.with_tables(media=media)) == ["path_spelling"]


def test_a_track_must_keep_its_class_and_stand_once_in_a_frame(tmp_path):
    dataset = boxes_dataset(tmp_path)
    tracked = dataset.with_tables(annotations=dataset.annotations.with_columns(pl.lit(5, pl.Int64).alias("track")))
    assert _kinds(tracked) == ["track_classes", "track_twice"]


def test_a_track_that_is_never_visible_is_found(tmp_path):
    dataset = boxes_dataset(tmp_path)
    table = dataset.annotations.head(1).with_columns(pl.lit(5, pl.Int64).alias("track"), pl.lit(value=True).alias("outside"))
    assert _kinds(dataset.with_tables(annotations=table)) == ["track_hidden"]


def test_many_rows_that_break_different_rules_are_all_told(tmp_path):
    boxes = [(float("nan"), 1, 2, 3), (None, 1, 2, 3), (5, 5, 5, 5), (0, 0, 390, 9), *[(1, 1, 2, 3)] * 4] * 5
    rows = {name: [box[place] for box in boxes] for place, name in enumerate(("x1", "y1", "x2", "y2"))}
    broken = make_dataset(
        tmp_path,
        media=pl.DataFrame({"id": [1], "path": ["a.jpg"]}),
        images=pl.DataFrame({"id": [1], "media": [1], "width": [300], "height": [80]}),
        annotations=pl.DataFrame(
            {"id": range(40), "image": [1] * 40, "class": [0] * 40, "kind": ["box", "polygon"] * 20, **rows}, strict=False
        ),
        classes=pl.DataFrame({"id": [0], "name": ["car"]}),
    )
    counts = counts_by_kind(broken_invariants(broken))
    assert [counts[kind] for kind in ("not_a_number", "no_box", "no_area", "box_outside")] == [5, 5, 5, 5]


@pytest.mark.parametrize("ids", [[5, 6, 7], [5, 1_000_000, 7_000_000_000]])
def test_a_box_is_held_against_its_own_picture_whether_ids_lie_close_or_far(tmp_path, ids):
    framed = make_dataset(
        tmp_path,
        media=pl.DataFrame({"id": ids, "path": ["a.jpg", "b.jpg", "c.jpg"]}),
        images=pl.DataFrame({"id": ids, "media": ids, "width": [10, 20, None], "height": [10, 10, 10]}),
        annotations=pl.DataFrame(
            {"id": [1, 2, 3, 4], "image": [*ids, 99], "class": [0] * 4, "kind": ["box"] * 4, "x1": [1.0] * 4, "y1": [1.0] * 4}
            | {"x2": [15.0] * 4, "y2": [9.0] * 4}
        ),
        classes=pl.DataFrame({"id": [0], "name": ["car"]}),
    )
    table = broken_invariants(framed)
    outside = table.filter(pl.col("kind") == "box_outside")
    assert outside["annotation"].to_list() == [1]
    assert outside["reason"][0].endswith("leaves the picture of 10 x 10.")
    assert table.filter(pl.col("kind") == "unknown_image")["annotation"].to_list() == [4]
