"""What is pulled and pushed back changes nothing."""

import json

import polars as pl
import pytest
from cvat_server_builders import annotate, box, every_kind, film, label_number, make_task, numbered, track

from burnish.cvat.pull import pull
from burnish.cvat.push import push
from burnish.cvat.settings import PullConfig, PushConfig
from burnish.formats.recognise import open_dataset


@pytest.fixture
def street(connection):
    task = make_task(connection)
    every_kind(connection, task)
    return task


def pulled(task, folder, login, **config):
    pull(task.url, PullConfig(**config), login=login).save(folder)
    return open_dataset(folder)


def test_a_task_that_is_pulled_and_pushed_back_is_as_it_was(street, connection, login, tmp_path, server):
    before, revision = numbered(connection, street), dict(server.state.counters)
    result = push(pulled(street, tmp_path / "street", login), street.url, login=login)
    assert result.is_empty
    assert result.table.row(0, named=True)["same"] == 13
    assert numbered(connection, street) == before
    assert dict(server.state.counters) == revision


def test_the_tables_hold_every_object_and_the_pictures_come_along(street, login, tmp_path):
    dataset = pulled(street, tmp_path / "street", login)
    assert dataset.counts()["images"] == 4
    kinds = set(dataset.annotations["kind"].cast(str))
    assert kinds == {"tag", "box", "polygon", "polyline", "points", "ellipse", "mask", "cuboid", "skeleton"}
    assert all((dataset.root / path).is_file() for path in dataset.media["path"])
    scores = dataset.annotations["score"].drop_nulls().to_list()
    assert 0.25 in scores


def test_without_media_only_the_tables_come_and_go_back(street, connection, login, tmp_path):
    before = numbered(connection, street)
    dataset = pulled(street, tmp_path / "street", login, media=False)
    assert not list((tmp_path / "street").rglob("*.png"))
    assert push(dataset, street.url, login=login).is_empty
    assert numbered(connection, street) == before


def test_a_video_with_overlapping_jobs_is_as_it_was(connection, login, tmp_path):
    clip = film(tmp_path / "clip.mp4", 12)
    task = make_task(connection, [("clip.mp4", clip.read_bytes())], segment_size=5, overlap=2)
    car = label_number(connection, task, "car")
    annotate(task.below[0], tracks=[track(car, (0, 3.0, False), (4, 9.0, False))])
    annotate(task.below[1], tracks=[track(car, (3, 8.0, False), (5, 9.0, True), (6, 20.0, False))], shapes=[box(car, 4)])
    before = numbered(connection, task)
    dataset = pulled(task, tmp_path / "clip", login)
    assert push(dataset, task.url, login=login).is_empty
    assert numbered(connection, task) == before


def test_a_project_is_pulled_with_all_its_tasks(connection, login, tmp_path):
    project = connection.post("projects", {"name": "town", "labels": [{"name": "car"}]})
    for name in ("one", "two"):
        task = make_task(connection, 2, name=name, project_id=project["id"], subset="train" if name == "one" else "")
        annotate(task.below[0], shapes=[box(label_number(connection, task, "car"), 1)])
    url = f"{connection.address.host}/projects/{project['id']}"
    pull(url, login=login).save(tmp_path / "town")
    dataset = open_dataset(tmp_path / "town")
    assert sorted(dataset.tasks["name"]) == ["one", "two"]
    assert set(dataset.tasks["project"]) == {"town"}
    assert push(dataset, url, login=login).is_empty


def test_another_format_is_written_when_asked_for(street, login, tmp_path):
    pull(street.url, PullConfig(to="coco"), login=login).save(tmp_path / "coco")
    found = json.loads(next((tmp_path / "coco").rglob("*.json")).read_text())
    assert len(found["images"]) == 4


def test_the_dry_run_of_a_pull_only_lists(street, login, tmp_path):
    listed = pull(street.url, login=login, dry_run=True)
    assert "street, 4 frames, 1 jobs" in str(listed)
    assert list(tmp_path.iterdir()) == []


def test_a_changed_box_is_updated_under_its_number(street, connection, login, tmp_path):
    dataset = pulled(street, tmp_path / "street", login)
    moved = dataset.annotations.with_columns(z_order=pl.when(pl.col("kind") == "ellipse").then(7).otherwise(pl.col("z_order")))
    before = {shape["id"]: shape for shape in connection.get(f"tasks/{street.id}/annotations")["shapes"]}
    result = push(dataset.with_tables(annotations=moved), street.url, PushConfig(), login=login)
    after = {shape["id"]: shape for shape in connection.get(f"tasks/{street.id}/annotations")["shapes"]}
    assert after.keys() == before.keys()
    assert [after[key]["type"] for key in after if after[key] != before[key]] == ["ellipse"]
    assert result.table["updated"].sum() == 1
