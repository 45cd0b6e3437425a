import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from burnish.geometry import joining, polygons, rasters

EXAMPLES = settings(max_examples=60, deadline=None, derandomize=True)

SQUARE = np.array([[0, 0], [4, 0], [4, 4], [0, 4]], dtype=float)
MASKS = st.integers(0, 100_000).map(lambda seed: np.random.default_rng(seed).random((12, 14)) < 0.45)


def moved(dx, dy):
    return SQUARE + np.array([dx, dy])


def test_two_parts_become_one_ring_over_the_shortest_bridge():
    ring = joining.join([SQUARE, moved(6, 0)])
    assert len(ring) == 4 + 4 + 2
    lengths = np.hypot(*(ring - np.roll(ring, -1, axis=0)).T)
    assert sorted(lengths)[:2] == [2, 2]
    assert polygons.signed_area(ring) == 32


@EXAMPLES
@given(MASKS)
def test_a_joined_ring_covers_the_same_pixels(mask):
    rings = [ring for polygon in rasters.trace(mask, connectivity=4) for ring in polygon]
    joined = joining.join(rings)
    assert np.array_equal(rasters.fill([joined], *mask.shape), mask)
    assert polygons.signed_area(joined) == mask.sum()


def test_taken_apart_a_joined_ring_gives_back_its_parts_and_holes():
    parts = [SQUARE * 5, SQUARE + 3, moved(30, 2), moved(31, 20)]
    found = joining.split(joining.join(parts))
    assert sorted(sorted(ring.tolist()) for ring in found) == sorted(sorted(ring.tolist()) for ring in parts)
    assert polygons.area(found) == 400 - 16 + 16 + 16


@EXAMPLES
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=30, unique=True))
def test_any_number_of_parts_survives_the_round_trip(places):
    parts = [SQUARE + np.array(place) * 6 for place in places]
    found = joining.split(joining.join(parts))
    assert sorted(sorted(ring.tolist()) for ring in found) == sorted(sorted(ring.tolist()) for ring in parts)


def test_an_ordinary_ring_is_not_taken_apart():
    assert [ring.tolist() for ring in joining.split(SQUARE)] == [SQUARE.tolist()]


def test_a_thousand_parts_are_joined_without_recursion():
    parts = [moved(at * 6, 0) for at in range(1200)]
    assert polygons.signed_area(joining.join(parts)) == 1200 * 16


def test_nothing_joins_to_nothing():
    assert joining.join([]).shape == (0, 2)
    assert joining.join([[]]).shape == (0, 2)
    assert joining.split([]) == []
