"""Repeated files: exactly as many samples as asked for, and back."""

import errno
import os
from pathlib import Path

import pytest

from burnish.balance.copies import RECORD, duplicate_files, made_copies, remove_copies
from burnish.errors import DataError


@pytest.fixture
def yolo(tmp_path):
    """Two pictures with labels, one of them with a name that needs care."""
    for folder, ending in (("images", ".jpg"), ("labels", ".txt")):
        (tmp_path / folder / "train").mkdir(parents=True)
        for name in ("a", "ü b"):
            (tmp_path / folder / "train" / f"{name}{ending}").write_text(name, encoding="utf-8")
    return tmp_path


def names(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


COPIES = {"images/train/a.jpg": 3, "images/train/ü b.jpg": 2}


@pytest.mark.parametrize("how", ["hard", "symbolic", "copy"])
def test_there_are_exactly_as_many_samples_as_copies(yolo, how):
    told = duplicate_files(yolo, COPIES, how)
    assert told.pictures == 3
    assert told.methods == {how: 6}
    assert names(yolo / "images/train") == ["a.jpg", "a_copy_1.jpg", "a_copy_2.jpg", "ü b.jpg", "ü b_copy_1.jpg"]
    assert names(yolo / "labels/train") == ["a.txt", "a_copy_1.txt", "a_copy_2.txt", "ü b.txt", "ü b_copy_1.txt"]
    assert (yolo / "labels/train/a_copy_2.txt").read_text("utf-8") == "a"


def test_hard_links_take_no_space(yolo):
    duplicate_files(yolo, COPIES)
    assert (yolo / "images/train/a.jpg").stat().st_nlink == 3


def test_all_ones_make_nothing(yolo):
    assert duplicate_files(yolo, dict.fromkeys(COPIES, 1)).pictures == 0
    assert names(yolo / "images/train") == ["a.jpg", "ü b.jpg"]
    assert not (yolo / "images/train" / RECORD).exists()


def test_a_second_run_replaces_the_copies_of_the_first(yolo):
    duplicate_files(yolo, COPIES)
    told = duplicate_files(yolo, {"images/train/a.jpg": 2})
    assert told.removed == 6
    assert names(yolo / "images/train") == ["a.jpg", "a_copy_1.jpg", "ü b.jpg"]


def test_copies_are_known_as_such(yolo):
    duplicate_files(yolo, COPIES)
    paths = [f"images/train/{name}" for name in names(yolo / "images/train")]
    assert made_copies(yolo, paths) == [path for path in paths if "_copy_" in path]


def test_undoing_leaves_what_was_there_before(yolo):
    duplicate_files(yolo, COPIES, "symbolic")
    assert remove_copies(yolo, COPIES) == 6
    assert names(yolo / "images/train") == ["a.jpg", "ü b.jpg"]
    assert names(yolo / "labels/train") == ["a.txt", "ü b.txt"]
    assert not (yolo / "images/train" / RECORD).exists()


def test_masks_are_repeated_with_their_pictures(yolo):
    (yolo / "masks/train").mkdir(parents=True)
    (yolo / "masks/train/a.png").write_bytes(b"mask")
    duplicate_files(yolo, {"images/train/a.jpg": 2})
    assert names(yolo / "masks/train") == ["a.png", "a_copy_1.png"]


@pytest.mark.parametrize(("refused", "reached"), [(("hardlink_to",), "symbolic"), (("hardlink_to", "symlink_to"), "copy")])
def test_where_links_cannot_be_made_the_next_kind_is_and_it_is_said(yolo, monkeypatch, refused, reached):
    def no(*_args, **_kwargs):
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    for name in refused:
        monkeypatch.setattr(Path, name, no)
    told = duplicate_files(yolo, COPIES)
    assert told.methods == {reached: 6}
    assert (yolo / "images/train/a_copy_1.jpg").read_text("utf-8") == "a"
    assert reached in str(told) or "copies" in str(told)


def test_a_missing_picture_stops_all_before_anything_is_made(yolo):
    with pytest.raises(DataError, match=r"1 of 2 pictures to repeat are not there: images/train/z.jpg. Nothing was changed"):
        duplicate_files(yolo, {"images/train/a.jpg": 2, "images/train/z.jpg": 2})
    assert names(yolo / "images/train") == ["a.jpg", "ü b.jpg"]


def test_a_foreign_file_is_not_replaced(yolo):
    (yolo / "images/train/a_copy_1.jpg").write_text("mine", encoding="utf-8")
    with pytest.raises(DataError, match="would replace files that are not ours"):
        duplicate_files(yolo, COPIES)
    assert (yolo / "images/train/a_copy_1.jpg").read_text("utf-8") == "mine"


def test_a_killed_run_can_be_undone(yolo, monkeypatch):
    made = []

    def stop(self, target):
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(self)
        os.link(target, self)

    monkeypatch.setattr(Path, "hardlink_to", stop)
    with pytest.raises(KeyboardInterrupt):
        duplicate_files(yolo, COPIES)
    monkeypatch.undo()
    assert remove_copies(yolo, COPIES) == 2
    assert names(yolo / "images/train") == ["a.jpg", "ü b.jpg"]


def test_a_broken_record_is_told(yolo):
    (yolo / "images/train" / RECORD).write_text("{}", encoding="utf-8")
    with pytest.raises(DataError, match="is no record of copies"):
        duplicate_files(yolo, COPIES)
