"""Each check finds the fault that was built in, and says ok where there is none."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from burnish.train.checks.bad_values import broken_inputs, extreme_targets
from burnish.train.checks.finding import Example
from burnish.train.checks.gradients import gradients_reach
from burnish.train.checks.loading import loading_speed
from burnish.train.checks.memory import memory, memory_estimate
from burnish.train.checks.precision import bf16, fp16
from burnish.train.checks.repeatability import batch_independence, deterministic
from burnish.train.checks.sizes import batch_of_one, divisible_sizes


def classifier(norm=nn.BatchNorm2d):
    torch.manual_seed(0)
    middle = nn.Identity() if norm is None else norm(6)
    return nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), middle, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4))


def example(rows=4, size=16):
    generator = torch.Generator().manual_seed(1)
    return Example(torch.randn(rows, 3, size, size, generator=generator), torch.arange(rows) % 4)


class Changed(nn.Module):
    """A network with something done to its features or its result."""

    def __init__(self, change, *, before=False):
        super().__init__()
        self.inner, self.change, self.before = classifier(None), change, before

    def forward(self, inputs):
        return self.inner(self.change(self, inputs)) if self.before else self.change(self, self.inner(inputs))


def crossed(output, targets):
    return functional.cross_entropy(output, targets)


ALL = [
    gradients_reach, extreme_targets, deterministic, batch_independence, batch_of_one, divisible_sizes, bf16, fp16, memory,
]  # fmt: skip


@pytest.mark.parametrize("check", ALL, ids=lambda check: check.__name__)
def test_a_sound_network_is_ok(check):
    found = check(classifier(), example(), crossed)
    assert (found.status, found.advice) == ("ok", "")


def test_parameters_that_nothing_reaches_are_named():
    model = Changed(lambda _self, x: x)
    model.spare = nn.Linear(2, 2)
    found = gradients_reach(model, example(), crossed)
    assert found.status == "warning"
    assert "2 parameters (spare.weight, spare.bias)" in found.found
    assert "find_unused_parameters" in found.advice


def test_frozen_parameters_need_no_gradient():
    model = classifier()
    model[0].requires_grad_(False)
    found = gradients_reach(model, example(), crossed)
    assert found.status == "ok"
    assert "all 4 trainable" in found.found


def test_a_loss_without_a_gradient_is_an_error():
    assert gradients_reach(classifier(), example(), lambda output, targets: crossed(output.detach(), targets)).status == "error"


def test_gradients_that_are_no_numbers_are_an_error():
    rooted = gradients_reach(classifier(), example(), lambda output, _targets: (output * 0).abs().sqrt().sum())
    assert rooted.status == "error"
    assert "infinite or no numbers" in rooted.found


def test_normalisation_of_one_value_cannot_train_on_one_picture():
    model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 256, 4), nn.BatchNorm1d(4))
    found = batch_of_one(model, example(), crossed)
    assert found.status == "error"
    assert "Expected more than 1 value" in found.found
    assert batch_of_one(classifier(nn.Identity), example(), crossed).found == "A step on one picture works."


class Pyramid(nn.Module):
    """Goes down by 2 some times and adds what it finds on the way up, as U-Net does."""

    def __init__(self, depth):
        super().__init__()
        self.depth, self.mix = depth, nn.Conv2d(3, 3, 1)

    def forward(self, inputs):
        levels = [self.mix(inputs)]
        for _ in range(self.depth):
            levels.append(functional.max_pool2d(levels[-1], 2))
        found = levels.pop()
        while levels:
            found = functional.interpolate(found, scale_factor=2) + levels.pop()
        return found


def mean_of_all(output, _targets):
    return output.mean()


@pytest.mark.parametrize(("depth", "step"), [(0, 1), (1, 2), (3, 8), (5, 32)])
def test_the_sizes_that_a_pyramid_needs_are_found(depth, step):
    found = divisible_sizes(Pyramid(depth), example(2, 96), mean_of_all)
    assert found.status == "ok"
    assert (f"multiples of {step};" in found.found) == (step > 1)
    if step > 1:
        wrong = divisible_sizes(Pyramid(depth), example(2, 97), mean_of_all)
        assert wrong.status == "error"
        assert f"Take multiples of {step}, for instance {-(-97 // step) * step} x" in wrong.advice


def test_a_network_of_one_size_is_told():
    model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 256, 4))
    found = divisible_sizes(model, example(), crossed)
    assert found.status == "warning"
    assert "no other size" in found.found
    assert divisible_sizes(model, Example(torch.zeros(2, 3), torch.zeros(2)), crossed).status == "not checked"


def test_a_loss_that_overflows_in_half_precision_is_found():
    def overflowing(output, targets):
        return ((output.half() if output.dtype == torch.float16 else output) * 300).square().mean() + 0 * targets.sum()

    assert fp16(classifier(), example(), lambda o, t: overflowing(o * 100, t)).status == "error"
    assert bf16(classifier(), example(), lambda o, t: overflowing(o * 100, t)).status in {"ok", "warning"}


def test_a_loss_that_drowns_in_bf16_is_found():
    def fine(output, targets):
        return ((output.mean() + 1000) - (output.mean().detach() + 999)) * crossed(output.float(), targets)

    assert bf16(classifier(), example(), fine).status == "warning"


def test_chance_in_evaluation_is_found():
    found = deterministic(Changed(lambda _self, x: functional.dropout(x, 0.5)), example(), crossed)
    assert found.status == "error"
    assert "dropout" in found.advice


def test_learning_in_evaluation_is_found():
    class Counting(Changed):
        def __init__(self):
            super().__init__(lambda self, x: x + self.count.add_(1) * 0)
            self.register_buffer("count", torch.zeros(1))

    found = deterministic(Counting(), example(), crossed)
    assert found.status == "error"
    assert "(count)" in found.found


@pytest.mark.parametrize(
    "mixing", [lambda _self, x: x - x.mean(0), lambda _self, x: functional.batch_norm(x, None, None, training=True)], ids=["mean", "norm"]
)
def test_pictures_that_are_mixed_are_found(mixing):
    assert batch_independence(Changed(mixing), example(), crossed).status == "error"


def test_one_picture_says_nothing_of_independence():
    assert batch_independence(classifier(), example(1), crossed).status == "not checked"


def test_a_broken_picture_that_spoils_statistics_is_told():
    found = broken_inputs(classifier(), example(), crossed)
    assert found.status == "warning"
    assert "2 running statistics are spoilt for good" in found.found
    assert broken_inputs(classifier(None), example(), crossed).status == "ok"


def test_a_broken_picture_that_nobody_notices_is_told():
    hiding = Changed(lambda _self, x: torch.nan_to_num(x, posinf=0.0), before=True)
    assert "goes unnoticed" in broken_inputs(hiding, example(), crossed).found


def test_a_broken_picture_that_spoils_others_is_an_error():
    assert broken_inputs(Changed(lambda _self, x: x - x.mean(0)), example(), crossed).status == "error"


def test_a_loss_that_divides_by_nothing_is_found():
    def overlap(output, targets):
        wanted = functional.one_hot(targets, 4).float()[:, 1:]
        return 1 - (output.softmax(1)[:, 1:] * wanted).sum() / wanted.sum()

    found = extreme_targets(classifier(), example(), overlap)
    assert found.status == "error"
    assert found.found.startswith("empty targets give the loss")
    assert extreme_targets(classifier(), example(), crossed).found.endswith("on empty and full targets.")


def test_targets_of_detection_are_emptied_by_rows():
    rows = [{"boxes": torch.rand(3, 4), "labels": torch.arange(3)} for _ in range(4)]

    def loss(output, targets):
        return output.mean() * torch.cat([one["boxes"] for one in targets]).mean()

    found = extreme_targets(classifier(), Example(example().inputs, rows), loss)
    assert found.status == "error"
    assert "empty targets give the loss nan" in found.found
    assert extreme_targets(classifier(), Example(example().inputs, object()), lambda o, _t: o.mean()).status == "not checked"


def test_memory_is_that_of_what_the_backward_pass_keeps():
    model = nn.Sequential(nn.Conv2d(3, 8, 1, bias=False), nn.Tanh())
    found = memory_estimate(model, example(2, 32), lambda output, _targets: output.sum(), states=2)
    assert found.picture == (3 + 8) * 32 * 32 * 4  # the convolution keeps its input, tanh its output
    assert (found.weights, found.gradients, found.states, found.fixed) == (96, 96, 192, 0)
    assert found.total(10) == 96 + 96 + 192 + 10 * 11 * 4096


def test_a_batch_that_cannot_fit_is_an_error():
    model = classifier()
    estimate = memory_estimate(model, example(), crossed)
    limit = estimate.total(7)
    assert memory(model, example(), crossed, batch=7, limit_bytes=limit).status == "ok"
    found = memory(model, example(), crossed, batch=8, limit_bytes=limit)
    assert found.status == "error"
    assert "at most 7" in found.advice


class Clock:
    """Seconds that pass only where somebody says so."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.mark.parametrize(("load", "status"), [(0.1, "ok"), (0.4, "warning")])
def test_data_that_come_slower_than_steps_are_told(load, status):
    clock = Clock()

    def batches():
        for _ in range(30):
            clock.now += load
            yield None

    def slow(output, targets):
        clock.now += 0.2
        return crossed(output, targets)

    found = loading_speed(classifier(), example(), slow, batches=batches(), clock=clock)
    assert found.status == status
    assert f"{1000 * load:.1f} ms" in found.found
    assert ("waits for 50% of the time" in found.found) == (status == "warning")


def test_without_batches_loading_is_not_checked():
    assert loading_speed(classifier(), example(), crossed).status == "not checked"
    assert loading_speed(classifier(), example(), crossed, batches=[1]).status == "not checked"


def test_a_finding_reads_as_one_line():
    found = gradients_reach(classifier(), example(), lambda output, _targets: (output * math.nan).sum())
    assert str(found).startswith("error: gradients: Gradients of 6 parameters (0.weight, ")
