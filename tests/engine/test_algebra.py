import numpy as np
import pytest
from threadpoolctl import threadpool_info

from burnish.engine.algebra import single_threaded_algebra


def threads():
    np.ones((2, 2)) @ np.ones((2, 2))
    return {pool["filepath"]: pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_linear_algebra_takes_one_thread_within_and_what_it_took_before_afterwards():
    with single_threaded_algebra():
        pass
    before = threads()
    with single_threaded_algebra():
        assert set(threads().values()) == {1}
    assert threads() == before


def test_the_setting_is_given_back_after_an_error():
    before = threads()
    with pytest.raises(KeyError), single_threaded_algebra():
        raise KeyError
    assert threads() == before
