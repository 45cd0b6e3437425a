"""The official Python SDK of CVAT against the test server, over HTTP."""

import json
import zipfile
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image

sdk = pytest.importorskip("cvat_sdk", reason="cvat-sdk is not installed (extra `cvat`)")
models = pytest.importorskip("cvat_sdk.models")


@pytest.fixture
def client(server):
    with sdk.make_client(server.url, credentials=("admin", "a password")) as connected:
        yield connected


@pytest.fixture
def pictures(tmp_path):
    paths = []
    for number in range(3):
        path = tmp_path / f"picture_{number}.png"
        Image.fromarray(np.full((24, 32, 3), 40 * number, dtype=np.uint8)).save(path)
        paths.append(path)
    return paths


@pytest.fixture
def task(client, pictures):
    labels = [
        {
            "name": "cat",
            "attributes": [{"name": "age", "mutable": False, "input_type": "number", "default_value": "1", "values": ["0", "20", "1"]}],
        }
    ]
    return client.tasks.create_from_data(spec={"name": "pets", "labels": labels}, resources=pictures, status_check_period=0.01)


def _annotate(task):
    label = task.get_labels()[0].id
    shape = models.LabeledShapeRequest(type="rectangle", label_id=label, frame=1, points=[1.5, 2.0, 10.0, 12.25])
    task.set_annotations(models.LabeledDataRequest(shapes=[shape], tags=[models.LabeledImageRequest(label_id=label, frame=2)]))


def test_a_task_is_made_from_pictures_and_cut_into_jobs(task, pictures):
    assert (task.size, task.mode, task.name) == (3, "annotation", "pets")
    assert [frame.name for frame in task.get_frames_info()] == [path.name for path in pictures]
    assert [(job.start_frame, job.stop_frame) for job in task.get_jobs()] == [(0, 2)]


def test_annotations_are_set_read_changed_and_removed(task):
    _annotate(task)
    found = task.get_annotations()
    assert found.shapes[0].points == [1.5, 2.0, 10.0, 12.25]
    assert found.shapes[0].attributes[0].value == "1"
    assert [tag.frame for tag in found.tags] == [2]
    task.remove_annotations(ids=[found.shapes[0].id])
    assert task.get_annotations().shapes == []


def test_frames_come_back_as_they_were_uploaded(task, pictures):
    assert task.get_frame(1, quality="original").read() == pictures[1].read_bytes()
    assert Image.open(task.get_frame(2, quality="compressed")).size == (32, 24)


def test_a_dataset_is_exported_and_its_annotations_imported_again(task, tmp_path):
    _annotate(task)
    path = tmp_path / "export.zip"
    task.export_dataset("CVAT for images 1.1", str(path), include_images=True, status_check_period=0.01)
    with zipfile.ZipFile(path) as file:
        assert {"annotations.xml", "images/picture_0.png"} <= set(file.namelist())
        box = ET.fromstring(file.read("annotations.xml")).find("image/box")
    assert (box.get("xtl"), box.get("ybr")) == ("1.50", "12.25")
    task.import_annotations("CVAT 1.1", str(path), status_check_period=0.01)
    assert task.get_annotations().shapes[0].source == "file"


def test_single_shapes_come_back_from_a_file_for_video_as_tracks(task, tmp_path):
    _annotate(task)
    path = tmp_path / "export.zip"
    task.export_dataset("CVAT for video 1.1", str(path), include_images=False, status_check_period=0.01)
    task.import_annotations("CVAT 1.1", str(path), status_check_period=0.01)
    found = task.get_annotations()
    assert (found.shapes, found.tags) == ([], [])
    # The server leaves the end of a track out where the next frame is the last one.
    assert [(key.frame, key.outside) for key in found.tracks[0].shapes] == [(1, False)]


def test_tracks_across_jobs_go_through_a_projects_backup_and_export(client, pictures, tmp_path):
    project = client.projects.create({"name": "streets", "labels": [{"name": "car"}]})
    task = client.tasks.create_from_data(
        spec={"name": "walk", "project_id": project.id, "segment_size": 2, "overlap": 1}, resources=pictures, status_check_period=0.01
    )
    label = project.get_labels()[0].id
    keys = [models.TrackedShapeRequest(type="rectangle", frame=frame, points=[frame, 1, frame + 9, 11]) for frame in (0, 2)]
    task.set_annotations(models.LabeledDataRequest(tracks=[models.LabeledTrackRequest(label_id=label, frame=0, shapes=keys)]))
    assert [len(job.get_annotations().tracks) for job in task.get_jobs()] == [1, 1]
    path = tmp_path / "backup.zip"
    project.download_backup(str(path), status_check_period=0.01)
    restored = client.projects.create_from_backup(path, status_check_period=0.01)
    (again,) = restored.get_tasks()
    assert [[key.points for key in track.shapes] for track in again.get_annotations().tracks] == [
        [[0.0, 1.0, 9.0, 11.0], [1.0, 1.0, 10.0, 11.0], [2.0, 1.0, 11.0, 11.0]]
    ]
    written = tmp_path / "project.zip"
    restored.export_dataset("CVAT for images 1.1", str(written), include_images=False, status_check_period=0.01)
    with zipfile.ZipFile(written) as file:
        boxes = ET.fromstring(file.read("annotations.xml")).findall("image/box")
    assert [box.get("xtl") for box in boxes] == ["0.00", "1.00", "2.00"]


def test_a_guide_and_a_second_comment(client, task):
    guide, _ = client.api_client.guides_api.create(
        annotation_guide_write_request=models.AnnotationGuideWriteRequest(task_id=task.id, markdown="# Cats only")
    )
    task.fetch()
    assert (task.guide_id, guide.markdown) == (guide.id, "# Cats only")
    issue = client.issues.create(models.IssueWriteRequest(frame=0, position=[1.0, 2.0], job=task.get_jobs()[0].id, message="too wide"))
    client.comments.create(models.CommentWriteRequest(issue=issue.id, message="is it?"))
    issue.update({"resolved": True})
    assert {comment.message for comment in client.issues.retrieve(issue.id).get_comments()} == {"too wide", "is it?"}
    assert client.issues.retrieve(issue.id).resolved


def test_a_backup_is_downloaded_and_restored(client, task, tmp_path):
    _annotate(task)
    path = tmp_path / "backup.zip"
    task.download_backup(str(path), status_check_period=0.01)
    with zipfile.ZipFile(path) as file:
        assert json.loads(file.read("task.json"))["name"] == "pets"
    restored = client.tasks.create_from_backup(path, status_check_period=0.01)
    assert restored.id != task.id
    assert restored.get_annotations().shapes[0].points == task.get_annotations().shapes[0].points


def test_jobs_issues_and_deleted_frames(client, task):
    job = task.get_jobs()[0]
    job.update({"stage": "validation"})
    assert client.jobs.retrieve(job.id).stage == "validation"
    issue = client.issues.create(models.IssueWriteRequest(frame=1, position=[1.0, 2.0], job=job.id, message="too wide"))
    assert issue.get_comments()[0].message == "too wide"
    task.remove_frames_by_ids([1])
    assert task.get_meta().deleted_frames == [1]


def test_what_the_server_refuses_the_sdk_reports(client, task):
    with pytest.raises(sdk.api_client.exceptions.ApiException, match="400"):
        task.export_dataset("No such format", "nowhere.zip")
    task.remove()
    with pytest.raises(sdk.api_client.exceptions.NotFoundException):
        client.tasks.retrieve(task.id)
