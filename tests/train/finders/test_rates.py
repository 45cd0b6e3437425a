"""The learning rate range test finds where training falls and where it breaks, and leaves the job as it was."""

import math
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from training_builders import network, same, small_job, weights

from burnish.errors import ConfigError, ModelError
from burnish.train.finders.rates import rate_range
from burnish.train.finders.settings import RateRangeConfig

CURVATURE = 8.0


def bowl(start=3.0):
    """A parabola: gradient descent falls below a rate of 2 / curvature, and breaks above it."""
    model = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(model.weight, start)
    return model


def height(model, _batch):
    return 0.5 * CURVATURE * model.weight.square().sum(), 1


def bowl_job(**more):
    return small_job(bowl(), optimizer={"name": "sgd", "lr": 0.1, "momentum": 0.0}, forward=height, **more)


def test_training_breaks_where_theory_says_it_does():
    found = rate_range(bowl_job(), RateRangeConfig(steps=200, low=1e-4, high=100.0, smoothing=0.0))
    assert 2 / CURVATURE < found.diverged < 20 / CURVATURE
    assert found.careful == pytest.approx(found.diverged / 10)
    assert 1e-3 < found.steepest < 2 / CURVATURE
    assert found.suggestion == min(found.steepest, found.careful)
    assert len(found.rates) < 200


def test_rates_grow_by_the_same_factor():
    found = rate_range(small_job(), RateRangeConfig(steps=20, low=1e-6, high=1e-4))
    assert found.rates[0] == pytest.approx(1e-6)
    assert found.rates[-1] == pytest.approx(1e-4)
    factors = {round(later / former, 9) for former, later in zip(found.rates, found.rates[1:], strict=False)}
    assert len(factors) == 1
    assert found.diverged is None
    assert found.table.shape == (20, 3)


def test_losses_are_those_of_the_loop_at_these_rates():
    found = rate_range(bowl_job(), RateRangeConfig(steps=30, low=1e-3, high=0.1, smoothing=0.5))
    weight, wanted = 3.0, []
    for rate in found.rates:
        wanted.append(0.5 * CURVATURE * weight**2)
        weight -= rate * CURVATURE * weight
    assert found.losses == pytest.approx(wanted, rel=1e-4)
    mean, smoothed = 0.0, []
    for number, loss in enumerate(wanted, start=1):
        mean = 0.5 * mean + 0.5 * loss
        smoothed.append(mean / (1 - 0.5**number))
    assert found.smoothed == pytest.approx(smoothed, rel=1e-4)


def test_groups_keep_their_proportions():
    seen = []
    job = small_job(network(), forward=lambda m, b: (seen.append([g["lr"] for g in job.optimizer.param_groups]), plain(m, b))[1])
    job.optimizer.param_groups[1]["lr"] = 3 * job.optimizer.param_groups[0]["lr"]
    rate_range(job, RateRangeConfig(steps=10))
    assert all(second == pytest.approx(3 * first) for first, second in seen)


def plain(model, batch):
    return torch.nn.functional.mse_loss(model(batch[0]), batch[1]), len(batch[0])


@pytest.mark.parametrize("handlers", [[], ["clipping", {"name": "accumulation", "batches": 4}, {"name": "precision", "mode": "bf16"}]])
def test_nothing_is_left_of_the_sweep(handlers, tmp_path):
    model = network()
    job = small_job(model, handlers=[*handlers, "saving"], schedule="cosine", folder=tmp_path)
    before, chance = weights(model), torch.get_rng_state()
    rates = [group["lr"] for group in job.optimizer.param_groups]
    rate_range(job, RateRangeConfig(steps=12))
    assert same(before, weights(model))
    assert torch.equal(chance, torch.get_rng_state())
    assert not job.optimizer.state
    assert [group["lr"] for group in job.optimizer.param_groups] == rates
    assert job.scheduler.step == 0
    assert not list(tmp_path.iterdir())


def test_a_loss_that_is_no_number_ends_the_sweep():
    def breaking(model, batch):
        loss, count = plain(model, batch)
        return loss * (math.nan if job.optimizer.param_groups[0]["lr"] > 1e-2 else 1), count

    job = small_job(forward=breaking)
    found = rate_range(job, RateRangeConfig(steps=50, low=1e-5, high=1.0))
    assert 1e-2 < found.diverged < 2e-2
    assert all(math.isfinite(loss) for loss in found.losses)


def test_a_training_that_is_broken_from_the_start_is_told():
    with pytest.raises(ModelError, match="The loss diverges within 1 steps, at a rate of 1e-07"):
        rate_range(small_job(forward=lambda m, b: (plain(m, b)[0] * math.nan, 1)))


def test_the_chart_shows_the_sweep():
    found = rate_range(bowl_job(), RateRangeConfig(steps=60, low=1e-4, high=100.0))
    assert "<svg" in found.chart()
    assert "Learning rate range test" in found.chart()
    assert "diverges at" in str(found)


def test_a_sweep_must_rise():
    with pytest.raises(ConfigError, match=r"low is 1 and high 0.1"):
        RateRangeConfig.make(low=1, high=0.1)


SCRIPT = """
import sys
sys.path[:0] = [{tests!r}]
import torch
from pathlib import Path
from torch import distributed
import training_builders as built
from burnish.train.finders.rates import rate_range
from burnish.train.finders.settings import RateRangeConfig

torch.set_num_threads(1)
rank, folder = int(sys.argv[1]), Path(sys.argv[2])
distributed.init_process_group("gloo", init_method=(folder / "meeting").as_uri(), rank=rank, world_size=2)
model = torch.nn.parallel.DistributedDataParallel(built.network(norm=False))
own = lambda epoch, first: (tuple(part[rank::2] for part in batch) for batch in built.batches(epoch, first))
job = built.small_job(model, batches=own)
before = built.weights(model)
found = rate_range(job, RateRangeConfig(steps=60, low=1e-4, high=1e3, smoothing=0.5))
assert built.same(before, built.weights(model))
torch.save([list(found.losses), found.diverged, found.suggestion], folder / f"{{rank}}.pt")
distributed.destroy_process_group()
"""


@pytest.mark.slow
def test_ranks_sweep_together(tmp_path):
    script = SCRIPT.format(tests=str(Path(__file__).parents[2]))
    ranks = [subprocess.Popen([sys.executable, "-c", script, str(rank), tmp_path]) for rank in range(2)]
    assert [process.wait(timeout=120) for process in ranks] == [0, 0]
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2))
    assert first == second
    assert first[1] is not None
