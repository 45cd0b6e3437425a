"""Trainings on several devices: this process is the first rank, and it starts the others.

Plain `torch.distributed`, as docs/decisions explain: NCCL between GPUs, Gloo between processes of a CPU.
"""

from __future__ import annotations

import signal
import tempfile
import time
import traceback
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from burnish.engine.map import available_cores
from burnish.errors import BurnishError, ConfigError, ModelError, extra
from burnish.models.device import choose_device
from burnish.train.distributed import rank, world_size

with extra("train"):
    import torch
    from torch import distributed, multiprocessing

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from burnish.data.dataset import Dataset

_LAST_WORDS_S: Final = 10.0
"""Seconds that a rank is given to end by itself after the first one has."""


@dataclass(frozen=True, slots=True)
class Meeting:
    """Where ranks find one another.

    Attributes:
        folder: Holds the file that they meet at, and the last words of ranks that failed.
        world: Ranks.
        cuda: Whether each has a GPU.
    """

    folder: Path
    world: int
    cuda: bool


@contextmanager
def several(devices: int, device: str | None, follow: Callable[[], object]) -> Generator[None]:
    """Let other processes do the same as the block, each as a rank of its own; with one device, or within a rank, nothing but the block.

    Args:
        devices: Ranks, this process among them.
        device: What the settings name: cuda or cpu, or None for the best.
        follow: What each other rank does, importable by name.

    Raises:
        ConfigError: There are not as many GPUs, or one GPU is named by its number.
        ModelError: Another rank failed; the message is its own.
    """
    if devices == 1 or world_size() > 1:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="burnish-ranks-") as folder:
        meeting = Meeting(Path(folder), devices, cuda=_has_gpus(devices, device))
        context: Any = multiprocessing.get_context("spawn")
        others = [context.Process(target=_other_rank, args=(number, meeting, follow)) for number in range(1, devices)]
        for other in others:
            other.start()
        threads = torch.get_num_threads()
        try:
            _join(0, meeting)
            yield
        except BurnishError:
            raise
        except RuntimeError as error:  # a rank that is gone shows as an error of the connection to it
            raise ModelError(_last_words(meeting, others) or f"The ranks lost one another: {error}") from error
        finally:
            torch.set_num_threads(threads)
            _end(others)


def rank_device(name: str | None) -> torch.device:
    """The device of this rank: the GPU of its number where ranks have GPUs."""
    chosen = choose_device(name)
    if chosen.type != "cuda" or world_size() == 1:
        return chosen
    return torch.device("cuda", rank())


def portable(dataset: Dataset) -> Dataset:
    """The same dataset in a form that can be sent to another process."""
    return replace(dataset, frames=dict(dataset.frames), origin=dict(dataset.origin), _kept={})


def _has_gpus(devices: int, name: str | None) -> bool:
    device = choose_device(name)
    is_one = ":" in str(device)
    if device.type == "mps":
        raise ConfigError(f"devices is {devices}, and Apple's GPU is one. Set devices: 1, or device: cpu.")
    if device.type == "cuda":
        there = torch.cuda.device_count()
        if is_one or there < devices:
            told = f"the device '{name}' is one" if is_one else f"this machine has {there} GPUs"
            raise ConfigError(f"devices is {devices}, and {told}. Set devices to at most {there}, and name no GPU by its number.")
    return device.type == "cuda"


_LACK: Final = (
    "The system kills what takes more memory than there is; smaller pictures or batches, fewer hardware.devices or data.workers need less. "
)


def _join(number: int, meeting: Meeting) -> None:
    torch.set_num_threads(max(available_cores() // meeting.world, 1))
    if meeting.cuda:
        torch.cuda.set_device(number)
    backend = "cpu:gloo,cuda:nccl" if meeting.cuda else "gloo"
    place = (meeting.folder / "meeting").as_uri()
    distributed.init_process_group(backend, init_method=place, rank=number, world_size=meeting.world)


def _other_rank(number: int, meeting: Meeting, follow: Callable[[], object]) -> None:
    try:
        _join(number, meeting)
        follow()
        distributed.destroy_process_group()
    except BaseException as error:  # noqa: BLE001 - the process ends here, and the first rank tells why
        text = str(error) if isinstance(error, BurnishError) else traceback.format_exc(limit=-3)
        (meeting.folder / f"rank-{number}").write_text(text, encoding="utf-8")
        raise SystemExit(1) from None


def _last_words(meeting: Meeting, others: list[Any]) -> str:
    """Why a rank is gone, once it is."""
    until = time.monotonic() + _LAST_WORDS_S
    while time.monotonic() < until and all(other.is_alive() for other in others):
        time.sleep(0.05)
    for number, other in enumerate(others, start=1):
        words = meeting.folder / f"rank-{number}"
        other.join(_LAST_WORDS_S if words.exists() else 0)
        if words.exists():
            return f"Rank {number} of {meeting.world} failed: {words.read_text(encoding='utf-8').strip()}"
        if other.exitcode not in (None, 0):
            told = f"Rank {number} of {meeting.world} ended with the code {other.exitcode}: it was killed, or a library crashed."
            return f"{told} {_LACK if other.exitcode == -signal.SIGKILL else ''}The same command continues the training."
    return ""


def _end(others: list[Any]) -> None:
    if distributed.is_initialized():
        distributed.destroy_process_group()
    for other in others:
        other.join(_LAST_WORDS_S)
        if other.is_alive():
            other.terminate()
            other.join()
