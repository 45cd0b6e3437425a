"""CIELAB, in which distances of colours are about as large as they look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from burnish.errors import extra

with extra("train"):
    import torch

if TYPE_CHECKING:
    from torch import Tensor

# IEC 61966-2-1: linear sRGB to XYZ; rows are divided by the white of D65, so that white comes to 1, 1, 1.
_TO_XYZ: Final = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
_WHITE: Final = (0.95047, 1.0, 1.08883)
_KNEE: Final = (6 / 29) ** 3


def cielab(pictures: Tensor) -> Tensor:
    """Turn sRGB pictures (B, 3, H, W) uint8 into L (0 to 100), a and b in float32, under D65 (CIE 15:2004)."""
    values = torch.arange(256, dtype=torch.float32, device=pictures.device) / 255
    linear = torch.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)[pictures.long()]  # noqa: PLR2004 - of sRGB
    matrix = linear.new_tensor(_TO_XYZ) / linear.new_tensor(_WHITE)[:, None]
    xyz = torch.einsum("ij,bjhw->bihw", matrix, linear)
    x, y, z = torch.where(xyz > _KNEE, xyz.clamp_min(_KNEE) ** (1 / 3), xyz * (29 / 6) ** 2 / 3 + 4 / 29).unbind(1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], 1)
