"""The largest batch is the one with which real steps fit, less a margin; nothing is left of the search."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from training_builders import network, rows, same, small_job, weights

from burnish.errors import ConfigError, DataError, ModelError
from burnish.train.finders.batch import accumulation_for, largest_batch, safe_batch
from burnish.train.finders.memory import is_lack_of_memory, memory_limit, resident_bytes, watched
from burnish.train.finders.settings import LargestBatchConfig
from burnish.train.finders.trials import sized_batch

BIG = {"memory_mib": 1e6}  # the made limits of the networks decide, not this machine


class Limited(torch.nn.Module):
    """A network for which memory does not suffice above some rows."""

    def __init__(self, most):
        super().__init__()
        self.inner, self.most, self.seen = network(), most, []

    def forward(self, inputs):
        self.seen.append(len(inputs))
        if len(inputs) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return self.inner(inputs)


class HeavyState(torch.optim.SGD):
    """An optimiser whose state does not fit beside batches above some rows, but which the first pass does not need."""

    def __init__(self, parameters, model, most):
        super().__init__(parameters, lr=0.1, momentum=0.9)
        self.model, self.most = model, most

    def step(self, closure=None):
        found = super().step(closure)
        if self.model.seen[-1] > self.most:
            raise RuntimeError(
                "[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"
            )
        return found


@pytest.mark.slow
@pytest.mark.parametrize(("most", "batch"), [(2, 1), (5, 4), (37, 32), (100, 88)])
def test_the_margin_is_left_and_the_size_is_a_multiple(most, batch):
    model = Limited(most)
    found = largest_batch(small_job(model), LargestBatchConfig(**BIG))
    assert found.batch == batch
    assert found.fitting <= most < next(trial.batch for trial in found.trials if not trial.fits)
    assert safe_batch(most, LargestBatchConfig()) == batch
    assert not found.bounded


@pytest.mark.parametrize("most", [3, 16, 17])
def test_without_margin_and_multiple_the_edge_is_found_exactly(most):
    found = largest_batch(small_job(Limited(most)), LargestBatchConfig(margin=0, multiple=1, **BIG))
    assert found.batch == found.fitting == most


def test_the_optimiser_takes_part():
    model = Limited(100)
    job = small_job(model)
    own = HeavyState(model.parameters(), model, 20)
    found = largest_batch(type(job)(**{**fields(job), "optimizer": own}), LargestBatchConfig(margin=0, multiple=1, **BIG))
    assert found.fitting == 20
    assert not own.state


def test_it_stops_at_the_largest_size_that_makes_sense():
    found = largest_batch(small_job(Limited(10**6)), LargestBatchConfig(margin=0, most=48, **BIG))
    assert (found.batch, found.bounded) == (48, True)
    assert "48 is the largest size that was to be tried" in str(found)


def test_where_nothing_fits_it_says_so():
    with pytest.raises(ModelError, match=r"Not even batches of 2 fit into memory"):
        largest_batch(small_job(Limited(1)), LargestBatchConfig(**BIG))


def test_another_error_is_no_lack_of_memory():
    class Broken(Limited):
        def forward(self, inputs):
            if len(inputs) > 16:
                raise ValueError("the shapes do not fit")
            return super().forward(inputs)

    with pytest.raises(ModelError, match="not for want of memory: ValueError: the shapes do not fit"):
        largest_batch(small_job(Broken(64)), LargestBatchConfig(**BIG))


@pytest.mark.slow
@pytest.mark.parametrize(
    "handlers",
    [
        [],
        [{"name": "clipping", "norm": 1.0}, {"name": "averaging", "decay": 0.9}, {"name": "accumulation", "batches": 3}],
        [{"name": "precision", "mode": "bf16"}],
        [{"name": "precision", "mode": "fp16"}, "skipping", "clipping"],
    ],
    ids=["plain", "more", "bf16", "fp16"],
)
def test_nothing_is_left_of_the_search(handlers):
    model = Limited(50)
    job = small_job(model, handlers=handlers)
    before, chance = weights(model), torch.get_rng_state()
    groups = [{key: value for key, value in group.items() if key != "params"} for group in job.optimizer.param_groups]
    largest_batch(job, LargestBatchConfig(**BIG))
    assert same(before, weights(model))
    assert torch.equal(chance, torch.get_rng_state())
    assert not job.optimizer.state
    assert [{key: value for key, value in group.items() if key != "params"} for group in job.optimizer.param_groups] == groups
    assert all(value.grad is None for value in model.parameters())
    assert job.handlers.precision.scale == 1.0


def test_accumulated_batches_are_all_computed():
    model = Limited(4)
    largest_batch(small_job(model, handlers=[{"name": "accumulation", "batches": 3}]), LargestBatchConfig(steps=2, most=2, **BIG))
    assert model.seen == [2] * 6


def test_a_function_makes_the_batches_where_they_cannot_be_repeated():
    inputs, wanted = rows(1)

    def make(size):
        return inputs.expand(size, -1), wanted.expand(size, -1)

    assert largest_batch(small_job(Limited(30)), LargestBatchConfig(margin=0, multiple=1, **BIG), batch_of=make).batch == 30


class Hungry(torch.nn.Module):
    """Keeps 16 MiB a row until the backward pass."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(2**22))

    def forward(self, inputs):
        return (inputs[:, :1] * self.weight).square().mean(dim=1, keepdim=True)


def test_on_a_cpu_resident_memory_is_the_limit():
    job = small_job(Hungry())
    limit = resident_bytes() / 2**20 + 640
    found = largest_batch(job, LargestBatchConfig(memory_mib=limit, margin=0, multiple=1, most=1024, steps=2))
    assert 4 <= found.fitting <= 40  # two to four times 16 MiB a row are alive at once, beside what other tests left to be freed
    assert all(trial.peak_bytes <= limit * 2**20 for trial in found.trials if trial.fits)
    assert not found.bounded


def test_sizes_far_beyond_the_limit_are_not_tried():
    limit = resident_bytes() / 2**20 + 400
    found = largest_batch(small_job(Hungry()), LargestBatchConfig(memory_mib=limit, margin=0, multiple=1, steps=1))
    assert all(trial.seconds == 0 for trial in found.trials if not trial.tried)
    assert all(trial.peak_bytes > limit * 2**20 for trial in found.trials if not trial.fits)


def test_memory_is_watched():
    device = torch.device("cpu")
    before = resident_bytes()
    with watched(device) as peak:
        held = torch.ones(2**25)
    assert peak.bytes >= before + held.nbytes // 2
    assert memory_limit(device, 10.0, 1) == 10 * 2**20
    assert memory_limit(device, None, 1) > resident_bytes()
    assert memory_limit(torch.device("cuda"), None, 1) is None


def test_a_lack_of_memory_is_told_from_other_errors():
    assert is_lack_of_memory(torch.OutOfMemoryError("x"))
    assert is_lack_of_memory(MemoryError())
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**58)
    assert is_lack_of_memory(caught.value)
    assert not is_lack_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))


@pytest.mark.parametrize(("target", "batch", "world", "wanted"), [(256, 32, 1, 8), (256, 32, 2, 4), (250, 32, 2, 4), (8, 32, 1, 1)])
def test_accumulation_reaches_the_target(target, batch, world, wanted):
    assert accumulation_for(target, batch, world) == wanted


def test_impossible_numbers_are_refused():
    with pytest.raises(ConfigError, match="expected numbers of at least 1"):
        accumulation_for(256, 0)
    with pytest.raises(ConfigError, match="begin is 8, more than most, 4"):
        LargestBatchConfig.make(begin=8, most=4)


def test_batches_are_repeated_whatever_they_are_made_of():
    batch = {"pictures": torch.arange(3), "targets": [1, 2, 3], "more": (torch.zeros(3, 2), None)}
    found = sized_batch(batch, 5)
    assert found["pictures"].tolist() == [0, 1, 2, 0, 1]
    assert found["targets"] == [1, 2, 3, 1, 2]
    assert found["more"][0].shape == (5, 2)
    with pytest.raises(DataError, match="A batch holds a object that has no rows"):
        sized_batch((object(),), 5)


def test_networks_that_exchange_statistics_are_refused():
    model = torch.nn.SyncBatchNorm.convert_sync_batchnorm(network())
    with pytest.raises(ConfigError, match="before convert_sync_batchnorm"):
        largest_batch(small_job(model), LargestBatchConfig(**BIG))


SCRIPT = """
import sys
sys.path[:0] = [{tests!r}, {here!r}]
import torch
from pathlib import Path
from torch import distributed
import training_builders as built
from test_batch import BIG, Limited
from burnish.errors import ModelError
from burnish.train.finders.batch import largest_batch
from burnish.train.finders.settings import LargestBatchConfig

torch.set_num_threads(1)
rank, folder = int(sys.argv[1]), Path(sys.argv[2])
distributed.init_process_group("gloo", init_method=(folder / "meeting").as_uri(), rank=rank, world_size=2)
config = LargestBatchConfig(margin=0, multiple=1, **BIG)
model = torch.nn.parallel.DistributedDataParallel(Limited([40, 23][rank]))
job = built.small_job(model, handlers=[{{"name": "accumulation", "batches": 2}}, "clipping"])
before = built.weights(model)
found = largest_batch(job, config)
assert built.same(before, built.weights(model))
sizes = [trial.batch for trial in found.trials]
built.forward(model, next(built.batches(0, 0)))[0].backward()  # ranks still exchange gradients
told = ""
class Broken(Limited):
    def forward(self, inputs):
        if rank == 1:
            raise ValueError("only here")
        return super().forward(inputs)
try:
    largest_batch(built.small_job(torch.nn.parallel.DistributedDataParallel(Broken(9))), config)
except ModelError as error:
    told = str(error)
gradient = next(model.parameters()).grad
torch.save([found.fitting, found.world, found.accumulation(256), sizes, told, gradient], folder / f"{{rank}}.pt")
distributed.destroy_process_group()
"""


@pytest.mark.slow
def test_ranks_take_what_fits_on_all_of_them(tmp_path):
    script = SCRIPT.format(tests=str(Path(__file__).parents[2]), here=str(Path(__file__).parent))
    ranks = [subprocess.Popen([sys.executable, "-c", script, str(rank), tmp_path]) for rank in range(2)]
    assert [process.wait(timeout=120) for process in ranks] == [0, 0]
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2))
    assert first[:4] == second[:4]
    assert first[:3] == [23, 2, 6]
    assert "on rank 1: only here" in first[4]
    assert "ValueError: only here" in second[4]
    assert torch.equal(first[5], second[5])


def fields(job):
    return {name: getattr(job, name) for name in job.__dataclass_fields__}
