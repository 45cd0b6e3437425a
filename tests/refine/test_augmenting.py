import os
import subprocess
import sys

import numpy as np
import pytest

from burnish.refine.augmenting import Change, changed, drawn_change


def test_the_same_seed_and_name_give_the_same_change():
    assert [drawn_change(42, "1", n) for n in range(5)] == [drawn_change(42, "1", n) for n in range(5)]
    assert len({drawn_change(seed, "1", 0) for seed in range(20)}) > 3


def test_a_change_does_not_depend_on_the_seed_of_hashes():
    """Python draws another seed for the hashes of texts in each run."""
    program = "from burnish.refine.augmenting import drawn_change; print([drawn_change(42, 'pipe', n) for n in range(6)])"
    told = {
        subprocess.run(
            [sys.executable, "-c", program], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert told == {f"{[drawn_change(42, 'pipe', n) for n in range(6)]}\n"}


def test_all_three_kinds_come_and_angles_stay_within_15_degrees():
    drawn = [drawn_change(7, str(n), 0) for n in range(200)]
    kinds = [change.kind for change in drawn]
    assert min(kinds.count(kind) for kind in ("mirror", "upside_down", "turn")) > 40
    angles = [change.degrees for change in drawn if change.kind == "turn"]
    assert -15 <= min(angles) < -10
    assert 10 < max(angles) <= 15


@pytest.mark.parametrize("kind", ["mirror", "upside_down"])
def test_a_flip_undoes_itself(kind):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype(np.uint8)
    once = changed(pixels, Change(kind))
    assert not np.array_equal(once, pixels)
    assert np.array_equal(changed(once, Change(kind)), pixels)


def test_binary_and_class_masks_get_no_new_values():
    mask = np.zeros((30, 30), np.uint8)
    mask[5:15, 5:15], mask[15:25, 10:20] = 1, 7
    assert set(np.unique(changed(mask, Change("turn", 13.0), smooth=False))) == {0, 1, 7}
