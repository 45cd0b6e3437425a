"""Memory that may still be taken."""

import os

from burnish.engine import memory
from burnish.engine.memory import available_memory, total_memory


def test_some_memory_is_available_and_no_more_than_the_machine_has():
    assert 0 < available_memory() <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def test_a_containers_limit_counts_and_files_that_are_merely_remembered_do_not(tmp_path, monkeypatch):
    for name, text in (("max", "5000\n"), ("current", "4000\n"), ("stat", "anon 100\ninactive_file 1500\n")):
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(memory, "_GROUPS", (tuple(str(tmp_path / name) for name in ("max", "current", "stat")),))
    assert available_memory() == 2500
    assert total_memory() == 5000
    (tmp_path / "max").write_text("max\n")
    assert available_memory() > 2500
    assert total_memory() == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
