"""Where networks run: CUDA before Apple's GPU before the CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

from burnish.errors import ConfigError, extra

with extra("audit"):
    import torch

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


def choose_device(name: str | None = None) -> torch.device:
    """The best device that this machine has, or the one that is asked for.

    Args:
        name: For instance "cpu", "cuda" or "cuda:1"; None or "auto" chooses.

    Raises:
        ConfigError: There is no such device here.
    """
    if name in {None, "auto"}:
        return torch.device("cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).partition("\n")[0]
        raise ConfigError(f"The device '{name}' cannot be used: {reason}. This machine's best is '{choose_device()}'; auto takes it.") from error
    return device


def mixed_precision(device: torch.device) -> AbstractContextManager[object]:
    """Compute in bfloat16 where the GPU can, which needs no loss scaling; in float32 elsewhere."""
    able = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.autocast("cuda", torch.bfloat16, enabled=able) if device.type == "cuda" else torch.autocast("cpu", enabled=False)
