"""Descriptions of networks. No torch here, so that a config file is checked at once."""

from __future__ import annotations

import os
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from burnish.config import Config

Decoder = Literal[
    "unet", "unetplusplus", "manet", "linknet", "fpn", "pspnet", "deeplabv3", "deeplabv3plus", "pan", "upernet", "segformer", "dpt"
]
Share = Annotated[float, Field(ge=0, lt=1)]


def _as_text(value: Any) -> Any:
    """A path as its text, and what others write for the usual pretrained weights as "pretrained"."""
    if value is True or (isinstance(value, str) and value.lower() == "imagenet"):
        return "pretrained"
    if value is False:
        return None
    return os.fspath(value) if isinstance(value, os.PathLike) else value


Weights = Annotated[str | None, BeforeValidator(_as_text)]


class NetworkConfig(Config):
    """What every network has."""

    name: str
    """Which network."""
    weights: Weights = None
    """What the whole network begins with: a file, a folder, or a hub name (owner/name); None leaves it as it is built."""


class ClassifierConfig(NetworkConfig):
    """One class for each picture."""

    network: str = "efficientnetv2_s"
    """Any classifier of timm or torchvision, or small_net; "pretrained" `weights` are the library's own."""


class PixelNetworkConfig(NetworkConfig):
    """What sees pixels one by one: segmentation, heatmaps."""

    in_channels: Annotated[int, Field(ge=1, le=64)] = 3
    """Channels of a picture; 3 are RGB."""


class UNetConfig(PixelNetworkConfig):
    """Our U-Net, from scratch."""

    width: Annotated[int, Field(ge=4, le=256)] = 16
    """Channels at full resolution; twice as many at each halving, up to 256."""
    depth: Annotated[int, Field(ge=1, le=6)] = 4
    """Halvings of the resolution."""
    blocks: Annotated[int, Field(ge=1, le=4)] = 1
    """Residual blocks at each resolution."""
    norm: Literal["group", "batch"] = "group"
    """How features are normalised; group norm does not depend on the size of the batch."""
    dropout: Share = 0.0
    """Share of the deepest features that are hidden in training."""
    normalise: Literal["picture", "imagenet"] = "picture"
    """picture: each by its own mean and spread, so that dark and bright ones look alike; imagenet: by those of ImageNet."""


class AttentionUNetConfig(UNetConfig):
    """Our U-Net with attention gates on its skips."""

    encoder: str | None = None
    """A timm or smp encoder in place of our own blocks on the way down."""
    encoder_weights: Weights = None
    """What that encoder begins with: "pretrained", a hub name, a folder, a file, or nothing."""
    freeze_encoder: bool = False
    """Leave the encoder as it is, its normalisation too."""


class EncodedConfig(PixelNetworkConfig):
    """A decoder of segmentation-models-pytorch on an encoder."""

    encoder: str = "resnet34"
    """The encoder: one of smp's own names, or any timm name with feature maps; timm/NAME takes timm's where both have it."""
    encoder_weights: Weights = None
    """What the encoder begins with: "pretrained", a hub name, a folder, a file, or nothing."""
    freeze_encoder: bool = False
    """Leave the encoder as it is, its normalisation too."""


class SmpConfig(EncodedConfig):
    """Any decoder of segmentation-models-pytorch."""

    decoder: Decoder = "unet"
    """The decoder; dpt wants a vision transformer as its encoder."""
    options: dict[str, Any] = Field(default_factory=dict[str, Any])
    """Further arguments of the decoder's own constructor."""


class EncoderUNetConfig(EncodedConfig):
    """The U-Net decoder of segmentation-models-pytorch, with or without a gate on the deepest features."""

    gate: bool = False
    """Weigh each place of the deepest features by a number from 0 to 1 that is learned from them."""
    dropout: Share = 0.2
    """Share of the deepest channels that are hidden in training."""


class CentreConfig(UNetConfig):
    """Our detector of middles, from scratch."""

    width: Annotated[int, Field(ge=4, le=256)] = 16
    """Channels at half the resolution; twice as many at each further halving, up to 256."""
    depth: Annotated[int, Field(ge=3, le=6)] = 5
    """Halvings of the resolution."""


class DetrConfig(NetworkConfig):
    """A detector of transformers' DETR family, with its own Hungarian loss."""

    size: Literal["tiny", "usual"] = "usual"
    """What it is built as without a folder or hub name in `weights`: tiny for small data and tests, or the family's own defaults."""
    queries: Annotated[int, Field(ge=1, le=2000)] | None = None
    """Objects in a picture at most; None takes that of the size or of the weights' config."""
    options: dict[str, Any] = Field(default_factory=dict[str, Any])
    """Further settings of the family's own config class in transformers."""


class RfDetrConfig(DetrConfig):
    """RF-DETR."""

    masks: bool = False
    """Give a mask for each object."""


class HeatmapConfig(AttentionUNetConfig):
    """A heatmap for each named point, from scratch or on an encoder."""

    depth: Annotated[int, Field(ge=3, le=6)] = 5
    """Halvings of the resolution; at most 5 on an encoder."""
    gates: bool = False
    """Attention gates on the skips."""
    spread: Annotated[float, Field(ge=0.5, le=10)] = 2.0
    """Standard deviation of a true peak, in places of the heatmap (4 pixels each)."""
