import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from burnish.config import Config
from burnish.descriptions import config_class
from burnish.errors import ConfigError, DataError
from burnish.geometry.guided import guided_filter
from burnish.refine.modes import MODES, build
from burnish.refine.modes.evidence import BOX, DISPUTED, DRAWN, NOWHERE, PREDICTED, WHOLE, Evidence, Weak, weak_masks

SIZE = (6, 8)
BOXES = np.array([[1.0, 1.0, 5.0, 5.0]])


def weak(boxes=BOXES, classes=(0,), size=SIZE, masks=None):
    return Weak(np.asarray(boxes, dtype=np.float64).reshape(-1, 4), np.asarray(classes, dtype=np.int64), size, masks)


def maps(*cells, value=0.9, count=1):
    made = np.full((count, *SIZE), 0.1, np.float32)
    for number, rows, columns in cells:
        made[number, rows, columns] = value
    return made


def left_half():
    """Predicted: columns 0 to 2 of all rows, more than the box."""
    return maps((0, slice(None), slice(0, 3)))


def asked(name, **settings):
    return build({"name": name, **settings})


APPLIED = tuple(name for name in MODES.entries if name != "best")
"""Modes that are applied to a picture; best is settled before that."""


@pytest.mark.parametrize("name", APPLIED)
def test_every_mode_has_a_typed_description_and_leaves_all_outside_of_boxes_at_zero(name):
    pytest.importorskip("cv2")
    assert issubclass(config_class(MODES, name), Config)
    picture = np.random.default_rng(0).integers(0, 256, (*SIZE, 3)).astype(np.uint8)
    drawn = np.zeros((1, *SIZE), bool)
    drawn[0, 2:4, 0:4] = True
    merged = asked(name, instances=True)(Evidence(left_half(), weak(), picture, left_half(), drawn))
    outside = np.ones(SIZE, bool)
    outside[1:5, 1:5] = False
    assert merged.soft.dtype == np.uint8
    assert not merged.soft[0][outside].any()
    assert not merged.origins[0][outside].any()
    assert merged.instances.shape == (1, *SIZE)
    assert not merged.instances[0][outside].any()
    assert len(merged.boxes) == 1


@pytest.mark.parametrize("name", APPLIED)
def test_a_picture_without_boxes_has_an_empty_mask(name):
    picture = np.zeros((*SIZE, 3), np.uint8)
    evidence = Evidence(left_half(), weak([], []), picture, left_half(), np.zeros((0, *SIZE), bool))
    merged = asked(name)(evidence)
    assert not merged.soft.any()
    assert merged.boxes == ()


def test_hybrid_is_the_weighted_sum_pixel_for_pixel():
    merged = asked("hybrid")(Evidence(left_half(), weak()))
    expected = np.zeros(SIZE, np.uint8)
    expected[1:5, 1:5] = 76  # 0.3 * 255 = 76.5, to the even number
    expected[1:5, 1:3] = 255
    assert np.array_equal(merged.soft[0], expected)
    assert merged.origins[0, 2].tolist() == [NOWHERE, PREDICTED, PREDICTED, BOX, BOX, NOWHERE, NOWHERE, NOWHERE]
    assert merged.boxes[0].fate == "accepted"
    assert merged.boxes[0].share == 0.5


def test_hybrid_is_what_opencv_s_weighted_sum_gives(random):
    cv2 = pytest.importorskip("cv2")
    small = random.random((1, 3, 4)).astype(np.float32)
    merged = asked("hybrid", threshold=0.5)(Evidence(small, weak()))
    predicted = cv2.resize(((small[0] > 0.5) * 255).astype(np.uint8), SIZE[::-1], interpolation=cv2.INTER_LINEAR)
    filled = np.zeros(SIZE, np.uint8)
    filled[1:5, 1:5] = 255
    predicted[filled == 0] = 0
    theirs = cv2.addWeighted(filled, 0.3, predicted, 0.7, 0)
    assert np.abs(merged.soft[0].astype(int) - theirs).max() <= 1  # OpenCV interpolates bytes with 11 bits
    assert len(np.unique(theirs)) > 3


def test_the_threshold_is_one_of_probabilities():
    """0.7 is above a threshold of 0 on logits of 0.85, and below one of 0.75 on probabilities."""
    merged = asked("hybrid")(Evidence(maps((0, slice(None), slice(None)), value=0.7), weak()))
    assert merged.soft.max() == 76
    assert merged.boxes[0].fate == "empty"
    assert "weak share alone" in merged.boxes[0].reason


@pytest.mark.parametrize("name", ["hybrid", "soft", "per_box"])
def test_logits_are_refused(name):
    with pytest.raises(DataError, match=r"from -3 to 7; expected probabilities \(put logits through a sigmoid\)"):
        asked(name)(Evidence(np.array([[[-3.0, 7.0]]], np.float32), weak()))


def test_exchanged_height_and_width_are_refused():
    with pytest.raises(DataError, match="exchanged"):
        asked("hybrid")(Evidence(np.zeros((1, 8, 6), np.float32), weak()))


def test_a_map_of_another_size_is_brought_to_the_picture_s():
    small = np.array([[[0.9, 0.1]]], np.float32)
    merged = asked("soft")(Evidence(small, weak([[0, 0, 8, 6]])))
    assert merged.soft[0, 0, 0] == 229
    assert merged.soft[0, 0, -1] == 26
    assert (np.diff(merged.soft[0, 0].astype(int)) <= 0).all()


def test_noise_of_jpeg_outside_of_boxes_never_gets_through():
    """Gating asks whether a pixel lies in a box, not whether its grey value is exactly 0."""
    merged = asked("hybrid")(Evidence(maps((0, slice(None), slice(None))), weak()))
    assert np.count_nonzero(merged.soft) == 16


def test_weak_masks_gate_more_closely_than_boxes():
    shape = np.zeros((1, *SIZE), bool)
    shape[0, 2, 2] = True
    merged = asked("hybrid")(Evidence(maps((0, slice(None), slice(None))), weak(masks=shape)))
    assert np.argwhere(merged.soft[0]).tolist() == [[2, 2]]


def test_soft_keeps_probabilities_inside_of_boxes():
    merged = asked("soft", floor=0.2)(Evidence(left_half(), weak()))
    assert merged.soft[0, 2].tolist() == [0, 229, 229, 51, 51, 0, 0, 0]


def test_soft_tells_of_a_box_with_low_probabilities_and_keeps_them():
    merged = asked("soft")(Evidence(maps(), weak()))
    assert merged.boxes[0].fate == "empty"
    assert "the highest is 0.10" in merged.boxes[0].reason
    assert merged.soft.max() == 26


def test_per_box_keeps_the_prediction_where_it_fills_enough_of_its_box():
    merged = asked("per_box", limit=0.5)(Evidence(left_half(), weak()))
    assert merged.boxes[0].fate == "accepted"
    assert merged.soft[0, 2].tolist() == [0, 255, 255, 0, 0, 0, 0, 0]


def test_per_box_keeps_the_whole_box_where_the_prediction_fills_too_little():
    merged = asked("per_box", limit=0.51)(Evidence(left_half(), weak()))
    assert merged.boxes[0].fate == "whole"
    assert "fills 0.50 of it, less than 0.51" in merged.boxes[0].reason
    assert (merged.boxes[0].share, merged.boxes[0].sides) == (0.5, 3)
    assert np.count_nonzero(merged.soft == 255) == 16
    assert set(np.unique(merged.origins)) == {NOWHERE, WHOLE}


def test_per_box_believes_only_what_touches_the_sides_of_a_tight_box():
    touching_three = Evidence(left_half(), weak())
    assert asked("per_box", limit=0.1, sides=3)(touching_three).boxes[0].fate == "accepted"
    told = asked("per_box", limit=0.1, sides=4, whole=0.5)(touching_three)
    assert told.boxes[0].reason == "The prediction touches 3 of its sides, fewer than 4, so it is kept whole."
    assert told.soft.max() == 128


def test_each_box_is_judged_for_itself_and_the_record_says_why():
    boxes = [[0, 0, 3, 6], [4, 0, 8, 6], [20, 20, 30, 30]]
    merged = asked("per_box")(Evidence(left_half(), weak(boxes, [0, 0, 0])))
    assert [told.fate for told in merged.boxes] == ["accepted", "empty", "outside"]
    assert [told.box for told in merged.boxes] == [0, 1, 2]


def test_classes_are_kept_apart():
    both = maps((0, slice(None), slice(0, 3)), (1, slice(None), slice(4, 8)), count=2)
    merged = asked("per_box", instances=True)(Evidence(both, weak([[0, 0, 4, 6], [3, 0, 8, 6]], [0, 1])))
    assert merged.soft.shape == (2, *SIZE)
    assert np.flatnonzero(merged.soft[0, 0]).tolist() == [0, 1, 2]
    assert np.flatnonzero(merged.soft[1, 0]).tolist() == [4, 5, 6, 7]
    assert np.array_equal(merged.instances, merged.soft > 0)


def test_where_boxes_of_a_class_overlap_the_greater_belief_holds():
    merged = asked("soft", floor=0.5)(Evidence(left_half(), weak([[0, 0, 4, 6], [2, 0, 8, 6]], [0, 0])))
    assert merged.soft[0, 0].tolist() == [229, 229, 229, 128, 128, 128, 128, 128]


def test_a_class_without_a_map_is_refused():
    with pytest.raises(DataError, match="1 maps, and a weak box is of class 3"):
        asked("soft")(Evidence(left_half(), weak(classes=[3])))


def blob(height=20, width=30, peak=0.9):
    """Probabilities that fall from the middle to the sides."""
    down, across = np.mgrid[:height, :width]
    return (peak * np.exp(-(((down - 9.5) / 8) ** 2 + ((across - 14.5) / 12) ** 2)))[None].astype(np.float32)


def test_tight_lowers_the_threshold_until_the_prediction_reaches_all_sides_of_its_box():
    box = weak([[4, 3, 26, 17]], size=(20, 30))
    merged = asked("tight", radius=0)(Evidence(blob(), box))
    inside = merged.soft[0, 3:17, 4:26] == 255
    assert all(side.any() for side in (inside[0], inside[-1], inside[:, 0], inside[:, -1]))
    assert not inside.all()
    assert merged.boxes[0].sides == 4
    at_half = blob()[0, 3:17, 4:26] >= 0.5
    assert inside[at_half].all()
    assert np.count_nonzero(inside) > np.count_nonzero(at_half)
    assert "all its sides from" in merged.boxes[0].reason


@given(st.integers(0, 10_000), st.floats(0.05, 0.5))
def test_the_level_of_a_tight_box_is_the_highest_that_reaches_all_sides_between_its_bounds(seed, least):
    probabilities = np.random.default_rng(seed).random((1, 7, 9)).astype(np.float32) ** 3
    merged = asked("tight", radius=0, least=least)(Evidence(probabilities, weak([[2, 1, 8, 6]], size=(7, 9))))
    inside = probabilities[0, 1:6, 2:8].astype(np.float64)

    def reaches(level):
        rows, columns = np.nonzero(inside >= level)
        return len(rows) > 0 and (rows.min(), rows.max(), columns.min(), columns.max()) == (0, 4, 0, 5)

    levels = [level for level in (0.5, *sorted(set(inside.ravel().tolist()), reverse=True)) if least <= level <= 0.5 and reaches(level)]
    expected = inside >= (max(levels) if levels else least)
    taken = merged.soft[0, 1:6, 2:8] == 255
    assert np.array_equal(taken, expected if expected.any() else np.zeros_like(taken))
    assert (merged.boxes[0].fate == "empty") == (not expected.any())


def test_a_tight_mask_may_stay_soft_with_its_threshold_at_one_half():
    evidence = Evidence(blob(), weak([[4, 3, 26, 17]], size=(20, 30)))
    hard, soft = (asked("tight", radius=0, hard=one)(evidence).soft[0] for one in (True, False))
    assert np.array_equal(soft >= 128, hard == 255)
    assert len(np.unique(soft)) > 50


def test_tight_takes_on_the_edges_of_the_picture():
    picture = np.zeros((20, 30, 3), np.uint8)
    picture[5:15, 8:22] = 220
    rough = blob()
    box = weak([[8, 5, 22, 15]], size=(20, 30))
    merged = asked("tight")(Evidence(rough, box, picture))
    assert np.count_nonzero(merged.soft[0] == 255) >= np.count_nonzero(asked("tight", radius=0)(Evidence(rough, box)).soft[0] == 255)
    with pytest.raises(DataError, match="Mode tight looks at the picture"):
        asked("tight")(Evidence(rough, box))


def test_a_box_in_which_nothing_reaches_the_lowest_threshold_keeps_a_belief():
    merged = asked("tight", radius=0, empty=0.2)(Evidence(maps(), weak()))
    assert merged.boxes[0].fate == "empty"
    assert "the highest is 0.10" in merged.boxes[0].reason
    assert merged.soft.max() == 51


def test_a_threshold_that_would_rise_is_refused():
    with pytest.raises(ConfigError, match="least is the lower one"):
        asked("tight", least=0.6)


def test_edges_finds_the_outline_of_what_lies_in_the_box():
    pytest.importorskip("cv2")
    down, across = np.mgrid[:40, :40]
    disc = (down - 20) ** 2 + (across - 20) ** 2 < 100
    noise = np.random.default_rng(1).normal(0, 6, (40, 40, 3))
    picture = np.clip(np.where(disc[..., None], (210, 60, 40), (40, 90, 160)) + noise, 0, 255).astype(np.uint8)
    rough = ((down - 22) ** 2 + (across - 18) ** 2 < 60)[None].astype(np.float32) * 0.8
    box = weak([[9, 9, 31, 31]], size=(40, 40))
    found = asked("edges")(Evidence(rough, box, picture)).soft[0] == 255
    assert np.count_nonzero(found & disc) / np.count_nonzero(found | disc) > 0.97
    alone = asked("edges")(Evidence(np.zeros_like(rough), box, picture))
    assert "the box alone" in alone.boxes[0].reason
    assert np.count_nonzero((alone.soft[0] == 255) ^ disc) < 20


def test_edges_smooths_along_the_picture_s_edges():
    picture = np.zeros((*SIZE, 3), np.uint8)
    picture[:, 4:] = 200
    ramp = np.broadcast_to(np.linspace(0.9, 0.2, 8, dtype=np.float32), (1, *SIZE)).copy()
    merged = asked("edges", method="guided", epsilon=1e-6)(Evidence(ramp, weak([[0, 0, 8, 6]]), picture))
    row = merged.soft[0, 3].astype(int)
    assert row[3] - row[4] > 2 * 255 * (ramp[0, 0, 3] - ramp[0, 0, 4])


def test_a_box_is_smoothed_as_the_whole_picture_would_be(random):
    picture = random.integers(0, 256, (50, 60, 3)).astype(np.uint8)
    probabilities = random.random((1, 50, 60)).astype(np.float32)
    box = weak([[20, 22, 40, 31]], size=(50, 60))
    merged = asked("edges", method="guided", radius=3)(Evidence(probabilities, box, picture))
    whole = guided_filter(probabilities[0], picture, radius=3).clip(0, 1)
    assert np.array_equal(merged.soft[0, 22:31, 20:40], np.rint(whole[22:31, 20:40] * 255))


def test_edges_of_a_flat_picture_tells_that_there_is_nothing_to_cut():
    pytest.importorskip("cv2")
    merged = asked("edges", empty=0.2)(Evidence(maps(), weak(), np.full((*SIZE, 3), 90, np.uint8)))
    assert merged.boxes[0].fate == "empty"
    assert merged.soft.max() == 51


def test_edges_keeps_the_prediction_where_the_picture_has_none():
    pytest.importorskip("cv2")
    flat = np.full((*SIZE, 3), 90, np.uint8)
    merged = asked("edges", sure=1.0)(Evidence(left_half(), weak([[0, 0, 8, 6]]), flat))
    assert merged.boxes[0].fate == "accepted"
    assert np.flatnonzero(merged.soft[0, 0]).tolist() == [0, 1, 2]


def test_agreement_believes_both_and_half_believes_one():
    second = maps((0, slice(None), slice(2, 4)))
    merged = asked("agreement")(Evidence(left_half(), weak(), second=second))
    assert merged.soft[0, 2].tolist() == [0, 128, 255, 128, 0, 0, 0, 0]
    assert merged.origins[0, 2].tolist() == [NOWHERE, DISPUTED, PREDICTED, DISPUTED, BOX, NOWHERE, NOWHERE, NOWHERE]
    assert "overlap by 0.33" in merged.boxes[0].reason
    assert asked("agreement", least=0.5)(Evidence(left_half(), weak(), second=second)).boxes[0].fate == "whole"


def test_prompted_takes_what_was_drawn_and_mixes_in_the_probabilities():
    drawn = np.zeros((1, *SIZE), bool)
    drawn[0, :, 2:4] = True
    merged = asked("prompted", share=0.5)(Evidence(left_half(), weak(), drawn=drawn))
    assert merged.soft[0, 2].tolist() == [0, 115, 242, 140, 13, 0, 0, 0]
    assert merged.origins[0, 2, 2] == DRAWN
    assert asked("prompted")(Evidence(left_half(), weak(), drawn=drawn)).soft[0, 2].tolist() == [0, 0, 255, 255, 0, 0, 0, 0]


@pytest.mark.parametrize(("name", "text"), [("agreement", "two models"), ("edges", "picture"), ("prompted", "give a segmenter")])
def test_evidence_that_a_mode_needs_and_has_not_is_named(name, text):
    with pytest.raises(DataError, match=text):
        asked(name)(Evidence(left_half(), weak()))


def test_an_unknown_mode_or_setting_is_told_with_the_nearest():
    with pytest.raises(ConfigError, match="Did you mean 'per_box'"):
        build("perbox")
    with pytest.raises(ConfigError, match="Did you mean 'threshold'"):
        build({"name": "hybrid", "treshold": 0.5})


boxes_in_and_around = st.lists(
    st.tuples(st.floats(-3, 10), st.floats(-3, 8), st.floats(0, 8), st.floats(0, 8)).map(lambda b: [b[0], b[1], b[0] + b[2], b[1] + b[3]]),
    max_size=4,
)


@given(boxes_in_and_around, st.sampled_from(["hybrid", "soft", "per_box", "agreement"]), st.integers(0, 99))
def test_whatever_the_boxes_nothing_is_outside_of_them_and_each_has_its_record(boxes, name, seed):
    drawn = np.random.default_rng(seed).random((2, 2, *SIZE)).astype(np.float32)
    one = weak(boxes, [n % 2 for n in range(len(boxes))])
    merged = asked(name, instances=True)(Evidence(drawn[0], one, second=drawn[1]))
    filled = weak_masks(one, 2)
    assert not merged.soft[~filled].any()
    assert np.array_equal(merged.origins > 0, filled)
    assert [told.box for told in merged.boxes] == list(range(len(boxes)))
    for told, instance in zip(merged.boxes, merged.instances, strict=True):
        assert not instance[~filled.any(axis=0)].any()
        assert 0 <= told.share <= 1
        assert told.fate in {"accepted", "whole", "empty", "outside"}


def test_weak_boxes_must_be_numbers_with_a_class_each():
    with pytest.raises(DataError, match="NaN"):
        weak([[0, 0, np.nan, 1]])
    with pytest.raises(DataError, match="one class a box"):
        weak(classes=[0, 1])


def test_what_is_predicted_beside_all_boxes_can_be_left_out():
    """Sure of the box and of all around it: with the surroundings the box stays full, without them its corners fade."""
    pytest.importorskip("cv2")
    evidence = Evidence(np.full((1, *SIZE), 0.9, np.float32), weak(), np.zeros((*SIZE, 3), np.uint8))
    for name, settings in (("tight", {"hard": False, "radius": 1}), ("edges", {"method": "guided", "radius": 1})):
        full, faded = (asked(name, outside=outside, **settings)(evidence).soft[0] for outside in (True, False))
        assert full[1, 1] == full[2, 2] > 200
        assert faded[1, 1] < faded[2, 2] <= 230


def test_guided_masks_can_be_black_and_white():
    pytest.importorskip("cv2")
    evidence = Evidence(left_half(), weak(), np.zeros((*SIZE, 3), np.uint8))
    soft, hard = (asked("edges", method="guided", hard=hard)(evidence).soft[0] for hard in (False, True))
    assert set(np.unique(hard)) == {0, 255}
    assert len(np.unique(soft)) > 2
    assert np.array_equal(hard == 255, soft >= 128)
