"""The commands and the code of the docs page, run on a server."""

import re
import shlex
from pathlib import Path

import pytest
from cvat_server_builders import annotate, box, label_number, make_task

from burnish.cli.app import run
from burnish.cvat.issues import issues_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "cvat-server.md"


@pytest.fixture
def place(server, connection, tmp_path, monkeypatch):
    """A server as the page expects it: the project `town` with one task, and somebody logged in."""
    project = connection.post("projects", {"name": "town", "labels": [{"name": "car"}, {"name": "person"}]})
    task = make_task(connection, 4, project_id=project["id"])
    car = label_number(connection, task, "car")
    annotate(task.below[0], shapes=[box(car, 0), box(car, 1), box(car, 1), box(car, 2, (60.0, 40.0, 90.0, 70.0))])
    monkeypatch.setenv("CVAT_TOKEN", server.users["admin"].token)
    monkeypatch.chdir(tmp_path)
    return task


def blocks(language, server):
    text = PAGE.read_text("utf-8").replace("localhost:8080", server.url)
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def test_the_commands_of_the_page_run(place, server, capsys):
    lines = [line for block in blocks("sh", server) for line in block.splitlines() if line.startswith("burnish ")]
    assert len(lines) == 7
    for line in lines:
        assert run(shlex.split(line, comments=True)[1:]) == 0, line + capsys.readouterr().out
    assert issues_of(place).height > 0
    assert Path("street-again-findings/findings.parquet").is_file()


@pytest.mark.usefixtures("place")
def test_the_code_of_the_page_runs(server):
    names = {}
    for block in blocks("python", server):
        exec(compile(block, "cvat-server.md", "exec"), names)  # noqa: S102 - the code of our own page
    assert names["copy"].about["size"] == 4
    assert names["table"].height == 1
    assert len(names["pictures"]) == 1
    assert names["task"].about["assignee"]["username"] == "admin"
