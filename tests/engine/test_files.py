import errno
import os
import subprocess
import sys
import time
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


KILLED = """
import os, signal, sys, time
from burnish.engine.files import atomic_folder
with atomic_folder(sys.argv[1]) as temporary:
    (temporary / "half.txt").write_text("half")
    print(temporary.name, flush=True)
    time.sleep(600)
"""


def test_what_a_killed_process_has_left_is_removed_and_what_another_one_fills_is_not(tmp_path):
    target, long_ago = tmp_path / "out [1]", time.time() - 3600
    working = [subprocess.Popen([sys.executable, "-c", KILLED, str(target)], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    left, kept = (tmp_path / process.stdout.readline().strip() for process in working)
    try:
        working[0].kill()
        working[0].wait()
        for folder in (left, kept):
            os.utime(folder, (long_ago, long_ago))
        with atomic_folder(target) as temporary:
            (temporary / "new.txt").write_text("new")
        assert not left.exists()
        assert (kept / "half.txt").read_text() == "half"
        assert [path.name for path in target.iterdir()] == ["new.txt"]
    finally:
        for process in working:
            process.kill()
            process.communicate()


def test_what_was_left_a_moment_ago_and_what_is_of_another_name_stays(tmp_path):
    fresh, other = tmp_path / ".out.abcdefgh.part", tmp_path / ".out.more.abcdefgh.part"
    for folder in (fresh, other):
        folder.mkdir()
    os.utime(other, (0, 0))
    with atomic_folder(tmp_path / "out"):
        pass
    assert fresh.is_dir()
    assert other.is_dir()


def test_a_full_disk_is_told_in_words(tmp_path):
    with pytest.raises(DataError, match=r"No space left to write .*Nothing is half written"), explained_os_errors(tmp_path / "big.bin"):
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_really_full_device_raises_the_same_error():
    with pytest.raises(DataError, match="No space left"), explained_os_errors(Path("/dev/full")), Path("/dev/full").open("w") as stream:
        stream.write("x" * 100_000)
