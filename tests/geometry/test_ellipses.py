import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from burnish.geometry import ellipses, polygons, rasters

EXAMPLES = settings(max_examples=40, deadline=None, derandomize=True)
ELLIPSES = st.tuples(st.floats(60, 70), st.floats(60, 70), st.floats(12, 50), st.floats(12, 50), st.floats(0, 180)).map(
    lambda row: np.array([row])
)


def test_cvats_points_are_positions_not_radii():
    found = ellipses.from_cvat([[216.5, 208, 252.5, 191.5]], 30)
    assert found.tolist() == [[216.5, 208, 36, 16.5, 30]]
    points, degrees = ellipses.to_cvat(found)
    assert points.tolist() == [[216.5, 208, 252.5, 191.5]]
    assert degrees.tolist() == [30]


@EXAMPLES
@given(ELLIPSES)
def test_the_polygon_of_an_ellipse_fills_its_area_and_bounds(ellipse):
    ring = ellipses.to_rings(ellipse, 720)[0]
    assert np.isclose(polygons.signed_area(ring), ellipses.area(ellipse)[0], rtol=1e-3)
    assert np.allclose(polygons.bounds([ring]), ellipses.bounds(ellipse), atol=0.01)


@EXAMPLES
@given(ELLIPSES)
def test_the_ellipse_of_an_ellipses_mask_is_itself(ellipse):
    mask = rasters.fill(ellipses.to_rings(ellipse, 360), 140, 140)
    found = ellipses.fit(mask)
    assert np.allclose(found[0, :2], ellipse[0, :2], atol=0.3)
    assert np.allclose(sorted(found[0, 2:4]), sorted(ellipse[0, 2:4]), atol=0.5)
    assert np.allclose(ellipses.bounds(found), ellipses.bounds(ellipse), atol=1.0)


def test_the_ellipse_inside_a_rotated_box():
    found = ellipses.fit_points([[0, 0], [10, 0], [10, 4], [0, 4]])
    assert np.allclose(found[0, :2], [5, 2])
    assert np.allclose(sorted(found[0, 2:4]), [2, 5])
    assert np.allclose(ellipses.box_around(found)[0, 2:4], 2 * found[0, 2:4])


def test_a_single_pixel_has_an_ellipse_and_an_empty_mask_none():
    assert np.allclose(ellipses.fit([[0, 1]])[0, :4], [1.5, 0.5, 1 / np.sqrt(3), 1 / np.sqrt(3)])
    assert ellipses.fit(np.zeros((3, 3), bool)).shape == (0, 5)
    assert ellipses.bounds([]).shape == (0, 4)
    assert ellipses.to_rings([]).shape == (0, 64, 2)
