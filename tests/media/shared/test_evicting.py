"""Old caches make room for a new one: only unused ones, the least recently used first, and no more than is needed."""

import os
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

from burnish.engine.locks import locked, shared
from burnish.engine.progress import Silent
from burnish.errors import DataError
from burnish.media.shared.budget import Budget
from burnish.media.shared.evicting import caches_beside, make_room
from burnish.media.shared.fields import Field
from burnish.media.shared.rows import Recipe, open_rows, read_row

FIELDS = {"picture": Field((64, 64, 3), is_picture=True)}
ROWS = 16
RAW = ROWS * (64 * 64 * 3 + 1)
ONE = 210_000  # bytes that one cache takes on the disk, with its blocks


class Told(Silent):
    """Progress of which the lines are kept."""

    def __init__(self):
        self.lines = []
        self.say = self.lines.append


def made(row):
    return {"picture": np.full((64, 64, 3), row, np.uint8)}


def opened(place, *, progress=None, **budget):
    recipe = Recipe([place / f"{row}.jpg" for row in range(ROWS)], FIELDS, made)
    return open_rows(recipe, place, Budget(memory=10**12, **budget), progress=progress or Silent())


def unused(place, *, days):
    """A cache that nobody has open, last used so many days ago."""
    rows = opened(place)
    rows.presence.leave()
    del rows
    moment = time.time() - 86400 * days
    os.utime(place / "used", (moment, moment))
    return place


@pytest.fixture
def three(tmp_path):
    return [unused(tmp_path / name, days=days) for name, days in (("b", 2), ("a", 9), ("c", 1))]


@pytest.mark.usefixtures("three")
def test_caches_are_listed_the_least_recently_used_first(tmp_path):
    (tmp_path / "slots").mkdir()
    found = caches_beside(tmp_path / "new")
    assert [cache.place.name for cache in found] == ["a", "b", "c"]
    assert all(RAW <= cache.nbytes <= ONE for cache in found)


def test_where_there_is_room_nothing_is_removed(tmp_path, three):
    opened(tmp_path / "new", disk=5 * ONE)
    assert all(place.is_dir() for place in three)


def test_as_many_go_as_are_needed_and_are_told_in_one_line(tmp_path, three):
    told = Told()
    rows = opened(tmp_path / "new", disk=3 * ONE, progress=told)
    assert rows.choice.keeping == "raw"
    assert [place.name for place in three if place.exists()] == ["b", "c"]
    assert len(told.lines) == 1
    assert "1 caches that nobody uses" in told.lines[0]
    assert told.lines[0].endswith(f"{tmp_path / 'a'}.")
    assert read_row(rows, 3)["picture"][0, 0, 0] == 3


def test_a_cache_that_somebody_uses_stays(tmp_path, three):
    used = opened(three[1])
    moment = time.time() - 86400 * 9
    os.utime(three[1] / "used", (moment, moment))
    opened(tmp_path / "new", disk=3 * ONE)
    assert [place.name for place in three if place.exists()] == ["a", "c"]
    assert read_row(used, 2)["picture"][0, 0, 0] == 2


def test_a_cache_that_another_process_uses_stays_and_goes_after_its_death(tmp_path, three):
    program = """
        import sys, time
        from pathlib import Path
        from burnish.engine.locks import Presence
        here = Presence(Path(sys.argv[1]) / "presence.lock")
        print("here", flush=True)
        time.sleep(60)
    """
    command = [sys.executable, "-c", textwrap.dedent(program), str(three[1])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "here\n"
        opened(tmp_path / "new", disk=3 * ONE).presence.leave()
        assert [place.name for place in three if place.exists()] == ["a", "c"]
        other.kill()
    opened(tmp_path / "newer", disk=3 * ONE)
    assert not three[1].exists()


def test_what_was_opened_lately_is_used_lately(tmp_path, three):
    opened(three[1]).presence.leave()
    opened(tmp_path / "new", disk=3 * ONE)
    assert [place.name for place in three if place.exists()] == ["a", "c"]


def test_where_even_without_them_there_is_no_room_all_stay(tmp_path, three):
    with pytest.raises(DataError, match="Free some space"):
        opened(tmp_path / "new", disk=RAW // 2, keeping="raw")
    assert all(place.is_dir() for place in three)


def test_caches_of_further_folders_go_too(tmp_path):
    other = unused(tmp_path / "other" / "cache" / "x", days=3)
    opened(tmp_path / "own" / "cache" / "new", disk=ONE + ONE // 2, further=(other.parent,))
    assert not other.exists()


def test_a_cache_that_is_being_opened_is_waited_for(tmp_path, three, monkeypatch):
    monkeypatch.setattr("burnish.media.shared.evicting._PATIENCE_S", 0.05)
    with shared(tmp_path / "opening.lock"):
        assert make_room(tmp_path / "new", [RAW], 0, progress=Silent()) == 0
    assert make_room(tmp_path / "new", [RAW], 0, progress=Silent()) > 0
    assert not three[1].exists()


def test_a_shared_lock_lets_others_share_it_and_nobody_have_it_alone(tmp_path):
    with shared(tmp_path / "l"), shared(tmp_path / "l"), locked(tmp_path / "l", wait_s=0) as held:
        assert not held
    with locked(tmp_path / "l", wait_s=0) as held:
        assert held
