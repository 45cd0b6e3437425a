"""Where networks run: CUDA before Apple's GPU before the CPU."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from burnish.errors import ConfigError, extra

with extra("audit"):
    import torch

if TYPE_CHECKING:
    from collections.abc import Generator
    from contextlib import AbstractContextManager


def choose_device(name: str | None = None) -> torch.device:
    """The best device that this machine has, or the one that is asked for; a CUDA device computes in TF32 from now on.

    TensorFloat-32 keeps 10 bits of the mantissa in products of matrices and convolutions, and adds up in float32: enough for training, and
    several times as fast.

    Args:
        name: For instance "cpu", "cuda" or "cuda:1"; None or "auto" chooses.

    Raises:
        ConfigError: There is no such device here.
    """
    if name is None or name == "auto":
        return _prepared(torch.device("cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"))
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).partition("\n")[0]
        best = f"This machine's best is '{choose_device()}'; auto takes it."
        raise ConfigError(f"The device '{name}' cannot be used: {reason}. {best}") from error
    return _prepared(device)


def mixed_precision(device: torch.device) -> AbstractContextManager[object]:
    """Compute in bfloat16 where the GPU can, which needs no loss scaling; in float32 elsewhere."""
    able = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.autocast("cuda", torch.bfloat16, enabled=able) if device.type == "cuda" else torch.autocast("cpu", enabled=False)


@contextmanager
def seeded(device: torch.device, *seeds: int) -> Generator[None]:
    """Let chance of torch come from some numbers within the block, and leave the caller's generators as they were."""
    with torch.random.fork_rng([device] if device.type == "cuda" else [], device_type="cuda"):
        seed_torch(*seeds)
        yield


def seed_torch(*seeds: int) -> None:
    """Let chance of torch come from some numbers from now on."""
    torch.manual_seed(int(np.random.SeedSequence(seeds).generate_state(1, np.uint64)[0] >> 1))


def _prepared(device: torch.device) -> torch.device:
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high")  # TF32 in matrix products; convolutions have it from the start
    return device
