"""Locks between processes: exclusive while held, free when the holder dies."""

import subprocess
import sys
import textwrap
from contextlib import ExitStack

import pytest

from burnish.engine.locks import Presence, Slots, free_slots, locked, slot
from burnish.errors import ConfigError


def holder(folder, code):
    """A process that holds something until it is killed."""
    script = f"""
        import sys, time
        from pathlib import Path
        from burnish.engine.locks import *
        from burnish.engine.locks import Slots, slot, locked, Presence
        folder = Path({str(folder)!r})
        {code}:
            print("held", flush=True)
            time.sleep(60)
    """
    child = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "held\n"
    return child


def kill(child):
    child.kill()
    child.wait()
    child.stdout.close()


def test_a_lock_is_held_by_one_and_free_again_when_its_holder_is_killed(tmp_path):
    child = holder(tmp_path, 'with locked(folder / "a.lock")')
    with locked(tmp_path / "a.lock", wait_s=0) as held:
        assert not held
    kill(child)
    with locked(tmp_path / "a.lock", wait_s=0) as held:
        assert held


def test_a_lock_excludes_within_one_process_too(tmp_path):
    with locked(tmp_path / "deep" / "a.lock"), locked(tmp_path / "deep" / "a.lock", wait_s=0) as held:
        assert not held
    with locked(tmp_path / "deep" / "a.lock", wait_s=0) as held:
        assert held


def test_slots_are_given_until_none_is_left_and_a_killed_holder_frees_its_own(tmp_path):
    slots = Slots(tmp_path, 2)
    child = holder(tmp_path, "with slot(Slots(folder, 2))")
    with free_slots(slots, 5) as granted:
        assert granted == 1
    with slot(slots) as number, free_slots(slots, 5) as granted:
        assert number == 1
        assert granted == 0
    kill(child)
    with free_slots(slots, 5) as granted:
        assert granted == 2


def test_who_waits_for_a_slot_gets_one_when_it_is_freed(tmp_path):
    slots = Slots(tmp_path, 1)
    with ExitStack() as stack:
        stack.enter_context(slot(slots))
        begin = "from pathlib import Path; from burnish.engine.locks import Slots, slot"
        code = f"{begin}\nwith slot(Slots(Path({str(tmp_path)!r}), 1)): print('held')"
        child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(timeout=0.7)
    assert child.communicate(timeout=20)[0] == "held\n"


def test_who_is_present_knows_whether_others_are(tmp_path):
    first = Presence(tmp_path / "presence.lock")
    assert first.alone()
    second = Presence(tmp_path / "presence.lock")
    assert not first.alone()
    assert not second.alone()
    second.leave()
    assert first.alone()


def test_no_slots_are_an_error(tmp_path):
    with pytest.raises(ConfigError, match=r"0 slots.*at least one"):
        Slots(tmp_path, 0)
