"""A push makes the server hold what the dataset says, and loses nobody's work."""

import json

import polars as pl
import pytest
from cvat_server_builders import LABELS, annotate, box, changes, contents, film, label_number, make_task, numbered, picture, track

from burnish.cvat.pull import pull
from burnish.cvat.push import push
from burnish.cvat.settings import PushConfig
from burnish.errors import DataError
from burnish.formats.recognise import open_dataset
from burnish.testing.datasets import boxes_dataset


@pytest.fixture
def street(connection):
    """Four pictures with a box of a person on each, drawn by people."""
    task = make_task(connection)
    annotate(task.below[0], shapes=[box(label_number(connection, task, "person"), frame) for frame in range(4)])
    return task


@pytest.fixture
def ours(street, login, tmp_path):
    pull(street.url, login=login).save(tmp_path / "ours")
    return open_dataset(tmp_path / "ours")


def shapes_of(connection, task):
    return sorted(connection.get(f"tasks/{task.id}/annotations")["shapes"], key=lambda shape: shape["frame"])


def with_rows(dataset, *, drop=(), **columns):
    rows = dataset.annotations.filter(~pl.col("image").is_in(list(drop)))
    return dataset.with_tables(annotations=rows.with_columns(**columns))


def moved(dataset, *, image=1, **columns):
    """The dataset with its box on one picture moved."""
    here = pl.col("image") == image
    return with_rows(dataset, x1=pl.when(here).then(pl.col("x1") + 1).otherwise("x1"), **columns)


# Changed objects.


def test_numbers_of_changed_objects_stay_and_a_second_push_sends_nothing(street, ours, connection, login):
    before = shapes_of(connection, street)
    image = ours.images.filter(pl.col("frame") == 2)["id"].item()
    changed = moved(ours, image=image)
    assert push(changed, street.url, login=login).table["updated"].sum() == 1
    after = shapes_of(connection, street)
    assert [shape["id"] for shape in after] == [shape["id"] for shape in before]
    assert [shape["points"][0] for shape in after] == [4.5, 4.5, 5.5, 4.5]
    again = push(changed, street.url, login=login)
    assert again.is_empty
    assert "nothing to send" in str(again)


def test_what_was_taken_out_of_the_dataset_is_deleted(street, ours, connection, login):
    result = push(with_rows(ours, drop=[ours.images.filter(pl.col("frame") == 1)["id"].item()]), street.url, login=login)
    assert result.table["deleted"].sum() == 1
    assert [shape["frame"] for shape in shapes_of(connection, street)] == [0, 2, 3]


def test_what_people_made_since_the_pull_stays(street, ours, connection, login):
    annotate(street.below[0], shapes=[box(label_number(connection, street, "car"), 3)])
    result = push(ours, street.url, login=login)
    assert result.is_empty
    assert "made on the server since" in str(result)
    assert len(shapes_of(connection, street)) == 5


def test_where_both_changed_an_object_the_servers_stays_until_overwriting_is_asked_for(street, ours, connection, login):
    first = shapes_of(connection, street)[0]
    job = street.below[0]
    connection.patch(f"{job.path}/annotations", {"shapes": [{**first, "occluded": True}], "tracks": [], "tags": []}, action="update")
    changed = moved(ours, image=ours.images.filter(pl.col("frame") == 0)["id"].item())
    assert "--overwrite sends ours" in str(push(changed, street.url, login=login))
    assert shapes_of(connection, street)[0]["occluded"] is True
    push(changed, street.url, PushConfig(overwrite=True), login=login)
    assert shapes_of(connection, street)[0]["points"][0] == 5.5


def test_what_only_the_server_changed_stays(street, ours, connection, login):
    first = shapes_of(connection, street)[0]
    job = street.below[0]
    connection.patch(f"{job.path}/annotations", {"shapes": [{**first, "occluded": True}], "tracks": [], "tags": []}, action="update")
    assert push(ours, street.url, login=login).is_empty
    assert shapes_of(connection, street)[0]["occluded"] is True


def test_pulling_into_the_same_folder_begins_anew_with_what_the_server_holds(street, ours, connection, login, tmp_path):
    push(moved(ours), street.url, login=login)
    first, job = shapes_of(connection, street)[0], street.below[0]
    connection.patch(f"{job.path}/annotations", {"shapes": [{**first, "occluded": True}], "tracks": [], "tags": []}, action="update")
    pull(street.url, login=login).save(tmp_path / "ours", force=True)
    fresh = open_dataset(tmp_path / "ours")
    result = push(moved(fresh, image=fresh.images.filter(pl.col("frame") == 0)["id"].item()), street.url, login=login)
    assert result.table["updated"].sum() == 1
    assert shapes_of(connection, street)[0]["occluded"] is True


def test_what_a_model_drew_never_replaces_what_people_drew(street, ours, connection, login):
    before = numbered(connection, street)
    guessed = moved(ours, source=pl.lit("auto"), score=pl.lit(0.5))
    for config in (PushConfig(), PushConfig(overwrite=True)):
        result = push(guessed, street.url, config, login=login)
        assert "drawn by people" in str(result)
        assert numbered(connection, street) == before


def test_scores_and_their_source_travel(street, ours, connection, login):
    extra = ours.annotations.head(1).with_columns(
        id=pl.lit(999, dtype=pl.Int64), score=pl.lit(0.125), source=pl.lit("auto"), x1=pl.lit(30.0), x2=pl.lit(40.0)
    )
    more = ours.with_tables(annotations=pl.concat([ours.annotations, extra], how="diagonal_relaxed"))
    push(more, street.url, login=login)
    made = [shape for shape in shapes_of(connection, street) if shape["source"] == "auto"]
    assert [(shape["score"], shape["points"][0]) for shape in made] == [(0.125, 30.0)]


def test_large_jobs_are_sent_in_pieces(street, ours, connection, login):
    rows = ours.annotations.head(1)
    many = pl.concat([rows.with_columns(id=pl.lit(1000 + n, dtype=pl.Int64), x1=pl.lit(float(n) / 10)) for n in range(50)])
    more = ours.with_tables(annotations=pl.concat([ours.annotations, many], how="diagonal_relaxed"))
    result = push(more, street.url, PushConfig(piece=7), login=login)
    assert result.table["created"].sum() == 50
    assert len(shapes_of(connection, street)) == 54


def test_a_dry_run_tells_the_difference_and_changes_nothing(street, ours, connection, login, tmp_path):
    before = numbered(connection, street)
    result = push(with_rows(moved(ours), drop=[2]), street.url, login=login, dry_run=True)
    row = result.table.row(0, named=True)
    assert (row["created"], row["updated"], row["deleted"], row["same"]) == (0, 1, 1, 2)
    assert "Would be sent" in str(result)
    assert numbered(connection, street) == before
    assert not list(tmp_path.glob("*.push"))


def test_a_foreign_dataset_finds_the_pictures_of_a_task_by_their_names(street, connection, login, tmp_path):
    folder = tmp_path / "yolo"
    for number in range(4):
        for name, data in ((f"images/{number}.png", picture(number)), (f"labels/{number}.txt", b"0 0.5 0.5 0.25 0.5\n")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
    (folder / "data.yaml").write_text("path: .\ntrain: images\nnames: {0: car}\n")
    result = push(open_dataset(folder), street.url, login=login)
    assert result.table["created"].sum() == 4
    assert [shape["points"] for shape in shapes_of(connection, street) if shape["points"][0] == 24.0] == [[24.0, 12.0, 40.0, 36.0]] * 4
    assert push(open_dataset(folder), street.url, login=login).is_empty


# Labels.


def test_labels_that_the_server_lacks_are_told_before_anything_is_sent(connection, login, tmp_path, server):
    dataset = boxes_dataset(tmp_path / "cars", classes=("Car", "lorry"))
    project = connection.post("projects", {"name": "town", "labels": [{"name": "car"}]})
    made = changes(server.state)
    with pytest.raises(DataError, match=r"(?s)'Car' \(did you mean 'car'\?\).*'lorry'.*--create-labels") as told:
        push(dataset, f"{connection.address.host}/projects/{project['id']}", login=login)
    assert "nothing was sent" in str(told.value)
    assert changes(server.state) == made


def test_labels_are_made_when_asked_for_and_those_that_are_there_keep_their_numbers_and_colours(connection, login, tmp_path):
    project = connection.post("projects", {"name": "town", "labels": [{"name": "car", "color": "#123456"}]})
    before = list(connection.pages("labels", project_id=project["id"]))
    dataset = boxes_dataset(tmp_path / "cars")
    push(dataset, f"{connection.address.host}/projects/{project['id']}", PushConfig(create_labels=True), login=login)
    after = {label["name"]: label for label in connection.pages("labels", project_id=project["id"])}
    assert (after["car"]["id"], after["car"]["color"]) == (before[0]["id"], "#123456")
    assert set(after) == {"car", "person"}


def test_missing_attributes_are_told_too(street, ours, login):
    values = pl.DataFrame({"annotation": ours.annotations["id"].head(1), "name": ["age"], "value": ["3"], "mutable": [False]})
    told = ours.with_tables(attributes=values)
    with pytest.raises(DataError, match="'person' has no attribute 'age'"):
        push(told, street.url, login=login)


# New tasks.


def test_a_new_task_has_its_pictures_in_order_its_objects_and_its_own_name(connection, login, tmp_path):
    dataset = boxes_dataset(tmp_path / "cars")
    result = push(dataset, connection.address.host, login=login)
    (task,) = connection.pages("tasks")
    assert (task["name"], task["size"]) == ("cars", 4)
    assert len(connection.get(f"tasks/{task['id']}/annotations")["shapes"]) == 8
    assert result.summary()["tasks"] == [{"name": "cars", "url": f"{connection.address.host}/tasks/{task['id']}", "new": True}]


def test_a_second_push_of_a_new_task_sends_nothing(connection, login, tmp_path, server):
    dataset = boxes_dataset(tmp_path / "cars")
    push(dataset, connection.address.host, login=login)
    state, made = contents(connection), changes(server.state)
    assert push(dataset, connection.address.host, login=login).is_empty
    assert (contents(connection), changes(server.state)) == (state, made)


def test_a_changed_dataset_updates_the_task_that_its_run_made(connection, login, tmp_path):
    dataset = boxes_dataset(tmp_path / "cars")
    push(dataset, connection.address.host, login=login)
    before = [shape["id"] for shape in connection.get("tasks/1/annotations")["shapes"]]
    result = push(moved(dataset), connection.address.host, login=login)
    assert result.table.select("created", "updated", "deleted").row(0) == (0, 2, 0)
    assert [shape["id"] for shape in connection.get("tasks/1/annotations")["shapes"]] == before


def test_another_key_makes_another_task_of_another_name(connection, login, tmp_path):
    dataset = boxes_dataset(tmp_path / "cars")
    push(dataset, connection.address.host, login=login)
    with pytest.raises(DataError, match="has a task 'cars' already") as told:
        push(dataset, connection.address.host, PushConfig(key="other"), login=login)
    assert "/tasks/1" in str(told.value)
    push(dataset, connection.address.host, PushConfig(key="other", name="cars 2"), login=login)
    assert sorted(task["name"] for task in connection.pages("tasks")) == ["cars", "cars 2"]


def test_jobs_are_cut_as_asked_for(connection, login, tmp_path):
    dataset = boxes_dataset(tmp_path / "cars", pictures=6)
    result = push(dataset, connection.address.host, PushConfig(job_size=4, overlap=2), login=login)
    jobs = sorted((job["start_frame"], job["stop_frame"]) for job in connection.pages("jobs", task_id=1))
    assert jobs == [(0, 3), (2, 5)]
    assert len(result.tasks[0].jobs) == 2
    assert push(dataset, connection.address.host, PushConfig(job_size=4, overlap=2), login=login).is_empty


def test_a_task_that_came_from_elsewhere_becomes_a_new_one_with_the_same_jobs(connection, login, tmp_path):
    clip = film(tmp_path / "clip.mp4", 12)
    task = make_task(connection, [("clip.mp4", clip.read_bytes())], segment_size=6, overlap=2, name="film")
    car = label_number(connection, task, "car")
    annotate(task.below[0], tracks=[track(car, (0, 3.0, False), (5, 9.0, False))])
    annotate(task.below[1], tracks=[track(car, (4, 8.0, False), (7, 9.0, True), (9, 20.0, False))])
    pull(task.url, login=login).save(tmp_path / "film")
    project = connection.post("projects", {"name": "archive", "labels": [dict(label) for label in LABELS]})
    push(open_dataset(tmp_path / "film"), f"{connection.address.host}/projects/{project['id']}", login=login)
    first, second = json.loads(contents(connection))
    assert first == second


def test_files_that_are_missing_are_told_before_a_task_is_made(connection, login, tmp_path, server):
    dataset = boxes_dataset(tmp_path / "cars")
    (tmp_path / "cars/images/2.jpg").unlink()
    made = changes(server.state)
    with pytest.raises(DataError, match=r"1 files of task 'cars' are not there, for instance .*2\.jpg"):
        push(dataset, connection.address.host, login=login)
    assert changes(server.state) == made


def test_two_tasks_with_the_mark_of_one_run_are_told_with_their_addresses(connection, login, tmp_path):
    dataset = boxes_dataset(tmp_path / "cars")
    push(dataset, connection.address.host, login=login)
    (task,) = connection.pages("tasks")
    connection.post("tasks", {"name": "copy", "labels": [], "bug_tracker": task["bug_tracker"]})
    with pytest.raises(DataError, match=r"Several tasks carry the mark of this run: .*/tasks/1, .*/tasks/2"):
        push(dataset, connection.address.host, login=login)
