import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from burnish.geometry import clipping, polygons, rasters

EXAMPLES = settings(max_examples=60, deadline=None, derandomize=True)


def star(seed, vertices=11):
    """A simple polygon with many notches around (30, 30)."""
    random = np.random.default_rng(seed)
    angles = np.sort(random.uniform(0, 2 * np.pi, vertices))
    return np.stack([np.cos(angles), np.sin(angles)], axis=1) * random.uniform(4, 28, (vertices, 1)) + 30


SEEDS = st.integers(0, 100_000)
CUTS = st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60), st.integers(0, 60)).map(
    lambda c: (min(c[0], c[2]), min(c[1], c[3]), max(c[0], c[2]) + 1, max(c[1], c[3]) + 1)
)


@EXAMPLES
@given(SEEDS, CUTS)
def test_the_clipped_polygon_covers_the_same_pixels_inside_the_box(seed, box):
    ring = star(seed)
    whole = rasters.fill([ring], 64, 64)
    x1, y1, x2, y2 = box
    expected = np.zeros_like(whole)
    expected[y1:y2, x1:x2] = whole[y1:y2, x1:x2]
    assert np.array_equal(rasters.fill(clipping.clip([ring], box), 64, 64), expected)


@EXAMPLES
@given(SEEDS, st.integers(1, 59), st.integers(1, 59))
def test_the_pieces_of_a_cut_polygon_add_up(seed, x, y):
    ring = star(seed)
    boxes = [(-99, -99, x, y), (x, -99, 99, y), (-99, y, x, 99), (x, y, 99, 99)]
    assert np.isclose(sum(polygons.area(clipping.clip([ring], box)) for box in boxes), abs(polygons.signed_area(ring)))


@EXAMPLES
@given(SEEDS, CUTS)
def test_clipping_twice_is_clipping_once(seed, box):
    once = clipping.clip([star(seed)], box)
    assert np.isclose(polygons.area(clipping.clip(once, box)), polygons.area(once))


@EXAMPLES
@given(SEEDS, CUTS)
def test_nothing_is_left_outside_the_box(seed, box):
    for ring in clipping.clip([star(seed)], box):
        assert (ring >= np.array(box[:2])).all()
        assert (ring <= np.array(box[2:])).all()


def test_a_polygon_inside_comes_back_as_it_was():
    ring = [[1, 1], [5, 1], [3, 4]]
    assert [kept.tolist() for kept in clipping.clip([ring], (0, 0, 9, 9))] == [ring]


def test_a_polygon_outside_leaves_nothing():
    assert clipping.clip([[[1, 1], [5, 1], [3, 4]]], (10, 10, 20, 20)) == []
    assert clipping.clip([], (0, 0, 1, 1)) == []


def test_a_polygon_that_only_touches_leaves_nothing():
    assert clipping.clip([[[0, 0], [4, 0], [4, 4], [0, 4]]], (4, 0, 8, 4)) == []


def test_a_u_falls_apart_into_two_rings():
    u = [[0, 0], [2, 0], [2, 8], [6, 8], [6, 0], [8, 0], [8, 10], [0, 10]]
    pieces = clipping.clip([u], (0, 0, 8, 5))
    assert sorted(polygons.bounds([piece]).tolist()[0] for piece in pieces) == [[0, 0, 2, 5], [6, 0, 8, 5]]


def test_a_hole_that_is_cut_open_becomes_part_of_the_outline():
    outer, hole = [[0, 0], [10, 0], [10, 10], [0, 10]], [[2, 2], [8, 2], [8, 8], [2, 8]]
    for inner in (hole, hole[::-1]):
        pieces = clipping.clip([outer, inner], (0, 0, 5, 10))
        assert len(pieces) == 1
        assert polygons.area(pieces) == 50 - 18
        assert not polygons.self_intersects(pieces[0])


def test_a_hole_inside_the_box_stays_a_hole():
    outer, hole = [[0, 0], [10, 0], [10, 10], [0, 10]], [[2, 2], [4, 2], [4, 4], [2, 4]]
    assert polygons.area(clipping.clip([outer, hole], (-5, -5, 6, 12))) == 60 - 4
