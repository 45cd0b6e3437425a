"""Every loss on scores equals its formula in float64 NumPy: value and gradient, also under autocast, on empty and on full targets."""

import loss_oracles as oracles
import numpy as np
import pytest
import torch

from burnish.train import losses

REGION = [
    (name, {**settings, "per_image": per_image, "empty": empty}, {**options, "per_image": per_image, "empty": empty})
    for name, settings, options in [
        ("dice", {}, {}),
        ("dice", {"form": "product", "smooth": 1.0}, {"form": "product", "smooth": 1.0}),
        ("jaccard", {}, {}),
        ("jaccard", {"form": "product", "smooth": 2.0}, {"form": "product", "smooth": 2.0}),
        ("tversky", {"fp_weight": 0.3, "fn_weight": 0.7, "gamma": 0.75}, {}),
        ("sq_dice", {}, {}),
        ("sq_jaccard", {}, {}),
        ("gdice", {}, {}),
    ]
    for per_image, empty in [(False, "penalise"), (True, "ignore"), (True, "zero")]
]
PLAIN = [
    (name, {}, {}) for name in ("cross_entropy", "kl", "focal", "soft_margin", "surface", "surface2edge", "hausdorff_dt", "hausdorff_er")
]
PLAIN += [
    ("boundary", {}, {}),
    ("focal", {"gamma": 0.5}, {"gamma": 0.5}),
    *(("lovasz", {"per_image": p}, {"per_image": p}) for p in (0, 1)),
]
YES_NO = [("weighted_cross_entropy", {}, {}), ("bbox_aware", {}, {}), ("binary_cross_entropy", {}, {})]
MODES = ("binary", "multiclass", "multilabel")
CASES = [(*case, mode) for case in PLAIN + REGION for mode in MODES] + [
    (*case, mode) for case in YES_NO for mode in ("binary", "multilabel")
]
SHAPE = (3, 3, 7, 6)


def identity(case):
    name, settings, _, mode = case
    return " ".join([name, mode, *(f"{key}={value}" for key, value in settings.items())])


def batch(mode, kind, seed=0):
    """Logits, targets of 0 and 1 (or soft ones), and weights of which some are 0; all (B, C, H, W)."""
    rng = np.random.default_rng(seed)
    batch_size, classes, *size = SHAPE if mode != "binary" else (3, 1, 7, 6)
    logits = rng.normal(0, 2, (batch_size, classes, *size)).astype(np.float32)
    labels = np.repeat(np.repeat(rng.integers(0, classes, (batch_size, 4, 3)), 2, 1)[:, :7], 2, 2)
    if mode == "multiclass":
        labels = np.zeros_like(labels) if kind == "empty" else np.full_like(labels, 2) if kind == "full" else labels
        target = np.eye(classes)[labels].transpose(0, 3, 1, 2)
    else:
        fill = {"empty": 0, "full": 1}.get(kind)
        target = rng.integers(0, 2, (batch_size, classes, *size)) if fill is None else np.full((batch_size, classes, *size), fill)
    if kind == "mixed":
        target[0] = 0 if mode != "multiclass" else np.eye(classes)[0][:, None, None]
    if kind == "soft":
        target = (
            rng.dirichlet(np.ones(classes), (batch_size, *size)).transpose(0, 3, 1, 2) if mode == "multiclass" else rng.random(logits.shape)
        )
    weights = np.ones((batch_size, 1, *size))
    if kind in {"mixed", "soft"}:
        weights[1, :, :2] = 0
        weights[2] = 0
    return logits, target.astype(np.float32), np.broadcast_to(weights, logits.shape).astype(np.float32)


def hard_or_soft(target, mode, kind):
    """The target as users give it: labels where there is one class of several."""
    if mode == "multiclass" and kind != "soft":
        return torch.from_numpy(target.argmax(1))
    return torch.from_numpy(target)


def oracle(name, options, mode, *arrays):
    measure = getattr(oracles, "cross_entropy" if name == "binary_cross_entropy" else name)
    return measure(*(values.astype(np.float64) for values in arrays), mode=mode, **options)


def kinds(name):
    return ["mixed", "empty", "full"] + (["soft"] if name not in {"lovasz", "surface", "surface2edge", "hausdorff_dt"} else [])


@pytest.mark.parametrize("case", CASES, ids=identity)
def test_value_and_gradient_are_those_of_the_formula(case):
    name, settings, options, mode = case
    loss = losses.build({"name": name, "mode": mode, **settings})
    for kind in kinds(name):
        logits, target, weights = batch(mode, kind)
        scores = torch.from_numpy(logits).requires_grad_()
        found = loss(scores, hard_or_soft(target, mode, kind), weight=torch.from_numpy(weights[:, 0].copy())).mean
        expected = oracle(name, options, mode, logits, target, weights)
        assert found.item() == pytest.approx(expected, rel=1e-5, abs=1e-5), kind
        (gradient,) = torch.autograd.grad(found, scores)
        assert gradient.isfinite().all()
        if name in {"hausdorff_er", "bbox_aware"} and kind == "soft":
            continue
        direction = np.random.default_rng(1).normal(size=logits.shape)
        step = 1e-6
        ahead, behind = (oracle(name, options, mode, logits + sign * step * direction, target, weights) for sign in (1, -1))
        slope = (gradient.numpy().astype(np.float64) * direction).sum()
        assert slope == pytest.approx((ahead - behind) / (2 * step), rel=1e-4, abs=1e-5), kind


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("case", CASES, ids=identity)
def test_under_autocast_it_equals_the_formula_on_the_same_rounded_scores(case, dtype):
    name, settings, options, mode = case
    logits, target, weights = batch(mode, "mixed")
    scores = torch.from_numpy(logits).to(dtype).requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = losses.build({"name": name, "mode": mode, **settings})(
            scores, hard_or_soft(target, mode, "mixed"), weight=torch.from_numpy(weights[:, 0].copy())
        ).mean
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(oracle(name, options, mode, scores.detach().float().numpy(), target, weights), rel=1e-5, abs=1e-5)
    assert torch.autograd.grad(found, scores)[0].isfinite().all()


@pytest.mark.parametrize("case", CASES, ids=identity)
def test_what_is_ignored_has_no_value_and_no_gradient(case):
    name, settings, _, mode = case
    loss = losses.build({"name": name, "mode": mode, "ignore_index": 255, **settings})
    logits, target, _ = batch(mode, "plain")
    marked = hard_or_soft(target, mode, "plain").clone()
    marked[:, ..., :3, :] = 255
    scores = torch.from_numpy(logits).requires_grad_()
    (gradient,) = torch.autograd.grad(loss(scores, marked).mean, scores)
    assert not gradient[:, :, :3].any() or name in {"boundary", "surface2edge"}  # an outline may be seen from beside it
    if name not in {"boundary", "surface2edge", "hausdorff_dt"}:
        other = scores.detach().clone()
        other[:, :, :3] += 5 * torch.randn_like(other[:, :, :3])
        assert loss(other, marked).mean.item() == pytest.approx(loss(scores.detach(), marked).mean.item(), rel=1e-6)


@pytest.mark.parametrize("case", CASES, ids=identity)
def test_a_batch_of_which_nothing_counts_costs_nothing(case):
    name, settings, _, mode = case
    logits, target, _ = batch(mode, "plain")
    marked = torch.full_like(hard_or_soft(target, mode, "plain"), 255)
    scores = torch.from_numpy(logits).requires_grad_()
    result = losses.build({"name": name, "mode": mode, "ignore_index": 255, **settings})(scores, marked)
    assert (result.mean.item(), result.counts[name].item()) == (0.0, 0.0)
    assert not torch.autograd.grad(result.mean, scores)[0].any()


# A margin is one of logits.
MARGINS = [case for case in CASES if case[0] == "soft_margin" or (case[0] == "lovasz" and case[3] != "multiclass")]


@pytest.mark.parametrize("case", [case for case in CASES if case not in MARGINS], ids=identity)
def test_probabilities_give_what_their_logits_give(case):
    name, settings, _, mode = case
    logits, target, _ = batch(mode, "mixed")
    scores, marked = torch.from_numpy(logits), hard_or_soft(target, mode, "mixed")
    chances = scores.softmax(1) if mode == "multiclass" else scores.sigmoid()
    described = {"name": name, "mode": mode, **settings}
    found = losses.build({**described, "from_logits": False})(chances, marked).mean.item()
    assert found == pytest.approx(losses.build(described)(scores, marked).mean.item(), rel=1e-4)
