"""What is installed, and what the machine has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from burnish.engine.files import free_bytes
from burnish.engine.map import available_cores
from burnish.errors import ConfigError, extra
from burnish.models.device import choose_device
from burnish.train.checks.finding import Finding
from burnish.train.run_folder import environment

with extra("train"):
    import torch

if TYPE_CHECKING:
    from pathlib import Path

    from burnish.train.policies.settings import TrainConfig

_GIB = 2**30
_LITTLE = 5 * _GIB


def look_around(config: TrainConfig) -> list[Finding]:
    """The findings on versions, device and cores."""
    about = environment()
    versions = ", ".join(f"{name} {version}" for name, version in about["packages"].items())
    return [
        Finding("versions", "ok", f"Python {about['python']} on {about['platform']}; {versions}."),
        _device(config, about["devices"]),
        _cores(),
    ]


def room(folder: Path, pictures: int, size: tuple[int, int]) -> Finding:
    """Whether the decoded pictures fit on the disk.

    Args:
        folder: Where they go.
        pictures: How many there are.
        size: Height and width that they are brought to.
    """
    needed, free = pictures * size[0] * size[1] * 4, free_bytes(folder)  # colours and, mostly, a mask
    found = f"Decoded pictures take about {needed / _GIB:,.1f} GiB, and {free / _GIB:,.1f} GiB are free at {folder}."
    if needed > free:
        return Finding("disk", "error", found, "Name a larger disk with data.cache, or set data.keep.keep to none.")
    if free - needed < _LITTLE:
        return Finding("disk", "warning", found, "Checkpoints and reports want room too: name a larger disk with data.cache.")
    return Finding("disk", "ok", found)


def _device(config: TrainConfig, gpus: list[str]) -> Finding:
    try:
        device = choose_device(config.hardware.device)
    except ConfigError as error:
        return Finding("device", "error", str(error))
    if device.type == "cpu":
        advice = (
            "" if config.hardware.device == "cpu" else "Where there is a GPU, look at its driver and at which build of torch is installed."
        )
        return Finding("device", "ok" if config.hardware.device == "cpu" else "warning", "Trainings run on the CPU.", advice)
    if device.type == "cuda" and config.hardware.devices > len(gpus):
        return Finding(
            "device",
            "error",
            f"hardware.devices is {config.hardware.devices}, and there are {len(gpus)} GPUs.",
            "Set hardware.devices to at most that.",
        )
    return Finding("device", "ok", f"Trainings run on {config.hardware.devices} of {len(gpus) or 1}: {', '.join(gpus) or device}.")


def _cores() -> Finding:
    cores, threads = available_cores(), torch.get_num_threads()
    found = f"Cores: {cores}; threads that torch computes with: {threads}."
    if threads > cores:
        return Finding("cores", "warning", found, f"Set OMP_NUM_THREADS={cores}: more threads than cores wait for one another.")
    return Finding("cores", "ok", found)
