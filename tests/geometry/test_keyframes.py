"""Shapes between two key frames, beside a plain Python account of CVAT's matching."""

from itertools import pairwise
from math import hypot, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burnish.geometry.keyframes import Curves, morphed, moved, turned

numbers = st.integers(-40, 40).map(lambda n: n / 4)
corners = st.lists(st.tuples(numbers, numbers), min_size=1, max_size=6, unique=True)
weights = st.integers(1, 7).map(lambda n: n / 8)

often = settings(deadline=None)


def curve(*curves):
    return Curves(np.array([p for c in curves for p in c], dtype=np.float64).reshape(-1, 2), np.cumsum([0, *map(len, curves)]))


def split(found):
    return [found.points[a:b].tolist() for a, b in zip(found.starts, found.starts[1:], strict=False)]


def between(left, right, weight, *, closed):
    return split(morphed(curve(left), curve(right), [0], [weight], closed=[closed]))[0]


def distances(points):
    """Relative distance along the curve."""
    steps = [0.0]
    for one, two in pairwise(points):
        steps.append(steps[-1] + sqrt((two[0] - one[0]) ** 2 + (two[1] - one[1]) ** 2))
    return [step / steps[-1] if steps[-1] and place else 0.0 for place, step in enumerate(steps)]


def nearest(value, others):
    return min(range(len(others)), key=lambda place: abs(others[place] - value))


def links(left, right):
    """Which vertices on the right each one on the left goes to."""
    one, two = distances(left), distances(right)
    found = {i: [nearest(value, two)] for i, value in enumerate(one)}
    reached = {j for js in found.values() for j in js}
    for j, value in enumerate(two):
        if j not in reached:
            found[nearest(value, one)].append(j)
    return {i: sorted(js) for i, js in found.items()}


def length(points):
    return sum(sqrt((b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2) for a, b in pairwise(points))


def mean_of(one, two):
    return [(one[0] + two[0]) / 2, (one[1] + two[1]) / 2]


def thinned(points, reach):
    """Of vertices that were one on a side: ends stay, those nearer than `reach` to the one kept before fall together."""
    kept = [points[0]]
    for point in points[1:-1]:
        if hypot(point[0] - kept[-1][0], point[1] - kept[-1][1]) >= reach:
            kept.append(point)
    last = points[-1]
    if len(kept) == 1 and hypot(last[0] - kept[0][0], last[1] - kept[0][1]) < reach:
        return [mean_of(kept[0], last)]
    return [*kept, last]


def plain_morph(left, right, weight, *, closed):
    """The same in plain Python, one vertex after the other."""
    if closed:
        left, right = [*left, left[0]], [*right, right[0]]
    found = links(left, right)

    def at(i, j):
        return [left[i][0] + (right[j][0] - left[i][0]) * weight, left[i][1] + (right[j][1] - left[i][1]) * weight]

    drawn, i = [], 0
    while i < len(left):
        ends = found[i]
        if len(ends) > 1:
            drawn += thinned([at(i, j) for j in ends], length(right[ends[0] : ends[-1] + 1]) / (2 * (ends[-1] - ends[0] + 1)))
            i += 1
            continue
        stop = i
        while stop + 1 < len(left) and found[stop + 1] == ends:
            stop += 1
        run = [at(k, ends[0]) for k in range(i, stop + 1)]
        drawn += run if len(run) == 1 else thinned(run, length(left[i : stop + 1]) / (2 * len(run)))
        i = stop + 1
    return drawn[:-1] if closed else drawn


def long_enough(points):
    return len(points) > 1


@often
@given(corners.filter(long_enough), corners.filter(long_enough), weights, st.booleans())
def test_curves_are_matched_as_in_plain_python(left, right, weight, closed):
    found, expected = between(left, right, weight, closed=closed), plain_morph(left, right, weight, closed=closed)
    assert len(found) == len(expected)
    assert found == pytest.approx(np.array(expected), abs=1e-9)


@often
@given(st.lists(st.tuples(corners.filter(long_enough), corners.filter(long_enough), weights, st.booleans()), min_size=1, max_size=5))
def test_many_curves_at_once_are_each_as_they_are_alone(rows):
    found = morphed(
        curve(*(row[0] for row in rows)),
        curve(*(row[1] for row in rows)),
        list(range(len(rows))),
        [row[2] for row in rows],
        closed=[row[3] for row in rows],
    )
    assert split(found) == [between(left, right, weight, closed=closed) for left, right, weight, closed in rows]


@often
@given(corners.filter(lambda c: len(c) > 2), weights)
def test_a_polygon_that_does_not_change_stays(points, weight):
    assert between(points, points, weight, closed=True) == pytest.approx(np.array(points), abs=1e-9)


def test_a_shifted_polygon_moves_as_a_whole():
    square = [(0, 0), (4, 0), (4, 4), (0, 4)]
    assert between(square, [(x + 8, y + 2) for x, y in square], 0.25, closed=True) == [[2, 0.5], [6, 0.5], [6, 4.5], [2, 4.5]]


@often
@given(st.floats(0, 360, exclude_max=True), st.floats(0, 360, exclude_max=True), weights)
def test_turning_goes_the_shorter_way(left, right, weight):
    found = turned([left], [right], [weight])[0]
    assert 0 <= found <= 360
    way = abs((found - left + 180) % 360 - 180)
    assert way <= 180 * weight + 1e-6


def test_turning_passes_zero():
    assert turned([350.0, 10.0], [10.0, 350.0], [0.5, 0.25]).tolist() == [0.0, 5.0]


def test_a_half_turn_goes_by_one_degree_only_as_in_cvat():
    assert turned([0.0], [180.0], [0.5]).tolist() == [0.5]


def test_numbers_move_in_a_straight_line():
    assert moved([[0.0, 10.0]], [[4.0, 0.0]], [0.25]).tolist() == [[1.0, 7.5]]


def test_no_curves_give_none():
    found = morphed(curve(), curve(), [], [], closed=[])
    assert (found.points.shape, found.starts.tolist()) == ((0, 2), [0])
