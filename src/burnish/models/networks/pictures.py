"""What lies between pictures as they are, uint8, and networks: normalisation, and sizes that a network cannot take."""

from __future__ import annotations

from itertools import cycle, islice
from typing import TYPE_CHECKING, Self, TypeVar

from burnish.errors import ConfigError, DataError, ModelError, extra

with extra("train"):
    import torch
    from torch import nn
    from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Mean and standard deviation of the channels of ImageNet, scaled to 0 to 1."""

_DIMENSIONS = 4
_M = TypeVar("_M", bound=nn.Module)


class Normalisation(nn.Module):
    """(N, C, H, W) uint8 pictures to floats with the mean and spread that a network was trained with.

    One channel takes the mean over those of RGB; more than three take them in turn, as timm repeats the weights of its first layer.
    """

    _scale: Tensor
    _offset: Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float], channels: int = 3) -> None:
        super().__init__()
        self.channels = channels
        middle, spread = (torch.tensor(_for_channels(values, channels)).view(1, -1, 1, 1) for values in (mean, std))
        self.register_buffer("_scale", 1 / (255 * spread), persistent=False)
        self.register_buffer("_offset", -middle / spread, persistent=False)

    def forward(self, pictures: Tensor) -> Tensor:
        """Give floats of the same shape.

        Raises:
            DataError: The pictures have another shape or number of channels.
        """
        if pictures.ndim != _DIMENSIONS or pictures.shape[1] != self.channels:
            raise DataError(f"Pictures of shape {tuple(pictures.shape)} were found; expected (N, {self.channels}, H, W).")
        return torch.addcmul(self._offset, pictures.to(self._scale.dtype), self._scale)


class OwnNormalisation(nn.Module):
    """(N, C, H, W) uint8 pictures to floats with mean 0 and standard deviation 1, each picture by its own mean and spread.

    All channels together, so that colours stay what they are to one another; a picture of one value becomes zeros.
    """

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        self.channels = channels

    def forward(self, pictures: Tensor) -> Tensor:
        """Give floats of the same shape.

        Raises:
            DataError: The pictures have another shape or number of channels.
        """
        if pictures.ndim != _DIMENSIONS or pictures.shape[1] != self.channels:
            raise DataError(f"Pictures of shape {tuple(pictures.shape)} were found; expected (N, {self.channels}, H, W).")
        values = pictures.float()
        spread, mean = torch.std_mean(values, dim=(1, 2, 3), keepdim=True, correction=0)
        return (values - mean) / (spread + 1)


class SegmentationNetwork(nn.Module):
    """A network that takes pictures as they are, (N, C, H, W) uint8, and gives (N, K, H, W) logits, for any height and width.

    A size that is no multiple of `stride` is filled up at the right and at the bottom by repeating the last pixels, and the logits are cut
    back. An encoder of which no parameter is trained stays in evaluation mode, so that its normalisation is frozen too.

    Attributes:
        network: What sees normalised pictures.
        name: What it was built by.
        num_classes: K.
        stride: What height and width are filled up to a multiple of.
        smallest: What they are filled up to at least.
        head: Beginnings of the names of the tensors whose shape depends on K, below `network`.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        name: str,
        num_classes: int,
        stride: int,
        normalise: nn.Module,
        head: tuple[str, ...],
        smallest: int = 1,
    ) -> None:
        super().__init__()
        self.network = network
        self.channels: int = normalise.channels  # pyright: ignore[reportAttributeAccessIssue] - both kinds have it
        self.normalise = normalise
        self.name = name
        self.num_classes = num_classes
        self.stride = stride
        self.smallest = smallest
        self.head = head

    def forward(self, pictures: Tensor) -> Tensor:
        """Give (N, K, H, W) logits."""
        height, width = pictures.shape[-2:]
        return self.network(filled_up(self.normalise(pictures), self.stride, self.smallest))[..., :height, :width]

    def train(self, mode: bool = True) -> Self:  # noqa: FBT001, FBT002 - torch's own signature
        """Set training mode for all but a frozen encoder."""
        super().train(mode)
        return keep_frozen(self)


def filled_up(features: Tensor, stride: int, smallest: int = 1) -> Tensor:
    """Repeat the last row and column until height and width are multiples of a stride, and no less than the smallest."""
    height, width = features.shape[-2:]
    below, right = (whole - side for whole, side in zip(filled_size((height, width), stride, smallest), (height, width), strict=True))
    return functional.pad(features, (0, right, 0, below), mode="replicate") if below or right else features


def filled_size(size: tuple[int, int], stride: int, smallest: int = 1) -> tuple[int, int]:
    """Height and width as `filled_up` makes them."""
    height, width = (max(side + -side % stride, smallest) for side in size)
    return height, width


def try_on(model: SegmentationNetwork, image_size: tuple[int, int]) -> SegmentationNetwork:
    """Show it one blank picture, so that a size that it cannot take is told before any training.

    Raises:
        ConfigError: It cannot take it.
    """
    model.eval()
    try:
        with torch.inference_mode():
            logits = model(torch.zeros(1, model.channels, *image_size, dtype=torch.uint8))
    except (RuntimeError, AssertionError, ValueError, IndexError) as error:
        reason = " ".join(str(error).split())[:300]
        message = f"The network {model.name} cannot take pictures of {image_size[0]} x {image_size[1]} pixels (height x width): {reason}"
        raise ConfigError(f"{message.rstrip('.')}. Choose another size, another decoder or another encoder.") from error
    if logits.shape != (1, model.num_classes, *image_size):
        wanted = (1, model.num_classes, *image_size)
        raise ModelError(f"The network {model.name} gives logits of shape {tuple(logits.shape)}; expected {wanted}.")
    return model


def keep_frozen(model: _M) -> _M:
    """Put encoders of which no parameter is trained back into evaluation mode."""
    for name, module in model.named_modules():
        if name.rpartition(".")[2] == "encoder":
            own = list(module.parameters())
            if own and not any(parameter.requires_grad for parameter in own):
                module.eval()
    return model


def _for_channels(values: Sequence[float], channels: int) -> list[float]:
    return [sum(values) / len(values)] if channels == 1 else list(islice(cycle(values), channels))
