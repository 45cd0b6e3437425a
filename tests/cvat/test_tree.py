"""The tree of a server: server, project, task, job; by place, by name, by address."""

import pytest
from cvat_server_builders import make_task

from burnish.cvat.addresses import Address, parse_address
from burnish.cvat.tree import assigned, node_at, open_server, renamed
from burnish.errors import ConfigError, ServiceError


@pytest.fixture
def town(connection):
    """A project with two tasks, and a task without a project."""
    project = connection.post("projects", {"name": "town", "labels": [{"name": "car"}]})
    for name in ("east", "west"):
        make_task(connection, 4, name=name, project_id=project["id"], segment_size=2)
    make_task(connection, 1, name="alone")
    return project["id"]


@pytest.fixture
def root(server, login):
    return open_server(server.url, login=login)


def test_the_tree_is_walked_by_name_and_by_place(root, town):
    assert root["town"]["east"]["2-3"] == root[0][0][1]
    assert (root["town"].id, root["town"]["west"].kind) == (town, "task")
    assert list(root["town"]) == ["east", "west"]
    assert root["alone"].name == "alone"


def test_a_name_that_is_not_there_is_told_with_the_nearest(root, town):
    del town
    with pytest.raises(ConfigError, match=r"There is no 'towm'.*town"):
        root["towm"]


def test_a_name_of_two_tasks_is_told_with_both_numbers(root, town, connection):
    make_task(connection, 1, name="east", project_id=town)
    with pytest.raises(ConfigError, match=r"'east' is the name of 2 things in .*: task 1, task 4\. Name one by its address"):
        root["town"]["east"]


@pytest.mark.parametrize("below", ["", "/projects/1", "/tasks/2", "/tasks/2/jobs/4", "/jobs/4"])
def test_addresses_lead_to_the_tree_and_back(root, town, server, login, below):
    del town
    node = open_server(server.url + below, login=login)
    assert open_server(node.url, login=login) == node
    assert node.url.startswith(root.url)


def test_an_address_of_a_job_in_another_task_is_told(town, connection, server):
    del town
    with pytest.raises(ConfigError, match="Job 4 belongs to task 2, not 1"):
        node_at(connection, parse_address(f"{server.url}/tasks/1/jobs/4"))


def test_what_is_not_there_is_told(connection, server):
    with pytest.raises(ServiceError, match="another organisation"):
        node_at(connection, parse_address(f"{server.url}/tasks/77"))


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://app.cvat.ai/tasks/12/jobs/34?frame=5", Address("https://app.cvat.ai", task=12, job=34)),
        ("app.cvat.ai/projects/3?page=1&org=lab", Address("https://app.cvat.ai", project=3, organization="lab")),
        ("localhost:8080/tasks/1", Address("http://localhost:8080", task=1)),
        ("http://cvat.lab/jobs/9/", Address("http://cvat.lab", job=9)),
        ("https://cvat.lab/tasks?page=2", Address("https://cvat.lab")),
    ],
)
def test_addresses_of_a_browser_are_understood(text, address):
    assert parse_address(text) == address
    assert parse_address(str(address)) == address


@pytest.mark.parametrize("text", ["ftp://cvat.lab/tasks/1", "https://cvat.lab/models/4", "https:///tasks/1"])
def test_other_texts_are_refused(text):
    with pytest.raises(ConfigError, match="expected"):
        parse_address(text)


def test_a_password_in_an_address_is_refused_without_showing_it():
    with pytest.raises(ConfigError, match="CVAT_TOKEN") as told:
        parse_address("https://ann:secret@cvat.lab/tasks/1")
    assert "secret" not in str(told.value)


def test_tasks_and_jobs_are_given_to_people_by_name(root, town):
    del town
    task = assigned(root["town"]["east"], "ann")
    assert task.about["assignee"]["username"] == "ann"
    assert assigned(task.below[0], "ann").about["assignee"]["username"] == "ann"
    assert assigned(task, None).about["assignee"] is None
    with pytest.raises(ConfigError, match="no user 'anna'"):
        assigned(task, "anna")


def test_a_task_is_renamed(root, town):
    del town
    assert renamed(root["alone"], "lonely").name == "lonely"


def test_an_organisation_is_asked_for_with_every_request(server, login, connection):
    connection.post("organizations", {"slug": "lab", "name": "Lab"})
    inside = open_server(f"{server.url}?org=lab", login=login)
    inside.connection.post("projects", {"name": "of the lab", "labels": []})
    assert list(inside) == ["of the lab"]
    assert inside[0].url.endswith("/projects/1?org=lab")
    assert list(open_server(server.url, login=login, organization="lab")) == ["of the lab"]
