"""The test server over HTTP: who may ask, what it checks, and what it does in the background."""

import base64
import re
import subprocess
import sys
import threading
import zipfile
from io import BytesIO

import pytest

from burnish.errors import MissingExtra, ServiceError
from burnish.formats.recognise import open_dataset
from burnish.testing.cvat import cvat_server


def _box(label, frame=0, **more):
    return {"type": "rectangle", "label_id": label, "frame": frame, "points": [1, 2, 11, 12], **more}


def test_two_servers_run_side_by_side_and_know_nothing_of_one_another(server, api):
    with cvat_server() as other:
        assert other.url != server.url
        api("POST", "projects", {"name": "only here"})
        assert len(server.state.projects) == 1
        assert not other.state.projects


def test_a_taken_port_is_told(server):
    with pytest.raises(ServiceError, match="choose another one"), cvat_server(port=int(server.url.rpartition(":")[2])):
        pass


def test_a_missing_library_is_told_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(MissingExtra, match=r"pip install 'burnish\[cvat\]'"), cvat_server():
        pass


def test_passwords_and_tokens_are_not_printed(server):
    assert "a password" not in repr(server.users)
    assert server.users["admin"].token not in repr(server)


def test_it_runs_as_a_module_until_it_is_interrupted():
    command = [sys.executable, "-m", "burnish.testing.cvat", "--port", "0", "--password", "hush hush"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        said = process.stdout.readline()
        process.terminate()
    assert re.search(r"http://127\.0\.0\.1:\d+, user admin", said)
    assert "hush" not in said


def test_the_administrator_is_called_as_asked_for_and_gets_a_password():
    command = [sys.executable, "-m", "burnish.testing.cvat", "--port", "0", "--user", "boss"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        said = process.stdout.readline()
        process.terminate()
    assert re.search(r"user boss, password \S{12,}\.", said)


def test_the_tables_are_loaded_only_when_a_file_is_written():
    code = "import sys, burnish.testing.cvat.app; sys.exit(bool({'polars', 'torch', 'av', 'cv2', 'scipy.optimize'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_nobody_and_somebody_wrong_are_refused(api):
    assert api("GET", "tasks", token="")[:2] == (401, {"detail": "Authentication credentials were not provided."})
    status, body, headers = api("GET", "tasks", token="0" * 40)
    assert (status, body, headers["WWW-Authenticate"]) == (401, {"detail": "Invalid token."}, "Token")


def test_a_session_needs_its_token_to_write(api):
    _, _, headers = api("POST", "auth/login", {"username": "admin", "password": "a password"}, token="")
    cookies = dict(re.match(r"(\w+)=(\w+)", cookie).groups() for cookie in headers.get_all("set-cookie"))
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    assert api("POST", "projects", {"name": "x"}, Cookie=cookie)[:2] == (403, {"detail": "CSRF Failed: CSRF token missing."})
    assert api("POST", "projects", {"name": "x"}, Cookie=cookie, X_CSRFToken=cookies["csrftoken"])[0] == 201


def test_too_many_anonymous_requests_are_throttled_until_a_minute_is_over(server, api):
    statuses = [api("GET", "server/about", token="")[0] for _ in range(101)]
    assert statuses == [200] * 100 + [429]
    assert api("GET", "server/about")[0] == 200
    server.advance(61)
    assert api("GET", "server/about", token="")[0] == 200


def test_unknown_paths_and_wrong_slashes_are_pages_and_wrong_methods_are_told(api):
    assert api("GET", "nothing")[0] == api("GET", "tasks/")[0] == 404
    assert b"<title>Not Found</title>" in api("GET", "tasks/")[1]
    assert api("PUT", "projects/1", {})[:2] == (405, {"detail": 'Method "PUT" not allowed.'})


def test_an_ordinary_user_sees_only_their_own(api):
    given = {"username": "worker", "email": "w@x.org", "password1": "long enough", "password2": "long enough"}
    _, made, _ = api("POST", "auth/register", given, token="")
    task, _ = api.task()
    assert api("GET", f"tasks/{task}", token=made["key"])[0] == 403
    assert api("GET", "tasks", token=made["key"])[1]["count"] == 0
    _, jobs, _ = api("GET", f"jobs?task_id={task}")
    _, users, _ = api("GET", "users?search=worker")
    job = jobs["results"][0]["id"]
    api("PATCH", f"jobs/{job}", {"assignee": users["results"][0]["id"]})
    assert api("GET", f"jobs/{job}", token=made["key"])[0] == 200
    assert api("PATCH", f"jobs/{job}", {"state": "completed"}, token=made["key"])[1]["state"] == "completed"
    assert api("PATCH", f"jobs/{job}", {"stage": "acceptance"}, token=made["key"])[0] == 403


def test_shapes_outside_the_task_vanish_without_a_word(api):
    task, label = api.task()
    status, stored, _ = api("PUT", f"tasks/{task}/annotations", {"shapes": [_box(label), _box(label, 99)]})
    assert status == 200
    assert [shape["frame"] for shape in stored["shapes"]] == [0]


def test_nothing_is_stored_when_one_of_several_shapes_is_refused(api):
    task, label = api.task(segment_size=2)
    api("PUT", f"tasks/{task}/annotations", {"shapes": [_box(label)]})
    status, body, _ = api("PATCH", f"tasks/{task}/annotations?action=create", {"shapes": [_box(label), _box(label + 1, 2)]})
    assert (status, body) == (400, [f"label_id `{label + 1}` is invalid"])
    assert len(api("GET", f"tasks/{task}/annotations")[1]["shapes"]) == 1


def test_a_shape_in_the_overlap_is_stored_in_both_jobs_and_shown_once(api):
    task, label = api.task(frames=5, segment_size=3, overlap=1)
    api("PUT", f"tasks/{task}/annotations", {"shapes": [_box(label, 2)]})
    jobs = [job["id"] for job in api("GET", f"jobs?task_id={task}&sort=id")[1]["results"]]
    assert [len(api("GET", f"jobs/{job}/annotations")[1]["shapes"]) for job in jobs] == [1, 1]
    assert len(api("GET", f"tasks/{task}/annotations")[1]["shapes"]) == 1


def test_the_same_export_twice_is_told_to_be_running_and_gives_one_file(api):
    task, label = api.task()
    api("PUT", f"tasks/{task}/annotations", {"shapes": [_box(label)]})
    wish = f"tasks/{task}/dataset/export?format=CVAT%20for%20images%201.1&save_images=true"
    first, second = api("POST", wish), api("POST", wish)
    assert (first[0], second[0]) == (202, 409)
    assert first[1] == second[1]
    done = api.wait(first[1]["rq_id"])
    _, content, _ = api("GET", done["result_url"].partition("/api/")[2])
    with zipfile.ZipFile(BytesIO(content)) as file:
        assert sorted(file.namelist()) == ["annotations.xml", "images/0.png", "images/1.png", "images/2.png"]


def test_a_cancelled_export_is_seen_once_more_and_then_gone(api):
    task, _ = api.task()
    _, asked, _ = api("POST", f"tasks/{task}/dataset/export?format=CVAT%20for%20video%201.1")
    assert api("POST", f"requests/{asked['rq_id']}/cancel")[0] == 200
    assert api("GET", f"requests/{asked['rq_id']}")[1]["status"] == "started"
    assert api("GET", f"requests/{asked['rq_id']}")[0] == 404


def test_a_format_that_is_not_written_fails_in_the_background_and_says_so(api):
    task, _ = api.task()
    _, asked, _ = api("POST", f"tasks/{task}/dataset/export?format=KITTI%201.0")
    done = api.wait(asked["rq_id"])
    assert done["status"] == "failed"
    assert "does not write KITTI 1.0" in done["message"]


def test_coco_is_written_in_the_layout_of_burnish(api, tmp_path):
    task, label = api.task()
    api("PUT", f"tasks/{task}/annotations", {"shapes": [_box(label)]})
    _, asked, _ = api("POST", f"tasks/{task}/dataset/export?format=COCO%201.0&save_images=true")
    _, content, _ = api("GET", api.wait(asked["rq_id"])["result_url"].partition("/api/")[2])
    with zipfile.ZipFile(BytesIO(content)) as file:
        file.extractall(tmp_path / "coco")
    shown = open_dataset(tmp_path / "coco").annotations
    assert shown.select("x1", "y1", "x2", "y2").rows() == [(1, 2, 11, 12)]


def test_files_that_are_no_media_fail_in_the_background(api):
    _, made, _ = api("POST", "tasks", {"name": "empty", "labels": [{"name": "cat"}]})
    _, asked, _ = api("POST", f"tasks/{made['id']}/data", {"image_quality": 70})
    assert api.wait(asked["rq_id"])["message"] == "ValueError: No media data found\n"


def test_an_upload_in_pieces_goes_on_where_it_stopped(api):
    task, _ = api.task()
    name = base64.b64encode(b"notes.xml").decode()
    content = b"<annotations><version>1.1</version></annotations>"
    status, _, headers = api(
        "POST", f"tasks/{task}/annotations/", Tus_Resumable="1.0.0", Upload_Length=str(len(content)), Upload_Metadata=f"filename {name}"
    )
    place = headers["location"].partition("/api/")[2]
    assert status == 201
    assert api("PATCH", place, content[:10], Upload_Offset="0")[2]["upload-offset"] == "10"
    assert api("HEAD", place)[2]["upload-offset"] == "10"
    assert api("PATCH", place, content[20:], Upload_Offset="20")[0] == 409
    assert api("PATCH", place, content[10:], Upload_Offset="10")[0] == 204
    file = place.rpartition("/")[2]
    _, asked, _ = api("POST", f"tasks/{task}/annotations/?format=CVAT%201.1&filename={file}", Upload_Finish="")
    assert api.wait(asked["rq_id"])["status"] == "finished"


def test_a_name_cannot_lead_out_of_the_servers_folder(server, api):
    _, made, _ = api("POST", "tasks", {"name": "escape", "labels": [{"name": "cat"}]})
    api.upload(made["id"], ("../../../escaped.png", (8, 8)))
    assert not list(server.state.folder.parent.glob("escaped.png"))
    assert [frame["name"] for frame in api("GET", f"tasks/{made['id']}/data/meta")[1]["frames"]] == ["escaped.png"]


def test_many_threads_annotate_at_once_and_nothing_is_lost(api):
    task, label = api.task()
    threads = [
        threading.Thread(target=api, args=("PATCH", f"tasks/{task}/annotations?action=create", {"shapes": [_box(label)]}))
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    shapes = api("GET", f"tasks/{task}/annotations")[1]["shapes"]
    assert len({shape["id"] for shape in shapes}) == 12


def test_work_is_done_after_a_while_even_if_nobody_polls(server, api):
    _, made, _ = api("POST", "projects", {"name": "quiet"})
    _, asked, _ = api("POST", f"projects/{made['id']}/backup/export")
    server.advance(5)
    api("GET", "tasks")
    assert server.state.works[asked["rq_id"]].status == "finished"


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"frame": "first"}, {"frame": ["A valid integer is required."]}),
        ({"points": [1, 2, "x", 4]}, {"points": {"2": ["A valid number is required."]}}),
        ({"rotation": "left"}, {"rotation": ["A valid number is required."]}),
    ],
)
def test_values_of_a_wrong_type_are_refused(api, changed, complaint):
    task, label = api.task()
    assert api("PUT", f"tasks/{task}/annotations", {"shapes": [{**_box(label), **changed}]})[:2] == (400, {"shapes": [complaint]})


def test_what_is_no_list_is_refused(api):
    task, _ = api.task()
    assert api("PUT", f"tasks/{task}/annotations", {"shapes": 5})[0] == 400
    assert api("PATCH", f"tasks/{task}/data/meta", {"deleted_frames": ["a"]})[0] == 400
