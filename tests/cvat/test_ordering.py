"""Pictures in the order of the numbers in their names, and everything on them where it was."""

import polars as pl
import pytest
from cvat_server_builders import annotate, box, film, label_number, make_task, picture, track

from burnish.cvat.ordering import in_name_order
from burnish.cvat.pull import pull
from burnish.cvat.push import push
from burnish.cvat.settings import PushConfig
from burnish.cvat.tree import Node
from burnish.data.tracks import interpolate
from burnish.errors import DataError
from burnish.formats.recognise import open_dataset

NAMES = ("1.png", "10.png", "11.png", "2.png", "20.png", "3.png")


def seen(dataset):
    """Picture's file name, class and left edge of every visible box."""
    names = {image: path.rpartition("/")[2] for image, path in dataset.image_files().select("image", "path").iter_rows()}
    rows = interpolate(dataset).annotations.filter(~pl.col("outside").fill_null(value=False))
    classes = dataset.class_names()
    return sorted((names[image], classes[label], round(x1, 6)) for image, label, x1 in rows.select("image", "class", "x1").iter_rows())


def test_objects_and_deleted_frames_follow_their_pictures(connection, login, tmp_path):
    task = make_task(connection, [(name, picture(place)) for place, name in enumerate(NAMES)], name="mixed")
    connection.patch(f"{task.path}/data/meta", {"deleted_frames": [4]})
    car, person = label_number(connection, task, "car"), label_number(connection, task, "person")
    annotate(task.below[0], shapes=[box(person, 1)], tracks=[track(car, (0, 3.0, False), (3, 9.0, False), (5, 9.0, True))])
    pull(task.url, login=login).save(tmp_path / "one")
    dataset = open_dataset(tmp_path / "one")
    push(in_name_order(dataset), connection.address.host, PushConfig(name="ordered", key="ordered"), login=login)
    made = Node(connection, "task", connection.get("tasks/2"))
    meta = connection.get(f"{made.path}/data/meta")
    assert [frame["name"] for frame in meta["frames"]] == ["1.png", "2.png", "3.png", "10.png", "11.png", "20.png"]
    assert meta["deleted_frames"] == [5]
    pull(made.url, login=login).save(tmp_path / "two")
    assert seen(open_dataset(tmp_path / "two")) == seen(dataset)


def test_the_frames_of_a_video_keep_their_order(connection, login, tmp_path):
    clip = film(tmp_path / "clip.mp4", 3)
    task = make_task(connection, [("clip.mp4", clip.read_bytes())])
    with pytest.raises(DataError, match="order of their own"):
        in_name_order(pull(task.url, login=login).dataset)
