"""Gradients are kept from growing too long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from burnish.errors import extra
from burnish.train.run import gradient_norm, trained_parameters

with extra("train"):
    import torch

if TYPE_CHECKING:
    from torch import Tensor

    from burnish.train.handlers.settings import ClippingConfig
    from burnish.train.run import Run

_EUCLIDEAN = 2.0


class Clipping:
    """Bounds gradients by value, then by norm."""

    name = "clipping"

    def __init__(self, config: ClippingConfig) -> None:
        self._config = config

    def gradients_ready(self, run: Run) -> bool:
        """Bound them; the step goes on."""
        config, parameters = self._config, trained_parameters(run)
        if config.value is not None:
            torch.nn.utils.clip_grad_value_(parameters, config.value)
            run.norm = None
        if config.norm is not None and parameters:
            length = gradient_norm(run) if config.kind == _EUCLIDEAN else _length(parameters, config.kind)
            torch.nn.utils.clip_grads_with_norm_(parameters, config.norm, length)
        return True


def _length(parameters: list[Tensor], kind: float) -> Tensor:
    return torch.nn.utils.get_total_norm([parameter.grad for parameter in parameters if parameter.grad is not None], norm_type=kind)
