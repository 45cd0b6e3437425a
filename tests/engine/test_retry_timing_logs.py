import io
import logging

import pytest

from burnish.engine.logs import start_logging
from burnish.engine.progress import Lines
from burnish.engine.retry import retried
from burnish.engine.timing import Stopwatch, duration_text


def test_a_passing_fault_is_tried_again_with_growing_pauses():
    pauses, left = [], [ConnectionError("a"), ConnectionError("b")]

    def action():
        if left:
            raise left.pop()
        return "done"

    assert retried(action, on=ConnectionError, sleep=pauses.append) == "done"
    assert pauses == [0.5, 1.0]


def test_the_last_fault_is_raised():
    with pytest.raises(ConnectionError):
        retried(lambda: (_ for _ in ()).throw(ConnectionError()), on=ConnectionError, tries=2, sleep=lambda _: None)


def test_an_unexpected_fault_is_raised_at_once():
    calls = []

    def action():
        calls.append(1)
        raise KeyError

    with pytest.raises(KeyError):
        retried(action, on=ConnectionError, sleep=lambda _: None)
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.416, "0.42 s"), (12.3, "12 s"), (59.7, "1 min 00 s"), (185, "3 min 05 s"), (7800, "2 h 10 min")]
)
def test_durations_read_as_people_say_them(seconds, text):
    assert duration_text(seconds) == text


def test_a_stopwatch_adds_up_repeats_of_a_part():
    watch = Stopwatch()
    for _ in range(2):
        with watch.part("reading"):
            pass
    assert list(watch.seconds) == ["reading"]


def test_a_log_file_holds_what_the_console_does_not_show(tmp_path, capsys):
    logger = start_logging("WARNING", tmp_path / "logs" / "run.log")
    logger.info("quiet news")
    logger.warning("loud news")
    start_logging()
    assert "quiet news" in (tmp_path / "logs" / "run.log").read_text()
    assert capsys.readouterr().err == "loud news\n"
    logging.getLogger("burnish").handlers.clear()


def test_progress_lines_tell_the_time_left():
    stream = io.StringIO()
    with Lines(stream, every_s=0).task("Decoding", 4) as advance:
        advance(1)
    first, last = stream.getvalue().splitlines()
    assert first.startswith("Decoding: 1 of 4 (25%), about ")
    assert last.startswith("Decoding: done in ")
