"""Builders and folders that many tests share."""

from pathlib import Path

import pytest
from hypothesis import settings

# A test that passes today passes tomorrow, and on a slower machine.
settings.register_profile("same everywhere", deadline=None, derandomize=True)
settings.load_profile("same everywhere")

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the checkout; tests that want it skip where it is missing."""
    folder = SHARED / "data"
    if not folder.is_dir():
        pytest.skip("the shared data folder is not beside this checkout")
    return folder


@pytest.fixture(scope="session")
def backups() -> Path:
    """The folder of backups that a CVAT server made; tests that want it skip where it is missing."""
    folder = SHARED / "cvat-recordings" / "bodies"
    if not folder.is_dir():
        pytest.skip("the recordings of a CVAT server are not beside this checkout")
    return folder
