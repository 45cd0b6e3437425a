"""Small trainings: a network with dropout and normalisation on a regression that it can learn in a moment."""

import signal
from contextlib import contextmanager
from pathlib import Path

import torch

from burnish.engine.progress import Silent
from burnish.train.handlers.order import build_handlers
from burnish.train.loaders.placement import Placement
from burnish.train.optim.factors import Clock
from burnish.train.optim.optimizers import build_optimizer
from burnish.train.optim.scheduler import build_scheduler
from burnish.train.run import Job
from burnish.train.target import parse_target
from burnish.train.trained import Trained

ROWS, BATCH = 44, 8


def network(seed=0, *, dropout=0.2, norm=True):
    torch.manual_seed(seed)
    layers = [torch.nn.Linear(6, 12), torch.nn.BatchNorm1d(12) if norm else torch.nn.Identity(), torch.nn.Tanh()]
    return torch.nn.Sequential(*layers, torch.nn.Dropout(dropout), torch.nn.Linear(12, 1))


def rows(count=ROWS):
    generator = torch.Generator().manual_seed(7)
    inputs = torch.randn(count, 6, generator=generator)
    return inputs, inputs @ torch.randn(6, 1, generator=generator)


def batches(epoch, first, *, size=BATCH, count=ROWS):
    """Batches in an order that the epoch decides; the last one is smaller."""
    inputs, wanted = rows(count)
    order = torch.randperm(count, generator=torch.Generator().manual_seed(epoch))
    for chosen in list(order.split(size))[first:]:
        yield inputs[chosen], wanted[chosen]


def forward(model, batch):
    return torch.nn.functional.mse_loss(model(batch[0]), batch[1]), len(batch[0])


def evaluate(model):
    inputs, wanted = rows()
    with torch.no_grad():
        return {"loss": torch.nn.functional.mse_loss(model(inputs), wanted).item()}


def small_job(model=None, *, handlers=(), more=(), epochs=3, optimizer="adamw", schedule=None, **settings):
    """A job; whatever is not given is as plain as can be."""
    model = model or network()
    made = build_optimizer(optimizer, model)
    per_epoch = settings.pop("batches_per_epoch", -(-ROWS // BATCH))
    bundle = build_handlers(handlers, more)
    per_step = bundle.accumulation.batches
    clock = Clock(-(-per_epoch // per_step) * epochs, -(-per_epoch // per_step))
    settings = {"forward": forward, "batches": batches, "evaluate": evaluate, "target": parse_target("min loss"), **settings}
    scheduler = None if schedule is None else build_scheduler(schedule, made, clock)
    return Job(model, made, batches_per_epoch=per_epoch, epochs=epochs, handlers=bundle, scheduler=scheduler, **settings)


def weights(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def same(first, second):
    return all(torch.equal(first[name], second[name]) for name in first)


class Stopping(Silent):
    """Presses Ctrl-C after some steps, and remembers what it was told."""

    def __init__(self, steps=10**6):
        self.left, self.said = steps, []

    def say(self, message):
        self.said.append(message)

    @contextmanager
    def task(self, label, total=None):
        del label, total

        def advance(number):
            self.left -= number
            if self.left < 0:
                raise KeyboardInterrupt

        yield advance


class Signalled:
    """A handler under which this process gets a signal while a step is done, as from a user or a cluster."""

    name = "signalled"

    def __init__(self, step, number=signal.SIGTERM):
        self.step, self.number = step, number

    def step_began(self, run):
        if run.step == self.step:
            signal.raise_signal(self.number)


def continued(train, dataset, config, folder, *, step):
    """The weights of a training that nothing disturbed, and of one that a signal ended after a step and the same call continued."""
    whole = train(dataset, config, work=folder / "whole")
    half = train(dataset, config, work=folder / "half", handlers=[Signalled(step)])
    assert half.run.interrupted
    assert half.exit_code == 130
    assert half.run.step == step + 1
    rest = train(dataset, config, work=folder / "half")
    return weights(whole.model), weights(rest.model)


def judged_detector(model):
    """A detector of cars and dogs at 32 x 32 as judges take it, with no run folder."""
    return Trained(
        model=model,
        task="detection",
        mode="multiclass",
        names=("car", "dog"),
        classes=("car", "dog"),
        placement=Placement.make(size=(32, 32)),
        device=torch.device("cpu"),
        producer="",
        details={},
        folder=Path(),
    )
