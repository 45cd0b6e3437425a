"""A side connection in a network: a sender in one place, its receiver in another, each with a convolution that is trained.

Put the two anywhere in a model, the sender where features come first:

    sender, receiver = linked_pair(64, 128)
    model = nn.Sequential(first, sender, middle, receiver, last)

Both give features of the shape that they are given, so that nothing around them changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from burnish.errors import DataError, ModelError, extra

with extra("train"):
    from torch import nn
    from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor


def linked_pair(sent: int, received: int, *, inner: int | None = None, kernel_size: int = 3) -> tuple[Sender, Receiver]:
    """A sender and its receiver.

    Args:
        sent: Channels where the sender stands.
        received: Channels where the receiver stands.
        inner: Channels on the way; as many as are sent when None.
        kernel_size: Odd width of both convolutions.

    Raises:
        DataError: The kernel is even, which would move features by half a pixel.
    """
    if kernel_size % 2 == 0:
        raise DataError(f"A link has a kernel of {kernel_size}; expected an odd number, such as 3.")
    link = Link()
    inner = inner or sent
    return Sender(sent, inner, link, kernel_size), Receiver(inner, received, link, kernel_size)


class Link:
    """What is on its way from a sender to its receiver.

    Attributes:
        features: (N, C, H, W), or None where nothing is under way.
    """

    def __init__(self) -> None:
        self.features: Tensor | None = None

    def __deepcopy__(self, memo: dict[int, object]) -> Link:
        """A copied model has a link of its own, and nothing on its way."""
        copied = memo[id(self)] = Link()
        return copied

    def __getstate__(self) -> dict[str, object]:
        """Nothing on its way is saved."""
        return {"features": None}


class Sender(nn.Module):
    """Gives its features on as they are, and sends a convolution of them to its receiver."""

    def __init__(self, channels: int, inner: int, link: Link, kernel_size: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(channels, inner, kernel_size, padding=kernel_size // 2)
        self._link = link

    def forward(self, features: Tensor) -> Tensor:
        """Give the features (N, C, H, W) themselves."""
        self._link.features = self.convolution(features)
        return features


class Receiver(nn.Module):
    """Adds a convolution of what was sent to its own features, at their size.

    It begins with zeros: a pair put into a trained model changes nothing until it has learned.
    """

    def __init__(self, inner: int, channels: int, link: Link, kernel_size: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inner, channels, kernel_size, padding=kernel_size // 2)
        nn.init.zeros_(self.convolution.weight)
        if self.convolution.bias is not None:
            nn.init.zeros_(self.convolution.bias)
        self._link = link

    def forward(self, features: Tensor) -> Tensor:
        """Give features of the same shape (N, C, H, W).

        Raises:
            ModelError: Nothing was sent since it received last, or another number of pictures.
        """
        sent, self._link.features = self._link.features, None
        if sent is None:
            raise ModelError(
                "A receiver got nothing: its sender must come before it in the same pass, once for each time that it receives."
            )
        if len(sent) != len(features):
            raise ModelError(f"A receiver got features of {len(sent)} pictures; expected {len(features)}.")
        if sent.shape[-2:] != features.shape[-2:]:
            sent = functional.interpolate(sent, size=features.shape[-2:], mode="bilinear", align_corners=False)
        return features + self.convolution(sent)
