"""Losses on boxes, points and numbers give under autocast what they give on the same rounded input in float32."""

import pytest
import torch

from burnish.train import losses


def inputs(name):
    torch.manual_seed(0)
    if name == "box_overlap":
        boxes = torch.rand(5, 4) * 20
        boxes[:, 2:] += boxes[:, :2] + 1
        return boxes, boxes + torch.rand(5, 4), {}
    if name == "rotated_overlap":
        boxes = torch.rand(5, 5) * 20 + 1
        return boxes, boxes + torch.rand(5, 5), {}
    if name in {"oks", "wing"}:
        return torch.rand(3, 4, 2) * 30, torch.rand(3, 4, 2) * 30, {"areas": torch.full((3,), 900.0)} if name == "oks" else {}
    if name in {"heatmap_mse", "adaptive_wing"}:
        return torch.rand(2, 3, 6, 6), torch.rand(2, 3, 6, 6), {}
    if name == "average_precision":
        return torch.randn(30), torch.rand(30) < 0.3, {}
    return torch.randn(6, 4) * 3, torch.randn(6, 4) * 3, {}


NAMES = ["box_overlap", "rotated_overlap", "oks", "wing", "heatmap_mse", "adaptive_wing", "average_precision"]
NAMES += ["l1", "mse", "huber", "smooth_l1", "log_cosh"]
CASES = [{"name": name} for name in NAMES] + [{"name": "box_overlap", "measure": m} for m in ("giou", "diou", "ciou")]
CASES += [{"name": "rotated_overlap", "measure": m} for m in ("giou", "diou", "ciou")]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("described", CASES, ids=str)
def test_half_precision_is_only_that_of_the_input(described, dtype):
    predicted, target, given = inputs(described["name"])
    rounded = predicted.to(dtype).requires_grad_()
    loss = losses.build(described)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = loss(rounded, target, **given).mean
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(loss(rounded.detach().double(), target, **given).mean.item(), rel=1e-5, abs=1e-5)
    assert torch.autograd.grad(found, rounded)[0].isfinite().all()
