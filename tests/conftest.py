"""Builders and folders that many tests share."""

import gc
import os
from pathlib import Path

import pytest
from hypothesis import settings

# A test that passes today passes tomorrow, and on a slower machine.
settings.register_profile("same everywhere", deadline=None, derandomize=True)
settings.load_profile("same everywhere")

# As many tests run at once as there are cores, with their commands; threads of one would only wait for those of the others.
os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_collection_finish():
    """Thousands of collected tests live to the end: the collector need not look through them each time that a test calls it."""
    gc.collect()
    gc.freeze()


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
