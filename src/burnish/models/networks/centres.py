"""A small detector of ours that learns from scratch on a CPU: a heatmap of the middles of objects, and at each middle its box.

Middles are found as in CenterNet (Zhou, Wang and Krähenbühl, "Objects as points", 2019); boxes are told by the distances from a place to
their four sides and learned with GIoU at all places near a middle, weighted by how near (Liu et al., "Training-time-friendly network",
AAAI 2020), so that few epochs on few pictures are enough.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from burnish.errors import extra
from burnish.models.networks.found import Found, check_objects
from burnish.models.networks.pictures import IMAGENET, Normalisation, filled_up
from burnish.models.networks.unet import Decoder, ResidualEncoder

with extra("train"):
    import torch
    import torchvision
    from torch import nn
    from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from burnish.models.networks.found import Objects
    from burnish.models.networks.settings import CentreConfig

STRIDE: Final = 4
"""Pixels of a picture to one place of the heatmap, each way."""

_LEVEL: Final = 1  # halvings after the first convolution, which halves too
_SPREAD: Final = 0.54 / 6  # standard deviation of a peak, as a share of its box (Liu et al.)
_RARE: Final = 0.01  # expected share of places that are a middle, at the beginning


def build_centres(config: CentreConfig, outputs: int, image_size: tuple[int, int]) -> CentreNetwork:  # noqa: ARG001 - any size will do
    """Build the detector, from scratch."""
    return CentreNetwork(config, outputs)


class CentreNetwork(nn.Module):
    """Finds objects in (N, C, H, W) uint8 pictures of any height and width.

    A size that is no multiple of `stride` is filled up at the right and at the bottom by repeating the last pixels.

    Attributes:
        network: What sees normalised pictures and gives (N, K, H / 4, W / 4) logits of middles and (N, 4, H / 4, W / 4) distances.
        name: What it was built by.
        num_classes: K.
        stride: What height and width are filled up to a multiple of.
        gives_masks: False.
        head: Beginnings of the names of the tensors whose shape depends on K, below `network`.
    """

    gives_masks: Final = False

    def __init__(self, config: CentreConfig, num_classes: int) -> None:
        super().__init__()
        self.normalise = Normalisation(*IMAGENET, config.in_channels)
        self.network = CentreHeads(config, num_classes)
        self.name = config.name
        self.num_classes = num_classes
        self.stride = 2**config.depth
        self.head = ("middles.2.",)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Give logits of middles and distances in pixels, at a quarter of the size of the filled-up pictures."""
        return self.network(filled_up(self.normalise(pictures), self.stride))

    def losses(self, pictures: Tensor, targets: Sequence[Objects]) -> dict[str, Tensor]:
        """The parts of the loss, to be added up.

        Args:
            pictures: (N, C, H, W) uint8.
            targets: The true objects of each.

        Raises:
            DataError: Targets do not fit the pictures or the classes.
        """
        check_objects(targets, len(pictures), self.num_classes)
        logits, distances = self(pictures)
        peaks, boxes, weights = _drawn(targets, logits)
        return {"middles": _focal(logits, peaks), "boxes": _overlap_loss(distances, boxes, weights)}

    @torch.no_grad()
    def detect(self, pictures: Tensor, *, threshold: float = 0.05, overlap: float = 0.6, most: int = 300) -> list[Found]:
        """Find objects, surest first.

        Args:
            pictures: (N, C, H, W) uint8.
            threshold: The least score.
            overlap: IoU from which the less sure of two boxes of one class is dropped.
            most: Objects in a picture at most.
        """
        logits, distances = self(pictures)
        scores = logits.float().sigmoid()
        scores = scores * (scores == functional.max_pool2d(scores, 3, stride=1, padding=1))
        size = (pictures.shape[-2], pictures.shape[-1])
        boxes = _boxes(distances.float())
        return [_picked(s, b, size, threshold=threshold, overlap=overlap, most=most) for s, b in zip(scores, boxes, strict=True)]


class CentreHeads(nn.Module):
    """Our U-Net up to a quarter of the resolution, and two heads on it."""

    def __init__(self, config: CentreConfig, num_classes: int) -> None:
        super().__init__()
        self.encoder = ResidualEncoder(config, halved=True)
        self.decoder = Decoder(self.encoder.out_channels, config, level=_LEVEL)
        self.middles = _head(self.decoder.out_channels, num_classes, math.log(_RARE / (1 - _RARE)))
        self.sides = _head(self.decoder.out_channels, 4, math.log(4 * STRIDE))

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Give logits of middles, and distances to the left, upper, right and lower side in pixels."""
        features = self.decoder(self.encoder(pictures))
        return self.middles(features), self.sides(features).clamp(max=10).exp()


def _head(channels: int, outputs: int, start: float) -> nn.Sequential:
    last = nn.Conv2d(channels, outputs, 1)
    nn.init.normal_(last.weight, std=0.01)
    nn.init.constant_(last.bias, start)  # pyright: ignore[reportArgumentType]
    return nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU(inplace=True), last)


def _drawn(targets: Sequence[Objects], like: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Peaks (N, K, h, w), the box of each place (N, 4, h, w) and how much it counts (N, h, w).

    Smaller objects are drawn over larger ones. The peak's own place is 1.
    """
    count, classes, height, width = like.shape
    peaks = torch.zeros(count, classes, height, width, device=like.device)
    boxes = torch.zeros(count, 4, height, width, device=like.device)
    weights = torch.zeros(count, height, width, device=like.device)
    ys, xs = torch.arange(height, device=like.device), torch.arange(width, device=like.device)
    for row, (given, labels, _) in enumerate(targets):
        corners = given.to(like.device, torch.float32)
        sides = corners[:, 2:] - corners[:, :2]
        for i in torch.argsort(-sides.prod(1)).tolist():
            middle = ((corners[i, :2] + corners[i, 2:]) / 2 / STRIDE).floor()
            middle = torch.minimum(middle.clamp(min=0), middle.new_tensor([width - 1, height - 1]))
            spread = (_SPREAD * sides[i] / STRIDE).clamp(min=0.3)
            across = torch.exp(-((xs - middle[0]) ** 2) / (2 * spread[0] ** 2))
            down = torch.exp(-((ys - middle[1]) ** 2) / (2 * spread[1] ** 2))
            peak = down[:, None] * across[None, :]
            near = peak > _NEAR
            peaks[row, labels[i]] = torch.maximum(peaks[row, labels[i]], peak)
            boxes[row, :, near] = corners[i, :, None]
            weights[row, near] = peak[near] / peak[near].sum()
    return peaks, boxes, weights


_NEAR: Final = 0.05


def _focal(logits: Tensor, peaks: Tensor) -> Tensor:
    """Focal loss with less weight on the slopes of peaks (Law and Deng, CornerNet, 2018), over the number of objects; in float32."""
    logits = logits.float()
    here = peaks == 1
    score = logits.sigmoid()
    at_middles = functional.logsigmoid(logits) * (1 - score) ** 2 * here
    elsewhere = functional.logsigmoid(-logits) * score**2 * (1 - peaks) ** 4 * ~here
    return -(at_middles.sum() + elsewhere.sum()) / here.sum().clamp(min=1)


def _overlap_loss(distances: Tensor, boxes: Tensor, weights: Tensor) -> Tensor:
    """1 - GIoU of the boxes at places near a middle; every object counts about alike."""
    chosen = weights > 0
    predicted = _boxes(distances.float()).permute(0, 2, 3, 1)[chosen]
    true = boxes.permute(0, 2, 3, 1)[chosen]
    losses = torchvision.ops.generalized_box_iou_loss(predicted, true) * weights[chosen]
    return 2 * losses.sum() / weights.sum().clamp(min=1)


def _boxes(distances: Tensor) -> Tensor:
    """(N, 4, h, w) distances to boxes x1, y1, x2, y2 in pixels; a place is the middle of its pixels."""
    height, width = distances.shape[-2:]
    ys = (torch.arange(height, device=distances.device)[:, None] + 0.5) * STRIDE
    xs = (torch.arange(width, device=distances.device)[None, :] + 0.5) * STRIDE
    left, top, right, bottom = distances.unbind(1)
    return torch.stack([xs - left, ys - top, xs + right, ys + bottom], dim=1)


def _picked(scores: Tensor, boxes: Tensor, size: tuple[int, int], *, threshold: float, overlap: float, most: int) -> Found:
    """The objects of one picture: peaks above the threshold, no two of one class over one another."""
    best, places = scores.flatten().topk(min(4 * most, scores.numel()))
    places = places[best >= threshold]
    best = best[best >= threshold]
    area = scores.shape[-2] * scores.shape[-1]
    classes = places // area
    corners = torchvision.ops.clip_boxes_to_image(boxes.flatten(1)[:, places % area].T, size)
    whole = (corners[:, 2:] > corners[:, :2]).all(1)
    corners, best, classes = corners[whole], best[whole], classes[whole]
    kept = torchvision.ops.batched_nms(corners, best, classes, overlap)[:most]
    return Found(corners[kept], best[kept], classes[kept])
