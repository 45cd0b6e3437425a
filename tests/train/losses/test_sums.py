"""The sums of region losses are the same by every route, a picture at a time or all at once as on a GPU, and so is the order of errors."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from burnish.train import losses
from burnish.train.losses import lovasz, sums

FORMS = [
    {"name": "dice"},
    {"name": "dice", "form": "product", "per_image": True},
    {"name": "sq_jaccard"},
    {"name": "gdice", "label_smoothing": 0.1},
]


def found(described, weight):
    torch.manual_seed(0)
    scores, target = torch.randn(3, 4, 5, 5, requires_grad=True), torch.randint(0, 4, (3, 5, 5))
    value = losses.build(described)(scores, target, weight=weight).mean
    return value, torch.autograd.grad(value, scores)[0]


@pytest.mark.parametrize("shape", [None, (3,), (3, 5, 5), (3, 4, 5, 5)])
@pytest.mark.parametrize("described", FORMS, ids=str)
def test_all_pictures_at_once_give_what_they_give_one_by_one(described, shape, monkeypatch):
    weight = None if shape is None else torch.rand(shape)
    value, gradient = found(described, weight)
    monkeypatch.setattr(sums, "_pictures", lambda *batches: iter([batches]))
    other, slope = found(described, weight)
    assert other.item() == pytest.approx(value.item(), abs=1e-6)
    assert torch.allclose(gradient, slope, atol=1e-7)


@pytest.mark.parametrize("name", ["dice", "jaccard", "tversky", "sq_dice", "gdice"])
@pytest.mark.parametrize("soft", [False, True])
def test_gradients_of_regions_are_those_of_differences(name, soft):
    torch.manual_seed(0)
    scores = torch.randn(2, 3, 4, dtype=torch.float64, requires_grad=True)
    target = torch.rand(2, 3, 4, dtype=torch.float64) if soft else torch.randint(0, 3, (2, 4))
    loss = losses.build({"name": name, "per_image": True, "class_weights": [1, 2, 0.5]})
    assert torch.autograd.gradcheck(lambda rows: loss(rows, target).mean, scores)


def test_a_batch_of_no_pictures_costs_nothing():
    result = losses.build("dice")(torch.zeros(0, 3, 4, 4), torch.zeros(0, 4, 4, dtype=torch.int64))
    assert (result.mean.item(), result.counts["dice"].item()) == (0, 0)


@settings(deadline=None)
@given(st.lists(st.floats(0, 2.0**99, width=32), min_size=1, max_size=50))
def test_errors_are_put_in_falling_order(rows):
    errors = torch.tensor(rows)
    order = lovasz._falling(errors)
    assert sorted(order.tolist()) == list(range(len(rows)))
    assert (np.diff(errors[order].numpy()) <= 0).all()
    assert torch.equal(errors[lovasz._falling(errors.double())], errors[order])
