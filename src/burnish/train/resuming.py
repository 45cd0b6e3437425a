"""The state of a training: everything that the next step depends on, out of it and back into it."""

from __future__ import annotations

import random
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from burnish.errors import WeightsError, extra
from burnish.train.checkpoint import read_checkpoint
from burnish.train.target import Score

with extra("train"):
    import torch

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from pathlib import Path

    from torch import nn

    from burnish.train.run import Run

_NUMBERS = ("epoch", "batch", "step", "skipped", "evaluated", "evaluations", "seconds", "metrics", "interrupted", "stop")
_LISTED = 3


def run_state(run: Run) -> dict[str, Any]:
    """Everything that a checkpoint must hold, as tensors and plain values."""
    job = run.job
    return {
        "fingerprint": job.fingerprint,
        "model": job.model.state_dict(),
        "optimizer": job.optimizer.state_dict(),
        "scheduler": None if job.scheduler is None else job.scheduler.state(),
        "handlers": job.handlers.state(),
        "run": {name: getattr(run, name) for name in _NUMBERS},
        "score": None if run.score is None else asdict(run.score),
        "best": None if run.best is None else {"score": asdict(run.best[0]), "step": run.best[1]},
        "chance": chance_state(),
    }


def read_run(run: Run, path: Path) -> dict[str, Any]:
    """Read a checkpoint and bring network, optimiser and schedule to where it was; the rest is for `finish_reading`.

    Raises:
        WeightsError: It is damaged, or belongs to another training or network; nothing is changed then.
    """
    content = read_checkpoint(path, remedy="Remove it to begin anew, or put a copy of it in its place.")
    job = run.job
    if content.get("fingerprint") != job.fingerprint or "run" not in content:
        message = f"The checkpoint {path} belongs to a training with other settings or data"
        raise WeightsError(f"{message}. Give this one another folder, or remove the checkpoint to begin anew.")
    _check_network(job.model, content["model"], path)
    job.model.load_state_dict(content["model"])
    job.optimizer.load_state_dict(content["optimizer"])
    if job.scheduler is not None and content["scheduler"] is not None:
        job.scheduler.restore(content["scheduler"])
    for name in _NUMBERS:
        setattr(run, name, content["run"][name])
    run.score = None if content["score"] is None else _score(content["score"])
    run.best = None if content["best"] is None else (_score(content["best"]["score"]), content["best"]["step"])
    if run.interrupted:
        run.interrupted, run.stop = False, ""
    return content


def finish_reading(run: Run, content: Mapping[str, Any]) -> None:
    """Bring the handlers to where they were, and chance last, so that nothing draws from it before the next step does."""
    run.job.handlers.restore(content["handlers"])
    set_chance(content["chance"])


def chance_state() -> dict[str, Any]:
    """Where the generators of torch, Python and NumPy are, as tensors and plain values."""
    numpy_state: Any = np.random.get_state(legacy=False)  # noqa: NPY002 - the user's own code may draw from it
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "python": random.getstate(),
        "numpy": {**numpy_state, "state": {**numpy_state["state"], "key": torch.from_numpy(numpy_state["state"]["key"].astype(np.int64))}},
    }


def set_chance(chance: Mapping[str, Any]) -> None:
    """Bring the generators to where a state was taken."""
    torch.set_rng_state(chance["torch"])
    if chance["cuda"] and torch.cuda.is_available() and len(chance["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(chance["cuda"])
    version, internal, gauss = chance["python"]
    random.setstate((version, tuple(internal), gauss))
    inner = chance["numpy"]["state"]
    np.random.set_state({**chance["numpy"], "state": {**inner, "key": inner["key"].numpy().astype(np.uint32)}})  # noqa: NPY002 - as above


@contextmanager
def chance_left_alone() -> Generator[None]:
    """Leave the generators where they are, whatever draws from them or sets them within the block."""
    chance = chance_state()
    try:
        yield
    finally:
        set_chance(chance)


def _check_network(model: nn.Module, weights: Mapping[str, torch.Tensor], path: Path) -> None:
    own = model.state_dict()
    different = [name for name in {**own, **weights} if name not in own or name not in weights or own[name].shape != weights[name].shape]
    if different:
        listed = ", ".join(different[:_LISTED]) + (", ..." if len(different) > _LISTED else "")
        message = f"The checkpoint {path} is of another network: {len(different)} tensors differ in name or shape ({listed})"
        raise WeightsError(f"{message}. Give this training another folder, or build the network that it was written for.")


def _score(values: Mapping[str, Any]) -> Score:
    return Score(values["feasible"], values["violation"], tuple(values["values"]))
