import errno
from pathlib import Path

import pytest

from burnish.engine.files import atomic_folder, atomic_path, explained_os_errors, write_text
from burnish.errors import DataError


def test_a_file_appears_whole_and_leaves_nothing_beside_it(tmp_path):
    write_text(tmp_path / "новый" / "a.txt", "text\n")
    assert (tmp_path / "новый" / "a.txt").read_bytes() == b"text\n"
    assert [p.name for p in (tmp_path / "новый").iterdir()] == ["a.txt"]


def test_a_failed_write_leaves_the_old_file_as_it_was(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")

    def fail_in_the_middle():
        with atomic_path(target) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_in_the_middle()
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_new_file_gets_the_rights_of_any_new_file(tmp_path):
    write_text(tmp_path / "a.txt", "x")
    (tmp_path / "b.txt").write_text("x")
    assert (tmp_path / "a.txt").stat().st_mode == (tmp_path / "b.txt").stat().st_mode


def test_a_filled_folder_is_refused_and_force_replaces_it(tmp_path):
    target = tmp_path / "out"
    target.mkdir()
    (target / "mine.txt").write_text("precious")
    with pytest.raises(DataError, match="not empty"), atomic_folder(target):
        pass
    assert (target / "mine.txt").read_text() == "precious"
    with atomic_folder(target, force=True) as temporary:
        (temporary / "new.txt").write_text("new")
    assert [p.name for p in target.iterdir()] == ["new.txt"]


def test_a_full_disk_is_told_in_words(tmp_path):
    with pytest.raises(DataError, match=r"No space left to write .*Nothing is half written"), explained_os_errors(tmp_path / "big.bin"):
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_really_full_device_raises_the_same_error():
    with pytest.raises(DataError, match="No space left"), explained_os_errors(Path("/dev/full")), Path("/dev/full").open("w") as stream:
        stream.write("x" * 100_000)
