import json

import polars as pl
from moving import boxes_of, moving

from burnish.data.dataset import make_dataset
from burnish.data.shown import shown, without_ground_truth
from burnish.data.skeletons import in_one_row

ANNOTATION, TRUTH = "annotation", "ground_truth"


def test_a_dataset_without_tasks_or_tracks_is_shown_as_it_is():
    dataset = moving(3, [{"frame": 0, "at": (1, 2)}])
    assert shown(dataset).annotations.equals(dataset.annotations)


def test_an_object_stands_on_every_frame_up_to_the_last():
    dataset = moving(
        5, [{"frame": 1, "at": (0, 0), "track": 7, "keyframe": True}, {"frame": 3, "at": (20, 0), "track": 7, "keyframe": True}]
    )
    assert boxes_of(shown(dataset)) == {(7, 1): (0, 0), (7, 2): (10, 0), (7, 3): (20, 0), (7, 4): (20, 0)}


def test_an_object_that_is_outside_is_not_shown_there():
    rows = [{"frame": f, "at": (f, 0), "track": 1, "keyframe": True, "outside": out} for f, out in ((0, False), (2, True), (4, False))]
    assert sorted(frame for _, frame in boxes_of(shown(moving(5, rows)))) == [0, 1, 4]


def test_deleted_frames_and_key_frames_on_them_do_not_count():
    rows = [{"frame": f, "at": (x, 0), "track": 1, "keyframe": True} for f, x in ((0, 0), (2, 50), (4, 40))]
    view = shown(moving(5, rows, deleted=[2]))
    assert boxes_of(view) == {(1, 0): (0, 0), (1, 1): (10, 0), (1, 3): (30, 0), (1, 4): (40, 0)}
    assert view.images["frame"].to_list() == [0, 1, 3, 4]


def test_what_a_track_is_told_once_goes_to_all_of_its_views():
    dataset = moving(
        3, [{"frame": 0, "at": (0, 0), "track": 1, "keyframe": True}, {"frame": 1, "at": (0, 0), "track": 1, "keyframe": True}]
    )
    told = [(1, "make", "volvo", False), (1, "speed", "10", True), (2, "speed", "20", True)]
    dataset = dataset.with_tables(attributes=pl.DataFrame(told, schema=["annotation", "name", "value", "mutable"], orient="row"))
    view = shown(dataset)
    frames = dict(view.annotations.select("id", "image").iter_rows())
    found = sorted((frames[a], name, value) for a, name, value in view.attributes.select("annotation", "name", "value").iter_rows())
    assert found == [(f, "make", "volvo") for f in (0,)] + [
        (0, "speed", "10"),
        (1, "make", "volvo"),
        (1, "speed", "20"),
        (2, "make", "volvo"),
        (2, "speed", "20"),
    ]


def test_ground_truth_is_left_out_and_what_lies_in_a_usual_job_too_stays():
    rows = [{"frame": 0, "at": (0, 0), "jobs": [0]}, {"frame": 0, "at": (0, 0), "jobs": [1]}, {"frame": 1, "at": (5, 5), "jobs": [0, 1]}]
    dataset = moving(2, rows, jobs=[(0, 1, ANNOTATION), (0, 1, TRUTH)])
    assert without_ground_truth(dataset).annotations["id"].to_list() == [1, 3]


def test_a_track_ends_with_its_job():
    rows = [{"frame": 0, "at": (0, 0), "track": 1, "keyframe": True, "jobs": [0]}]
    dataset = moving(6, rows, jobs=[(0, 2, ANNOTATION), (3, 5, ANNOTATION)])
    assert sorted(frame for _, frame in boxes_of(shown(dataset))) == [0, 1, 2]


def test_elements_become_the_points_of_their_skeleton():
    classes = pl.DataFrame(
        {
            "id": [0, 1, 2],
            "name": ["person", "person/head", "person/foot"],
            "skeleton": [json.dumps({"points": ["head", "foot"], "edges": [[0, 1]]}), None, None],
        },
        schema={"id": pl.Int32, "name": pl.String, "skeleton": pl.String},
    )
    rows = pl.DataFrame(
        {
            "id": [1, 2, 3],
            "image": 0,
            "class": [0, 2, 1],
            "kind": ["skeleton", "points", "points"],
            "points": [None, [5.0, 9.0], [5.0, 1.0]],
            "occluded": [False, True, False],
            "parent": [None, 1, 1],
        },
        schema_overrides={"class": pl.Int32, "parent": pl.Int64},
    )
    base = moving(1, [])
    dataset = make_dataset(".", media=base.media, images=base.images, annotations=rows, classes=classes)
    row = in_one_row(dataset).annotations.row(0, named=True)
    assert (row["points"], row["visibility"], row["x1"], row["y2"]) == ([5.0, 1.0, 5.0, 9.0], [2, 1], 5.0, 9.0)
    assert in_one_row(dataset).annotations.height == 1


def test_what_is_shown_twice_is_shown_once():
    rows = [{"frame": f, "at": (f, 0), "track": 1, "keyframe": True, "outside": out} for f, out in ((0, False), (2, True))]
    once = shown(moving(5, rows))
    assert boxes_of(shown(once)) == boxes_of(once) == {(1, 0): (0, 0), (1, 1): (1, 0)}


def test_a_track_of_plain_views_is_not_stretched():
    dataset = moving(5, [{"frame": 0, "at": (0, 0), "track": 1}, {"frame": 3, "at": (9, 0), "track": 1}])
    assert sorted(frame for _, frame in boxes_of(shown(dataset))) == [0, 3]
