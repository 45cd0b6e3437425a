"""Distance maps of targets: made once, in the loader, or when a loss asks for them.

A distance transform of a target costs as much as the rest of the loss, and a target does not change: a loader that keeps what
`signed_distances` gives beside the target, and hands it to the loss as `distances`, pays for it once in a training.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from burnish.errors import DataError, extra

with extra("train"):
    import cv2
    import torch

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


def signed_distances(masks: Tensor) -> Tensor:
    """Signed distances to the outlines of masks (B, C, H, W): negative inside, positive outside, 0 all over where there is no outline.

    In pixels, between pixel centres, less half a pixel, so that the outline, which runs along pixels' edges, is at 0; float32, on the
    masks' device.

    Raises:
        DataError: The masks have another number of dimensions.
    """
    if masks.ndim != 4:  # noqa: PLR2004 - pictures, classes, height, width
        raise DataError(f"The masks have the shape {tuple(masks.shape)}; expected (B, C, H, W), one for each class of each picture.")
    inside = masks.detach().bool()
    out = inside.cpu().numpy()
    maps = np.stack([[_signed(plane) for plane in picture] for picture in out]) if out.size else np.zeros(out.shape, np.float32)
    return torch.from_numpy(maps).to(masks.device)


def outline_distances(masks: Tensor) -> Tensor:
    """Distances (B, C, H, W) of each pixel to the nearest one on the other side of the outline, 1 and more; 0 all over without outline."""
    signed = signed_distances(masks)
    return torch.where(signed == 0, signed, signed.abs() + 0.5)


def checked(distances: Tensor | None, masks: Tensor) -> Tensor:
    """The distances that the caller brings, or fresh ones.

    Raises:
        DataError: They have another shape than the maps of the scores.
    """
    if distances is None:
        return signed_distances(masks)
    distances = distances.reshape(masks.shape) if distances.numel() == masks.numel() else distances
    if distances.shape != masks.shape:
        raise DataError(f"distances have the shape {tuple(distances.shape)}; expected {tuple(masks.shape)}, one map for each class.")
    return distances.to(masks.device)


def _signed(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    if mask.all() or not mask.any():
        return np.zeros(mask.shape, np.float32)
    inside = mask.view(np.uint8)
    outwards = cv2.distanceTransform(1 - inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    inwards = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.where(mask, 0.5 - inwards, outwards - 0.5).astype(np.float32)
