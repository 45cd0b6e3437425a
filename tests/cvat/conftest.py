"""A running server, and who is logged in there."""

import pytest

pytest.importorskip("cvat_sdk", reason="the extra `cvat` is not installed")
pytest.importorskip("starlette", reason="the extra `cvat` is not installed")
pytest.importorskip("uvicorn", reason="the extra `cvat` is not installed")


@pytest.fixture
def server():
    """A fresh server with an administrator and an annotator."""
    from burnish.testing.cvat import cvat_server  # noqa: PLC0415 - only after the skips above

    with cvat_server(users={"admin": "a password", "ann": "another"}, polls=0) as running:
        yield running


@pytest.fixture(autouse=True)
def _nobody_else(monkeypatch, tmp_path):
    """No login and no cache of whoever runs the tests."""
    for name in ("CVAT_TOKEN", "CVAT_ACCESS_TOKEN", "CVAT_USERNAME", "CVAT_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("BURNISH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def login(server):
    """The administrator, logged in by a token."""
    from burnish.cvat.login import Login  # noqa: PLC0415 - likewise

    return Login(token=server.users["admin"].token)


@pytest.fixture
def connection(server, login):
    """The server, connected to."""
    from burnish.cvat.connection import connect  # noqa: PLC0415 - likewise

    return connect(server.url, login=login, sleep=lambda _: None)
