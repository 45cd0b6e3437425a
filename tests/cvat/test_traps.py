"""What a CVAT server silently does to those who do not know it, and that it does not happen here."""

import numpy as np
import polars as pl
import pytest
from cvat_server_builders import annotate, box, contents, film, label_number, make_task, track

from burnish.cvat.objects import mark as mark_of
from burnish.cvat.objects import specs_of
from burnish.cvat.pull import pull
from burnish.cvat.push import push
from burnish.cvat.settings import PushConfig
from burnish.data.tracks import interpolate
from burnish.errors import DataError
from burnish.formats.recognise import open_dataset
from burnish.geometry import rle


@pytest.fixture
def clip(connection, tmp_path):
    """A video of 12 frames in one job, with a track that comes, goes, comes again and ends."""
    path = film(tmp_path / "clip.mp4", 12)
    task = make_task(connection, [("clip.mp4", path.read_bytes())], name="clip")
    car = label_number(connection, task, "car")
    keys = (1, 3.0, False), (4, 9.0, True), (6, 20.0, False), (9, 32.0, False), (10, 33.0, True)
    annotate(task.below[0], tracks=[track(car, *keys)])
    return task


def fetched(task, login, folder):
    pull(task.url, login=login).save(folder)
    return open_dataset(folder)


def visible(dataset):
    """Frame, left edge and points of everything that is seen, of all jobs."""
    shown = interpolate(dataset).annotations.filter(~pl.col("outside").fill_null(value=False))
    frames = dict(dataset.images.select("id", "frame").iter_rows())
    rows = shown.select("image", pl.col("x1").round(6), pl.col("points").list.eval(pl.element().round(6))).iter_rows()
    return sorted({(frames[image], str(x1), str(points)) for image, x1, points in rows})


def newest(connection):
    from burnish.cvat.tree import Node  # noqa: PLC0415 - the others come by fixtures

    return Node(connection, "task", max(connection.pages("tasks"), key=lambda task: task["id"]))


@pytest.mark.parametrize("cut", [(4, 0), (5, 2), (3, 1), (12, 0)])
def test_a_track_that_crosses_the_borders_of_jobs_shows_the_same_boxes(clip, connection, login, tmp_path, cut):
    size, overlap = cut
    dataset = fetched(clip, login, tmp_path / "one")
    config = PushConfig(name="cut", key="cut", job_size=size, overlap=overlap)
    alone = dataset.with_tables(extras=dataset.extras.filter(pl.col("format") != "cvat_server"))
    push(alone, connection.address.host, config, login=login)
    made = newest(connection)
    assert len(made.below) > 1 or size == 12
    assert visible(fetched(made, login, tmp_path / "two")) == visible(dataset)


def test_pushing_a_cut_track_again_changes_nothing(clip, connection, login, tmp_path):
    dataset = fetched(clip, login, tmp_path / "one")
    alone = dataset.with_tables(extras=dataset.extras.filter(pl.col("format") != "cvat_server"))
    config = PushConfig(name="cut", key="cut", job_size=5, overlap=2)
    push(alone, connection.address.host, config, login=login)
    before = contents(connection)
    assert push(alone, connection.address.host, config, login=login).is_empty
    assert contents(connection) == before


def test_frames_that_the_task_does_not_have_are_told_instead_of_lost(connection, login, tmp_path):
    task = make_task(connection, 3)
    dataset = fetched(task, login, tmp_path / "one")
    more = dataset.images.with_columns(frame=pl.when(pl.col("frame") == 2).then(7).otherwise("frame").cast(dataset.images["frame"].dtype))
    with pytest.raises(DataError, match=r"frame 7 of task 'street'.*3 frames now"):
        push(dataset.with_tables(images=more), task.url, login=login)


def test_a_mask_up_to_the_last_row_and_column_keeps_every_pixel(connection, login, tmp_path):
    task = make_task(connection, 1)
    annotate(task.below[0], shapes=[box(label_number(connection, task, "car"), 0)])
    dataset = fetched(task, login, tmp_path / "one")
    pixels = np.zeros((48, 64), dtype=bool)
    pixels[40:48, 60:64] = True
    pixels[47, 60] = False
    row = dataset.annotations.with_columns(
        id=pl.lit(77, dtype=pl.Int64),
        kind=pl.lit("mask").cast(dataset.annotations["kind"].dtype),
        mask=pl.lit(rle.compress(rle.encode(pixels))),
    )
    push(dataset.with_tables(annotations=pl.concat([dataset.annotations, row])), task.url, login=login)
    (sent,) = [shape for shape in connection.get(f"{task.path}/annotations")["shapes"] if shape["type"] == "mask"]
    assert sent["points"][-4:] == [60, 40, 63, 47]
    assert sum(sent["points"][:-4]) == 32
    back = fetched(task, login, tmp_path / "two").annotations.filter(pl.col("kind") == "mask")["mask"].item()
    assert np.array_equal(rle.decode(rle.decompress(back), *pixels.shape), pixels)


def test_a_mask_without_its_last_run_is_the_same_mask():
    whole = {"type": "mask", "label": "car", "frame": 0, "points": [3, 2, 5, 10, 10, 11, 11]}
    short = {"type": "mask", "label": "car", "frame": 0, "points": [2, 1, 10, 10, 11, 11]}
    assert mark_of("shape", short, specs_of([])) == mark_of("shape", {**whole, "points": [2, 1, 1, 10, 10, 11, 11]}, specs_of([]))


def test_an_object_that_was_deleted_there_and_changed_here_is_not_made_again(connection, login, tmp_path):
    """An update of a number that is gone would make a new object."""
    task = make_task(connection)
    annotate(task.below[0], shapes=[box(label_number(connection, task, "car"), 1)])
    dataset = fetched(task, login, tmp_path / "one")
    connection.delete(f"{task.path}/annotations")
    changed = dataset.with_tables(annotations=dataset.annotations.with_columns(x1=pl.col("x1") + 1))
    result = push(changed, task.url, login=login)
    assert "deleted on the server; it is not made again" in str(result)
    assert connection.get(f"{task.path}/annotations")["shapes"] == []


def test_what_lies_in_the_other_jobs_of_a_task_is_left_alone(connection, login, tmp_path):
    task = make_task(connection, 6, segment_size=3, overlap=0)
    car = label_number(connection, task, "car")
    for job in task.below:
        annotate(job, shapes=[box(car, job.about["start_frame"])])
    dataset = fetched(task, login, tmp_path / "one")
    other = connection.get(f"{task.below[1].path}/annotations")
    moved = dataset.with_tables(annotations=dataset.annotations.with_columns(x1=pl.col("x1") + 1))
    result = push(moved, task.below[0].url, login=login)
    assert result.table["job"].to_list() == [task.below[0].id]
    assert connection.get(f"{task.below[0].path}/annotations")["shapes"][0]["points"][0] == 5.5
    assert connection.get(f"{task.below[1].path}/annotations") == other


def test_objects_on_the_frames_that_two_jobs_share_stay_in_their_own_job(connection, login, tmp_path):
    """Read from the task, the server would merge them into one."""
    task = make_task(connection, 6, segment_size=4, overlap=2)
    car = label_number(connection, task, "car")
    for place, job in enumerate(task.below):
        annotate(job, shapes=[box(car, 3, (4.0 + place, 5.0, 20.0, 30.0))])
    dataset = fetched(task, login, tmp_path / "one")
    assert dataset.annotations.height == 2
    assert push(dataset, task.url, login=login).is_empty


def test_a_ground_truth_job_is_not_mixed_into_the_others(connection, login, tmp_path):
    task = make_task(connection, 6)
    body = {"task_id": task.id, "type": "ground_truth", "frame_selection_method": "manual", "frames": [1, 4]}
    truth = connection.post("jobs", body)
    car = label_number(connection, task, "car")
    annotate(task.below[0], shapes=[box(car, 1)])
    connection.patch(f"jobs/{truth['id']}/annotations", {"shapes": [box(car, 4)], "tracks": [], "tags": []}, action="create")
    dataset = fetched(task, login, tmp_path / "one")
    before = contents(connection)
    assert push(dataset, task.url, login=login).is_empty
    assert contents(connection) == before


def test_objects_of_another_type_than_their_label_is_made_for_are_told(connection, login, tmp_path):
    task = make_task(connection, 1, labels=[{"name": "car", "type": "polygon"}])
    annotate(task.below[0], shapes=[box(label_number(connection, task, "car"), 0)])
    result = push(fetched(task, login, tmp_path / "one"), task.url, login=login)
    assert "made for polygon, and 1 objects of it are of type rectangle" in str(result)


def test_a_skeleton_with_changing_attributes_is_cut_too(connection, login, tmp_path):
    path = film(tmp_path / "clip.mp4", 9)
    task = make_task(connection, [("clip.mp4", path.read_bytes())], name="clip")
    car, face = label_number(connection, task, "car"), label_number(connection, task, "face")
    parts = [label_number(connection, task, "face", part) for part in ("left", "right")]
    (turn,) = [spec["id"] for label in connection.pages("labels", task_id=task.id) for spec in label["attributes"] if spec["mutable"]]
    turning = track(car, (0, 3.0, False), (5, 9.0, False))
    turning["shapes"][0]["attributes"] = [{"spec_id": turn, "value": "left"}]
    turning["shapes"][1]["attributes"] = [{"spec_id": turn, "value": "right"}]
    keys = [{"type": "skeleton", "frame": frame, "points": [], "outside": frame == 8} for frame in (0, 8)]
    elements = [
        {"label_id": part, "frame": 0, "shapes": [_point(0, 5.0 + place), _point(6, 20.0 + place), _point(8, 20.0, outside=True)]}
        for place, part in enumerate(parts)
    ]
    annotate(task.below[0], tracks=[turning, {"label_id": face, "frame": 0, "shapes": keys, "elements": elements}])
    dataset = fetched(task, login, tmp_path / "one")
    alone = dataset.with_tables(extras=dataset.extras.filter(pl.col("format") != "cvat_server"))
    push(alone, connection.address.host, PushConfig(name="cut", key="cut", job_size=4, overlap=1), login=login)
    back = fetched(newest(connection), login, tmp_path / "two")
    assert visible(back) == visible(dataset)
    assert turns(back) == turns(dataset) == {0: "left", 1: "left", 2: "left", 3: "left", 4: "left"} | dict.fromkeys(range(5, 9), "right")


def _point(frame, x, *, outside=False):
    return {"type": "points", "frame": frame, "points": [x, 8.0], "outside": outside}


def turns(dataset):
    """Value of the changing attribute by frame."""
    shown = interpolate(dataset)
    rows = shown.attributes.filter(pl.col("name") == "turn").join(shown.annotations.select("image", annotation="id"), on="annotation")
    return dict(rows.join(dataset.images.select("frame", image="id"), on="image").select("frame", "value").sort("frame").iter_rows())
