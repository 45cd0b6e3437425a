"""The best weights of a finished training, put where other programs look for them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from burnish.models.weights import read_weights
from burnish.train.checkpoint import save_checkpoint
from burnish.train.handlers.saving import BEST

if TYPE_CHECKING:
    from burnish.train.run import Run

TIME = "{time}"
"""What the name of the file holds where the time of the weights shall stand."""


def publish(run: Run, place: str) -> Path | None:
    """Write the best weights as a plain state_dict, tensors by the names of the network itself.

    The time in the name is that of the best evaluation, so that a finished training that is run again writes the same file.

    Args:
        run: The training; one that was interrupted publishes nothing.
        place: The file, with `TIME` in its name or without.

    Returns:
        The file, None where there is nothing to publish.

    Raises:
        DataError: The disk is full or the folder cannot be written.
    """
    best = None if run.job.folder is None else run.job.folder / BEST
    if run.interrupted or best is None or not best.is_file():
        return None
    moment = datetime.fromtimestamp(best.stat().st_mtime).astimezone()
    path = Path(place.replace(TIME, moment.strftime("%Y%m%d_%H%M%S")))
    path.parent.mkdir(parents=True, exist_ok=True)
    save_checkpoint(path, read_weights(best))
    return path
