"""Decoders of segmentation-models-pytorch on any encoder, and the U-Net on an encoder with a gate on its deepest features."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Final

from burnish.errors import ConfigError, extra
from burnish.models.networks.encoders import encoder_arguments, find_encoder, free_of_idle_parts, freeze, load_encoder, normalisation_of
from burnish.models.networks.pictures import SegmentationNetwork, try_on

with extra("train"):
    import segmentation_models_pytorch as smp
    from torch import nn

if TYPE_CHECKING:
    from torch import Tensor

    from burnish.models.networks.settings import EncodedConfig, EncoderUNetConfig, SmpConfig

_STRIDE: Final = 32
_SMALLEST: Final = {"pan": 128}  # its attention halves the features at stride 16 three times
_HEAD: Final = ("segmentation_head.",)


def build_smp(config: SmpConfig, outputs: int, image_size: tuple[int, int]) -> SegmentationNetwork:
    """Build a decoder of segmentation-models-pytorch on an encoder.

    Raises:
        ConfigError: The encoder is not known, or does not fit the decoder.
        WeightsError: Its weights cannot be had or do not fit.
    """
    network = _smp_model(config, config.decoder, config.options, outputs, image_size)
    return _wrapped(config, network, outputs, image_size)


def build_encoder_unet(config: EncoderUNetConfig, outputs: int, image_size: tuple[int, int]) -> SegmentationNetwork:
    """Build the U-Net decoder on an encoder, with a gate and dropout on the deepest features.

    Raises:
        ConfigError: The encoder is not known or cannot be used.
        WeightsError: Its weights cannot be had or do not fit.
    """
    model = _smp_model(config, "unet", {}, outputs, image_size)
    return _wrapped(config, GatedUNet(model, gate=config.gate, dropout=config.dropout), outputs, image_size)


class GatedUNet(nn.Module):
    """An encoder, a gate on its deepest features, the U-Net decoder and its head; (N, C, H, W) to (N, K, H, W)."""

    def __init__(self, model: Any, *, gate: bool, dropout: float) -> None:
        """Take the parts of a U-Net of segmentation-models-pytorch."""
        super().__init__()
        self.encoder = model.encoder
        self.gate = PlaceGate(model.encoder.out_channels[-1]) if gate else nn.Identity()
        self.dropout = nn.Dropout2d(dropout)
        self.decoder = model.decoder
        self.segmentation_head = model.segmentation_head

    def forward(self, pictures: Tensor) -> Tensor:
        """Give logits of the size of the pictures."""
        *skips, deepest = self.encoder(pictures)
        return self.segmentation_head(self.decoder([*skips, self.dropout(self.gate(deepest))]))


class PlaceGate(nn.Module):
    """Each place of a feature map is multiplied with a number from 0 to 1 that two 1x1 convolutions find from its channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = max(1, channels // 2)
        self.weigh = nn.Sequential(nn.Conv2d(channels, inner, 1), nn.ReLU(inplace=True), nn.Conv2d(inner, 1, 1), nn.Sigmoid())

    def forward(self, features: Tensor) -> Tensor:
        """Give features of the same shape (N, C, H, W)."""
        return features * self.weigh(features)


def _smp_model(config: EncodedConfig, decoder: str, options: dict[str, Any], outputs: int, image_size: tuple[int, int]) -> Any:
    name = find_encoder(config.encoder)
    filled = (image_size[0] + -image_size[0] % _STRIDE, image_size[1] + -image_size[1] % _STRIDE)
    arguments = {**encoder_arguments(name, filled), **options}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of smp on its own names; what does not work is an error below
            model: Any = smp.create_model(decoder, name, encoder_weights=None, in_channels=config.in_channels, classes=outputs, **arguments)
    except (ValueError, KeyError, TypeError, RuntimeError, AttributeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise ConfigError(f"The decoder {decoder} cannot stand on the encoder '{config.encoder}': {reason}. Change one of them.") from error
    free_of_idle_parts(model.encoder)
    if config.encoder_weights is not None:
        load_encoder(model.encoder, name, config.in_channels, config.encoder_weights, filled)
    if config.freeze_encoder:
        freeze(model.encoder)
    return model


def _wrapped(config: EncodedConfig, network: nn.Module, outputs: int, image_size: tuple[int, int]) -> SegmentationNetwork:
    decoder: str = getattr(config, "decoder", "unet")
    model = SegmentationNetwork(
        network,
        name=config.name,
        num_classes=outputs,
        stride=_stride(network),
        smallest=_SMALLEST.get(decoder, 1),
        normalise=normalisation_of(config.encoder, config.in_channels),
        head=_HEAD,
    )
    return try_on(model, image_size)


def _stride(network: nn.Module) -> int:
    """32, or two patches of a vision transformer, because its decoder halves its grid once."""
    strides: Any = getattr(network.encoder, "output_strides", None)
    return 2 * max(int(s) for s in strides) if strides else _STRIDE
