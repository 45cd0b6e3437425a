"""Losses on boxes: torchvision's for upright ones, exact geometry for rotated ones, gradients by differences."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import ConvexHull
from torchvision import ops

from burnish.errors import DataError
from burnish.geometry import overlap, rotated
from burnish.train import losses

MEASURES = ("iou", "giou", "diou", "ciou")
numbers = st.floats(0, 50, width=32)
sizes = st.floats(1, 40, width=32)
upright = st.lists(st.tuples(numbers, numbers, sizes, sizes), min_size=2, max_size=8)
turned = st.lists(st.tuples(numbers, numbers, sizes, sizes, st.floats(-180, 180)), min_size=2, max_size=8)


def loss(measure, **options):
    return losses.build({"name": "box_overlap", "measure": measure, **options})


def turned_loss(measure):
    return losses.build({"name": "rotated_overlap", "measure": measure})


@pytest.mark.parametrize("measure", MEASURES)
@settings(max_examples=30, deadline=None)
@given(upright)
def test_upright_boxes_cost_what_torchvision_says(measure, rows):
    x1, y1, width, height = torch.tensor(rows, dtype=torch.float64).T
    boxes = torch.stack([x1, y1, x1 + width, y1 + height], 1)
    others = boxes.roll(1, 0)
    oracle = {"giou": ops.generalized_box_iou_loss, "diou": ops.distance_box_iou_loss, "ciou": ops.complete_box_iou_loss}
    expected = oracle[measure](boxes, others) if measure in oracle else 1 - ops.box_iou(boxes, others).diagonal()
    assert loss(measure)(boxes, others).parts["box_overlap"].values.numpy() == pytest.approx(expected.numpy(), abs=1e-5)


@pytest.mark.parametrize("measure", MEASURES)
def test_equal_boxes_cost_nothing_and_centres_and_corners_are_the_same(measure):
    corners, centres = torch.tensor([[10.0, 20, 30, 60]]), torch.tensor([[20.0, 40, 20, 40]])
    assert loss(measure)(corners, corners).mean.item() == pytest.approx(0, abs=1e-6)
    assert loss(measure, form="cxcywh")(centres, centres + 3).mean == pytest.approx(
        loss(measure)(corners, corners + torch.tensor([1.5, 1.5, 4.5, 4.5])).mean.item()
    )


@pytest.mark.parametrize("measure", ["giou", "diou", "ciou"])
def test_boxes_that_do_not_meet_are_drawn_together(measure):
    far = torch.tensor([[100.0, 100, 120, 120]], requires_grad=True)
    (gradient,) = torch.autograd.grad(loss(measure)(far, torch.tensor([[0.0, 0, 20, 20]])).mean, far)
    assert (gradient.sum(1) > 0).all()


def test_no_boxes_cost_nothing():
    nothing = torch.zeros(0, 4, requires_grad=True)
    result = loss("giou")(nothing, torch.zeros(0, 4))
    assert (result.mean.item(), result.counts["box_overlap"].item()) == (0, 0)
    assert turned_loss("giou")(torch.zeros(0, 5), torch.zeros(0, 5)).mean.item() == 0


def test_weights_leave_boxes_out():
    boxes, others = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 10]]), torch.tensor([[0.0, 0, 10, 10], [50, 50, 60, 60]])
    assert loss("iou")(boxes, others, weight=torch.tensor([1.0, 0.0])).mean.item() == pytest.approx(0, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(turned)
def test_rotated_boxes_overlap_as_the_exact_geometry_says(rows):
    boxes = np.array(rows)
    others = np.roll(boxes, 1, axis=0)
    values = turned_loss("iou")(torch.from_numpy(boxes), torch.from_numpy(others)).parts["rotated_overlap"].values
    assert values.numpy() == pytest.approx(1 - overlap.rotated_overlaps(boxes, others).diagonal(), abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(turned)
def test_the_hull_of_rotated_boxes_is_the_convex_hull(rows):
    boxes = np.array(rows)
    others = np.roll(boxes, 1, axis=0)
    values = turned_loss("giou")(torch.from_numpy(boxes), torch.from_numpy(others)).parts["rotated_overlap"].values
    points = np.concatenate([rotated.corners(boxes), rotated.corners(others)], axis=1)
    common = rotated.intersection_areas(boxes, others)
    union = boxes[:, 2:4].prod(1) + others[:, 2:4].prod(1) - common
    hulls = np.array([ConvexHull(corners).volume for corners in points])
    assert values.numpy() == pytest.approx(1 - common / union + (hulls - union) / hulls, abs=1e-5)


@pytest.mark.parametrize("measure", MEASURES)
def test_a_turn_of_the_picture_changes_no_measure_of_rotated_boxes(measure):
    boxes = torch.tensor([[10.0, 12, 8, 4, 20], [30, 30, 12, 5, 70]], dtype=torch.float64)
    others = boxes + torch.tensor([2.0, -1, 1, 2, 35], dtype=torch.float64)
    before = turned_loss(measure)(boxes, others).mean.item()
    angle = np.radians(33)
    turn = torch.tensor([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    boxes, others = (torch.cat([rows[:, :2] @ turn, rows[:, 2:4], rows[:, 4:] + 33], 1) for rows in (boxes, others))
    assert turned_loss(measure)(boxes, others).mean.item() == pytest.approx(before)


@pytest.mark.parametrize("measure", MEASURES)
def test_upright_rotated_boxes_cost_what_upright_boxes_cost(measure):
    centres = torch.tensor([[10.0, 12, 8, 4], [30, 30, 12, 5]])
    others = centres + torch.tensor([[2.0, 1, 1, 2]])
    boxes, turns = (torch.cat([rows, torch.zeros(2, 1)], 1) for rows in (centres, others))
    found = turned_loss(measure)(boxes, turns).mean.item()
    if measure == "iou":
        assert found == pytest.approx(loss(measure, form="cxcywh")(centres, others).mean.item(), abs=1e-6)
    assert found >= turned_loss("iou")(boxes, turns).mean.item() - 1e-6


@pytest.mark.parametrize("name", ["box_overlap", "rotated_overlap"])
@pytest.mark.parametrize("measure", ["iou", "giou", "diou"])
def test_gradients_of_boxes_are_those_of_differences(name, measure):
    boxes = torch.tensor([[10.0, 12, 18, 24, 20], [30, 30, 42, 45, 70]], dtype=torch.float64)[:, : 4 + (name == "rotated_overlap")]
    others = boxes + torch.tensor([2.3, -1.1, 1.7, 2.9, 35], dtype=torch.float64)[: boxes.shape[1]]
    found = losses.build({"name": name, "measure": measure})
    assert torch.autograd.gradcheck(lambda rows: found(rows, others).mean, boxes.requires_grad_())


def test_boxes_of_other_shapes_are_refused():
    with pytest.raises(DataError, match=r"expected \(N, 4\) for both"):
        loss("iou")(torch.zeros(2, 4), torch.zeros(3, 4))
