"""Exports, imports, backups, guides and copies: whole files up and down."""

import zipfile

import pytest
from cvat_faults import line_to, times
from cvat_server_builders import annotate, box, contents, every_kind, label_number, make_task, picture
from disk_builders import no_room

from burnish.cvat.background import run_background
from burnish.cvat.backups import back_up, back_up_all, restore
from burnish.cvat.cloning import clone
from burnish.cvat.connection import connect
from burnish.cvat.drawn_issues import draw_issues
from burnish.cvat.exchange import export, import_annotations
from burnish.cvat.guides import Guide, read_guide, write_guide
from burnish.cvat.issues import raise_issue
from burnish.cvat.login import Login
from burnish.cvat.transfer import download
from burnish.cvat.tree import Node, open_server
from burnish.errors import ConfigError, DataError, FormatError, ServiceError
from burnish.testing.cvat import cvat_server

ASSET = "00000000-0000-0000-0000-000000000000"
GUIDE = Guide(f"# Rules\n![car.png](/api/assets/{ASSET})", {ASSET: ("car.png", picture(1))})


@pytest.fixture
def street(connection):
    task = make_task(connection)
    every_kind(connection, task)
    return task


@pytest.fixture
def other():
    """A second server."""
    with cvat_server(users={"admin": "a password"}, polls=0, first_id=500) as running:
        yield open_server(running.url, login=Login(token=running.users["admin"].token))


class Steps:
    """Progress that remembers what was told."""

    def __init__(self):
        self.totals = {}

    def task(self, label, total=None):
        del total
        steps = self

        class Task:
            def __enter__(self):
                return lambda number=1: steps.totals.__setitem__(label, steps.totals.get(label, 0) + number)

            def __exit__(self, *_):
                return None

        return Task()


# Exports and imports.


def test_an_export_is_downloaded_and_can_be_imported_again(street, connection, tmp_path):
    path = export(street, "CVAT for images 1.1", tmp_path / "street.zip")
    assert zipfile.ZipFile(path).namelist() == ["annotations.xml"]
    before = connection.get(f"tasks/{street.id}/annotations")
    connection.delete(f"tasks/{street.id}/annotations")
    import_annotations(street, "CVAT 1.1", path)
    found = connection.get(f"tasks/{street.id}/annotations")
    assert len(found["tags"]) == len(before["tags"])
    assert len(found["shapes"]) >= len(before["shapes"])
    assert {shape["source"] for shape in found["shapes"]} == {"file"}


def test_pictures_are_exported_when_asked_for(street, tmp_path):
    names = zipfile.ZipFile(export(street, "CVAT for images 1.1", tmp_path / "street.zip", images=True)).namelist()
    assert sum(name.endswith(".png") for name in names) == 4


def test_an_unknown_format_is_told(street, tmp_path):
    with pytest.raises(ServiceError, match="Unknown format"):
        export(street, "Nope 1.0", tmp_path / "x.zip")
    assert list(tmp_path.iterdir()) == []


def test_a_broken_file_fails_later_and_the_servers_reason_is_told(street, tmp_path):
    (tmp_path / "broken.xml").write_text("<annotations><image")
    with pytest.raises(ServiceError, match="began and then failed"):
        import_annotations(street, "CVAT 1.1", tmp_path / "broken.xml")


def test_an_export_that_runs_already_is_waited_for(connection, server, login, tmp_path):
    server.state.polls = 3
    task = make_task(connection)
    connection.post(f"{task.path}/dataset/export", format="CVAT for images 1.1", save_images=False)
    assert export(task, "CVAT for images 1.1", tmp_path / "street.zip").is_file()
    del login


def test_a_background_request_that_fails_later_is_told_with_its_reason(server, login, street):
    failed = b'{"id": "x", "status": "failed", "message": "Traceback\\nValueError: no space on the server"}'
    with line_to(server.url) as line:
        connection = connect(line.url, login=login, sleep=lambda _: None)
        line.fault = times(1, (200, {"Content-Type": "application/json"}, failed), method="GET", path="/api/requests/")
        with pytest.raises(ServiceError, match="ValueError: no space on the server"):
            run_background(connection, f"{street.path}/backup/export", label="backup")


def test_a_server_is_not_exported_as_a_whole(server, login, tmp_path):
    with pytest.raises(ConfigError, match="name a project, a task or a job"):
        export(open_server(server.url, login=login), "COCO 1.0", tmp_path / "x.zip")


# Backups.


def test_everything_is_backed_up_and_restored_on_another_server(connection, server, login, other, tmp_path):
    project = connection.post("projects", {"name": "town", "labels": [{"name": "car"}]})
    inside = make_task(connection, 2, name="inside", project_id=project["id"])
    annotate(inside.below[0], shapes=[box(label_number(connection, inside, "car"), 1)])
    alone = make_task(connection, 2, name="alone")
    annotate(alone.below[0], shapes=[box(label_number(connection, alone, "car"), 0)])
    steps = Steps()
    files = back_up_all(open_server(server.url, login=login), tmp_path, progress=steps)
    assert [path.name for path in files] == [f"project_{project['id']}.zip", f"task_{alone.id}.zip"]
    assert steps.totals[f"task {alone.id}: bytes"] == files[1].stat().st_size
    restore(other, files, progress=steps)
    assert contents(other.connection) == contents(connection)


def test_a_second_backup_fetches_only_what_changed(connection, server, login, tmp_path):
    tasks = [make_task(connection, 1, name=name) for name in ("one", "two")]
    with line_to(server.url) as line:
        far = connect(line.url, login=login, sleep=lambda _: None)
        nodes = [Node(far, "task", task.about) for task in tasks]
        back_up(nodes, tmp_path)
        annotate(tasks[1].below[0], shapes=[box(label_number(connection, tasks[1], "car"), 0)])
        line.seen.clear()
        back_up([Node(far, "task", far.get(task.path)) for task in tasks], tmp_path)
        fetched = [path for _, path in line.seen if "/backup/download" in path]
    assert [f"/tasks/{tasks[1].id}/" in path for path in fetched] == [True]


def test_a_file_is_restored_once(street, other, tmp_path):
    files = back_up([street], tmp_path)
    assert restore(other, files) == restore(other, files)
    assert len(list(other.connection.pages("tasks"))) == 1


def test_one_that_fails_does_not_stop_the_others(connection, server, login, tmp_path):
    tasks = [make_task(connection, 1, name=name) for name in ("one", "two")]
    with line_to(server.url) as line:
        far = connect(line.url, login=login, sleep=lambda _: None)
        line.fault = times(1, (500, {}, b"boom"), method="POST", path=f"/tasks/{tasks[0].id}/backup")
        with pytest.raises(ServiceError, match=r"(?s)1 of 2 failed.*task 'one'.*500"):
            back_up([Node(far, "task", task.about) for task in tasks], tmp_path)
    assert (tmp_path / f"task_{tasks[1].id}.zip").is_file()


def test_what_is_no_backup_is_told_before_anything_is_sent(other, tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(FormatError, match="no backup of CVAT"):
        restore(other, [tmp_path / "x.zip"])


def test_an_upload_that_breaks_is_continued(street, other, login, tmp_path):
    del login
    files = back_up([street], tmp_path)
    with line_to(other.connection.address.host) as line:
        key = other.connection.headers["Authorization"].split()[1]
        far = open_server(line.url, login=Login(token=key))
        line.fault = times(1, "unanswered", method="PATCH", path="/backup/")
        (made,) = restore(far, files)
    assert made.about["size"] == 4


# Guides and copies.


def test_a_guide_is_read_and_written_with_its_pictures(street):
    assert read_guide(street) is None
    write_guide(street, GUIDE)
    found = read_guide(street)
    assert found.markdown.startswith("# Rules")
    ((number, (_, content)),) = found.assets.items()
    assert (number in found.markdown, content) == (True, picture(1))
    write_guide(street, Guide(found.markdown + "\nMore.", found.assets))
    assert read_guide(street) == Guide(found.markdown + "\nMore.", found.assets)


def test_a_clone_on_another_server_has_everything_and_its_own_guide(street, connection, other, tmp_path):
    write_guide(street, GUIDE)
    made = clone(street, other, tmp_path)
    assert contents(other.connection) == contents(connection)
    ours, theirs = read_guide(street), read_guide(made)
    assert list(theirs.assets.values()) == list(ours.assets.values())
    assert set(theirs.assets) != set(ours.assets)


def test_issues_are_drawn_on_their_frames(street, connection, tmp_path):
    number = raise_issue(street.below[0], 1, [10, 10, 40, 30], "too wide")
    raise_issue(street.below[0], 1, [5, 5], "here")
    raise_issue(street.below[0], 3, [1, 1, 9, 1, 9, 9], "a part")
    connection.patch(f"issues/{number}", {"resolved": True})
    paths = draw_issues(street, tmp_path)
    assert [path.name for path in paths] == ["frame_000001.png", "frame_000003.png"]
    assert all(path.read_bytes() != picture(number) for path, number in zip(paths, (1, 3), strict=True))


def test_a_full_disk_is_told_and_leaves_nothing_half_written(street, connection, tmp_path):
    done = run_background(connection, f"{street.path}/backup/export", label="backup")
    with no_room(500), pytest.raises(DataError, match=r"task\.zip"):
        download(connection, done["result_url"], tmp_path / "task.zip", label="bytes")
    assert list(tmp_path.iterdir()) == []
    assert download(connection, done["result_url"], tmp_path / "task.zip", label="bytes").stat().st_size > 500
