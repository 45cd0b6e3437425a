"""Checkpoints are written whole or not at all."""

import re

import pytest
import torch
from disk_builders import no_room

from burnish.errors import DataError, WeightsError
from burnish.train.checkpoint import read_checkpoint, save_checkpoint


def test_no_room_is_told_and_the_earlier_checkpoint_stays(tmp_path):
    save_checkpoint(tmp_path / "last.pt", {"weights": torch.ones(3)})
    with no_room(50_000), pytest.raises(DataError, match=r"last\.pt cannot be written: File too large"):
        save_checkpoint(tmp_path / "last.pt", {"weights": torch.zeros(100_000)})
    assert read_checkpoint(tmp_path / "last.pt", remedy="")["weights"].tolist() == [1, 1, 1]
    assert [path.name for path in tmp_path.iterdir()] == ["last.pt"]


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda _: b"", "it is empty (0 bytes)"),
        (lambda _: b"hello there", "it holds text, not a checkpoint (11 bytes)"),
        (lambda whole: whole[:500], "it is cut short, damaged or no checkpoint (500 bytes)"),
        (lambda whole: whole[:-10], "it is cut short, damaged or no checkpoint ("),
        (lambda _: bytes(range(128, 256)), "it is cut short, damaged or no checkpoint (128 bytes)"),
        (lambda _: b"version https://git-lfs.github.com/spec/v1", "it is a Git LFS pointer"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_by_what_it_is_with_the_remedy(tmp_path, spoil, told):
    path = tmp_path / "best.pt"
    save_checkpoint(path, {"weights": torch.ones(300)})
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(WeightsError, match=rf"best\.pt cannot be read: {re.escape(told)}.*\. Train again\.$"):
        read_checkpoint(path, remedy="Train again.")


def test_a_file_that_holds_no_settings_is_no_checkpoint(tmp_path):
    torch.save([1, 2], tmp_path / "best.pt")
    with pytest.raises(WeightsError, match=r"holds a list; expected a checkpoint of a training\. Train again\.$"):
        read_checkpoint(tmp_path / "best.pt", remedy="Train again.")
