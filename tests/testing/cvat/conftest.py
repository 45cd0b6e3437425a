"""A running server, and the recorded exchanges where they are beside the checkout."""

from pathlib import Path

import pytest

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
