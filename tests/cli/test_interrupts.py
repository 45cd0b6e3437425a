"""Work that is stopped half way: nothing is half written, and the same command goes on where it was."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
from builders import boxes_dataset, labels_folder

from burnish.engine.files import explained_os_errors
from burnish.errors import DataError
from burnish.formats.recognise import write_dataset

AUDIT = ["audit", "cells", "--model", "patches", "--repeats", "30", "--folds", "5", "--size", "16", "--jobs", "1", "--out", "out"]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}
# A shell starts background work with Ctrl-C turned off, and a test run may be such work.
PROGRAM = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from burnish.cli.app import main; main()"
FOLDS = 150
PATIENCE_S = 120


def start(folder: Path, *tokens: str) -> subprocess.Popen[str]:
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-c", PROGRAM, *tokens], cwd=folder, env=ENVIRONMENT, **pipes)


def finish(folder: Path, *tokens: str, program: str = PROGRAM) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", program, *tokens]
    return subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=PATIENCE_S)


def finished_folds(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (folder / "out/work/folds").glob("*/*.npz")}


def stopped_among_the_folds(folder: Path, how: signal.Signals) -> tuple[int, str]:
    """Start the audit, stop it when a few folds are finished, and give its exit code and what it told."""
    process = start(folder, *AUDIT)
    until = time.monotonic() + PATIENCE_S
    while len(finished_folds(folder)) < 3:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until, "no fold was finished in time"
        time.sleep(0.002)
    process.send_signal(how)
    told = process.communicate(timeout=PATIENCE_S)[1]
    return process.returncode, told


def make_cells(folder: Path) -> Path:
    return labels_folder(folder / "cells", ["red", "blue", "green"] * 8, wrong={3: "blue", 7: "red"})


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """The labels table and the corrected labels of a run that nothing stopped."""
    folder = tmp_path_factory.mktemp("unbroken")
    make_cells(folder)
    said = finish(folder, *AUDIT)
    assert said.returncode == 0, said.stderr
    return pl.read_parquet(folder / "out/labels.parquet"), (folder / "cells/corrected_labels.jsonl").read_bytes()


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_a_stopped_audit_continues_among_its_folds_and_ends_as_if_unbroken(tmp_path, unbroken, how, code):
    cells = make_cells(tmp_path)
    before = {path: path.read_bytes() for path in cells.rglob("*") if path.is_file()}
    ended, told = stopped_among_the_folds(tmp_path, how)
    assert ended == code
    if how is signal.SIGINT:
        assert told.endswith("Stopped: What was finished is kept. The same command continues from there.\n")
        assert "Traceback" not in told
    assert {path: path.read_bytes() for path in cells.rglob("*") if path.is_file()} == before
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["work"]

    kept = finished_folds(tmp_path)
    assert 3 <= len(kept) < FOLDS
    again = finish(tmp_path, *AUDIT)
    assert again.returncode == 0, again.stderr
    after = finished_folds(tmp_path)
    assert len(after) == FOLDS
    assert {name: after[name] for name in kept} == kept
    assert pl.read_parquet(tmp_path / "out/labels.parquet").equals(unbroken[0])
    assert (cells / "corrected_labels.jsonl").read_bytes() == unbroken[1]


def limited(limit: int) -> str:
    """A program that may write no file larger than some bytes, as on a disk that is full."""
    return f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit})); {PROGRAM}"


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="needs a limit on the size of files")
def test_a_disk_that_takes_no_more_ends_in_words_and_leaves_nothing_half_written(tmp_path):
    write_dataset(boxes_dataset(tmp_path / "made", 3), tmp_path / "boxes", "coco")
    said = finish(tmp_path, "convert", "boxes", "out", "--to", "coco", program=limited(300))
    assert said.returncode == 3
    assert said.stdout == ""
    assert said.stderr.startswith("Data (DataError): out cannot be written: File too large.")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["boxes", "made"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("write", [lambda path: path.write_bytes(b"x"), lambda path: pl.DataFrame({"a": [1]}).write_parquet(path)])
def test_a_full_disk_is_told_whatever_library_meets_it(write):
    told = r"No space left to write /dev/full \([\d,]+ MB free\)\. Nothing is half written"
    with pytest.raises(DataError, match=told), explained_os_errors(Path("/dev/full")):
        write(Path("/dev/full"))


@pytest.mark.parametrize("tokens", [("check", "cells"), ("stats", "cells", "--json")])
def test_a_reader_that_leaves_early_is_no_error(tmp_path, tokens):
    make_cells(tmp_path)
    process = start(tmp_path, *tokens)
    process.stdout.close()
    told = process.stderr.read()
    assert process.wait(PATIENCE_S) == 0
    process.stderr.close()
    assert "Traceback" not in told
    assert "BrokenPipe" not in told
    assert "Exception ignored" not in told


def test_json_is_all_that_goes_to_standard_output(tmp_path):
    make_cells(tmp_path)
    said = finish(tmp_path, "dedupe", "cells", "--json")
    assert json.loads(said.stdout)["pictures"] == 24
    assert "hashing pictures" in said.stderr.lower()
