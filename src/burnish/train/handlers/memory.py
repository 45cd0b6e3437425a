"""How much memory a training has used at most."""

from __future__ import annotations

import resource
import sys
from typing import TYPE_CHECKING

from burnish.errors import extra

with extra("train"):
    import torch

if TYPE_CHECKING:
    from burnish.train.run import Run

_UNIT = 1 if sys.platform == "darwin" else 1024
_MIB = 2**20


class Memory:
    """Tells the highest memory of the process, and of the GPU, when numbers are due."""

    name = "memory"

    def __init__(self, _config: object = None) -> None:
        pass

    def stepped(self, run: Run) -> None:
        """Tell it."""
        if run.step % run.job.log_every:
            return
        run.told["memory/process_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT / _MIB
        if run.device.type == "cuda":
            run.told["memory/gpu_mib"] = torch.cuda.max_memory_allocated(run.device) / _MIB
