"""Detectors of the DETR family through transformers, with their own Hungarian losses: RT-DETR, RT-DETRv2, D-FINE, RF-DETR."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from burnish.config import read_text
from burnish.errors import ModelError, WeightsError, extra
from burnish.models.hub import hub_folder
from burnish.models.networks.detr_families import FAMILIES, Family, family_config
from burnish.models.networks.found import Found, check_objects
from burnish.models.networks.pictures import Normalisation, filled_size, filled_up
from burnish.models.networks.sources import is_hub_name
from burnish.models.quiet import quiet_transformers
from burnish.models.weights import load_checked, read_weights

with extra("train"):
    import msgspec
    import torch
    import torchvision
    from torch import nn
    from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from burnish.models.networks.found import Objects
    from burnish.models.networks.settings import DetrConfig

_OF_CLASSES: Final = ("class_embed", "enc_score_head", "denoising_class_embed", "enc_out_class_embed")
_BASE: Final = re.compile(r"^(loss_[a-z_]+?)(_aux|_dn|_enc)?(_\d+)?$")
_NAMED: Final = 4


def build_detr(config: DetrConfig, outputs: int, image_size: tuple[int, int]) -> DetrNetwork:  # noqa: ARG001 - any size will do
    """Build a detector from the settings of its size, from a folder or hub name with weights, or with the weights of a file.

    Raises:
        ConfigError: A setting is not one of the family's.
        WeightsError: Weights cannot be had or do not fit.
    """
    family = FAMILIES[config.name]
    folder = _folder(config.weights)
    if folder is not None:
        network, normalisation = _from_folder(folder, family, config, outputs)
    else:
        network, normalisation = _from_config(family, config, outputs), family.normalisation
        if config.weights is not None:
            _load_file(network, config.weights)
    for name, parameter in network.named_parameters():
        if name.endswith(family.idle):
            parameter.requires_grad_(requires_grad=False)
    return DetrNetwork(network, family, config.name, outputs, normalisation, gives_masks=_gives_masks(config))


class DetrNetwork(nn.Module):
    """Finds objects in (N, 3, H, W) uint8 pictures of any height and width.

    A size that is no multiple of `stride` is filled up at the right and at the bottom by repeating the last pixels.

    Attributes:
        network: The model of transformers.
        name: What it was built by.
        num_classes: K.
        stride: What height and width are filled up to a multiple of.
        smallest: What they are filled up to at least, so that there are as many places as queries.
        gives_masks: Whether it wants and gives a mask for each object.
    """

    def __init__(
        self, network: Any, family: Family, name: str, num_classes: int, normalisation: Normalisation, *, gives_masks: bool
    ) -> None:
        super().__init__()
        self.network = network
        self.normalise = normalisation
        self.name = name
        self.num_classes = num_classes
        self.stride = family.stride(network.config)
        self.smallest = _smallest(family, network.config)
        self.gives_masks = gives_masks
        self._weights = family.loss_weights

    def forward(self, pictures: Tensor) -> Any:
        """Give the outputs of the model: `logits` (N, Q, K), `pred_boxes` (N, Q, 4) in shares of the filled-up picture, ..."""
        return self.network(pixel_values=filled_up(self.normalise(pictures), self.stride, self.smallest))

    def losses(self, pictures: Tensor, targets: Sequence[Objects]) -> dict[str, Tensor]:
        """The parts of the family's own loss, each summed over the layers of the decoder; to be added up.

        Args:
            pictures: (N, 3, H, W) uint8.
            targets: The true objects of each, with masks where `gives_masks`.

        Raises:
            DataError: Targets do not fit the pictures or the classes.
        """
        check_objects(targets, len(pictures), self.num_classes)
        pixels = filled_up(self.normalise(pictures), self.stride, self.smallest)
        labels = [self._label(target, pixels) for target in targets]
        return self._parts(self.network(pixel_values=pixels, labels=labels))

    @torch.no_grad()
    def detect(self, pictures: Tensor, *, threshold: float = 0.05, most: int = 300) -> list[Found]:
        """Find objects, surest first; two of them hardly ever are the same one, so that none is dropped for its overlap.

        Args:
            pictures: (N, 3, H, W) uint8.
            threshold: The least score.
            most: Objects in a picture at most.
        """
        outputs = self(pictures)
        height, width = pictures.shape[-2:]
        filled = filled_size((height, width), self.stride, self.smallest)
        scale = outputs.pred_boxes.new_tensor([filled[1], filled[0], filled[1], filled[0]], dtype=torch.float32)
        boxes = torchvision.ops.box_convert(outputs.pred_boxes.float(), "cxcywh", "xyxy") * scale
        rows = zip(outputs.logits.float().sigmoid(), boxes, strict=True)
        found = [_picked(*row, (height, width), threshold=threshold, most=most) for row in rows]
        if not self.gives_masks:
            return [one for one, _ in found]
        drawn = (_drawn(logits[queries], filled) for logits, (_, queries) in zip(outputs.pred_masks, found, strict=True))
        return [one._replace(masks=masks[:, :height, :width]) for (one, _), masks in zip(found, drawn, strict=True)]

    def _label(self, target: Objects, pixels: Tensor) -> dict[str, Tensor]:
        height, width = pixels.shape[-2:]
        scale = pixels.new_tensor([width, height, width, height])
        boxes = torchvision.ops.box_convert(target.boxes.to(pixels), "xyxy", "cxcywh") / scale
        label = {"class_labels": target.classes.to(pixels.device, torch.int64), "boxes": boxes}
        if not self.gives_masks:
            return label
        if target.masks is None:
            raise ModelError(f"{self.name} gives masks and learns from them, but a target has none. Give masks, or build it without.")
        rows, columns = target.masks.shape[-2:]
        masks = functional.pad(target.masks.to(pixels), (0, width - columns, 0, height - rows))
        return {**label, "masks": masks}

    def _parts(self, outputs: Any) -> dict[str, Tensor]:
        found: dict[str, Tensor] = {}
        for name, value in outputs.loss_dict.items():
            part = _BASE.match(name)
            if part is None:
                continue  # a count that is told beside the losses
            weight = getattr(self.network.config, self._weights[part[1]]) if self._weights else 1.0
            found[part[1]] = found.get(part[1], 0) + weight * value
        return found


def _gives_masks(config: DetrConfig) -> bool:
    return bool(getattr(config, "masks", False))


def _smallest(family: Family, config: Any) -> int:
    """The least side of a square picture whose features have a place for each query, as a multiple of the stride."""
    density = sum(1 / stride**2 for stride in family.feature_strides(config))
    side, stride = math.ceil(math.sqrt(config.num_queries / density)), family.stride(config)
    return side + -side % stride


def _folder(weights: str | None) -> Path | None:
    """The folder of a whole model, with its own config.json."""
    if weights is None:
        return None
    if weights == "pretrained":
        raise WeightsError("Say which pretrained weights: a hub name such as PekingU/rtdetr_r18vd, a folder, or a file.")
    path = Path(weights)
    if not path.exists() and is_hub_name(weights):
        return hub_folder(weights)
    return path if (path / "config.json").is_file() else None


def _from_config(family: Family, config: DetrConfig, outputs: int) -> Any:
    settings = family_config(family, config.size, config.queries, config.options, outputs)
    return family.model(masks=_gives_masks(config))(settings)


def _from_folder(folder: Path, family: Family, config: DetrConfig, outputs: int) -> tuple[Any, Normalisation]:
    """The model of a folder, with a new head where its classes are others."""
    told = msgspec.json.decode(read_text(folder / "config.json"))
    if told.get("model_type") != family.model_type:
        raise WeightsError(f"{folder} holds a model of type {told.get('model_type')!r}; {config.name} is of type '{family.model_type}'.")
    settings = {"num_labels": outputs, **({"num_queries": config.queries} if config.queries else {}), **config.options}
    try:
        with quiet_transformers():
            network, report = family.model(masks=_gives_masks(config)).from_pretrained(
                folder, local_files_only=True, output_loading_info=True, ignore_mismatched_sizes=True, dtype=torch.float32, **settings
            )
    except (OSError, ValueError, RuntimeError) as error:
        raise WeightsError(f"{folder} cannot be loaded as {config.name}: {' '.join(str(error).split())[:400]}") from error
    wrong = [*report["missing_keys"], *report["unexpected_keys"], *(row[0] for row in report["mismatched_keys"])]
    wrong = sorted(name for name in wrong if not _of_classes(name))
    if wrong:
        raise WeightsError(f"{folder} does not fit {config.name}: {len(wrong)} tensors: {', '.join(wrong[:_NAMED])}.")
    return network, _normalisation_in(folder, family)


def _normalisation_in(folder: Path, family: Family) -> Normalisation:
    file = folder / "preprocessor_config.json"
    if not file.is_file():
        return family.normalisation
    told = msgspec.json.decode(read_text(file))
    if not told.get("do_normalize"):
        return Normalisation((0.0,) * 3, (1.0,) * 3)
    return Normalisation(told["image_mean"], told["image_std"])


def _load_file(network: nn.Module, weights: str) -> None:
    state = read_weights(weights)
    own = network.state_dict()
    if not set(state) & set(own):  # a prefix that all names of this very model share was taken off
        state = {f"model.{name}": value for name, value in state.items()}
    load_checked(network, state, source=weights, head=[name for name in own if _of_classes(name)])


def _of_classes(name: str) -> bool:
    return any(part in name for part in _OF_CLASSES)


def _picked(scores: Tensor, boxes: Tensor, size: tuple[int, int], *, threshold: float, most: int) -> tuple[Found, Tensor]:
    """The objects of one picture, without masks, and the queries that they come from."""
    best, places = scores.flatten().topk(min(most, scores.numel()))
    places, best = places[best >= threshold], best[best >= threshold]
    rows, classes = places // scores.shape[1], places % scores.shape[1]
    corners = torchvision.ops.clip_boxes_to_image(boxes[rows], size)
    whole = (corners[:, 2:] > corners[:, :2]).all(1)
    return Found(corners[whole], best[whole], classes[whole]), rows[whole]


def _drawn(logits: Tensor, filled: tuple[int, int]) -> Tensor:
    """(n, h, w) logits to (n, H, W) masks."""
    if not len(logits):
        return torch.zeros(0, *filled, dtype=torch.bool, device=logits.device)
    return functional.interpolate(logits[:, None].float(), size=filled, mode="bilinear", align_corners=False)[:, 0] > 0
