import numpy as np
import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st

from burnish.errors import DataError
from burnish.geometry import overlap, suppression

EXAMPLES = settings(max_examples=60, deadline=None, derandomize=True)


def detections(seed, count=40):
    random = np.random.default_rng(seed)
    corner = random.uniform(0, 60, (count, 2))
    boxes = np.concatenate([corner, corner + random.uniform(5, 40, (count, 2))], axis=1)
    return boxes, random.random(count), random.integers(0, 3, count)


@EXAMPLES
@given(st.integers(0, 1000), st.sampled_from([0.0, 0.3, 0.5, 0.9]))
def test_nms_is_torchvisions(seed, threshold):
    boxes, scores, classes = detections(seed)
    kept = suppression.nms(boxes, scores, threshold=threshold)
    tensors = torch.from_numpy(boxes), torch.from_numpy(scores)
    assert kept.tolist() == torchvision.ops.nms(*tensors, threshold).tolist()
    kept = suppression.nms(boxes, scores, threshold=threshold, classes=classes)
    assert kept.tolist() == torchvision.ops.batched_nms(*tensors, torch.from_numpy(classes), threshold).tolist()


@EXAMPLES
@given(st.integers(0, 1000))
def test_what_remains_does_not_clash_and_what_went_clashed_with_a_better_one(seed):
    boxes, scores, _ = detections(seed)
    kept = suppression.nms(boxes, scores, threshold=0.4)
    values = overlap.box_overlaps(boxes, boxes)
    assert (values[np.ix_(kept, kept)] - np.eye(len(kept)) <= 0.4).all()
    for row in set(range(len(boxes))) - set(kept.tolist()):
        assert any(values[row, other] > 0.4 and scores[other] >= scores[row] for other in kept)


def test_more_boxes_than_one_block_are_settled_alike(monkeypatch):
    boxes, scores, _ = detections(3, 300)
    whole = suppression.nms(boxes, scores, threshold=0.6)
    monkeypatch.setattr(suppression, "_BLOCK", 7)
    assert suppression.nms(boxes, scores, threshold=0.6).tolist() == whole.tolist()


def test_the_threshold_that_is_asked_for_is_the_one_in_force():
    boxes, scores = [[0, 0, 10, 10], [0, 0, 10, 7]], [0.9, 0.8]
    assert suppression.nms(boxes, scores, threshold=0.6).tolist() == [0]
    assert suppression.nms(boxes, scores, threshold=0.7).tolist() == [0, 1]
    assert suppression.nms(boxes, scores, threshold=0.8).tolist() == [0, 1]


def test_of_equal_scores_the_earlier_wins():
    assert suppression.nms([[0, 0, 9, 9]] * 3, [0.5] * 3).tolist() == [0]


def test_classes_leave_each_other_alone_unless_they_compete():
    boxes, scores = [[0, 0, 10, 10]] * 2, [0.5, 0.9]
    assert suppression.nms(boxes, scores, classes=[0, 1]).tolist() == [1, 0]
    assert suppression.nms(boxes, scores).tolist() == [1]


def test_contained_boxes_go_by_the_smaller_measure():
    boxes, scores = [[0, 0, 10, 10], [4, 4, 6, 6]], [0.9, 0.8]
    assert suppression.nms(boxes, scores, measure="smaller").tolist() == [0]
    assert suppression.nms(boxes, scores).tolist() == [0, 1]


def test_masks_are_suppressed_by_their_pixels_not_their_boxes():
    upper, lower = np.triu(np.ones((8, 8), bool)), np.tril(np.ones((8, 8), bool), -1)
    assert suppression.mask_nms([upper, lower, upper], [0.5, 0.6, 0.7]).tolist() == [2, 1]


def test_rotated_boxes_are_suppressed_by_what_they_cover():
    cross = [[50, 50, 80, 8, 45], [50, 50, 80, 8, 135], [50, 50, 80, 8, 46]]
    assert suppression.rotated_nms(cross, [0.9, 0.8, 0.7]).tolist() == [0, 1]


def test_soft_nms_lowers_scores_as_the_paper_says():
    boxes, scores = [[0, 0, 10, 10], [0, 0, 10, 8], [50, 50, 60, 60]], [0.9, 0.8, 0.7]
    rows, new = suppression.soft_nms(boxes, scores, decay="linear", threshold=0.5)
    assert rows.tolist() == [0, 2, 1]
    assert np.allclose(new, [0.9, 0.7, 0.8 * 0.2])
    rows, new = suppression.soft_nms(boxes, scores, sigma=0.5)
    assert rows.tolist() == [0, 2, 1]
    assert np.allclose(new, [0.9, 0.7, 0.8 * np.exp(-(0.8**2) / 0.5)])


def test_soft_nms_leaves_out_what_has_faded_and_minds_classes():
    rows, _ = suppression.soft_nms([[0, 0, 9, 9]] * 2, [0.9, 0.8], decay="linear", min_score=0.01)
    assert rows.tolist() == [0]
    rows, new = suppression.soft_nms([[0, 0, 9, 9]] * 2, [0.9, 0.8], classes=[0, 1])
    assert (rows.tolist(), new.tolist()) == ([0, 1], [0.9, 0.8])


def test_fusion_takes_the_mean_weighted_by_score():
    fused = suppression.fuse_boxes([[0, 0, 10, 10], [2, 0, 12, 10]], [0.6, 0.2], [0, 1])
    assert np.allclose(fused.boxes, [[0.5, 0, 10.5, 10]])
    assert np.allclose(fused.scores, [0.4])
    assert fused.cluster.tolist() == [0, 0]


def test_what_one_model_of_three_has_seen_is_believed_a_third():
    fused = suppression.fuse_boxes([[0, 0, 10, 10]], [0.9], [0], weights=[1, 1, 1])
    assert np.allclose(fused.scores, [0.3])


def test_fusion_does_not_depend_on_the_scale_of_the_weights():
    boxes, scores, models = [[0, 0, 10, 10], [1, 0, 11, 10], [0, 1, 10, 11]], [0.6, 0.9, 0.4], [0, 1, 1]
    one = suppression.fuse_boxes(boxes, scores, models, weights=[1, 3])
    two = suppression.fuse_boxes(boxes, scores, models, weights=[10, 30])
    assert np.allclose(one.boxes, two.boxes)
    assert np.allclose(one.scores, two.scores)
    assert (one.scores <= 1).all()


def test_fusion_keeps_classes_apart_and_leaves_out_low_scores():
    fused = suppression.fuse_boxes([[0, 0, 10, 10]] * 3, [0.5, 0.9, 0.1], [0, 1, 1], classes=[4, 7, 7], min_score=0.2)
    assert fused.classes.tolist() == [7, 4]
    assert fused.cluster.tolist() == [1, 0, -1]


@EXAMPLES
@given(st.integers(0, 1000))
def test_a_fused_box_lies_within_its_members(seed):
    boxes, scores, classes = detections(seed, 25)
    fused = suppression.fuse_boxes(boxes, scores, classes)
    for at in range(len(fused.boxes)):
        members = boxes[fused.cluster == at]
        assert (fused.boxes[at] >= members.min(axis=0) - 1e-9).all()
        assert (fused.boxes[at] <= members.max(axis=0) + 1e-9).all()
    assert (np.diff(fused.scores) <= 0).all()


def test_nothing_in_nothing_out():
    assert suppression.nms([], []).shape == (0,)
    assert suppression.mask_nms([], []).shape == (0,)
    assert suppression.rotated_nms([], []).shape == (0,)
    assert [part.shape for part in suppression.soft_nms([], [])] == [(0,), (0,)]
    assert suppression.fuse_boxes([], [], []).boxes.shape == (0, 4)


def test_what_does_not_fit_is_refused():
    box = [[0, 0, 1, 1]]
    with pytest.raises(DataError, match="threshold: found 50"):
        suppression.nms(box, [0.5], threshold=50)
    with pytest.raises(DataError, match="scores: found NaN"):
        suppression.nms(box, [np.nan])
    with pytest.raises(DataError, match="classes: found"):
        suppression.nms(box, [0.5], classes=["cat"])
    with pytest.raises(DataError, match="weights: found"):
        suppression.fuse_boxes(box, [0.5], [2], weights=[1, 1])
    with pytest.raises(DataError, match="soft NMS: found decay 'cubic'"):
        suppression.soft_nms(box, [0.5], decay="cubic")
