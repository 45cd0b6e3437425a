"""A running server, and the recorded exchanges where they are beside the checkout."""

import json
from http.client import HTTPConnection
from io import BytesIO
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from PIL import Image

pytest.importorskip("starlette", reason="the extra `cvat` is not installed")
pytest.importorskip("uvicorn", reason="the extra `cvat` is not installed")

RECORDINGS = Path(__file__).resolve().parents[4] / "shared" / "cvat-recordings"


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder of exchanges with a real CVAT server."""
    if not RECORDINGS.is_dir():
        pytest.skip("the recorded exchanges are not beside this checkout")
    return RECORDINGS


@pytest.fixture
def server():
    """A fresh server with an administrator and nobody else."""
    from burnish.testing.cvat import cvat_server  # noqa: PLC0415 - only after the skips above

    with cvat_server(users={"admin": "a password"}) as running:
        yield running


class Api:
    """Requests to a server, as one of its users or as nobody."""

    def __init__(self, server):
        self._address = urlsplit(server.url).netloc
        self.token = server.users["admin"].token

    def __call__(self, method, path, body=None, *, token=None, **headers):
        """Status, JSON (or bytes) and headers of an answer; a body is sent as JSON, or as it is where it is bytes."""
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
        if (key := self.token if token is None else token) and "Cookie" not in sent:
            sent["Authorization"] = f"Token {key}"
        connection = HTTPConnection(self._address, timeout=20)
        try:
            connection.request(method, "/api/" + path, content, sent)
            answer = connection.getresponse()
            found = answer.read()
            is_json = "json" in answer.headers.get("content-type", "")
            return answer.status, json.loads(found) if is_json and found else found, answer.headers
        finally:
            connection.close()

    def upload(self, task, *pictures):
        """Attach pictures (name to size) to a task and wait until they are taken in."""
        parts = [("image_quality", None, b"70")]
        for place, (name, size) in enumerate(pictures):
            buffer = BytesIO()
            Image.new("RGB", size, (10, 200, 30)).save(buffer, "PNG")
            parts.append((f"client_files[{place}]", name, buffer.getvalue()))
        content = b"".join(
            f'--x\r\nContent-Disposition: form-data; name="{field}"'.encode()
            + (f'; filename="{name}"' if name else "").encode()
            + b"\r\n\r\n"
            + value
            + b"\r\n"
            for field, name, value in parts
        )
        status, body, _ = self("POST", f"tasks/{task}/data", content + b"--x--\r\n", Content_Type="multipart/form-data; boundary=x")
        assert status == 202, body
        return self.wait(body["rq_id"])

    def wait(self, request):
        """Poll a background request until it is done."""
        for _ in range(20):
            status, body, _ = self("GET", f"requests/{quote(request)}")
            assert status == 200, body
            if body["status"] not in {"queued", "started"}:
                return body
        pytest.fail("the background request is never done")

    def task(self, *, frames=3, **fields):
        """A task with small pictures and the label `cat`; gives its number and the label's."""
        _, made, _ = self("POST", "tasks", {"name": "pets", "labels": [{"name": "cat"}], **fields})
        assert self.upload(made["id"], *((f"{number}.png", (32, 24)) for number in range(frames)))["status"] == "finished"
        _, labels, _ = self("GET", f"labels?task_id={made['id']}")
        return made["id"], labels["results"][0]["id"]


@pytest.fixture
def api(server):
    """Requests to a fresh server."""
    return Api(server)
