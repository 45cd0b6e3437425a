"""Where torch has the loss, the values and gradients are torch's, with weights, smoothing, soft targets and ignored labels."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from burnish.errors import ConfigError, DataError
from burnish.train import losses


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def same(found, expected, scores):
    assert found.item() == pytest.approx(expected.item(), rel=1e-5, abs=1e-6)
    ours, theirs = (torch.autograd.grad(value, scores)[0] for value in (found, expected))
    assert torch.allclose(ours, theirs, atol=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weights", [None, (0.5, 1.0, 3.0)])
@pytest.mark.parametrize("shape", [(), (4, 5)])
def test_cross_entropy_of_labels_is_torchs(smoothing, weights, shape):
    scores, target = torch.randn(6, 3, *shape, requires_grad=True), torch.randint(0, 3, (6, *shape))
    target[0] = -100
    found = losses.build({"name": "CE", "label_smoothing": smoothing, "class_weights": weights, "ignore_index": -100})(scores, target)
    options = {"weight": None if weights is None else torch.tensor(weights), "label_smoothing": smoothing}
    same(found.mean, functional.cross_entropy(scores, target, **options), scores)


@pytest.mark.parametrize("weights", [None, (0.5, 1.0, 3.0)])
def test_cross_entropy_of_soft_targets_is_torchs(weights):
    scores, target = torch.randn(6, 3, requires_grad=True), torch.rand(6, 3).softmax(1)
    options = {"weight": None if weights is None else torch.tensor(weights)}
    found = losses.build({"name": "CE", "class_weights": weights, "label_smoothing": 0.2})(scores, target)
    same(found.mean, functional.cross_entropy(scores, target, label_smoothing=0.2, **options), scores)


def test_binary_cross_entropy_with_a_weight_of_yes_is_torchs():
    scores, target = torch.randn(6, 3, requires_grad=True), torch.rand(6, 3)
    found = losses.build({"name": "BCE", "mode": "multilabel", "pos_weight": [1.0, 2.0, 5.0]})(scores, target)
    expected = functional.binary_cross_entropy_with_logits(scores, target, pos_weight=torch.tensor([1.0, 2.0, 5.0]))
    same(found.mean, expected, scores)
    single = functional.binary_cross_entropy_with_logits(scores, target, pos_weight=torch.tensor(3.0))
    same(losses.build({"name": "BCE", "mode": "multilabel", "pos_weight": 3})(scores, target).mean, single, scores)
    chances = losses.build({"name": "BCE", "mode": "multilabel", "pos_weight": [1.0, 2.0, 5.0], "from_logits": False})
    assert chances(scores.detach().sigmoid(), target).mean.item() == pytest.approx(expected.item(), rel=1e-5)


def test_nll_takes_log_probabilities():
    scores, target = torch.randn(6, 3, 4, requires_grad=True), torch.randint(0, 3, (6, 4))
    same(losses.build("NLL")(scores.log_softmax(1), target).mean, functional.nll_loss(scores.log_softmax(1), target), scores)
    yes_no = losses.build({"name": "NLL", "mode": "binary"})(functional.logsigmoid(scores[:, 0]), (target > 0).float())
    assert yes_no.mean.item() == pytest.approx(functional.binary_cross_entropy_with_logits(scores[:, 0], (target > 0).float()).item())


def test_kl_is_the_divergence_of_the_whole_batch_over_its_pictures():
    scores, target = torch.randn(6, 3, requires_grad=True), torch.rand(6, 3).softmax(1)
    same(losses.build("KL")(scores, target).mean, functional.kl_div(scores.log_softmax(1), target, reduction="batchmean"), scores)


def test_distillation_softens_both_sides_and_scales_back():
    scores, teacher = torch.randn(6, 3, requires_grad=True), torch.randn(6, 3)
    found = losses.build({"name": "KL", "temperature": 4.0, "target_logits": True})(scores, teacher).mean
    expected = 16 * functional.kl_div((scores / 4).log_softmax(1), (teacher / 4).softmax(1), reduction="batchmean")
    same(found, expected, scores)
    with pytest.raises(ConfigError, match="temperature and target_logits need logits"):
        losses.build({"name": "KL", "temperature": 4.0, "from_logits": False})(scores, teacher)


def test_soft_margin_is_torchs():
    scores, target = torch.randn(6, 3, requires_grad=True), torch.randint(0, 2, (6, 3))
    same(
        losses.build({"name": "SoftMarginLoss", "mode": "multilabel"})(scores, target).mean,
        functional.soft_margin_loss(scores, 2.0 * target - 1),
        scores,
    )


def test_focal_with_alpha_is_torchvisions():
    ops = pytest.importorskip("torchvision.ops")
    scores, target = torch.randn(6, 3, requires_grad=True), torch.randint(0, 2, (6, 3)).float()
    found = losses.build({"name": "focal", "mode": "multilabel", "alpha": 0.25})(scores, target).mean
    same(found, ops.sigmoid_focal_loss(scores, target, alpha=0.25, reduction="mean"), scores)


def test_focal_weighs_classes_and_refuses_alpha_among_several():
    scores, target = torch.randn(6, 3), torch.randint(0, 3, (6,))
    plain = losses.build("focal")(scores, target).parts["focal"].values[:, 0]
    weights = torch.tensor([0.5, 1.0, 3.0])[target]
    found = losses.build({"name": "focal", "class_weights": [0.5, 1.0, 3.0]})(scores, target).mean.item()
    assert found == pytest.approx(((plain * weights).sum() / weights.sum()).item())
    with pytest.raises(ConfigError, match="alpha weighs yes against no"):
        losses.build({"name": "focal", "alpha": 0.25})(scores, target)


MAGNITUDES = {
    "L1": functional.l1_loss,
    "MSE": functional.mse_loss,
    "Huber": functional.huber_loss,
    "SmoothL1": functional.smooth_l1_loss,
}


@pytest.mark.parametrize("name", sorted(MAGNITUDES))
def test_differences_are_torchs_and_nan_targets_do_not_count(name):
    scores, target = torch.randn(6, 3, requires_grad=True), 2 * torch.randn(6, 3)
    same(losses.build(name)(scores, target).mean, MAGNITUDES[name](scores, target), scores)
    target[0], target[1] = torch.nan, -1.0
    same(losses.build({"name": name, "ignore_value": -1.0})(scores, target).mean, MAGNITUDES[name](scores[2:], target[2:]), scores)


@settings(deadline=None)
@given(st.lists(st.floats(-300, 300, width=32), min_size=1, max_size=20))
def test_log_cosh_never_overflows(rows):
    scores = torch.tensor(rows, requires_grad=True)
    found = losses.build("LogCosh")(scores, torch.zeros(len(rows))).mean
    exact = np.abs(rows) + np.log1p(np.exp(-2 * np.abs(np.array(rows, dtype=np.float64)))) - np.log(2)
    assert found.item() == pytest.approx(exact.mean(), rel=1e-5, abs=1e-6)
    (gradient,) = torch.autograd.grad(found, scores)
    assert gradient.numpy() == pytest.approx(np.tanh(rows) / len(rows), abs=1e-6)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.sampled_from(["dice", "jaccard", "tversky"]))
def test_semimetric_losses_vanish_exactly_where_the_prediction_is_the_soft_target(seed, name):
    target = torch.from_numpy(np.random.default_rng(seed).random((2, 1, 4, 4)).astype(np.float32))
    loss = losses.build({"name": name, "mode": "binary", "from_logits": False})
    assert loss(target, target).mean.item() == pytest.approx(0, abs=1e-6)
    other = target.flip(3)
    assert loss(other, target).mean > 1e-3 or torch.equal(other, target)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.sampled_from(["dice", "jaccard", "tversky", "gdice", "sq_dice", "sq_jaccard", "lovasz", "boundary"]))
def test_overlap_losses_lie_between_0_and_1_and_do_not_mind_the_order_of_pictures(seed, name):
    rng = np.random.default_rng(seed)
    scores = torch.from_numpy(rng.normal(0, 3, (3, 4, 5, 5)).astype(np.float32))
    target = torch.from_numpy(rng.integers(0, 4, (3, 5, 5)))
    loss = losses.build({"name": name, "mode": "multiclass"})
    value = loss(scores, target).mean.item()
    assert -1e-6 <= value <= 1 + 1e-6
    assert loss(scores.flip(0), target.flip(0)).mean.item() == pytest.approx(value, rel=1e-4, abs=1e-6)


def test_class_weights_of_regions_weigh_their_mean_and_0_leaves_a_class_out():
    scores, target = torch.randn(2, 3, 6, 6), torch.randint(0, 3, (2, 6, 6))
    each = losses.build("dice")(scores, target).parts["dice"].values[0]
    weighted = losses.build({"name": "dice", "class_weights": [0, 1, 3]})(scores, target).mean
    assert weighted.item() == pytest.approx(((each[1] + 3 * each[2]) / 4).item())


@pytest.mark.parametrize(
    ("settings", "predicted", "target", "message"),
    [
        (
            {},
            (2, 3, 4, 4),
            (2, 5, 5),
            r"The target has shape \(2, 5, 5\); expected \(2, 3, 4, 4\), as the prediction, or labels \(2, 4, 4\)",
        ),
        ({"mode": "multilabel"}, (2, 3, 4), (2, 4), r"expected \(2, 3, 4\), as the prediction\."),
        ({}, (3,), (3,), "with a score for each class"),
    ],
)
def test_shapes_that_do_not_fit_are_told(settings, predicted, target, message):
    with pytest.raises(DataError, match=message):
        losses.build({"name": "dice", **settings})(torch.zeros(predicted), torch.zeros(target, dtype=torch.int64))


def test_labels_that_are_no_class_are_told_with_the_way_out():
    target = torch.zeros(2, 4, 4, dtype=torch.int64)
    target[0, 0, 0] = 255
    with pytest.raises(
        DataError, match=r"The target holds the label 255; expected 0 to 2\. If it marks what to ignore, set ignore_index\."
    ):
        losses.build("CE")(torch.zeros(2, 3, 4, 4), target)
    with pytest.raises(DataError, match="labels of classes must be whole numbers"):
        losses.build("CE")(torch.zeros(2, 3, 4, 4), target.float())


def test_a_wrong_number_of_weights_is_told():
    with pytest.raises(ConfigError, match="class_weights has 2 numbers, but there are 3 classes"):
        losses.build({"name": "dice", "class_weights": [1, 1]})(torch.zeros(2, 3, 4, 4), torch.zeros(2, 4, 4, dtype=torch.int64))
    with pytest.raises(DataError, match=r"The weight has shape \(3,\); expected \(2,\)"):
        losses.build("dice")(torch.zeros(2, 3, 4, 4), torch.zeros(2, 4, 4, dtype=torch.int64), weight=torch.ones(3))


def test_large_masks_in_half_precision_neither_overflow_nor_drown():
    scores, target = torch.full((1, 1, 1024, 1024), 4.0), torch.ones(1, 1, 1024, 1024)
    for name in ("dice", "jaccard", "tversky", "gdice", "sq_dice", "sq_jaccard"):
        loss = losses.build({"name": name, "mode": "binary"})
        assert loss(scores.half(), target.half()).mean.item() == pytest.approx(loss(scores.double(), target.double()).mean.item(), abs=1e-5)
