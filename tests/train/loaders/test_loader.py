"""Batches of samples: the same whoever prepares them, from any batch on, and errors that name the picture."""

import time
from functools import partial

import loader_builders as parts
import numpy as np
import pytest

from burnish.engine.locks import Slots, free_slots
from burnish.errors import DataError
from burnish.train.loaders.loader import Loader, process_slots, stack_pictures
from burnish.train.loaders.placement import Placement
from burnish.train.loaders.settings import LoaderConfig
from burnish.train.loaders.shared import share_samples


def loader(read=parts.numbered, workers=0, kind="threads", **changes):
    config = LoaderConfig(workers=workers, kind=kind)
    return Loader(read, changes.pop("order", parts.order), parts.pictures_of, config=config, name=parts.name_of, **changes)


def rows_of(batches):
    return [batch[:, 0, 0, 0].tolist() for batch in batches]


@pytest.mark.parametrize(("workers", "kind"), [(0, "threads"), (1, "threads"), (2, "threads"), (2, "processes")])
def test_batches_are_the_rows_of_the_order_whoever_prepares_them(workers, kind):
    assert rows_of(loader(workers=workers, kind=kind)(3)) == [batch.tolist() for batch in parts.order(3)]


@pytest.mark.parametrize(("workers", "kind"), [(2, "threads"), (2, "processes")])
def test_random_changes_do_not_depend_on_the_workers(workers, kind):
    alone = loader(augment=parts.pixel_and_chance, seed=5)
    helped = loader(augment=parts.pixel_and_chance, seed=5, workers=workers, kind=kind)
    assert np.array_equal(list(alone(1)), list(helped(1)))


def test_seed_epoch_and_rank_change_what_is_drawn():
    def drawn(seed=0, epoch=0, rank=0):
        return rows_of(loader(lambda _: parts.numbered(0), augment=parts.pixel_and_chance, seed=seed, rank=rank)(epoch))

    assert drawn() == drawn()
    assert len({str(drawn(**change)) for change in ({}, {"seed": 1}, {"epoch": 1}, {"rank": 1})}) == 4


@pytest.mark.parametrize("first", [0, 2, 4])
def test_an_epoch_goes_on_from_any_batch_without_reading_those_before_it(first):
    read = []

    def reading(row):
        read.append(row)
        return parts.numbered(row)

    whole = list(loader(augment=parts.pixel_and_chance)(1))
    rest = list(loader(reading, augment=parts.pixel_and_chance)(1, first))
    assert len(rest) == 4 - first
    assert all(np.array_equal(a, b) for a, b in zip(rest, whole[first:], strict=True))
    assert len(read) == 12 - 3 * first


def test_ranks_together_see_each_row_once():
    batches = [rows_of(loader(order=partial(parts.order, rank=rank, world=3), rank=rank)(0)) for rank in range(3)]
    seen = [row for rank in batches for batch in rank for row in batch]
    assert sorted(seen) == list(range(12))


@pytest.mark.parametrize(("workers", "kind"), [(0, "threads"), (2, "threads"), (2, "processes")])
def test_an_error_names_the_picture_and_the_way_out(workers, kind):
    told = r"picture-5\.jpg \(row 5, epoch 0, batch \d\): ZeroDivisionError: the mask has no pixels\. Mend"
    with pytest.raises(DataError, match=told) as caught:
        list(loader(parts.fails_at_five, workers, kind)(0))
    assert caught.value.rows == (5,)


def test_a_worker_that_is_killed_is_told_with_its_picture_and_nothing_hangs():
    began = time.monotonic()
    with pytest.raises(DataError, match=r"died without a word at .*picture-5\.jpg \(row 5\).*fewer workers"):
        list(loader(parts.dies_at_five, 1, "processes")(0))
    assert time.monotonic() - began < 60


def test_who_stops_in_the_middle_leaves_nothing_behind():
    batches = loader(workers=2)(0)
    next(batches)
    batches.close()


def test_a_machine_that_has_no_process_left_prepares_in_the_training_itself(tmp_path):
    quota = Slots(tmp_path, 1)
    with free_slots(quota, 1):
        prepared = rows_of(loader(parts.numbered, 2, "processes", quota=quota)(0))
    assert prepared == [batch.tolist() for batch in parts.order(0)]


def test_process_slots_are_as_many_as_cores_and_shared_by_folder(tmp_path):
    slots = process_slots(tmp_path)
    with free_slots(slots, 1000) as granted, free_slots(process_slots(tmp_path), 1) as more:
        assert granted == slots.count
        assert more == 0


def test_pictures_are_stacked():
    assert stack_pictures([parts.numbered(1), parts.numbered(2)]).shape == (2, 2, 2, 3)


def test_processes_read_the_shared_cache_as_threads_do(tmp_path):
    paths = parts.write_pictures(tmp_path / "pictures", count=12)
    samples = share_samples(paths, Placement(size=(16, 16)), tmp_path / "cache")
    by_threads, by_processes = (list(loader(samples, 2, kind)(0)) for kind in ("threads", "processes"))
    assert np.array_equal(by_threads, by_processes)
    assert samples.rows.state.all()


def test_a_training_takes_its_batches_from_a_loader_and_continues_inside_an_epoch(tmp_path):
    torch = pytest.importorskip("torch")
    from burnish.train.handlers.order import build_handlers  # noqa: PLC0415 - needs torch
    from burnish.train.run import Job  # noqa: PLC0415
    from burnish.train.training import train  # noqa: PLC0415

    def trained(folder, stop_at=None):
        torch.manual_seed(0)
        model, seen = torch.nn.Linear(12, 1), []

        def forward(net, batch):
            seen.append(batch[:, 0, 0, 0].tolist())
            if len(seen) == stop_at:
                raise KeyboardInterrupt
            return net(torch.from_numpy(batch.reshape(len(batch), -1)).float() / 255).mean()

        load = loader(augment=parts.pixel_and_chance, seed=4, workers=1)
        handlers = build_handlers([{"name": "saving", "every_steps": 1}])
        job = Job(model, torch.optim.SGD(model.parameters(), 0.1), forward, load, 4, 2, handlers, folder=folder)
        try:
            train(job)
        except KeyboardInterrupt:
            return seen, None
        return seen, model.weight.detach().numpy()

    whole, weights = trained(tmp_path / "whole")
    begun, _ = trained(tmp_path / "cut", stop_at=3)
    rest, continued = trained(tmp_path / "cut")
    assert begun[:2] + rest == whole
    assert np.array_equal(weights, continued)
