"""Checkpoints are written whole or not at all."""

import resource
import signal
from contextlib import contextmanager

import pytest
import torch

from burnish.errors import DataError
from burnish.train.checkpoint import read_checkpoint, save_checkpoint


@contextmanager
def no_room(most):
    """Let the operating system refuse every file above some bytes."""
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_no_room_is_told_and_the_earlier_checkpoint_stays(tmp_path):
    save_checkpoint(tmp_path / "last.pt", {"weights": torch.ones(3)})
    with no_room(50_000), pytest.raises(DataError, match=r"last\.pt cannot be written: File too large"):
        save_checkpoint(tmp_path / "last.pt", {"weights": torch.zeros(100_000)})
    assert read_checkpoint(tmp_path / "last.pt")["weights"].tolist() == [1, 1, 1]
    assert [path.name for path in tmp_path.iterdir()] == ["last.pt"]
