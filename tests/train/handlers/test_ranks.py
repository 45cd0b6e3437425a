"""Two processes that train together take the steps that one process takes with all batches."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from training_builders import network, rows, small_job, weights

from burnish.train.training import train

SCRIPT = """
import sys
sys.path[:0] = [{tests!r}]
import torch
from pathlib import Path
from torch import distributed
import training_builders as built
from burnish.train.training import train

torch.set_num_threads(1)
rank, folder = int(sys.argv[1]), Path(sys.argv[2])
distributed.init_process_group("gloo", init_method=(folder / "meeting").as_uri(), rank=rank, world_size=2)
inputs, wanted = built.rows(24)
cuts = [5, 2, 11, 6]  # each rank takes two of them, of different sizes
pieces = list(zip(inputs.split(cuts), wanted.split(cuts)))[rank::2]
model = torch.nn.parallel.DistributedDataParallel(built.network(dropout=0.0, norm=False))
handlers = [{{"name": "accumulation", "batches": 2}}, "skipping", "saving"]
job = built.small_job(model, handlers=handlers, epochs=3, batches_per_epoch=2, evaluate=None,
                      optimizer={{"name": "sgd", "lr": 0.1}}, batches=lambda _epoch, first: iter(pieces[first:]), folder=folder / "run")
train(job)
torch.save(model.module.state_dict(), folder / f"{{rank}}.pt")
distributed.destroy_process_group()
"""


@pytest.mark.slow
def test_two_ranks_with_uneven_batches_equal_one_large_batch(tmp_path):
    script = SCRIPT.format(tests=str(Path(__file__).parents[2]))
    ranks = [subprocess.Popen([sys.executable, "-c", script, str(rank), tmp_path]) for rank in range(2)]
    assert [process.wait(timeout=120) for process in ranks] == [0, 0]
    model, whole = network(dropout=0.0, norm=False), [rows(24)]
    plain = {"name": "sgd", "lr": 0.1}
    train(
        small_job(model, epochs=3, batches_per_epoch=1, evaluate=None, optimizer=plain, batches=lambda _epoch, first: iter(whole[first:]))
    )
    for rank in range(2):
        found = torch.load(tmp_path / f"{rank}.pt")
        assert all(torch.allclose(found[name], value, atol=1e-6) for name, value in weights(model).items())
    assert (tmp_path / "run/last.pt").exists()
