"""Named points by heatmaps: one a point name, at a quarter of the resolution, read with a precision below one pixel.

Two uses of one network: on crops of single objects each name has one place (`locate`); on whole pictures each name has as many peaks as
there are objects (`peaks`), which are not put together to skeletons.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self

from burnish.errors import DataError, extra
from burnish.models.networks.pictures import IMAGENET, Normalisation, filled_up, keep_frozen
from burnish.models.networks.unet import Decoder, ResidualEncoder

with extra("train"):
    import torch
    from torch import nn
    from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from burnish.models.networks.settings import HeatmapConfig

STRIDE: Final = 4
"""Pixels of a picture to one place of a heatmap, each way."""

_LEAST: Final = 1e-6
_PARTS: Final = 3  # x, y, visibility


def build_heatmaps(config: HeatmapConfig, outputs: int, image_size: tuple[int, int]) -> HeatmapNetwork:
    """Build the network, on our own blocks or on an encoder.

    Raises:
        ConfigError: The encoder is not known or cannot be used.
        WeightsError: Its weights cannot be had or do not fit.
    """
    if config.encoder is None:
        encoder: nn.Module = ResidualEncoder(config, halved=True)
        return HeatmapNetwork(config, outputs, HeatmapHead(encoder, config, outputs, level=1), Normalisation(*IMAGENET, config.in_channels))
    from burnish.models.networks.encoders import build_encoder, freeze, normalisation_of  # noqa: PLC0415 - only where an encoder is named

    encoder = build_encoder(config.encoder, config.in_channels, config.encoder_weights, depth=config.depth, image_size=image_size)
    if config.freeze_encoder:
        freeze(encoder)
    head = HeatmapHead(encoder, config, outputs, level=2)
    return HeatmapNetwork(config, outputs, head, normalisation_of(config.encoder, config.in_channels))


class HeatmapNetwork(nn.Module):
    """Takes (N, C, H, W) uint8 pictures of any height and width and gives (N, K, H', W') heatmaps, a place for every 4 pixels.

    A size that is no multiple of `stride` is filled up at the right and at the bottom by repeating the last pixels; H' and W' are those of
    the picture itself, rounded up.

    Attributes:
        network: What sees normalised pictures.
        name: What it was built by.
        num_classes: K, the number of point names.
        stride: What height and width are filled up to a multiple of.
        spread: Standard deviation of a true peak, in places.
        head: Beginnings of the names of the tensors whose shape depends on K, below `network`.
    """

    def __init__(self, config: HeatmapConfig, num_classes: int, network: nn.Module, normalise: Normalisation) -> None:
        super().__init__()
        self.network = network
        self.normalise = normalise
        self.name = config.name
        self.num_classes = num_classes
        self.stride = 2**config.depth
        self.spread = config.spread
        self.head = ("heatmaps.",)

    def forward(self, pictures: Tensor) -> Tensor:
        """Give (N, K, H', W') heatmaps, about 1 at a point and 0 far from it."""
        height, width = (-(-side // STRIDE) for side in pictures.shape[-2:])
        return self.network(filled_up(self.normalise(pictures), self.stride))[..., :height, :width]

    def train(self, mode: bool = True) -> Self:  # noqa: FBT001, FBT002 - torch's own signature
        """Set training mode for all but a frozen encoder."""
        super().train(mode)
        return keep_frozen(self)

    def losses(self, pictures: Tensor, points: Sequence[Tensor]) -> dict[str, Tensor]:
        """The squared difference from true heatmaps, over those of which a point is known.

        Args:
            pictures: (N, C, H, W) uint8.
            points: For each picture (n, K, 3): x, y in pixels and visibility; 0 is not known.

        Raises:
            DataError: The points do not fit the pictures or the names.
        """
        found = self(pictures).float()
        true, known = draw_heatmaps(points, self.num_classes, (found.shape[-2], found.shape[-1]), self.spread)
        true, known = true.to(found.device), known.to(found.device)
        if len(true) != len(found):
            raise DataError(f"Points of {len(true)} pictures were found beside {len(found)} pictures.")
        gaps = ((found - true) ** 2).sum((2, 3)) / (2 * torch.pi * self.spread**2)  # the bar is about the sum of a peak's squares
        return {"heatmaps": (gaps * known).sum() / known.sum().clamp(min=1)}

    @torch.no_grad()
    def locate(self, pictures: Tensor) -> Tensor:
        """The best place of each name: (N, K, 3) x, y in pixels and the height of the peak, for pictures of single objects."""
        return read_heatmaps(self(pictures).float())

    @torch.no_grad()
    def peaks(self, pictures: Tensor, *, threshold: float = 0.3, most: int = 100) -> list[list[Tensor]]:
        """All places of each name: for each picture and name (n, 3) x, y in pixels and height, highest first."""
        return [[_all_peaks(one, threshold, most) for one in picture] for picture in self(pictures).float()]


class HeatmapHead(nn.Module):
    """An encoder, our decoder up to a quarter of the resolution, and the heatmaps."""

    def __init__(self, encoder: nn.Module, config: HeatmapConfig, outputs: int, *, level: int) -> None:
        super().__init__()
        self.encoder = encoder
        channels: list[int] = list(encoder.out_channels)  # pyright: ignore[reportArgumentType, reportCallIssue]
        self.dropout = nn.Dropout2d(config.dropout)
        self.decoder = Decoder(channels, config, gates=config.gates, level=level)
        self.heatmaps = nn.Conv2d(self.decoder.out_channels, outputs, 1)
        nn.init.normal_(self.heatmaps.weight, std=0.01)
        if self.heatmaps.bias is not None:
            nn.init.zeros_(self.heatmaps.bias)

    def forward(self, pictures: Tensor) -> Tensor:
        """Give heatmaps at a quarter of the size."""
        *skips, deepest = self.encoder(pictures)
        return self.heatmaps(self.decoder([*skips, self.dropout(deepest)]))


def draw_heatmaps(points: Sequence[Tensor], names: int, size: tuple[int, int], spread: float) -> tuple[Tensor, Tensor]:
    """True heatmaps: a Gaussian at each known point, the highest where several meet.

    Args:
        points: For each picture (n, K, 3): x, y in pixels (the middle of the first pixel is 0.5) and visibility.
        names: K.
        size: Height and width of a heatmap, in places of 4 pixels.
        spread: Standard deviation, in places.

    Returns:
        (N, K, h, w), and (N, K) whether any point of a name is known there.

    Raises:
        DataError: The points have another shape.
    """
    ys, xs = torch.arange(size[0]) + 0.5, torch.arange(size[1]) + 0.5
    drawn, known = torch.zeros(len(points), names, *size), torch.zeros(len(points), names, dtype=torch.bool)
    for row, given in enumerate(points):
        if given.ndim != _PARTS or given.shape[1:] != (names, _PARTS):
            raise DataError(f"Picture {row} has points of shape {tuple(given.shape)}; expected (n, {names}, 3).")
        places = given.detach().cpu().float()
        seen = places[..., 2] > 0
        across = torch.exp(-((xs - places[..., 0, None] / STRIDE) ** 2) / (2 * spread**2))
        down = torch.exp(-((ys - places[..., 1, None] / STRIDE) ** 2) / (2 * spread**2))
        peaks = down[..., :, None] * across[..., None, :] * seen[..., None, None]
        if len(peaks):
            drawn[row], known[row] = peaks.amax(0), seen.any(0)
    return drawn, known


def read_heatmaps(heatmaps: Tensor) -> Tensor:
    """The highest place of each heatmap, between places by a parabola through the logarithm, which is exact for a Gaussian.

    A peak in the outermost places is told at the middle of its place.

    Zhang et al., "Distribution-aware coordinate representation for human pose estimation", CVPR 2020, without cross terms.

    Args:
        heatmaps: (N, K, h, w).

    Returns:
        (N, K, 3) x, y in pixels and the height of the peak, at most 1 and at least 0.
    """
    count, names, height, width = heatmaps.shape
    best, place = heatmaps.flatten(2).max(2)
    rows, columns = place // width, place % width
    flat = heatmaps.reshape(-1, height, width)
    found = _refined(flat, torch.arange(len(flat), device=flat.device), rows.flatten(), columns.flatten())
    return torch.cat([found.view(count, names, 2), best.clamp(0, 1).unsqueeze(2)], dim=2)


def _all_peaks(heatmap: Tensor, threshold: float, most: int) -> Tensor:
    """Peaks of one heatmap (h, w), none within 2 places of a higher one: (n, 3)."""
    highest = functional.max_pool2d(heatmap[None, None], 5, stride=1, padding=2)[0, 0]
    rows, columns = torch.nonzero((heatmap == highest) & (heatmap >= threshold), as_tuple=True)
    order = heatmap[rows, columns].argsort(descending=True)[:most]
    rows, columns = rows[order], columns[order]
    places = _refined(heatmap[None], torch.zeros_like(rows), rows, columns)
    return torch.cat([places, heatmap[rows, columns].clamp(0, 1)[:, None]], dim=1)


def _refined(maps: Tensor, which: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """(n, 2) x, y in pixels of places, moved by at most half a place."""
    mode = "reflect" if min(maps.shape[-2:]) > 1 else "replicate"  # at the border, where one neighbour is missing, the place stays
    logs = functional.pad(maps.clamp(min=_LEAST).log()[:, None], (1, 1, 1, 1), mode=mode)[:, 0]
    rows, columns = rows + 1, columns + 1
    middle = logs[which, rows, columns]
    x = _shift(logs[which, rows, columns - 1], middle, logs[which, rows, columns + 1])
    y = _shift(logs[which, rows - 1, columns], middle, logs[which, rows + 1, columns])
    return STRIDE * torch.stack([columns - 0.5 + x, rows - 0.5 + y], dim=1)


def _shift(before: Tensor, middle: Tensor, after: Tensor) -> Tensor:
    """Where the parabola through three neighbours is highest, from -0.5 to 0.5."""
    bend = before - 2 * middle + after
    return torch.where(bend < 0, (before - after) / (2 * bend.clamp(max=-_LEAST)), torch.zeros_like(bend)).clamp(-0.5, 0.5)
