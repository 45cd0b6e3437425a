import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from moving import moving

from burnish.data.segments import fit_segments
from burnish.geometry import polygons, rasters, rle

SIZE = (80, 100)


def square(left, top, side, **more):
    points = [left, top, left + side, top, left + side, top + side, left, top + side]
    corners = {"x1": left, "y1": top, "x2": left + side, "y2": top + side}
    return {"frame": 0, "kind": "polygon", "points": [float(p) for p in points], **{k: float(v) for k, v in corners.items()}, **more}


def pixels(row):
    if row["kind"] == "polygon":
        return rasters.fill(polygons.from_flat(row["points"], row["parts"]), *SIZE)
    return rle.decode(rle.decompress(row["mask"]), *SIZE)


def seen(dataset):
    return [pixels(row) for row in dataset.annotations.iter_rows(named=True)]


def test_shapes_that_nobody_touches_stay_polygons():
    dataset = moving(1, [square(0, 0, 10), square(50, 10, 10)])
    assert fit_segments(dataset).annotations.equals(dataset.annotations)


def test_overlaps_are_divided_and_shapes_that_change_become_masks():
    made = fit_segments(moving(1, [square(0, 0, 10), square(6, 0, 10)]))
    assert made.annotations["kind"].to_list() == ["mask", "mask"]
    assert (np.sum(seen(made), axis=0) <= 1).all()
    assert made.annotations.select("x1", "x2").rows() == [(0.0, 8.0), (8.0, 16.0)]
    assert made.annotations["points"].to_list() == [None, None]


def test_a_frame_may_be_filled_to_the_last_pixel():
    made = fit_segments(moving(1, [square(0, 0, 10), square(60, 30, 10)]), fill=True)
    assert (np.sum(seen(made), axis=0) == 1).all()


def test_groups_are_joined_first_where_asked():
    rows = [square(0, 0, 10, group=2), square(5, 0, 10, group=2)]
    assert fit_segments(moving(1, rows)).annotations.height == 2
    assert fit_segments(moving(1, rows), fuse=True).annotations.height == 1


def test_frames_do_not_touch_each_other():
    dataset = moving(2, [square(0, 0, 10), {**square(5, 0, 10), "frame": 1}])
    assert fit_segments(dataset).annotations.equals(dataset.annotations)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 80), st.integers(0, 60), st.integers(1, 30)), max_size=5))
def test_no_pixel_lies_in_two_segments_and_none_is_lost(places):
    dataset = moving(1, [square(*place) for place in places])
    made = seen(fit_segments(dataset))
    blank = np.zeros(SIZE, dtype=int)
    assert (np.sum([blank, *made], axis=0) <= 1).all()
    assert np.array_equal(np.any([blank, *made], axis=0), np.any([blank, *seen(dataset)], axis=0))
