"""Checkpoints are written whole or not at all."""

import pytest
import torch
from disk_builders import no_room

from burnish.errors import DataError
from burnish.train.checkpoint import read_checkpoint, save_checkpoint


def test_no_room_is_told_and_the_earlier_checkpoint_stays(tmp_path):
    save_checkpoint(tmp_path / "last.pt", {"weights": torch.ones(3)})
    with no_room(50_000), pytest.raises(DataError, match=r"last\.pt cannot be written: File too large"):
        save_checkpoint(tmp_path / "last.pt", {"weights": torch.zeros(100_000)})
    assert read_checkpoint(tmp_path / "last.pt")["weights"].tolist() == [1, 1, 1]
    assert [path.name for path in tmp_path.iterdir()] == ["last.pt"]
