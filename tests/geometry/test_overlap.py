import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco

from burnish.errors import DataError
from burnish.geometry import boxes, masks, overlap, rasters, rle, rotated

EXAMPLES = settings(max_examples=60, deadline=None, derandomize=True)
BOXES = st.integers(0, 8).flatmap(
    lambda count: hnp.arrays(np.float64, (count, 4), elements=st.floats(-50, 50).map(lambda value: round(value, 2)))
)
MEASURES = st.sampled_from(["iou", "dice", "smaller"])


def stack(seed, count, height=17, width=13):
    random = np.random.default_rng(seed)
    return random.random((count, height, width)) < random.random((count, 1, 1))


@EXAMPLES
@given(BOXES, BOXES, MEASURES)
def test_overlap_is_symmetric_and_from_0_to_1(one, two, measure):
    values = overlap.box_overlaps(one, two, measure=measure)
    assert values.shape == (len(one), len(two))
    assert ((values >= 0) & (values <= 1)).all()
    assert np.array_equal(values.T, overlap.box_overlaps(two, one, measure=measure))


@EXAMPLES
@given(BOXES.map(boxes.straighten), BOXES.map(boxes.straighten), st.booleans())
def test_box_overlap_is_cocos_also_with_crowds(one, two, crowd):
    expected = np.zeros((len(one), len(two)))
    if len(one) and len(two):
        expected = coco.iou(boxes.to_xywh(one), boxes.to_xywh(two), [crowd] * len(two))
    found = overlap.box_overlaps(one, two, crowd=[crowd] * len(two))
    # Where a divisor is zero theirs is NaN.
    assert np.allclose(found, np.nan_to_num(expected), atol=1e-9)


def test_each_measure_divides_by_what_it_says():
    one, two = [[0, 0, 4, 2]], [[2, 0, 4, 4]]
    values = {measure: overlap.box_overlaps(one, two, measure=measure)[0, 0] for measure in ("iou", "dice", "smaller", "first")}
    assert values == {"iou": 4 / 12, "dice": 4 / 8, "smaller": 4 / 8, "first": 4 / 8}
    assert overlap.box_overlaps([[0, 0, 2, 2]], [[0, 0, 4, 4]], measure="smaller")[0, 0] == 1


def test_two_empty_things_overlap_by_nothing_without_a_warning():
    point = [[3, 3, 3, 3]]
    for measure in ("iou", "dice", "smaller", "first"):
        assert overlap.box_overlaps(point, point, measure=measure).tolist() == [[0]]
    assert overlap.box_giou(point, point).tolist() == [[0]]
    empty = np.zeros((4, 4), dtype=bool)
    assert overlap.mask_overlaps([empty], [empty]).tolist() == [[0]]
    assert overlap.rotated_overlaps([[1, 1, 0, 0, 9]], [[1, 1, 0, 0, 9]]).tolist() == [[0]]


def test_an_unknown_measure_is_named():
    with pytest.raises(DataError, match="found 'jaccard', expected one of iou, dice, smaller, first"):
        overlap.box_overlaps([], [], measure="jaccard")


def test_boxes_that_are_not_finite_are_refused_with_their_rows():
    with pytest.raises(DataError, match=r"first: found NaN or infinity in 1 rows \(1\)"):
        overlap.box_overlaps([[0, 0, 1, 1], [0, 0, np.nan, 1]], [[0, 0, 1, 1]])


def test_generalised_iou_falls_below_zero_with_distance():
    values = overlap.box_giou([[0, 0, 1, 1]], [[0, 0, 1, 1], [1, 0, 2, 1], [9, 0, 10, 1]])[0]
    assert np.allclose(values, [1, 0, -0.8])


@EXAMPLES
@given(BOXES, BOXES, st.sampled_from([0.0, 0.1, 0.5]), MEASURES)
def test_the_pairs_are_those_of_the_matrix_over_the_threshold(one, two, above, measure):
    matrix = overlap.box_overlaps(one, two, measure=measure)
    rows, columns, values = overlap.box_pairs(one, two, above=above, measure=measure)
    expected = np.nonzero(matrix > above)
    assert rows.tolist() == expected[0].tolist()
    assert columns.tolist() == expected[1].tolist()
    assert np.array_equal(values, matrix[expected])


def test_pairs_are_found_across_many_blocks(random, monkeypatch):
    monkeypatch.setattr(overlap, "_BLOCK", 50)
    array = boxes.from_cxcywh(random.uniform(1, 30, (60, 4)))
    matrix = overlap.box_overlaps(array, array)
    rows, columns, _ = overlap.box_pairs(array, array, above=0.3)
    assert np.array_equal(np.stack([rows, columns]), np.nonzero(matrix > 0.3))


def test_a_threshold_below_zero_would_list_every_pair():
    with pytest.raises(DataError, match="above: found -1"):
        overlap.box_pairs([], [], above=-1)


@EXAMPLES
@given(st.integers(0, 1000), st.integers(0, 4), st.integers(0, 4), MEASURES)
def test_mask_overlap_counts_pixels(seed, n, m, measure):
    one, two = stack(seed, n), stack(seed + 1, m)
    expected = np.zeros((n, m))
    for row in range(n):
        for column in range(m):
            common, a, b = (one[row] & two[column]).sum(), one[row].sum(), two[column].sum()
            whole = {"iou": a + b - common, "dice": (a + b) / 2, "smaller": min(a, b)}[measure]
            expected[row, column] = common / whole if whole else 0
    assert np.allclose(overlap.mask_overlaps(list(one), list(two), measure=measure), expected)


@EXAMPLES
@given(st.integers(0, 1000), st.booleans())
def test_mask_overlap_is_cocos_on_run_lengths(seed, crowd):
    one, two = stack(seed, 3), stack(seed + 1, 4)
    theirs = [[coco.encode(np.asfortranarray(mask.astype(np.uint8))) for mask in group] for group in (one, two)]
    mine = [[rle.encode(mask) for mask in group] for group in (one, two)]
    expected = coco.iou(*theirs, [crowd] * 4)
    assert np.allclose(overlap.mask_overlaps(*mine, height=17, crowd=[crowd] * 4), np.nan_to_num(expected))


def test_run_lengths_need_the_height_of_their_picture():
    with pytest.raises(DataError, match=r"Give height="):
        overlap.mask_overlaps([np.array([6], dtype=np.uint32)], [])


def test_masks_of_two_pictures_are_refused():
    with pytest.raises(DataError, match="masks of one picture"):
        overlap.mask_overlaps([np.zeros((2, 3), bool)], [np.zeros((3, 2), bool)])
    with pytest.raises(DataError, match="masks of one picture"):
        overlap.mask_overlaps([np.array([6])], [np.array([8])], height=2)


def test_boundary_overlap_sees_an_error_that_mask_overlap_hides():
    mask = np.zeros((200, 200), dtype=bool)
    mask[20:180, 20:180] = True
    grown = masks.dilate(mask, 3)
    assert overlap.mask_overlaps([mask], [grown])[0, 0] > 0.9
    assert overlap.boundary_overlaps([mask], [grown])[0, 0] < 0.5
    assert overlap.boundary_overlaps([mask], [mask])[0, 0] == 1


@EXAMPLES
@given(st.integers(0, 1000))
def test_rotated_overlap_is_that_of_the_filled_polygons(seed):
    random = np.random.default_rng(seed)
    array = np.concatenate([random.uniform(150, 250, (4, 2)), random.uniform(40, 160, (4, 2)), random.uniform(0, 360, (4, 1))], axis=1)
    filled = [rasters.fill([ring], 400, 400) for ring in rotated.corners(array)]
    assert np.allclose(overlap.rotated_overlaps(array, array), overlap.mask_overlaps(filled, filled), atol=0.02)


def test_nothing_overlaps_with_nothing():
    assert overlap.box_overlaps([], [[0, 0, 1, 1]]).shape == (0, 1)
    assert overlap.box_giou([[0, 0, 1, 1]], []).shape == (1, 0)
    assert overlap.rotated_overlaps([], []).shape == (0, 0)
    assert overlap.mask_overlaps([], []).shape == (0, 0)
    assert overlap.mask_overlaps([np.ones((2, 2), bool)], []).shape == (1, 0)
    assert [part.shape for part in overlap.box_pairs([], [])] == [(0,), (0,), (0,)]
