import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burnish.errors import ConfigError, DataError
from burnish.geometry.mask_sets import (
    Cutter,
    Decompose,
    DropByArea,
    DropDuplicates,
    DropShards,
    FitMasks,
    Isolate,
    MajorSegment,
    Morphology,
    Pipeline,
)

HEIGHT, WIDTH = 12, 16


def block(top, left, bottom, right):
    mask = np.zeros((HEIGHT, WIDTH), dtype=bool)
    mask[top:bottom, left:right] = True
    return mask


BLOCKS = st.tuples(st.integers(0, 9), st.integers(0, 12), st.integers(1, 8), st.integers(1, 8)).map(
    lambda t: block(t[0], t[1], min(t[0] + t[2], HEIGHT), min(t[1] + t[3], WIDTH))
)
SETS = st.lists(st.one_of(BLOCKS, st.tuples(BLOCKS, BLOCKS).map(lambda two: two[0] ^ two[1])), max_size=5)


def union(masks):
    return np.any([np.zeros((HEIGHT, WIDTH), dtype=bool), *masks], axis=0)


@given(SETS)
def test_after_fitting_every_pixel_lies_in_exactly_one_mask(masks):
    fitted = FitMasks()(masks)
    assert len(fitted) == len(masks)
    if any(mask.any() for mask in masks):
        assert (np.sum(fitted, axis=0) == 1).all()


@given(SETS)
def test_without_filling_nothing_is_added_and_each_pixel_stays_with_one_that_held_it(masks):
    fitted = FitMasks(fill=False)(masks)
    for before, after in zip(masks, fitted, strict=True):
        assert not (after & ~before).any()
    assert np.array_equal(union(fitted), union(masks))
    assert not fitted or (np.sum(fitted, axis=0) <= 1).all()


@given(SETS)
def test_what_one_mask_alone_holds_stays_with_it(masks):
    lone = np.sum([np.zeros((HEIGHT, WIDTH), dtype=int), *masks], axis=0) == 1
    for before, after in zip(masks, FitMasks()(masks), strict=True):
        hidden = [m for m in masks if m.any() and not (m & lone).any()]
        if not hidden:
            assert (after[lone] == before[lone]).all()


def test_contested_and_empty_pixels_go_to_the_nearest():
    left, right = block(0, 0, 12, 9), block(0, 7, 12, 12)
    fitted = FitMasks()([left, right])
    assert fitted[0][0].tolist() == [True] * 8 + [False] * 8
    assert fitted[1][0].tolist() == [False] * 8 + [True] * 8


def test_a_mask_below_another_is_cut_out_of_it():
    large, small = block(0, 0, 12, 16), block(3, 3, 6, 6)
    fitted = FitMasks()([large, small])
    assert np.array_equal(fitted[1], small)
    assert np.array_equal(fitted[0], large & ~small)


@settings(max_examples=60)
@given(SETS)
def test_decomposed_masks_cover_the_same_and_clash_no_more(masks):
    filter_ = Decompose()
    found = filter_(masks)
    assert np.array_equal(union(found), union(masks))
    assert all(mask.any() for mask in found)
    for first, one in enumerate(found):
        for two in found[first + 1 :]:
            common = (one & two).sum()
            assert common <= 0.9 * min(one.sum(), two.sum())
            assert common / (one | two).sum() < 0.05


def test_a_part_is_cut_out_of_the_whole_and_equals_become_one():
    whole, part = block(0, 0, 12, 16), block(2, 2, 5, 5)
    assert [m.sum() for m in Decompose()([whole, part])] == [9, 12 * 16 - 9]
    assert len(Decompose()([whole, whole])) == 1
    crossing = Decompose()([block(0, 0, 6, 8), block(0, 4, 6, 12)])
    assert sorted(m.sum() for m in crossing) == [24, 24, 24]


def test_areas_are_pixels_or_shares():
    masks = [block(0, 0, 1, 2), block(0, 0, 3, 4), block(0, 0, 12, 16)]
    assert [m.sum() for m in DropByArea(3)(masks)] == [12, 192]
    assert [m.sum() for m in DropByArea(3, 100)(masks)] == [12]
    assert [m.sum() for m in DropByArea(0.05, 0.5)(masks)] == [12]
    assert DropByArea(0.5)([]) == []


def test_of_duplicates_the_first_stays():
    first, near, other = block(0, 0, 10, 10), block(0, 0, 10, 11), block(0, 0, 5, 10)
    kept = DropDuplicates()([first, near, other])
    assert [np.array_equal(a, b) for a, b in zip(kept, [first, other], strict=True)] == [True, True]


def test_parts_are_isolated_and_shards_dropped():
    two = block(0, 0, 5, 5) | block(8, 8, 9, 10)
    assert [m.sum() for m in Isolate()([two])] == [25, 2]
    assert [m.sum() for m in DropShards()([two])] == [25]
    assert [m.sum() for m in DropShards(least=0.05)([two])] == [27]


def test_what_lies_in_a_larger_one_is_cut_away_whatever_the_order():
    whole, part, beside = block(0, 0, 8, 8), block(1, 1, 4, 4), block(6, 6, 12, 12)
    assert [m.sum() for m in Cutter()([part, whole, beside])] == [64, 36]


def test_only_what_belongs_to_the_mask_of_interest_stays():
    interest = block(0, 0, 12, 8)
    found = MajorSegment(interest)([block(0, 6, 2, 9), block(0, 7, 2, 12), block(3, 0, 5, 2)])
    assert [m.sum() for m in found] == [4, 4]
    assert MajorSegment(interest)([]) == []


@pytest.mark.parametrize(("operation", "sign"), [("open", -1), ("erode", -1), ("close", 1), ("dilate", 1)])
@given(BLOCKS)
def test_morphology_shrinks_or_grows(operation, sign, mask):
    found = union(Morphology(operation, 3)([mask]))
    assert not ((found & ~mask) if sign < 0 else (mask & ~found)).any()


def test_filters_follow_one_another():
    filters = Pipeline((Isolate(), DropByArea(5), FitMasks()))
    found = filters([block(0, 0, 5, 5) | block(8, 8, 9, 10), block(6, 0, 12, 4)])
    assert len(found) == 2
    assert (np.sum(found, axis=0) == 1).all()


def test_bad_input_is_refused():
    with pytest.raises(DataError, match="all of one size"):
        Cutter()([np.ones((2, 2), bool), np.ones((3, 3), bool)])
    with pytest.raises(ConfigError, match="Morphology"):
        Morphology("melt")
