"""Our U-Net: residual blocks, a decoder over whatever gives features at halved resolutions, attention gates on the skips if wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from burnish.errors import extra
from burnish.models.networks.pictures import IMAGENET, Normalisation, OwnNormalisation, SegmentationNetwork

with extra("train"):
    import torch
    from torch import nn
    from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from burnish.models.networks.settings import AttentionUNetConfig, UNetConfig

Norm = Literal["group", "batch"]

_MOST_CHANNELS = 256
_MOST_GROUPS = 8


def build_unet(config: UNetConfig, outputs: int, image_size: tuple[int, int]) -> SegmentationNetwork:  # noqa: ARG001 - any size will do
    """Build the U-Net of Ronneberger et al. (MICCAI 2015) with residual blocks and padding, from scratch."""
    return _wrapped(config, UNet(_encoder(config), config, outputs), _normalisation(config), outputs)


def build_attention_unet(config: AttentionUNetConfig, outputs: int, image_size: tuple[int, int]) -> SegmentationNetwork:
    """Build the attention U-Net of Oktay et al. (MIDL 2018), on our own blocks or on an encoder.

    Raises:
        ConfigError: The encoder is not known or cannot be used.
        WeightsError: Its weights cannot be had or do not fit.
    """
    if config.encoder is None:
        return _wrapped(config, UNet(_encoder(config), config, outputs, gates=True), _normalisation(config), outputs)
    from burnish.models.networks.encoders import build_encoder, freeze, normalisation_of  # noqa: PLC0415 - only where an encoder is named

    encoder = build_encoder(config.encoder, config.in_channels, config.encoder_weights, depth=config.depth, image_size=image_size)
    if config.freeze_encoder:
        freeze(encoder)
    return _wrapped(config, UNet(encoder, config, outputs, gates=True), normalisation_of(config.encoder, config.in_channels), outputs)


class UNet(nn.Module):
    """Features at full and halved resolutions on the way down, merged on the way up; (N, C, H, W) to (N, K, H, W).

    H and W must be multiples of `2 ** depth`.
    """

    def __init__(self, encoder: nn.Module, config: UNetConfig, outputs: int, *, gates: bool = False) -> None:
        super().__init__()
        self.encoder = encoder
        channels: list[int] = list(encoder.out_channels)  # pyright: ignore[reportArgumentType, reportCallIssue]
        self.dropout = nn.Dropout2d(config.dropout)
        self.decoder = Decoder(channels, config, gates=gates)
        self.segmentation_head = nn.Conv2d(self.decoder.out_channels, outputs, 1)

    def forward(self, pictures: Tensor) -> Tensor:
        """Give logits of the size of the pictures."""
        *skips, deepest = self.encoder(pictures)
        return self.segmentation_head(self.decoder([*skips, self.dropout(deepest)]))


class ResidualEncoder(nn.Module):
    """Residual blocks at full resolution and at each halving.

    Attributes:
        out_channels: Channels of the features that it gives, from full resolution down.
    """

    def __init__(self, config: UNetConfig, *, halved: bool = False) -> None:
        """Make it; `halved` begins at half the resolution, for a quarter of the work."""
        super().__init__()
        self.out_channels = _widths(config)[: -1 if halved else None]
        first = nn.Conv2d(config.in_channels, config.width, 3, padding=1, stride=2 if halved else 1)
        self.levels = nn.ModuleList()
        for level, width in enumerate(self.out_channels):
            step = first if level == 0 else nn.Conv2d(self.out_channels[level - 1], width, 2, stride=2)
            self.levels.append(nn.Sequential(step, _norm(width, config.norm), nn.ReLU(inplace=True), *_blocks(width, config)))

    def forward(self, features: Tensor) -> list[Tensor]:
        """Give features from full resolution down."""
        found: list[Tensor] = []
        for level in self.levels:
            features = level(features)
            found.append(features)
        return found


class Decoder(nn.Module):
    """Merges features from the deepest up to a level.

    Attributes:
        out_channels: Channels of what it gives.
    """

    def __init__(self, channels: Sequence[int], config: UNetConfig, *, gates: bool = False, level: int = 0) -> None:
        """Make it for features with these channels, from full resolution down; `level` halvings are left of its result."""
        super().__init__()
        widths = _widths(config)
        self.level = level
        self.merges = nn.ModuleList()
        below = channels[-1]
        for i in reversed(range(level, len(channels) - 1)):
            width = widths[min(i, len(widths) - 1)]
            self.merges.append(Merge(below, channels[i], width, config, gate=gates))
            below = width
        self.out_channels = below

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """Give (N, out_channels, H / 2 ** level, W / 2 ** level)."""
        found = features[-1]
        for merge, skip in zip(self.merges, reversed(features[self.level : -1]), strict=True):
            found = merge(found, skip)
        return found


class Merge(nn.Module):
    """Doubles the resolution and adds what the way down knew there."""

    def __init__(self, below: int, skip: int, width: int, config: UNetConfig, *, gate: bool) -> None:
        super().__init__()
        self.shrink = nn.Conv2d(below, width, 1)
        self.gate = SkipGate(skip, width) if gate and skip else None
        step = [nn.Conv2d(width + skip, width, 3, padding=1, bias=False), _norm(width, config.norm), nn.ReLU(inplace=True)]
        self.blocks = nn.Sequential(*step, *_blocks(width, config))

    def forward(self, below: Tensor, skip: Tensor) -> Tensor:
        """Give features of the size of the skip."""
        signal = self.shrink(below)
        raised = functional.interpolate(signal, size=skip.shape[-2:], mode="nearest")
        return self.blocks(torch.cat([raised, skip if self.gate is None else self.gate(skip, signal)], dim=1))


class SkipGate(nn.Module):
    """Additive attention: places of a skip that the coarser features do not ask for are dimmed (Oktay et al., 2018, equations 1 and 2).

    As there, the weights are found on the coarser grid, from a strided convolution of the skip, and enlarged bilinearly.
    """

    def __init__(self, skip: int, signal: int) -> None:
        super().__init__()
        inner = max(1, skip // 2)
        self.of_skip = nn.Conv2d(skip, inner, 2, stride=2, bias=False)
        self.of_signal = nn.Conv2d(signal, inner, 1)
        self.weigh = nn.Conv2d(inner, 1, 1)

    def forward(self, skip: Tensor, signal: Tensor) -> Tensor:
        """Give the skip, each place multiplied with a number from 0 to 1."""
        weights = torch.sigmoid(self.weigh(torch.relu(self.of_skip(skip) + self.of_signal(signal))))
        return skip * functional.interpolate(weights, size=skip.shape[-2:], mode="bilinear", align_corners=False)


class Residual(nn.Module):
    """Two convolutions beside a shortcut."""

    def __init__(self, width: int, norm: Norm) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(width, width, 3, padding=1, bias=False), _norm(width, norm), nn.ReLU(inplace=True))
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, padding=1, bias=False), _norm(width, norm))

    def forward(self, features: Tensor) -> Tensor:
        """Give features of the same shape."""
        return torch.relu(features + self.second(self.first(features)))


def _encoder(config: UNetConfig) -> ResidualEncoder:
    return ResidualEncoder(config)


def _normalisation(config: UNetConfig) -> nn.Module:
    return OwnNormalisation(config.in_channels) if config.normalise == "picture" else Normalisation(*IMAGENET, config.in_channels)


def _wrapped(config: UNetConfig, network: UNet, normalise: nn.Module, outputs: int) -> SegmentationNetwork:
    stride = 2 ** (len(network.decoder.merges))
    return SegmentationNetwork(
        network, name=config.name, num_classes=outputs, stride=stride, normalise=normalise, head=("segmentation_head.",)
    )


def _widths(config: UNetConfig) -> list[int]:
    return [min(config.width * 2**level, max(_MOST_CHANNELS, config.width)) for level in range(config.depth + 1)]


def _blocks(width: int, config: UNetConfig) -> list[nn.Module]:
    return [Residual(width, config.norm) for _ in range(config.blocks)]


def _norm(width: int, norm: Norm) -> nn.Module:
    if norm == "batch":
        return nn.BatchNorm2d(width)
    return nn.GroupNorm(next(groups for groups in range(_MOST_GROUPS, 0, -1) if width % groups == 0), width)
