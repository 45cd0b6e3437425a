"""Findings become issues on the server, once; what people decide about them comes back."""

import polars as pl
import pytest
from cvat_server_builders import annotate, box, label_number, make_task

from burnish.cvat.issues import comment_on, issues_of, raise_issue
from burnish.cvat.pull import pull
from burnish.cvat.push import push
from burnish.cvat.settings import PushConfig
from burnish.data.findings import finding, findings_table
from burnish.errors import DataError
from burnish.formats.findings import Findings
from burnish.formats.recognise import open_dataset


@pytest.fixture
def street(connection):
    task = make_task(connection, 6, segment_size=3, overlap=0)
    person = label_number(connection, task, "person")
    for job in task.below:
        annotate(job, shapes=[box(person, job.about["start_frame"] + 1)])
    return task


@pytest.fixture
def suspects(street, login, tmp_path):
    """Two suspects: the box on frame 4, and the picture of frame 0."""
    pull(street.url, login=login).save(tmp_path / "street")
    dataset = open_dataset(tmp_path / "street")
    images = {frame: image for image, frame in dataset.images.select("id", "frame").iter_rows()}
    row = dataset.annotations.filter(pl.col("image") == images[4])["id"].item()
    rows = [
        finding("label", "It looks like a car.", score=0.9, image=images[4], annotation=row, given="person", suggestion="car"),
        finding("dark", "The picture is dark.", score=0.8, image=images[0]),
        finding("fine", "Nothing is wrong.", is_issue=False, image=images[1]),
    ]
    return Findings(findings_table(rows), {"verb": "audit", "dataset": str(tmp_path / "street")})


def test_each_suspect_becomes_an_issue_at_its_box_or_frame(street, suspects, login):
    result = push(suspects, street.url, login=login)
    found = issues_of(street).sort("frame")
    assert found["frame"].to_list() == [0, 4]
    assert found["job"].to_list() == [street.below[0].id, street.below[1].id]
    assert found["position"].to_list() == [[0.0, 0.0, 64.0, 48.0], [4.5, 5.0, 20.25, 30.0]]
    assert found["comments"].list.first()[1].startswith("person -> car: It looks like a car.")
    assert "2 issues raised" in str(result)


def test_a_second_push_raises_none(street, suspects, login):
    push(suspects, street.url, login=login)
    result = push(suspects, street.url, login=login)
    assert result.is_empty
    assert issues_of(street).height == 2
    assert "2 are there already" in str(result)


def test_a_dry_run_raises_none(street, suspects, login):
    assert "2 issues would be raised" in str(push(suspects, street.url, login=login, dry_run=True))
    assert issues_of(street).is_empty()


def test_decisions_come_back_with_the_pull(street, suspects, connection, login, tmp_path):
    push(suspects, street.url, login=login)
    dark, label = issues_of(street).sort("frame")["id"]
    comment_on(street.below[0], dark, "It is night.")
    connection.patch(f"issues/{label}", {"resolved": True})
    job = street.below[1]
    shape = connection.get(f"{job.path}/annotations")["shapes"][0]
    car = label_number(connection, street, "car")
    connection.patch(
        f"{job.path}/annotations", {"shapes": [{**shape, "label_id": car, "attributes": []}], "tracks": [], "tags": []}, action="update"
    )
    result = pull(street.url, login=login)
    rows = {row["kind"]: row for row in result.decisions.to_dicts()}
    assert set(rows) == {"issue_open", "issue_resolved"}
    assert "admin: It is night." in rows["issue_open"]["reason"]
    assert (rows["issue_resolved"]["given"], rows["issue_resolved"]["suggestion"]) == ("person", "car")
    assert rows["issue_resolved"]["is_issue"] is False
    assert any("findings" in str(path) for path in result.save(tmp_path / "again"))


def test_a_deleted_object_is_told_with_its_issue(street, suspects, connection, login):
    push(suspects, street.url, login=login)
    job = street.below[1]
    connection.delete(f"{job.path}/annotations")
    reasons = pull(street.url, login=login).decisions["reason"].to_list()
    assert sum("the object was deleted" in reason for reason in reasons) == 1


def test_issues_that_people_raised_are_pulled_too(street, login):
    raise_issue(street.below[0], 2, [1, 2, 3, 4], "Where is the wheel?")
    (row,) = pull(street.url, login=login).decisions.to_dicts()
    assert (row["kind"], row["reason"], row["is_issue"]) == ("issue_open", "admin: Where is the wheel?", True)
    assert row["path"].endswith(f"/jobs/{street.below[0].id}?frame=2")


def test_a_task_without_issues_has_a_table_with_all_columns(street):
    found = issues_of(street)
    assert found.height == 0
    assert "comments" in found.columns


def test_a_job_with_the_frames_of_the_issues_is_made_once_when_asked_for(street, suspects, connection, login):
    said = [str(push(suspects, street.url, PushConfig(job=True), login=login)) for _ in range(2)]
    (truth,) = [job for job in connection.pages("jobs", task_id=street.id) if job["type"] == "ground_truth"]
    assert connection.get(f"jobs/{truth['id']}/data/meta")["included_frames"] == [0, 4]
    assert "holds the 2 frames with issues" in said[0]
    assert "holds these frames already" in said[1]


def test_findings_without_their_dataset_are_refused(street, login):
    with pytest.raises(DataError, match="do not say which dataset"):
        push(Findings(findings_table([finding("dark", "x", image=1)]), {"verb": "audit"}), street.url, login=login)
