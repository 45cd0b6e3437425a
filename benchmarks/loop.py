"""Overhead of the training loop: microseconds a step over a loop written by hand with the same features.

Run: python benchmarks/loop.py     Lightning and accelerate take part where they are installed.

A tiny network, batches of 8. Each side does the same: forward, backward, clipping by norm, skipping of losses and gradients that are no
numbers, SGD, a cosine schedule a step, the mean loss. All sides run in turn, several times, of which
each side's least counts; the median of seven such turns is told. One thread, and seconds of the
processor, since other work on the machine changes what a clock on the wall shows by more than what is measured.
"""

from __future__ import annotations

import logging
import math
import statistics
import time
import warnings
from importlib.util import find_spec
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

STEPS, BATCH, TURNS, TRIES = 300, 8, 7, 3
BAR_US = 50


def main():
    torch.set_num_threads(1)
    sides = {"by hand": by_hand, "burnish": burnish_loop}
    if find_spec("accelerate"):
        sides["accelerate"] = accelerate_loop
    if find_spec("lightning"):
        sides["Lightning Trainer"] = lightning_loop
    for side in sides.values():
        side(60)
    spent = {name: [] for name in sides}
    for _ in range(TURNS):
        tries = [{name: 1e6 * side(STEPS) / STEPS for name, side in sides.items()} for _ in range(TRIES)]
        for name, values in spent.items():
            values.append(min(one[name] for one in tries))
    base = statistics.median(spent["by hand"])
    print(f"{STEPS} steps, batches of {BATCH}; {TURNS} turns, each the least of {TRIES}; medians; torch {torch.__version__}\n")
    print("| loop | us a step | over by hand, us |\n| --- | --- | --- |")
    for name, values in spent.items():
        paired = statistics.median(a - b for a, b in zip(values, spent["by hand"], strict=True))
        print(f"| {name} | {statistics.median(values):.0f} | {paired:.0f} |")
    over = statistics.median(a - b for a, b in zip(spent["burnish"], spent["by hand"], strict=True))
    print(f"\n{over:.0f} us a step, {over / base:.1%}; to reach: at most {BAR_US} us. {'Reached' if over <= BAR_US else 'Not reached'}.")


def network():
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3),
        torch.nn.ReLU(),
        torch.nn.Conv2d(8, 8, 3),
        torch.nn.ReLU(),
        torch.nn.Flatten(),
        torch.nn.Linear(8 * 12 * 12, 4),
    )


def data():
    generator = torch.Generator().manual_seed(1)
    return torch.randn(BATCH, 3, 16, 16, generator=generator), torch.randint(0, 4, (BATCH,), generator=generator)


def by_hand(steps):
    model, batch, losses = network(), data(), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    model.train()
    began = time.process_time()
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 0.01 * (1 + math.cos(math.pi * step / steps)) / 2
        loss = torch.nn.functional.cross_entropy(model(batch[0]), batch[1])
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        if math.isfinite(loss.item()) and math.isfinite(norm.item()):
            optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(loss.detach())
        if step % 50 == 49:
            torch.stack(losses).mean().item()
            losses.clear()
    return time.process_time() - began


def burnish_loop(steps):
    from burnish.train.handlers.order import build_handlers
    from burnish.train.optim.factors import Clock
    from burnish.train.optim.optimizers import build_optimizer
    from burnish.train.optim.scheduler import build_scheduler
    from burnish.train.run import Job
    from burnish.train.training import train
    from burnish.train.writers.making import build_writers

    model, batch = network(), data()
    optimizer = build_optimizer({"name": "sgd", "lr": 0.01}, model, {"no_decay": []})
    job = Job(
        model,
        optimizer,
        lambda net, given: torch.nn.functional.cross_entropy(net(given[0]), given[1]),
        lambda _epoch, first: (batch for _ in range(first, steps)),
        steps,
        1,
        build_handlers(["skipping", "clipping"]),
        scheduler=build_scheduler("cosine", optimizer, Clock(steps, steps)),
        writer=build_writers(["null"]),
    )
    began = time.process_time()
    train(job)
    return time.process_time() - began


class Repeated:
    """One batch again and again; Lightning takes a list for several loaders."""

    def __init__(self, batch, times) -> None:
        self.batch, self.times = batch, times

    def __len__(self) -> int:
        return self.times

    def __iter__(self) -> Iterator:
        return iter([self.batch] * self.times)


def accelerate_loop(steps):
    from accelerate import Accelerator

    accelerator = Accelerator(cpu=True)
    model, batch, losses = network(), data(), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    model, optimizer, schedule = accelerator.prepare(model, optimizer, schedule)
    model.train()
    began = time.process_time()
    for step in range(steps):
        with accelerator.accumulate(model):
            loss = torch.nn.functional.cross_entropy(model(batch[0]), batch[1])
            accelerator.backward(loss)
            norm = accelerator.clip_grad_norm_(model.parameters(), 1.0)
            if math.isfinite(loss.item()) and math.isfinite(norm.item()):
                optimizer.step()
            schedule.step()
            optimizer.zero_grad(set_to_none=True)
        losses.append(loss.detach())
        if step % 50 == 49:
            torch.stack(losses).mean().item()
            losses.clear()
    return time.process_time() - began


def lightning_loop(steps):
    import lightning

    warnings.filterwarnings("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    batch = data()

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.net = network()

        def training_step(self, given, _number):
            loss = torch.nn.functional.cross_entropy(self.net(given[0]), given[1])
            return loss if math.isfinite(loss.item()) else None

        def configure_optimizers(self):
            optimizer = torch.optim.SGD(self.parameters(), lr=0.01, momentum=0.9)
            schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
            return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

        def on_train_start(self):
            self.began = time.process_time()

        def on_train_end(self):
            self.spent = time.process_time() - self.began

    plain = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False}
    module = Module()
    lightning.Trainer(accelerator="cpu", max_epochs=1, gradient_clip_val=1.0, **plain).fit(module, Repeated(batch, steps))
    return module.spent


if __name__ == "__main__":
    main()
