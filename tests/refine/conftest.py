"""What the tests of this room draw at random: always the same, so that a failure can be repeated."""

import numpy as np
import pytest


@pytest.fixture
def random():
    return np.random.default_rng(7)
