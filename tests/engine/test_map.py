import operator
import time
from contextlib import contextmanager

import pytest

from burnish.engine.map import Engine, ordered_map
from burnish.errors import ConfigError


def _double(number):
    return number * 2


@pytest.mark.parametrize("jobs", [1, 2, 4])
@pytest.mark.parametrize("workers", ["threads", "processes"])
def test_results_come_in_the_order_of_the_items(jobs, workers):
    assert list(ordered_map(operator.neg, range(30), engine=Engine(jobs), workers=workers)) == [-n for n in range(30)]


def test_slow_first_items_do_not_change_the_order():
    def wait(seconds):
        time.sleep(seconds)
        return seconds

    assert list(ordered_map(wait, [0.05, 0.0, 0.02, 0.0], engine=Engine(4))) == [0.05, 0.0, 0.02, 0.0]


def test_an_endless_input_is_read_only_as_far_as_needed():
    asked = []

    def numbers():
        number = 0
        while True:
            asked.append(number)
            yield number
            number += 1

    results = ordered_map(_double, numbers(), engine=Engine(2))
    assert [next(results) for _ in range(5)] == [0, 2, 4, 6, 8]
    results.close()
    assert len(asked) < 30


def test_an_error_comes_at_the_place_of_its_item():
    def fail_at_three(number):
        if number == 3:
            raise ValueError("three")
        return number

    results = ordered_map(fail_at_three, range(10), engine=Engine(2))
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="three"):
        next(results)


def test_progress_hears_of_every_item():
    heard = []

    class Listener:
        def task(self, label, total=None):
            @contextmanager
            def task():
                heard.append((label, total))
                yield heard.append

            return task()

        def say(self, text):
            heard.append(text)

    list(ordered_map(_double, [1, 2, 3], engine=Engine(2), progress=Listener(), label="doubling"))
    assert heard == [("doubling", 3), 1, 1, 1]


def test_a_negative_number_of_workers_is_refused():
    with pytest.raises(ConfigError, match="jobs is -1"):
        Engine(-1)
