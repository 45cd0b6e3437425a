"""What detectors are given and what they find, in pixels of the pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from burnish.errors import DataError, extra

with extra("train"):
    import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


class Objects(NamedTuple):
    """The true objects of one picture.

    Attributes:
        boxes: (n, 4) float x1, y1, x2, y2 in pixels, half-open.
        classes: (n,) int64, 0 to K - 1.
        masks: (n, H, W) 0 or 1, for networks that give masks; None otherwise.
    """

    boxes: Tensor
    classes: Tensor
    masks: Tensor | None = None


class Found(NamedTuple):
    """The objects that were found in one picture, surest first.

    Attributes:
        boxes: (n, 4) float x1, y1, x2, y2 in pixels, half-open, within the picture.
        scores: (n,) float, 0 to 1.
        classes: (n,) int64, 0 to K - 1.
        masks: (n, H, W) bool; None from networks that give none.
    """

    boxes: Tensor
    scores: Tensor
    classes: Tensor
    masks: Tensor | None = None


def check_objects(targets: Sequence[Objects], count: int, num_classes: int) -> None:
    """Refuse targets that do not fit the pictures or the classes.

    Raises:
        DataError: The message says which picture, and what was found.
    """
    if len(targets) != count:
        raise DataError(f"Targets of {len(targets)} pictures were found beside {count} pictures.")
    for row, (boxes, classes, _) in enumerate(targets):
        if boxes.ndim != 2 or boxes.shape != (len(classes), 4):  # noqa: PLR2004 - (n, 4)
            raise DataError(f"Picture {row} has boxes of shape {tuple(boxes.shape)} and {len(classes)} classes; expected (n, 4) and n.")
        if len(classes) and not 0 <= int(classes.min()) <= int(classes.max()) < num_classes:
            found = f"{int(classes.min())} to {int(classes.max())}"
            raise DataError(f"Picture {row} has classes {found}; the network knows 0 to {num_classes - 1}.")
        if len(boxes) and not bool((torch.isfinite(boxes).all(1) & (boxes[:, 2:] > boxes[:, :2]).all(1)).all()):
            raise DataError(f"Picture {row} has a box that is empty or not finite; leave such boxes out.")
