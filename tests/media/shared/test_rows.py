"""Rows that processes share: made once, never half, and continued after any kill."""

import os
import pickle
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest

from burnish.engine.locks import Slots, locked
from burnish.engine.map import Engine
from burnish.errors import DataError
from burnish.media.shared.budget import Budget
from burnish.media.shared.fields import Field
from burnish.media.shared.files import READY, WAITING
from burnish.media.shared.rows import Recipe, fill_rows, open_rows, read_row, reasons
from burnish.media.unreadable import UnreadableImage

PICTURE = Field((8, 8, 3), is_picture=True)
FIELDS = {"picture": PICTURE, "number": Field((1,), "int32")}


def smooth(row):
    """A picture that JPEG keeps well."""
    return np.full((8, 8, 3), 10 * row, np.uint8) + np.arange(8, dtype=np.uint8)[:, None, None]


def recipe(folder, count=6, calls=None, fields=None, **changes):
    def make(row):
        if calls is not None:
            calls.append(row)
        if row == changes.get("unreadable"):
            raise UnreadableImage("3.jpg", "the file is empty")
        return {"picture": smooth(row), "number": np.array([row], np.int32)} | changes.get("arrays", {})

    return Recipe([folder / f"{row}.jpg" for row in range(count)], fields or FIELDS, make)


def test_a_row_is_made_when_it_is_first_read_and_never_again(tmp_path):
    calls = []
    for _ in range(2):
        rows = open_rows(recipe(tmp_path, calls=calls), tmp_path / "rows", Budget(keeping="raw"))
        for row in (4, 2, 4):
            np.testing.assert_array_equal(read_row(rows, row)["picture"], smooth(row))
            assert read_row(rows, row)["number"].tolist() == [row]
    assert calls == [4, 2]
    assert rows.state.tolist() == [0, 0, READY, 0, READY, 0]


@pytest.mark.parametrize("keeping", ["raw", "packed", "none"])
def test_however_rows_are_kept_they_say_the_same(tmp_path, keeping):
    rows = open_rows(recipe(tmp_path), tmp_path / "rows", Budget(keeping=keeping))
    for _ in range(2):
        for row in range(6):
            found = read_row(rows, row)
            assert np.abs(found["picture"].astype(int) - smooth(row)).max() <= (3 if keeping == "packed" else 0)
            assert found["number"].tolist() == [row]
            assert found["number"].dtype == np.int32


def test_the_first_reader_of_a_packed_row_gets_what_all_later_ones_get(tmp_path):
    noise = {"picture": np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)}
    rows = open_rows(recipe(tmp_path, arrays=noise), tmp_path / "rows", Budget(keeping="packed"))
    np.testing.assert_array_equal(read_row(rows, 0)["picture"], read_row(rows, 0)["picture"])


def test_packed_rows_for_which_there_is_no_room_are_made_each_time(tmp_path):
    calls = []
    rows = open_rows(recipe(tmp_path, calls=calls, fields={"picture": PICTURE, "number": Field((1,), "int32")}), tmp_path / "rows")
    assert rows.choice.keeping == "raw"
    place = tmp_path / "small"
    open_rows(recipe(tmp_path), place, Budget(keeping="packed"))
    (place / "limit.txt").write_text("1500")
    rows = open_rows(recipe(tmp_path, calls=calls), place)
    for _ in range(2):
        for row in range(6):
            np.testing.assert_allclose(read_row(rows, row)["picture"], smooth(row), atol=3)
    assert 6 < len(calls) < 12
    assert (place / "packs.bin").stat().st_size <= 1500


def test_an_unreadable_row_is_tried_once_and_says_why_each_time(tmp_path):
    calls = []
    for _ in range(2):
        rows = open_rows(recipe(tmp_path, calls=calls, unreadable=3), tmp_path / "rows")
        with pytest.raises(UnreadableImage, match=r"3\.jpg: the file is empty"):
            read_row(rows, 3)
    assert calls == [3]
    assert fill_rows(rows) == 5
    assert reasons(rows) == ("", "", "", "the file is empty", "", "")


def test_what_is_read_from_a_map_cannot_be_written_to(tmp_path):
    rows = open_rows(recipe(tmp_path), tmp_path / "rows")
    with pytest.raises(ValueError, match="read-only"):
        read_row(rows, 0)["picture"][0] = 1


@pytest.mark.parametrize(
    ("arrays", "told"),
    [
        ({"picture": np.zeros((8, 9, 3), np.uint8)}, r"Row 1: picture has shape \(8, 9, 3\).*expected \(8, 8, 3\) and uint8"),
        ({"picture": np.zeros((8, 8, 3))}, r"type float64; expected"),
        ({"other": np.zeros(3)}, r"made of \['number', 'other', 'picture'\]; expected \['number', 'picture'\]"),
    ],
)
def test_arrays_other_than_announced_are_refused_and_their_row_keeps_waiting(tmp_path, arrays, told):
    rows = open_rows(recipe(tmp_path, arrays=arrays), tmp_path / "rows")
    with pytest.raises(DataError, match=told):
        read_row(rows, 1)
    assert rows.state[1] == WAITING


def test_an_error_while_a_row_is_made_leaves_it_to_the_next(tmp_path):
    def interrupted(_row):
        raise KeyboardInterrupt

    rows = open_rows(Recipe(recipe(tmp_path).paths, FIELDS, interrupted), tmp_path / "rows")
    with pytest.raises(KeyboardInterrupt):
        read_row(rows, 0)
    again = open_rows(recipe(tmp_path), tmp_path / "rows")
    np.testing.assert_array_equal(read_row(again, 0)["picture"], smooth(0))


def test_threads_that_read_the_same_row_at_once_make_it_once(tmp_path):
    calls = []

    def slow(row):
        calls.append(row)
        time.sleep(0.05)
        return {"picture": smooth(row), "number": np.array([row], np.int32)}

    rows = open_rows(Recipe(recipe(tmp_path).paths, FIELDS, slow), tmp_path / "rows")
    threads = [threading.Thread(target=read_row, args=(rows, 2)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls == [2]


def test_filling_passes_over_rows_that_another_makes_and_waits_for_them_last(tmp_path):
    rows = open_rows(recipe(tmp_path), tmp_path / "rows")
    order = []

    def make(row):
        order.append(row)
        if len(order) == 5:  # all others are done: the other one gives up its row
            stack.__exit__(None, None, None)
        return {"picture": smooth(row), "number": np.array([row], np.int32)}

    stack = locked(tmp_path / "rows" / "locks" / "1.lock")
    stack.__enter__()
    rows = open_rows(Recipe(rows.recipe.paths, FIELDS, make), tmp_path / "rows")
    assert fill_rows(rows, engine=Engine(1)) == 6
    assert order == [0, 2, 3, 4, 5, 1]
    assert (tmp_path / "rows" / "settled").exists()


def test_rows_that_travel_to_another_process_open_the_same_files(tmp_path):
    rows = open_rows(Recipe([tmp_path / "a"], {"number": Field((1,), "int32")}, made_of_row), tmp_path / "rows")
    read_row(rows, 0)
    data = pickle.dumps(rows)
    assert len(data) < 1000
    other = pickle.loads(data)  # noqa: S301 - our own bytes
    assert read_row(other, 0)["number"].tolist() == [0]
    assert other.state.tolist() == [READY]


def made_of_row(row):
    return {"number": np.array([row], np.int32)}


@pytest.mark.parametrize("keeping", ["raw", "packed"])
def test_a_row_whose_lock_a_stopped_process_holds_is_made_beside_it_after_a_while(tmp_path, monkeypatch, keeping):
    monkeypatch.setattr("burnish.media.shared.rows._PATIENCE_S", 0.05)
    rows = open_rows(recipe(tmp_path), tmp_path / "rows", Budget(keeping=keeping))
    with locked(tmp_path / "rows" / "locks" / "2.lock"):
        beside = read_row(rows, 2)["picture"]
    assert rows.state[2] == WAITING
    np.testing.assert_array_equal(read_row(rows, 2)["picture"], beside)
    assert rows.state[2] == READY


def test_rows_that_are_kept_in_another_way_than_asked_for_are_told(tmp_path):
    open_rows(recipe(tmp_path), tmp_path / "rows", Budget(keeping="packed"))
    with pytest.raises(DataError, match=r"keeps its rows packed, and raw is asked for.*delete that folder"):
        open_rows(recipe(tmp_path), tmp_path / "rows", Budget(keeping="raw"))
    assert open_rows(recipe(tmp_path), tmp_path / "rows", Budget(keeping="none")).choice.keeping == "none"


def test_no_more_rows_are_made_at_one_time_than_there_are_slots(tmp_path):
    at_work, most = [], []

    def make(row):
        at_work.append(row)
        most.append(len(at_work))
        time.sleep(0.01)
        at_work.remove(row)
        return {"number": np.array([row], np.int32)}

    paths = [tmp_path / str(row) for row in range(12)]
    limited = Recipe(paths, {"number": Field((1,), "int32")}, make, Slots(tmp_path / "slots", 2))
    assert fill_rows(open_rows(limited, tmp_path / "rows"), engine=Engine(6)) == 12
    assert max(most) == 2


FILLER = """
    import os, sys, time
    from pathlib import Path
    import numpy as np
    from burnish.media.shared.budget import Budget
    from burnish.media.shared.fields import Field
    from burnish.media.shared.rows import Recipe, fill_rows, open_rows
    folder, keeping = Path(sys.argv[1]), sys.argv[2]

    def make(row):
        with (folder / "calls").open("a") as stream:
            stream.write(f"{row}\\n")
        time.sleep(0.01)
        return {"picture": np.full((64, 64, 3), row, np.uint8)}

    fields = {"picture": Field((64, 64, 3), is_picture=True)}
    rows = open_rows(Recipe([folder / str(row) for row in range(60)], fields, make), folder / "rows", Budget(keeping=keeping))
    print("begun", flush=True)
    fill_rows(rows)
"""


def filler(folder, keeping):
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(FILLER), str(folder), keeping], stdout=subprocess.PIPE, text=True)


def finished(child):
    child.communicate(timeout=60)
    return child.returncode


@pytest.mark.parametrize("keeping", ["raw", "packed"])
def test_processes_fill_together_each_row_once(tmp_path, keeping):
    children = [filler(tmp_path, keeping) for _ in range(3)]
    assert [finished(child) for child in children] == [0, 0, 0]
    assert sorted(map(int, (tmp_path / "calls").read_text().split())) == list(range(60))
    check_sixty(tmp_path)


@pytest.mark.parametrize("keeping", ["raw", "packed"])
def test_after_a_kill_the_rest_is_made_and_nothing_is_half(tmp_path, keeping):
    child = filler(tmp_path, keeping)
    assert child.stdout.readline() == "begun\n"
    while not (tmp_path / "calls").exists() or len((tmp_path / "calls").read_text().split()) < 20:
        time.sleep(0.005)
    child.kill()
    assert finished(child) < 0
    assert finished(filler(tmp_path, keeping)) == 0
    assert 60 <= len((tmp_path / "calls").read_text().split()) <= 60 + os.cpu_count()  # what was under way is made again, nothing else
    check_sixty(tmp_path)


def check_sixty(folder):
    def never(row):
        raise AssertionError(row)

    fields = {"picture": Field((64, 64, 3), is_picture=True)}
    rows = open_rows(Recipe([folder / str(row) for row in range(60)], fields, never), folder / "rows")
    for row in range(60):
        np.testing.assert_allclose(read_row(rows, row)["picture"], np.full((64, 64, 3), row), atol=1)


def test_after_a_crash_of_the_machine_unsettled_rows_are_made_again(tmp_path):
    calls = []
    rows = open_rows(recipe(tmp_path, calls=calls), tmp_path / "rows")
    read_row(rows, 0)
    del rows
    (tmp_path / "rows" / "boot").write_text("before the crash")
    rows = open_rows(recipe(tmp_path, calls=calls), tmp_path / "rows")
    assert not rows.state.any()
    fill_rows(rows)
    del rows
    (tmp_path / "rows" / "boot").write_text("before another crash")
    rows = open_rows(recipe(tmp_path, calls=calls), tmp_path / "rows")
    assert rows.state.all()  # all was on the disk
    assert len(calls) == 7
