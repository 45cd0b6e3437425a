import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from burnish.data.schema import ANNOTATIONS
from burnish.data.windows import BOX, Window, resized, rotated_extent, shape_into, shape_out
from burnish.geometry import polygons, rle, rotated, tiles

SIZE = (60, 40)
WHOLE = Window(SIZE, SIZE, (0, 0, *SIZE))
HALF = Window(SIZE, (30, 20), (0, 0, 30, 20))
CORNER = Window(SIZE, SIZE, (0, 0, 30, 20))


def row(kind, box=None, **values):
    blank = {column.name: column.default for column in ANNOTATIONS}
    return {**blank, "kind": kind, **dict(zip(BOX, box or [None] * 4, strict=True)), **values}


def box_of(made):
    return [made[name] for name in BOX]


def polygon(points, parts=None):
    rings = polygons.from_flat(np.ravel(points).tolist(), parts)
    return row("polygon", polygons.bounds(rings)[0].tolist(), points=np.ravel(points).tolist(), parts=parts)


def windows_of(size, tile, scale=1.0):
    scaled = (round(size[0] * scale), round(size[1] * scale))
    return [Window(size, scaled, tuple(t)) for t in tiles.cut(*scaled, tile_width=tile[0], tile_height=tile[1]).tolist()]


def test_scaling_moves_everything_that_has_a_place():
    (box,) = shape_into(row("box", [10, 10, 30, 20], rotation=30.0), HALF)
    assert box_of(box) == [5, 5, 15, 10]
    assert box["rotation"] == 30
    (figure,) = shape_into(row("skeleton", [2, 4, 8, 12], points=[2, 4, 8, 12, 0, 0], visibility=[2, 1, 0]), HALF)
    assert figure["points"] == [1, 2, 4, 6, 0, 0]
    assert shape_into(row("tag"), HALF) == [{name: row("tag")[name] for name in box}]


def test_a_box_is_cut_at_the_edge_and_left_out_where_too_little_is_seen():
    assert box_of(shape_into(row("box", [20, 10, 40, 20]), CORNER)[0]) == [20, 10, 30, 20]
    assert shape_into(row("box", [24, 10, 40, 20]), CORNER) == []
    assert shape_into(row("box", [24, 10, 40, 20]), CORNER, 0.3) != []
    assert shape_into(row("box", [40, 30, 50, 35]), CORNER, 0.0) == []


def test_a_polygon_is_cut_exactly_and_may_fall_apart():
    fork = polygon([[20, 0], [40, 0], [40, 20], [20, 20], [20, 15], [35, 15], [35, 5], [20, 5]])
    (seen,) = shape_into(fork, CORNER, 0.0)
    assert seen["parts"] == [4, 4]
    assert polygons.area(polygons.from_flat(seen["points"], seen["parts"])) == pytest.approx(100)


def test_a_turned_box_keeps_its_turn_around_what_is_left_of_it():
    (seen,) = shape_into(row("box", [20, 5, 38, 15], rotation=45.0), CORNER, 0.1)
    assert seen["rotation"] == 45.0
    (around,) = rotated.bounds(rotated.from_boxes([box_of(seen)], 45.0))
    before = rotated.bounds(rotated.from_boxes([[20, 5, 38, 15]], 45.0))[0]
    assert around[0] == pytest.approx(before[0])


def test_an_ellipse_on_the_edge_becomes_a_polygon():
    (seen,) = shape_into(row("ellipse", [20, 0, 40, 20]), CORNER, 0.4)
    assert seen["kind"] == "polygon"
    assert polygons.area(polygons.from_flat(seen["points"], seen["parts"])) == pytest.approx(np.pi * 100 / 2, rel=0.01)


def test_a_polyline_falls_into_as_many_as_are_seen():
    seen = shape_into(row("polyline", [5, 5, 40, 15], points=[5, 5, 40, 5, 40, 15, 5, 15]), CORNER, 0.1)
    assert [s["points"] for s in seen] == [[5, 5, 30, 5], [30, 15, 5, 15]]


def test_keypoints_outside_are_no_longer_labelled():
    figure = row("skeleton", [10, 10, 50, 15], points=[10, 10, 20, 15, 50, 12], visibility=[2, 1, 2])
    (seen,) = shape_into(figure, CORNER)
    assert seen["visibility"] == [2, 1, 0]
    assert seen["points"] == [10, 10, 20, 15, 0, 0]
    assert box_of(seen) == [10, 10, 30, 15]


def test_points_outside_go():
    (seen,) = shape_into(row("points", [1, 1, 50, 9], points=[1, 1, 2, 9, 50, 5]), CORNER)
    assert seen["points"] == [1, 1, 2, 9]


def test_a_place_that_is_no_number_stays_on_whole_samples_and_is_seen_by_no_tile():
    broken = row("box", [float("nan"), 0, 1, 1])
    assert len(shape_into(broken, WHOLE)) == 1
    assert shape_into(broken, CORNER) == []


SIDES = st.floats(0, 1, allow_nan=False)


@st.composite
def boxes(draw):
    x1, x2 = sorted(draw(st.tuples(SIDES, SIDES)))
    y1, y2 = sorted(draw(st.tuples(SIDES, SIDES)))
    return [x1 * 60, y1 * 40, x2 * 60, y2 * 40]


@given(boxes(), st.floats(0, 359, allow_nan=False), st.sampled_from([0.5, 1.0, 1.7]))
def test_whole_samples_carry_shapes_there_and_back(box, turn, scale):
    window = Window(SIZE, (round(60 * scale), round(40 * scale)), (0, 0, round(60 * scale), round(40 * scale)))
    before = row("box", box, rotation=turn)
    (seen,) = shape_into(before, window)
    after = shape_out({**before, **seen}, window)
    assert box_of(after) == pytest.approx(box, abs=1e-9)
    assert after["rotation"] == turn


@given(st.lists(st.tuples(SIDES, SIDES), min_size=3, max_size=7), st.sampled_from([0.5, 1.0, 1.7]))
def test_tiles_that_do_not_overlap_show_the_area_of_a_polygon_once(points, scale):
    places = np.array(points) * SIZE
    around = places - places.mean(axis=0)
    # In the order of their directions the points make a polygon that does not cross itself.
    shape = polygon(places[np.argsort(np.arctan2(around[:, 1], around[:, 0]))])
    scaled = (round(60 * scale), round(40 * scale))
    halves = [Window(SIZE, scaled, (0, 0, scaled[0] // 2, scaled[1])), Window(SIZE, scaled, (scaled[0] // 2, 0, *scaled))]
    seen = [s for window in halves for s in shape_into(shape, window, 0.0)]
    area = sum(polygons.area(polygons.from_flat(s["points"], s["parts"])) for s in seen)
    stretch = scaled[0] * scaled[1] / (SIZE[0] * SIZE[1])
    assert area == pytest.approx(polygons.area(polygons.from_flat(shape["points"], None)) * stretch, abs=1e-6)


@given(st.integers(0, 2**20), st.integers(10, 30), st.integers(10, 30))
def test_masks_of_all_tiles_carried_home_make_up_the_mask(seed, width, height):
    mask = np.random.default_rng(seed).random((SIZE[1], SIZE[0])) < 0.2
    before = row("mask", mask=rle.compress(rle.encode(mask)))
    home = np.zeros_like(mask)
    for window in windows_of(SIZE, (width, height)):
        for seen in shape_into(before, window, 0.0):
            home |= rle.decode(rle.decompress(shape_out({**before, **seen}, window)["mask"]), SIZE[1], SIZE[0])
    assert (home == mask).all()


@given(st.lists(st.tuples(SIDES, SIDES), min_size=1, max_size=6), st.floats(-180, 360))
def test_the_box_of_a_turn_around_points_holds_them_all_and_touches_on_every_side(points, degrees):
    places = np.array(points) * 50
    box = rotated_extent(places, degrees)
    turn = np.radians(degrees)
    axes = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    centre = np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])
    inner = (places - centre) @ axes
    half = np.array([box[2] - box[0], box[3] - box[1]]) / 2
    assert np.abs(inner).max(axis=0) == pytest.approx(half, abs=1e-6)


def test_a_mask_shrinks_and_grows_by_the_centres_of_pixels():
    mask = np.zeros((4, 4), dtype=bool)
    mask[:2, :2] = True
    assert resized(mask, (2, 2)).tolist() == [[True, False], [False, False]]
    assert (resized(resized(mask, (8, 8)), (4, 4)) == mask).all()
