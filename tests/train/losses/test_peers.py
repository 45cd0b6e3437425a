"""The libraries that others come from, where they are installed, give the same numbers under the names that come over."""

import pytest
import torch

from burnish.train import losses


@pytest.fixture
def batch():
    torch.manual_seed(0)
    scores, target = torch.randn(3, 1, 12, 12, requires_grad=True), torch.randint(0, 2, (3, 1, 12, 12)).float()
    return scores, target


def same(found, expected, scores):
    assert found.item() == pytest.approx(expected.item(), rel=1e-5, abs=1e-6)
    ours, theirs = (torch.autograd.grad(value, scores)[0] for value in (found, expected))
    assert torch.allclose(ours, theirs, atol=1e-6)


@pytest.mark.parametrize("kind", ["mixed", "soft", "empty"])
@pytest.mark.filterwarnings("ignore:alpha 0.3 weighs")
def test_the_seeds_tversky_is_that_of_its_library(batch, kind):
    smp = pytest.importorskip("segmentation_models_pytorch.losses")
    scores, target = batch
    target = target if kind == "mixed" else torch.rand_like(target) if kind == "soft" else torch.zeros_like(target)
    settings = {"mode": "binary", "alpha": 0.3, "beta": 0.7, "smooth": 1.0, "from_logits": True}
    found = losses.build({"name": "TverskyLoss", "args": settings})(scores, target).mean
    same(found, smp.TverskyLoss(**settings)(scores, target), scores)


@pytest.mark.parametrize(("name", "peer"), [("dice", "DiceLoss"), ("jaccard", "JaccardLoss"), ("lovasz", "LovaszLoss")])
def test_losses_of_several_classes_are_those_of_segmentation_models_pytorch(name, peer):
    smp = pytest.importorskip("segmentation_models_pytorch.losses")
    torch.manual_seed(1)
    scores, target = torch.randn(3, 4, 9, 9, requires_grad=True), torch.randint(0, 4, (3, 9, 9))
    same(losses.build(name)(scores, target).mean, getattr(smp, peer)("multiclass")(scores, target), scores)


@pytest.mark.parametrize(
    ("described", "peer", "options"),
    [
        ({"name": "gdice", "per_image": True}, "GeneralizedDiceLoss", {"smooth_nr": 0, "smooth_dr": 0}),
        ({"name": "sq_dice", "per_image": True}, "DiceLoss", {"squared_pred": True, "smooth_nr": 0, "smooth_dr": 0}),
        ({"name": "sq_jaccard", "per_image": True}, "DiceLoss", {"squared_pred": True, "jaccard": True, "smooth_nr": 0, "smooth_dr": 0}),
        ({"name": "hausdorff_dt", "normalise": False}, "HausdorffDTLoss", {}),
    ],
    ids=str,
)
def test_losses_are_those_of_monai(batch, described, peer, options):
    monai = pytest.importorskip("monai.losses")
    scores, target = batch
    same(
        losses.build({**described, "mode": "binary"})(scores, target).mean,
        getattr(monai, peer)(sigmoid=True, **options)(scores, target),
        scores,
    )


def test_hausdorff_by_erosions_is_that_of_kornia():
    kornia = pytest.importorskip("kornia.losses")
    torch.manual_seed(1)
    chances, target = torch.rand(2, 3, 16, 16).softmax(1).requires_grad_(), torch.randint(0, 3, (2, 16, 16))
    loss = losses.build({"name": "hausdorff_er", "mode": "multiclass", "from_logits": False})
    same(loss(chances, target).mean, kornia.HausdorffERLoss()(chances, target.unsqueeze(1)), chances)


def test_focal_over_several_classes_is_that_of_kornia():
    kornia = pytest.importorskip("kornia.losses")
    torch.manual_seed(1)
    scores, target = torch.randn(3, 4, 9, 9, requires_grad=True), torch.randint(0, 4, (3, 9, 9))
    expected = kornia.FocalLoss(alpha=None, gamma=2.0, reduction="none")(scores, target).sum(1).mean()
    same(losses.build("focal")(scores, target).mean, expected, scores)
