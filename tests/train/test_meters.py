"""Meters and shares are exact: over batches of any size, and over two processes whose batches are uneven."""

import os
import subprocess
import sys
import textwrap

import pytest
import torch

from burnish.train import losses
from burnish.train.distributed import averaged, gathered, gathered_rows, is_first, rank, summed, world_size

PARTS = {"region": {"loss": {"name": "dice", "per_image": True}, "weight": 0.5}, "pixels": {"loss": {"name": "focal", "ignore_index": 9}}}
COMBINED = {"name": "combined", "parts": PARTS}


def whole_batch():
    torch.manual_seed(3)
    scores, target = torch.randn(7, 3, 4, 4, dtype=torch.float64), torch.randint(0, 3, (7, 4, 4))
    target[1, :3] = 9
    return scores, target


def ignoring(target):
    """The region loss ignores what the pixel loss does."""
    return {"weight": (target != 9).double()}


@pytest.fixture
def combined():
    return losses.build(
        {"name": "combined", "parts": {name: {**part, "loss": {**part["loss"], "ignore_index": 9}} for name, part in PARTS.items()}}
    )


def test_a_meter_of_uneven_batches_tells_the_mean_of_all_items(combined):
    scores, target = whole_batch()
    expected = combined(scores, target)
    everything = combined.meter.compute()
    assert everything["loss"] == pytest.approx(expected.mean.item())
    combined.meter.reset()
    for rows in (slice(0, 1), slice(1, 5), slice(5, 7)):
        combined(scores[rows], target[rows])
    assert combined.meter.compute() == pytest.approx(everything, rel=1e-12)


def test_shares_of_uneven_batches_add_up_to_the_gradient_of_the_whole(combined):
    scores, target = whole_batch()
    scores.requires_grad_()
    (expected,) = torch.autograd.grad(combined(scores, target).mean, scores)
    results = [combined(scores[rows], target[rows]) for rows in (slice(0, 1), slice(1, 5), slice(5, 7))]
    counts = {name: sum(result.counts[name] for result in results) for name in results[0].counts}
    (found,) = torch.autograd.grad(sum(result.share(counts) for result in results), scores)
    assert torch.allclose(found, expected, atol=1e-14)


def test_an_empty_meter_tells_nan_or_nothing():
    loss = losses.build({"name": "CE", "ignore_index": 0})
    assert loss.meter.compute() == {}
    loss(torch.zeros(1, 2), torch.zeros(1, dtype=torch.int64))
    assert str(loss.meter.compute()) == "{'cross_entropy': nan}"


def test_alone_nothing_is_exchanged():
    rows = torch.arange(3.0)
    assert (rank(), world_size(), is_first()) == (0, 1, True)
    assert all(function(rows) is rows for function in (summed, gathered_rows))
    assert torch.equal(averaged(rows), rows)
    assert gathered("x") == ["x"]


WORKER = """
    import sys, torch
    from torch import distributed
    sys.path[:0] = sys.argv[3:]
    from burnish.train import losses
    from burnish.train.distributed import averaged, gathered, gathered_rows, is_first, rank, summed, world_size
    from burnish.train.metering import build as build_meter
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{sys.argv[2]}", rank=int(sys.argv[1]), world_size=2)
    mine = slice(0, 5) if rank() == 0 else slice(5, 7)
    torch.manual_seed(3)
    scores, target = torch.randn(7, 3, 4, 4, dtype=torch.float64), torch.randint(0, 3, (7, 4, 4))
    target[1, :3] = 9

    # Gradients that DDP averages equal those of one process with the whole batch, and so does the meter.
    described = {"name": "combined", "parts": {
        "region": {"loss": {"name": "dice", "per_image": True, "ignore_index": 9}, "weight": 0.5},
        "pixels": {"loss": {"name": "focal", "ignore_index": 9}},
    }}
    gain = torch.nn.Linear(1, 1, bias=False, dtype=torch.float64)
    torch.nn.init.ones_(gain.weight)
    alone = losses.build(described)
    expected = alone(scores * gain.weight, target)
    (slope,) = torch.autograd.grad(expected.mean, gain.weight)
    everything = {name: part.mean.item() for name, part in expected.parts.items()}

    model = torch.nn.parallel.DistributedDataParallel(gain)
    loss = losses.build(described)
    result = loss(model(scores[mine].unsqueeze(-1)).squeeze(-1), target[mine])
    counts = {name: summed(count) for name, count in result.counts.items()}
    (world_size() * result.share(counts)).backward()
    assert torch.allclose(gain.weight.grad, slope, rtol=1e-12), (gain.weight.grad, slope)
    found = loss.meter.compute()
    assert abs(found["loss"] - expected.mean.item()) < 1e-12, found
    assert all(abs(found[name] - value) < 1e-12 for name, value in everything.items()), found

    # A rank that has seen no batch at all neither waits for ever nor counts.
    idle = losses.build("CE")
    if is_first():
        idle(torch.zeros(2, 2), torch.zeros(2, dtype=torch.int64))
    assert abs(idle.meter.compute()["cross_entropy"] - 0.6931471805599453) < 1e-6

    # Tensors: sums, means, and rows of uneven number, of none on one side.
    assert summed(torch.tensor([1.0 + rank()])).item() == 3
    assert averaged(torch.tensor([1.0 + rank()])).item() == 1.5
    assert gathered(rank()) == [0, 1]
    rows = torch.arange(14.0).reshape(7, 2)
    assert torch.equal(gathered_rows(rows[mine]), rows)
    assert torch.equal(gathered_rows(rows[:3] if is_first() else rows[:0]), rows[:3])
    METERS
    # Neither may leave while the other still talks to it.
    del model
    distributed.barrier()
    distributed.destroy_process_group()
"""

METERS = """
    # Metrics: sums and rows are those of the whole, whatever the batches.
    labels = torch.where(target == 9, 0, target)
    for given in ({"name": "iou", "per": "image"}, {"name": "iou"}, {"name": "confusion"}, {"name": "accuracy", "top": [1, 2]}):
        alone, together = build_meter(given), build_meter(given)
        if given["name"] == "accuracy":
            alone.update(scores[:, :, 0, 0], labels[:, 0, 0])
            together.update(scores[mine, :, 0, 0], labels[mine, 0, 0])
        else:
            alone.update(scores, labels)
            together.update(scores[mine], labels[mine])
        expected = alone.compute(together=False)
        assert together.compute() == expected, (given, together.compute(), expected)
    auroc = build_meter("auroc")
    auroc.update(scores[mine, 0, 0, 0], labels[mine, 0, 0] > 0)
    alone = build_meter("auroc")
    alone.update(scores[:, 0, 0, 0], labels[:, 0, 0] > 0)
    assert auroc.compute() == alone.compute(together=False)
"""


@pytest.mark.slow
def test_two_processes_with_uneven_batches_are_exact(tmp_path):
    script = tmp_path / "worker.py"
    code = textwrap.dedent(WORKER).replace("METERS\n", textwrap.dedent(METERS))
    script.write_text(code, encoding="utf-8")
    workers = [
        subprocess.Popen(
            [sys.executable, str(script), str(number), str(tmp_path / "meeting"), *sys.path],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        for number in range(2)
    ]
    errors = [worker.communicate(timeout=120)[1] for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], "\n".join(errors)
