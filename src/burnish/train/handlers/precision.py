"""In which numbers the forward pass computes, and the scale that keeps small gradients of half precision alive."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from burnish.errors import ConfigError, extra

with extra("train"):
    import torch

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from torch import Tensor

    from burnish.train.handlers.settings import PrecisionConfig
    from burnish.train.run import Run


class Precision:
    """Mixed precision."""

    name = "precision"

    def __init__(self, config: PrecisionConfig) -> None:
        self._config = config
        self._type: torch.dtype | None = None
        self._scaler: torch.amp.GradScaler | None = None
        self._device = "cpu"
        self._plain = nullcontext()

    def began(self, run: Run) -> None:
        """Choose what the device can do.

        Raises:
            ConfigError: It cannot do what was asked for.
        """
        self._device = run.device.type
        mode = self._config.mode
        if mode == "auto":
            able = self._device == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
            mode = "bf16" if able else "fp16" if self._device == "cuda" else "float32"
        self._type = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(mode)
        if self._device == "mps" and mode == "bf16":
            raise ConfigError("This device does not train in bf16; take precision mode fp16, auto or float32.")
        if mode == "fp16" and self._scaler is None:
            self._scaler = torch.amp.GradScaler(self._device, init_scale=self._config.scale, growth_interval=self._config.growth_steps)

    def autocast(self) -> AbstractContextManager[Any]:
        """The context of the forward pass."""
        return self._plain if self._type is None else torch.autocast(self._device, self._type)

    def backward(self, loss: Tensor) -> None:
        """Compute gradients, of the scaled loss where there is a scale."""
        (loss if self._scaler is None else self._scaler.scale(loss)).backward()

    def unscale(self, optimizer: torch.optim.Optimizer) -> None:
        """Take the scale off the gradients; from now on they may be looked at."""
        if self._scaler is not None:
            self._scaler.unscale_(optimizer)

    def step(self, optimizer: torch.optim.Optimizer, *, skip: bool) -> bool:
        """Let the optimiser step; whether it did. It does not where half precision overflowed, which lowers the scale."""
        if self._scaler is None:
            if not skip:
                optimizer.step()
            return not skip
        before = self._scaler.get_scale()
        if not skip:
            self._scaler.step(optimizer)
        self._scaler.update()
        overflowed = self._scaler.get_scale() < before
        return not skip and not overflowed

    @property
    def scale(self) -> float:
        """The scale of the loss; 1 where there is none."""
        return 1.0 if self._scaler is None else self._scaler.get_scale()

    def state(self) -> dict[str, Any]:
        """The scale and how long it has held."""
        return {} if self._scaler is None else self._scaler.state_dict()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue with it."""
        if self._scaler is not None and state:
            self._scaler.load_state_dict(dict(state))
