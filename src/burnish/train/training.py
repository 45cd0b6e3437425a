"""The loop: batches become steps, steps become epochs, evaluations fall where they are due, and handlers act in their order.

One step: the forward and backward passes of its batches, then `gradients_ready` (a handler may refuse), the optimiser, `stepped`, an
evaluation where one is due, `step_ended`.
"""

from __future__ import annotations

import time
from contextlib import contextmanager, nullcontext
from itertools import islice
from typing import TYPE_CHECKING, Any

from burnish.errors import DataError, ModelError, extra
from burnish.train.exchange import agree, exchange_gradients, share_buffers
from burnish.train.handlers.saving import LAST
from burnish.train.optim.parameters import begin_training
from burnish.train.resuming import finish_reading, read_run
from burnish.train.run import Job, Run, network_device, trained_parameters
from burnish.train.target import require_metrics, score

with extra("train"):
    import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from contextlib import AbstractContextManager

    from torch import Tensor


def train(job: Job) -> Run:
    """Train until the last epoch, or until a handler ends it; continues from `last.pt` in the job's folder where there is one.

    Gives the finished run: `stop` says why it ended early, `interrupted` that a signal did it and the same call continues.

    Raises:
        WeightsError: The checkpoint in the folder is damaged or belongs to another training.
        DataError: An epoch has fewer batches than was said, or the target asks for a metric that evaluations do not give.
        ModelError: The memory of the device does not suffice, or too many steps had to be skipped.
    """
    run = Run(job, network_device(job.model))
    checkpoint = None if job.folder is None else job.folder / LAST
    content = read_run(run, checkpoint) if checkpoint is not None and checkpoint.exists() else None
    try:
        job.handlers.tell("began", run)
        if content is not None:
            finish_reading(run, content)
            place = f"at step {run.step}, epoch {run.position:.2f}" if run.batch else f"after epoch {run.epoch}"
            job.progress.say(f"{job.label}: continues {place} of {job.epochs}.")
        _run_epochs(run)
    except torch.OutOfMemoryError as error:
        raise ModelError(
            f"The memory of {run.device} does not suffice for a step. Take smaller batches and accumulate more of them."
        ) from error
    finally:
        job.handlers.tell("ended", run)
    return run


def _run_epochs(run: Run) -> None:
    job, began, before = run.job, time.monotonic(), run.seconds
    losses: list[Tensor] = []
    done = run.epoch * job.batches_per_epoch + run.batch
    with job.progress.task(job.label, job.epochs * job.batches_per_epoch - done) as advance:
        if run.batch:
            _evaluate_if_due(run)  # the checkpoint may lie between a step and its evaluation
        while run.epoch < job.epochs and not run.stop:
            _begin_training(job)
            if run.batch == 0:
                job.handlers.tell("epoch_began", run)
            for window in _windows(run):
                _step(run, window)
                agree(run)
                run.seconds = before + time.monotonic() - began
                _log(run, losses)
                _evaluate_if_due(run)
                _end_step(run)
                advance(len(window))
                if run.stop:
                    break


def _step(run: Run, window: Sequence[Any]) -> None:
    job = run.job
    handlers, optimizer = job.handlers, job.optimizer
    handlers.tell("step_began", run)
    if job.scheduler is not None:
        job.scheduler.apply()
    run.norm = None
    _backward(run, window)
    exchange_gradients(run)
    handlers.precision.unscale(optimizer)
    run.loss = handlers.accumulation.settle(trained_parameters(run) if handlers.accumulation.weighs else ())
    allowed = True
    for method in handlers.listening["gradients_ready"]:
        if method(run) is False:
            allowed = False
            break
    taken = handlers.precision.step(optimizer, skip=not allowed)
    optimizer.zero_grad(set_to_none=True)
    if job.scheduler is not None:
        job.scheduler.after_step()
    run.step += 1
    run.batch += len(window)
    run.skipped += not taken
    handlers.tell("stepped", run)


def _backward(run: Run, window: Sequence[Any]) -> None:
    """The forward and backward passes of a step's batches; ranks exchange gradients once, after the last."""
    job = run.job
    accumulation, precision = job.handlers.accumulation, job.handlers.precision
    accumulation.begin(run, window)
    last = len(window) - 1
    for number, batch in enumerate(window):
        with _without_exchange(job) if number < last else nullcontext():
            with precision.autocast():
                found = job.forward(job.model, batch)
            precision.backward(accumulation.weighted(found))


def _end_step(run: Run) -> None:
    """Close the epoch where this was its last step, then let the step end: a checkpoint stands at the beginning of the next one."""
    if run.batch == run.job.batches_per_epoch:
        run.job.handlers.tell("epoch_ended", run)
        run.epoch, run.batch, run.evaluated = run.epoch + 1, 0, -1
    run.job.handlers.tell("step_ended", run)


def _windows(run: Run) -> Iterator[list[Any]]:
    """The batches of each step that is left in this epoch.

    Raises:
        DataError: There are fewer than was said.
    """
    job, at = run.job, run.batch
    timing = job.handlers.named("timing")
    batches = iter(job.batches(run.epoch, at))
    while at < job.batches_per_epoch:
        wanted = min(job.handlers.accumulation.batches, job.batches_per_epoch - at)
        began = time.perf_counter()
        window = list(islice(batches, wanted))
        if timing is not None:
            timing.waited += time.perf_counter() - began
        if len(window) < wanted:
            found = f"Epoch {run.epoch + 1} has {at + len(window)} batches"
            raise DataError(f"{found}; expected {job.batches_per_epoch}, as batches_per_epoch says.")
        at += wanted
        yield window


def _evaluate_if_due(run: Run) -> None:
    job = run.job
    if job.evaluate is None or run.interrupted or run.evaluated == run.batch or not _is_due(run):
        return
    with evaluation_weights(job):
        share_buffers(job.model)
        metrics = {name: float(value) for name, value in job.evaluate(job.model).items()}
        assert job.target is not None
        judged = {"epoch": run.position, **metrics}
        require_metrics(job.target, judged)
        run.metrics, run.evaluated, run.evaluations = metrics, run.batch, run.evaluations + 1
        run.score = score(job.target, judged)
        run.improved = run.best is None or run.score > run.best[0]
        if run.improved:
            run.best = (run.score, run.step)
        if job.scheduler is not None:
            job.scheduler.after_evaluation(run.score.cost)
        job.handlers.tell("evaluated", run)
    if job.writer is not None:
        job.writer.scalars(metrics, run.step)
        run.end(getattr(job.writer, "stop", ""))
    agree(run)
    _begin_training(job)


def _is_due(run: Run) -> bool:
    """Whether an evaluation falls after this step: the first one at or behind each of its evenly spread places."""
    job = run.job
    size = job.handlers.accumulation.batches
    before = (run.batch - 1) // size * size
    passed = run.batch * job.evaluations_per_epoch // job.batches_per_epoch
    return passed > before * job.evaluations_per_epoch // job.batches_per_epoch


@contextmanager
def evaluation_weights(job: Job) -> Generator[None]:
    """Give the network the weights that count, averaged ones where there are such, in evaluation mode."""
    averaging = job.handlers.named("averaging")
    _optimizer_mode(job, "eval")
    try:
        with nullcontext() if averaging is None else averaging.swapped(job.model):
            job.model.eval()
            yield
    finally:
        _optimizer_mode(job, "train")


def _log(run: Run, losses: list[Tensor]) -> None:
    """Tell the writer the mean loss of the last steps and what handlers have to tell."""
    job = run.job
    if job.writer is None or run.loss is None:
        return
    losses.append(run.loss)
    if run.step % job.log_every and run.batch != job.batches_per_epoch:
        return
    rates = {"train/lr": job.optimizer.param_groups[0]["lr"], "train/epoch": run.position}
    job.writer.scalars({"train/loss": float(torch.stack(losses).float().mean()), **rates, **run.told}, run.step)
    losses.clear()
    run.told = {}


def _begin_training(job: Job) -> None:
    _optimizer_mode(job, "train")
    begin_training(job.model)


def _optimizer_mode(job: Job, mode: str) -> None:
    """Optimisers that need no schedule keep two sets of weights, and are told which one is wanted."""
    switch: Callable[[], None] | None = getattr(job.optimizer, mode, None)
    if switch is not None:
        switch()


def _without_exchange(job: Job) -> AbstractContextManager[Any]:
    no_sync: Callable[[], AbstractContextManager[Any]] | None = getattr(job.model, "no_sync", None)
    return nullcontext() if no_sync is None else no_sync()
