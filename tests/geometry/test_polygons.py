import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burnish.errors import DataError
from burnish.geometry import polygons

EXAMPLES = settings(max_examples=60, deadline=None, derandomize=True)

SQUARE = [[0, 0], [4, 0], [4, 4], [0, 4]]
HOLE = [[1, 1], [3, 1], [3, 3], [1, 3]]


def test_the_flat_list_survives_the_round_trip_with_its_parts():
    flat, counts = polygons.to_flat([SQUARE, HOLE[:3]])
    assert counts == [4, 3]
    again = polygons.from_flat(flat, counts)
    assert [ring.tolist() for ring in again] == [SQUARE, HOLE[:3]]


def test_no_parts_are_no_rings():
    assert polygons.from_flat([], []) == []
    assert [ring.shape for ring in polygons.from_flat([])] == [(0, 2)]


def test_an_odd_number_of_coordinates_is_refused():
    with pytest.raises(DataError, match="found 3 numbers, expected an even one"):
        polygons.from_flat([1, 2, 3])


def test_parts_that_do_not_add_up_are_refused():
    with pytest.raises(DataError, match="add up to 5, expected 4"):
        polygons.from_flat(np.zeros(8), [3, 2])


def test_clockwise_as_seen_is_positive():
    assert polygons.signed_area(SQUARE) == 16
    assert polygons.signed_area(SQUARE[::-1]) == -16


def test_many_rings_are_measured_at_once_even_empty_ones():
    points = np.concatenate([SQUARE, HOLE])
    assert polygons.signed_areas(points, [0, 4, 0, 4, 0]).tolist() == [0, 16, 0, 4, 0]
    assert polygons.signed_areas([], [0, 0]).tolist() == [0, 0]


@EXAMPLES
@given(st.floats(-1e7, 1e7), st.floats(-1e7, 1e7))
def test_area_does_not_lose_digits_far_from_the_origin(dx, dy):
    ring = np.array(SQUARE) + np.array([round(dx), round(dy)])
    assert polygons.signed_area(ring) == 16


def test_a_hole_is_taken_off_whichever_way_round_it_is():
    assert polygons.area([SQUARE, HOLE]) == 12
    assert polygons.area([HOLE[::-1], SQUARE]) == 12
    assert polygons.area([SQUARE, np.array(SQUARE) + 10]) == 32


def test_an_island_in_a_hole_counts_again():
    outer = np.array(SQUARE) * 10
    assert polygons.area([outer, np.array(HOLE) * 10, np.array([[15, 15], [25, 15], [25, 25], [15, 25]])]) == 1600 - 400 + 100


def test_the_centre_of_mass_minds_holes():
    assert polygons.centroid([SQUARE]).tolist() == [2, 2]
    assert np.allclose(polygons.centroid([SQUARE, [[0, 0], [2, 0], [2, 4], [0, 4]]]), [3, 2])


def test_the_centre_of_what_has_no_area_is_the_mean_of_its_vertices():
    assert polygons.centroid([[[0, 0], [4, 2]]]).tolist() == [2, 1]
    assert np.isnan(polygons.centroid([])).all()


def test_bounds_of_all_rings_or_none():
    assert polygons.bounds([SQUARE, np.array(HOLE) + 7]).tolist() == [[0, 0, 10, 10]]
    assert polygons.bounds([[]]).shape == (0, 4)


def test_points_in_a_hole_are_outside():
    assert polygons.contains([SQUARE, HOLE], [[0.5, 0.5], [2, 2], [9, 9]]).tolist() == [True, False, False]
    assert polygons.contains([], [[1, 1]]).tolist() == [False]


def test_repeated_vertices_are_dropped_also_across_the_end():
    ring = [[0, 0], [0, 0], [4, 0], [4, 4], [4, 4], [0, 0]]
    assert sorted(polygons.drop_repeats(ring).tolist()) == [[0, 0], [4, 0], [4, 4]]
    assert polygons.drop_repeats([[1, 1], [1, 1]]).tolist() == [[1, 1]]
    assert polygons.drop_repeats([]).shape == (0, 2)


def test_simplifying_by_nothing_drops_only_vertices_on_straight_lines():
    ring = [[0, 0], [1, 0], [2, 0], [4, 0], [4, 4], [2, 4], [0, 4], [0, 1]]
    assert sorted(polygons.simplify(ring, 0).tolist()) == sorted(SQUARE)


@EXAMPLES
@given(st.integers(0, 10_000), st.floats(0.1, 5))
def test_simplified_rings_stay_within_the_tolerance(seed, tolerance):
    random = np.random.default_rng(seed)
    angles = np.sort(random.uniform(0, 2 * np.pi, 40))
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=1) * random.uniform(20, 30, (40, 1))
    kept = polygons.simplify(ring, tolerance)
    rows = {tuple(row) for row in ring.tolist()}
    assert all(tuple(row) in rows for row in kept.tolist())
    assert len(kept) >= 3
    starts, ends = polygons.sides([kept])
    along = ends - starts
    for vertex in ring:
        share = np.clip(((vertex - starts) * along).sum(axis=1) / (along**2).sum(axis=1), 0, 1)
        assert np.hypot(*(starts + share[:, None] * along - vertex).T).min() <= tolerance + 1e-9


def test_simplifying_keeps_three_vertices_of_a_thin_ring():
    assert len(polygons.simplify([[0, 0], [10, 0.1], [20, 0], [10, -0.1]], 5)) == 3


def test_a_bow_tie_crosses_itself_and_a_square_does_not():
    assert polygons.self_intersects([[0, 0], [4, 4], [4, 0], [0, 4]])
    assert not polygons.self_intersects(SQUARE)
    assert not polygons.self_intersects([])


def test_touching_is_not_crossing():
    assert not polygons.self_intersects([[0, 0], [4, 0], [4, 4], [2, 0], [0, 4]])
