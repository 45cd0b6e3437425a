import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco

from burnish.errors import DataError
from burnish.geometry import masks, rle

EXAMPLES = settings(max_examples=100, deadline=None, derandomize=True)
MASKS = st.tuples(st.integers(1, 40), st.integers(1, 40), st.floats(0, 1), st.integers(0, 1000)).map(
    lambda t: np.random.default_rng(t[3]).random((t[0], t[1])) < t[2]
)


def theirs(mask):
    return coco.encode(np.asfortranarray(mask.astype(np.uint8)))


@EXAMPLES
@given(MASKS)
def test_the_compressed_form_is_cocos_byte_for_byte(mask):
    assert rle.compress(rle.encode(mask)) == theirs(mask)["counts"]


@EXAMPLES
@given(MASKS)
def test_a_mask_survives_the_round_trip(mask):
    counts = rle.decompress(rle.compress(rle.encode(mask)))
    assert np.array_equal(counts, rle.encode(mask))
    assert np.array_equal(rle.decode(counts, *mask.shape), mask)


@EXAMPLES
@given(st.lists(st.integers(0, 2**32 - 1), max_size=30))
def test_any_run_lengths_survive_compression(counts):
    assert rle.decompress(rle.compress(counts)).tolist() == counts


@EXAMPLES
@given(MASKS)
def test_area_and_bounds_are_cocos(mask):
    counts = rle.encode(mask)
    assert rle.area(counts) == coco.area(theirs(mask)) == mask.sum()
    assert rle.bounds(counts, mask.shape[0]).tolist() == masks.box(mask).tolist()
    if mask.any():
        x, y, width, height = coco.toBbox(theirs(mask))
        assert rle.bounds(counts, mask.shape[0]).tolist() == [[x, y, x + width, y + height]]


@EXAMPLES
@given(MASKS, st.integers(2, 4), st.integers(0, 1000))
def test_set_operations_are_those_of_the_masks(mask, number, seed):
    random = np.random.default_rng(seed)
    arrays = [mask, *[random.random(mask.shape) < random.random() for _ in range(number - 1)]]
    runs = [rle.encode(array) for array in arrays]
    assert np.array_equal(rle.union(runs), rle.encode(masks.union(arrays)))
    assert np.array_equal(rle.intersection(runs), rle.encode(masks.intersection(arrays)))
    assert np.array_equal(rle.difference(runs[0], runs[1]), rle.encode(masks.difference(arrays[0], arrays[1])))
    assert np.array_equal(rle.decode(rle.complement(runs[0]), *mask.shape), ~mask)
    merged = coco.merge([theirs(array) for array in arrays], intersect=False)
    assert rle.compress(rle.union(runs)) == merged["counts"]


def test_runs_of_no_length_in_the_middle_are_read():
    assert rle.decode([1, 0, 1, 2], 2, 2).tolist() == [[False, True], [False, True]]
    assert rle.bounds([0, 0, 3, 1], 2).tolist() == [[1, 1, 2, 2]]


def test_full_and_empty_masks():
    assert rle.encode(np.zeros((2, 3), bool)).tolist() == [6]
    assert rle.encode(np.ones((2, 3), bool)).tolist() == [0, 6]
    assert rle.bounds([6], 2).shape == (0, 4)
    assert rle.decode([6], 2, 3).sum() == 0
    assert rle.encode(np.zeros((0, 3), bool)).sum() == 0
    assert rle.decompress(b"").shape == (0,)


def test_a_real_coco_crowd_is_decoded_column_by_column():
    # Three columns of two pixels; the second column is inside.
    assert rle.decode([2, 2, 2], 2, 3).tolist() == [[False, True, False]] * 2


def test_the_wrong_size_is_refused():
    with pytest.raises(DataError, match=r"found a sum of 6, expected 8 \(2 x 4\)"):
        rle.decode([2, 2, 2], 2, 4)


def test_text_that_is_not_run_lengths_is_refused():
    with pytest.raises(DataError, match="expected characters from '0' to 'o'"):
        rle.decompress(b"ab~")
    with pytest.raises(DataError, match="breaks off"):
        rle.decompress("0P")
    with pytest.raises(DataError, match="at most 7"):
        rle.decompress(b"P" * 12 + b"0")


def test_run_lengths_below_zero_or_broken_are_refused():
    for counts in ([3, -1], [0.5, 2], [[1, 2]]):
        with pytest.raises(DataError, match="whole numbers, none below 0"):
            rle.as_counts(counts)


@EXAMPLES
@given(MASKS)
def test_cvats_form_survives_the_round_trip(mask):
    if mask.any():
        assert np.array_equal(rle.from_cvat(rle.to_cvat(mask), *mask.shape), mask)


def test_cvats_runs_go_row_by_row_inside_the_box():
    # From CVAT's own XML: rle="3, 4, 1, 4" left="10" top="20" width="4" height="3".
    mask = rle.from_cvat([3, 4, 1, 4, 10, 20, 13, 22], 30, 40)
    assert mask[20:23, 10:14].astype(int).tolist() == [[0, 0, 0, 1], [1, 1, 1, 0], [1, 1, 1, 1]]
    assert rle.to_cvat(mask) == [3, 4, 1, 4, 10, 20, 13, 22]


def test_cvats_broken_lists_are_refused():
    with pytest.raises(DataError, match="whole numbers, none below 0"):
        rle.from_cvat([4, float("nan"), 0, 1, 1], 9, 9)
    with pytest.raises(DataError, match="found 3 numbers"):
        rle.from_cvat([1, 2, 3], 9, 9)
    with pytest.raises(DataError, match="expected it inside 9 x 9"):
        rle.from_cvat([4, 0, 0, 9, 9], 9, 9)
    with pytest.raises(DataError, match="1 pixels more"):
        rle.from_cvat([2, 3, 0, 0, 1, 1], 9, 9)
    with pytest.raises(DataError, match="CVAT cannot hold an empty mask"):
        rle.to_cvat(np.zeros((3, 3), bool))


def test_masks_of_a_real_cvat_server_are_read_and_written_unchanged(shared_data):
    lists = list(_cvat_masks(json.loads((shared_data / "formats/cvat_server_api/annotations.json").read_text())))
    assert len(lists) > 2
    for numbers in lists:
        mask = rle.from_cvat(numbers, 2000, 2000)
        assert mask.any()
        left, top, right, bottom = numbers[-4:]
        assert sum(numbers[:-4]) == (right - left + 1) * (bottom - top + 1)
        outside = mask.copy()
        outside[int(top) : int(bottom) + 1, int(left) : int(right) + 1] = False
        assert not outside.any()
        # CVAT's boxes are not always tight; the mask is the same all the same.
        assert np.array_equal(rle.from_cvat(rle.to_cvat(mask), 2000, 2000), mask)


def _cvat_masks(node):
    if isinstance(node, dict):
        if node.get("type") == "mask":
            yield node["points"]
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from _cvat_masks(child)
