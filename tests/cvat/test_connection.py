"""Logging in, asking again where that is safe, and what is said when a server refuses."""

import polars as pl
import pytest
from cvat_faults import line_to, times
from cvat_server_builders import box, label_number, make_task

from burnish.cvat.connection import LostConnection, connect
from burnish.cvat.login import Login, find_login
from burnish.cvat.pull import pull
from burnish.cvat.push import push
from burnish.errors import ConfigError, ServiceError
from burnish.formats.recognise import open_dataset
from burnish.testing.cvat import cvat_server
from burnish.testing.datasets import boxes_dataset


@pytest.fixture
def line(server):
    with line_to(server.url) as between:
        yield between


@pytest.fixture
def through(line, login):
    """A connection over the bad line that remembers how long it waited."""
    waits = []
    found = connect(line.url, login=login, sleep=waits.append)
    line.seen.clear()
    return found, waits


# Who asks.


def test_a_user_with_a_password_is_logged_in(server):
    found = connect(server.url, login=Login(user="admin", password="a password"))  # noqa: S106 - of the test server
    assert found.get("users/self")["username"] == "admin"


def test_a_wrong_password_is_told_without_showing_it(server):
    with pytest.raises(ServiceError, match="does not know the user 'admin'") as told:
        connect(server.url, login=Login(user="admin", password="secret word"))  # noqa: S106 - likewise
    assert "secret word" not in str(told.value)


def test_an_expired_token_is_told_with_what_to_do(server):
    with pytest.raises(ServiceError, match="CVAT_TOKEN") as told:
        connect(server.url, login=Login(token="0" * 40))
    assert told.value.status == 401
    assert "0" * 40 not in str(told.value)


def test_secrets_are_never_part_of_a_text(server, login, connection):
    for text in (repr(login), repr(connection), repr(Login(user="a", password="b c d"))):  # noqa: S106 - likewise
        assert server.users["admin"].token not in text
        assert "b c d" not in text


def test_the_environment_is_asked_first(monkeypatch):
    monkeypatch.setenv("CVAT_USERNAME", "ann")
    monkeypatch.setenv("CVAT_PASSWORD", "another")
    assert find_login() == Login(user="ann", password="another")  # noqa: S106 - likewise
    monkeypatch.setenv("CVAT_TOKEN", "a-token ")
    assert find_login() == Login(token="a-token")  # noqa: S106 - likewise


def test_nobody_to_ask_is_told(monkeypatch):
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(ConfigError, match="CVAT_TOKEN"):
        find_login()


# Which server.


@pytest.mark.parametrize(("version", "text"), [("2.4.1", "needs 2.31 or newer"), ("3.0.0", "Update burnish"), ("x", "no version of CVAT")])
def test_other_versions_of_the_server_are_refused_with_what_to_do(version, text):
    with cvat_server(version=version, users={"admin": "a password"}) as old, pytest.raises(ServiceError, match=text):
        connect(old.url, login=Login(token=old.users["admin"].token))


def test_what_is_no_cvat_is_told(line, login):
    line.fault = lambda _method, _path: (200, {"Content-Type": "text/html"}, b"<title>Welcome to nginx</title>")
    with pytest.raises(ServiceError, match="is no CVAT server"):
        connect(line.url, login=login)


def test_a_server_that_is_not_there_is_told():
    with pytest.raises(ServiceError, match="does not answer"):
        connect("http://127.0.0.1:9", login=Login(token="t"), sleep=lambda _: None)  # noqa: S106 - likewise


# Asking again.


def test_a_lost_question_is_asked_again(through, line):
    connection, _ = through
    line.fault = times(2, "lost", method="GET")
    assert connection.get("users/self")["username"] == "admin"
    assert len(line.seen) == 3


def test_a_lost_order_is_not_given_twice(through, line, connection):
    broken, _ = through
    line.fault = times(1, "unanswered", method="POST")
    with pytest.raises(LostConnection, match="run the same command again"):
        broken.post("projects", {"name": "town"})
    assert [project["name"] for project in connection.pages("projects")] == ["town"]


def test_a_throttled_request_is_sent_again_after_the_time_that_the_server_names(through, line):
    connection, waits = through
    line.fault = times(2, (429, {"Retry-After": "7", "Content-Type": "application/json"}, b'{"detail": "Request was throttled."}'))
    assert connection.post("projects", {"name": "town"})["name"] == "town"
    assert [wait >= 7 for wait in waits] == [True, True]


def test_a_throttle_that_does_not_end_is_told(through, line):
    connection, _ = through
    line.fault = lambda _method, _path: (429, {}, b'{"detail": "Expected available in 3 seconds."}')
    with pytest.raises(ServiceError, match="throttling") as told:
        connection.get("users/self")
    assert told.value.status == 429


def test_long_lists_are_read_page_by_page(connection):
    for number in range(7):
        connection.post("projects", {"name": f"town {number}"})
    assert [project["name"] for project in connection.pages("projects", page_size=3)] == [f"town {number}" for number in range(7)]


# A push over a bad line.


def test_a_push_whose_answers_get_lost_makes_nothing_twice(line, login, connection, tmp_path):
    dataset = boxes_dataset(tmp_path / "cars")
    line.fault = times(2, "unanswered", method="PATCH", path="/annotations")
    push(dataset, line.url, login=login)
    assert len(connection.get("tasks/1/annotations")["shapes"]) == 8
    assert push(dataset, line.url, login=login).is_empty


def test_a_task_whose_making_was_not_answered_is_found_again(line, login, connection, tmp_path):
    line.fault = times(1, "unanswered", method="POST", path="/api/tasks")
    push(boxes_dataset(tmp_path / "cars"), line.url, login=login)
    assert [task["name"] for task in connection.pages("tasks")] == ["cars"]


def test_a_push_that_breaks_off_leaves_an_unfinished_name_and_continues(line, login, connection, tmp_path):
    dataset = boxes_dataset(tmp_path / "cars")
    line.fault = times(1, (500, {}, b"boom"), method="PATCH", path="/annotations")
    with pytest.raises(ServiceError, match="500"):
        push(dataset, line.url, login=login)
    assert [task["name"] for task in connection.pages("tasks")] == ["cars (unfinished)"]
    push(dataset, line.url, login=login)
    assert [(task["id"], task["name"]) for task in connection.pages("tasks")] == [(1, "cars")]
    assert len(connection.get("tasks/1/annotations")["shapes"]) == 8


def test_nothing_is_deleted_when_the_replacement_cannot_be_read_back(line, login, connection, tmp_path):
    task = make_task(connection)
    person = label_number(connection, task, "person")
    connection.patch(f"{task.below[0].path}/annotations", {"shapes": [box(person, 1)], "tracks": [], "tags": []}, action="create")
    pull(f"{line.url}/tasks/{task.id}", login=login).save(tmp_path / "ours")
    dataset = open_dataset(tmp_path / "ours")
    other = dataset.images.filter(dataset.images["frame"] == 3)["id"].item()
    replaced = dataset.with_tables(
        annotations=dataset.annotations.with_columns(image=pl.lit(other, dtype=pl.Int64), id=pl.col("id") + 100),
        extras=_no_numbers(dataset),
    )
    swallowed = (200, {"Content-Type": "application/json"}, b'{"version": 0, "tags": [], "shapes": [], "tracks": []}')
    line.fault = times(1, swallowed, method="PATCH", path="action=create")
    with pytest.raises(ServiceError, match="1 objects were sent and accepted, and 0 of them are there"):
        push(replaced, f"{line.url}/tasks/{task.id}", login=login)
    assert [shape["frame"] for shape in connection.get(f"tasks/{task.id}/annotations")["shapes"]] == [1]


def _no_numbers(dataset):
    return dataset.extras.filter(~((dataset.extras["format"] == "cvat_server") & (dataset.extras["table"] == "annotations")))


def test_a_download_that_breaks_is_continued(line, login, connection, tmp_path):
    task = make_task(connection)
    line.fault = times(1, "half", method="GET", path="/download")
    pull(f"{line.url}/tasks/{task.id}", login=login).save(tmp_path / "ours")
    assert len(list((tmp_path / "ours").rglob("*.png"))) == 4


def test_a_pull_that_was_cut_off_does_not_fetch_the_media_again(line, login, connection, tmp_path):
    task = make_task(connection)
    url, work = f"{line.url}/tasks/{task.id}", tmp_path / "work"
    line.fault = times(1, (500, {}, b"boom"), method="GET", path="/annotations")
    with pytest.raises(ServiceError, match="500"):
        pull(url, login=login, work=work)
    line.seen.clear()
    pull(url, login=login, work=work).save(tmp_path / "ours")
    assert not [path for _, path in line.seen if "backup" in path]
    assert len(list((tmp_path / "ours").rglob("*.png"))) == 4
    assert not work.exists()


def test_a_push_never_replaces_everything(line, login, connection, tmp_path):
    """PUT would."""
    dataset = boxes_dataset(tmp_path / "cars")
    push(dataset, line.url, login=login)
    push(dataset.with_tables(annotations=dataset.annotations.head(5)), line.url, login=login)
    assert len(connection.get("tasks/1/annotations")["shapes"]) == 5
    assert "PUT" not in {method for method, _ in line.seen}


def test_a_token_that_expires_on_the_way_is_told_and_the_push_continues_with_a_new_one(line, login, connection, tmp_path):
    dataset = boxes_dataset(tmp_path / "cars")
    line.fault = times(1, (401, {}, b'{"detail": "Invalid token."}'), method="PATCH", path="/annotations")
    with pytest.raises(ServiceError, match="has expired") as told:
        push(dataset, line.url, login=login)
    assert told.value.status == 401
    push(dataset, line.url, login=login)
    assert len(connection.get("tasks/1/annotations")["shapes"]) == 8
