"""What detectors find, in NumPy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from burnish.models.networks.found import Found

LEAST: Final = 0.01
"""Predictions below this score are never told."""
MOST: Final = 100
"""Objects of a picture that COCO looks at."""


@dataclass(frozen=True, slots=True, eq=False)
class Arrays:
    """Objects as `Found` holds them."""

    boxes: NDArray[np.floating[Any]]
    scores: NDArray[np.floating[Any]]
    classes: NDArray[np.int64]
    masks: NDArray[np.bool_] | None = None


def arrays_of(found: Found) -> Arrays:
    """Take them from the device."""
    masks = None if found.masks is None else found.masks.cpu().numpy()
    return Arrays(found.boxes.float().cpu().numpy(), found.scores.float().cpu().numpy(), found.classes.cpu().numpy(), masks)
