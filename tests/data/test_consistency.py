import polars as pl
import pytest
from builders import boxes_dataset
from moving import moving

import burnish
from burnish.data.consistency import inconsistencies
from burnish.data.invariants import broken_invariants


def kinds(dataset):
    return inconsistencies(dataset)["kind"].to_list()


def test_a_sound_dataset_contradicts_nothing(tmp_path):
    assert kinds(boxes_dataset(tmp_path)) == []
    assert kinds(moving(4, [{"frame": n, "at": (n, 0), "track": 1, "keyframe": True} for n in range(4)], jobs=[(0, 3, "annotation")])) == []


def polygon(*points):
    flat = [float(value) for value in points]
    return {"frame": 0, "kind": "polygon", "points": flat, "x1": 0.0, "y1": 0.0, "x2": 9.0, "y2": 9.0}


def test_an_outline_that_crosses_itself_is_found():
    assert kinds(moving(1, [polygon(0, 0, 9, 9, 9, 0, 0, 9)])) == ["self_crossing"]
    assert kinds(moving(1, [polygon(0, 0, 9, 0, 9, 9, 0, 9)])) == []
    assert kinds(moving(1, [polygon(0, 0, 0, 0, 9, 0, 9, 9, 9, 9)])) == []


def images(dataset, **columns):
    return dataset.with_tables(images=dataset.images.with_columns(**columns))


@pytest.mark.parametrize(
    ("columns", "kind"),
    [
        ({"true_frame": pl.when(pl.col("frame") == 2).then(7).otherwise("true_frame")}, "frame_numbers"),
        ({"frame": pl.lit(0), "true_frame": pl.lit(0)}, "frame_twice"),
    ],
)
def test_numbers_of_frames_must_agree(columns, kind):
    assert set(kinds(images(moving(4, []), **columns))) == {kind}


def test_numbers_must_be_within_the_source_and_the_task():
    dataset = moving(4, [])
    short = dataset.with_tables(media=dataset.media.with_columns(frame_count=pl.lit(3)))
    assert kinds(short) == ["beyond_source"]
    ended = dataset.with_tables(tasks=dataset.tasks.with_columns(stop_frame=pl.lit(1)))
    assert kinds(ended) == ["beyond_task"] * 2


def test_a_job_holds_only_what_lies_on_its_frames():
    jobs = [(0, 1, "annotation"), (2, 3, "annotation")]
    assert kinds(moving(4, [{"frame": 3, "at": (0, 0), "jobs": [1]}], jobs=jobs)) == []
    assert (
        kinds(moving(4, [{"frame": 3, "at": (0, 0), "jobs": [0]}, {"frame": 0, "at": (0, 0), "jobs": [5]}], jobs=jobs))
        == ["outside_job"] * 2
    )


def test_copies_of_overlapping_jobs_are_no_track_that_stands_twice():
    def twice(first, second):
        rows = [{"frame": 1, "at": (n, 0), "track": 1, "keyframe": True, "jobs": held} for n, held in enumerate((first, second))]
        jobs = [(0, 1, "annotation"), (1, 3, "annotation")]
        return broken_invariants(moving(4, rows, jobs=jobs))["kind"].to_list()

    assert twice([0], [1]) == []
    assert twice([0], [0]) == ["track_twice"]
    assert twice([0, 1], [1]) == ["track_twice"]
    assert twice(None, None) == ["track_twice"]


def test_elements_need_what_they_are_elements_of():
    rows = [{"frame": 0, "at": (0, 0)}, {"frame": 1, "at": (0, 0), "parent": 1}, {"frame": 0, "at": (9, 9), "parent": 77}]
    assert kinds(moving(2, rows)) == ["unknown_parent"] * 2


def test_a_track_stays_in_its_task():
    dataset = moving(4, [{"frame": 0, "at": (0, 0), "track": 1}, {"frame": 3, "at": (0, 0), "track": 1}])
    both = dataset.with_tables(
        tasks=pl.DataFrame({"id": [0, 1], "name": ["a", "b"], "start_frame": [0, 3]}),
        images=dataset.images.with_columns(task=pl.col("frame") // 3, frame=pl.col("frame") % 3),
    )
    assert kinds(both) == ["track_sources"]


def test_what_cannot_change_along_a_track_does_not():
    dataset = moving(2, [{"frame": n, "at": (0, 0), "track": 1} for n in range(2)])

    def with_colours(colours, *, mutable):
        return dataset.with_tables(attributes=pl.DataFrame({"annotation": [1, 2], "name": "colour", "value": colours, "mutable": mutable}))

    assert kinds(with_colours(["red", "blue"], mutable=False)) == ["track_attributes"]
    assert kinds(with_colours(["red", "blue"], mutable=True)) == []
    assert kinds(with_colours(["red", "red"], mutable=False)) == []


def test_a_track_begins_with_a_key_frame():
    rows = [{"frame": n, "at": (0, 0), "track": 1, "keyframe": n == 1} for n in range(2)]
    assert kinds(moving(2, rows)) == ["track_unkeyed"]


def test_marks_of_scenes_that_do_not_fit_are_found():
    rows = [{"frame": 0, "kind": "tag", "class": 0}, {"frame": 1, "kind": "tag", "class": 0}]
    found = inconsistencies(moving(3, rows, classes=("scene-start", "scene-finish")))
    assert found["kind"].to_list() == ["scene_marks"] * 2
    assert "never finishes" in found["reason"][1]


def test_names_of_classes_that_differ_in_typing_alone_are_found_with_the_usual_one_suggested():
    rows = [{"frame": 0, "kind": "tag", "class": 1}, {"frame": 1, "kind": "tag", "class": 1}, {"frame": 2, "kind": "tag", "class": 0}]
    names = ("Round ", "round", "traffic_light", "Traffic light", "A", "a", "-1", "1", "truck", "trucks")
    found = inconsistencies(moving(3, rows, classes=names))
    assert found["kind"].to_list() == ["similar_classes"] * 2
    assert list(zip(found["given"], found["suggestion"], strict=True)) == [("Round ", "round"), ("Traffic light", "traffic_light")]
    assert "'Round ' (annotations: 1) is written almost like 'round' (2)" in found["reason"][0]


def test_points_of_lines_outside_the_picture_or_without_a_number_are_found():
    line = {"frame": 0, "kind": "polyline", "x1": 0.0, "y1": 0.0, "x2": 9.0, "y2": 9.0}
    outside = broken_invariants(moving(1, [{**line, "points": [5.0, 5.0, 130.0, 5.0]}]))
    assert outside["kind"].to_list() == ["point_outside"]
    assert broken_invariants(moving(1, [{**line, "points": [5.0, 5.0, 99.0, 79.0]}])).is_empty()
    assert broken_invariants(moving(1, [{**line, "points": [5.0, float("nan"), 99.0, 79.0]}]))["kind"].to_list() == ["not_a_number"]


def test_recorded_backups_do_not_contradict_themselves(backups):
    for name in ("004", "008", "012"):
        found = burnish.check(burnish.open(backups / f"13_backup.{name}.zip")).table
        assert set(found["kind"]) <= {"point_outside", "box_outside", "several_labels", "repeated_path"}, found
