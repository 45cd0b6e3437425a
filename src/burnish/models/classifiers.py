"""Classifiers by name, with a head for the wanted classes and the input normalisation inside."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from burnish.errors import ConfigError, ModelError, WeightsError, extra
from burnish.models.classifier_names import NetworkName, find_network
from burnish.models.hub import hub_file, url_file
from burnish.models.small_net import build_small_net
from burnish.models.weights import load_checked, read_weights, weights_file

with extra("audit"):
    import timm
    import torch
    import torchvision
    from torch import nn
    from torchvision.models.vision_transformer import interpolate_embeddings

if TYPE_CHECKING:
    from torch import Tensor

_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_HUB_FILES = ("model.safetensors", "pytorch_model.bin")


class Licences(NamedTuple):
    """Under which terms the code and the pretrained weights of a network come."""

    code: str
    weights: str


class PictureClassifier(nn.Module):
    """A network that takes pictures as they are, (N, 3, H, W) uint8 RGB, and gives (N, K) logits.

    Attributes:
        name: Library and exact name of the network inside.
        num_classes: K.
        mean: Normalisation of the network, of channels scaled to 0 to 1.
        std: Likewise.
    """

    _scale: Tensor
    _offset: Tensor

    def __init__(self, network: nn.Module, name: NetworkName, num_classes: int, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        super().__init__()
        self.network = network
        self.name = name
        self.num_classes = num_classes
        self.mean, self.std = tuple(mean), tuple(std)
        self.register_buffer("_scale", 1 / (255 * torch.tensor(std).view(1, 3, 1, 1)), persistent=False)
        self.register_buffer("_offset", -(torch.tensor(mean) / torch.tensor(std)).view(1, 3, 1, 1), persistent=False)

    def forward(self, pictures: Tensor) -> Tensor:
        """Give (N, K) logits."""
        return self.network(torch.addcmul(self._offset, pictures.to(self._scale.dtype), self._scale))


def build_classifier(
    name: str, num_classes: int, *, weights: str | Path | None = None, image_size: tuple[int, int] = (224, 224)
) -> PictureClassifier:
    """Build a classifier of timm, of torchvision, or our small network.

    Args:
        name: How the network is called, see `find_network`.
        num_classes: Number of classes; the head is new unless the weights have one of just this size.
        weights: None trains from scratch; "pretrained" takes the library's own, from this machine's cache or the network; otherwise a
            weights file or a folder with one, made for this very network.
        image_size: Height and width of the pictures that it will see.

    Raises:
        ConfigError: No network is called so, or it cannot take pictures of this size.
        WeightsError: The weights cannot be had or do not fit; the message names what does not.
    """
    found = find_network(name)
    build = {"timm": _build_timm, "torchvision": _build_torchvision, "burnish": _build_small}[found.library]
    model = build(found, num_classes, weights, image_size)
    _try_on(model, image_size)
    return model


def licences(name: str) -> Licences:
    """Licences of a network's code and of its pretrained weights.

    Raises:
        ConfigError: No network is called so.
    """
    found = find_network(name)
    if found.library == "timm":
        config = timm.get_pretrained_cfg(found.name)
        return Licences("Apache-2.0", (config.license if config else None) or "not stated")
    if found.library == "torchvision":
        return Licences("BSD-3-Clause", "BSD-3-Clause, trained on ImageNet (pictures for non-commercial research)")
    return Licences("MIT", "none exist")


def _build_small(found: NetworkName, num_classes: int, weights: str | Path | None, image_size: tuple[int, int]) -> PictureClassifier:
    network = build_small_net(num_classes, image_size)
    if weights == "pretrained":
        raise WeightsError("small_net has no pretrained weights: it is trained from scratch. Give no weights, or take another network.")
    if weights is not None:
        head = _head_names(lambda classes: build_small_net(classes, image_size), num_classes)
        load_checked(network, read_weights(weights), source=weights, head=head)
    return PictureClassifier(network, found, num_classes, _IMAGENET_MEAN, _IMAGENET_STD)


def _build_torchvision(found: NetworkName, num_classes: int, weights: str | Path | None, image_size: tuple[int, int]) -> PictureClassifier:
    known = torchvision.models.get_model_weights(found.name).DEFAULT  # pyright: ignore[reportAttributeAccessIssue]
    arguments = _torchvision_arguments(found.name, image_size)

    def build(classes: int) -> nn.Module:
        return torchvision.models.get_model(found.name, weights=None, num_classes=classes, **arguments)

    network = build(num_classes)
    if weights is not None:
        source = url_file(known.url) if weights == "pretrained" else weights_file(Path(weights))
        state = read_weights(source)
        if isinstance(network, torchvision.models.VisionTransformer) and "encoder.pos_embedding" in state:
            state = dict(interpolate_embeddings(image_size[0], network.patch_size, state))  # pyright: ignore[reportArgumentType]
        load_checked(network, state, source=source, head=_head_names(build, num_classes))
    normal = known.transforms()
    return PictureClassifier(network, found, num_classes, tuple(normal.mean), tuple(normal.std))


def _torchvision_arguments(name: str, image_size: tuple[int, int]) -> dict[str, Any]:
    if name in {"googlenet", "inception_v3"}:
        return {"aux_logits": False, "init_weights": True}
    if name.startswith("vit_"):
        if image_size[0] != image_size[1]:
            raise ConfigError(f"torchvision's {name} takes square pictures; found {list(image_size)}. Choose a square resize.size.")
        return {"image_size": image_size[0]}
    return {"input_size": image_size} if name == "maxvit_t" else {}


def _build_timm(found: NetworkName, num_classes: int, weights: str | Path | None, image_size: tuple[int, int]) -> PictureClassifier:
    config = timm.get_pretrained_cfg(found.name)
    arguments: dict[str, Any] = {"img_size": image_size} if config and config.fixed_input_size else {}
    if weights is None:
        network = timm.create_model(found.name, num_classes=num_classes, **arguments)
    else:
        source = timm_weights(found.name) if weights == "pretrained" else weights_file(Path(weights))
        network = timm_with_weights(found.name, source, arguments)
        if network.num_classes != num_classes:  # pyright: ignore[reportAttributeAccessIssue]
            network.reset_classifier(num_classes)  # pyright: ignore[reportCallIssue]
    normal = config.to_dict() if config else {}
    return PictureClassifier(network, found, num_classes, normal.get("mean", _IMAGENET_MEAN), normal.get("std", _IMAGENET_STD))


def timm_weights(name: str) -> Path:
    """The file with timm's pretrained weights of a network.

    Raises:
        WeightsError: timm has none, or they cannot be had.
    """
    config = timm.get_pretrained_cfg(name)
    if config is None or not config.has_weights:
        others = ", ".join(timm.list_pretrained(f"*{name.partition('.')[0]}*")[:4]) or "resnet18"
        raise WeightsError(f"timm has no pretrained weights for {name}. Give none, or take another, for instance {others}.")
    if config.hf_hub_id:
        return hub_file(config.hf_hub_id, (config.hf_hub_filename,) if config.hf_hub_filename else _HUB_FILES)
    return url_file(str(config.url))


def timm_with_weights(name: str, source: Path, arguments: dict[str, Any]) -> nn.Module:
    """A timm network with weights from a file, and the head that the file has (none where it has none).

    They go through timm's own loading, which knows foreign spellings and resizes position embeddings; strictly, so that all must fit.

    Raises:
        WeightsError: The file cannot be read, or does not fit the network.
    """
    state = read_weights(source)
    config = timm.get_pretrained_cfg(name)
    heads = [config.classifier] if config and isinstance(config.classifier, str) else list(config.classifier or ()) if config else []
    weight = next((state[f"{head}.weight"] for head in heads if f"{head}.weight" in state), None)
    classes = 0 if weight is None else len(weight)
    overlay = {"state_dict": state, "num_classes": classes, "source": "", "custom_load": False, "label_offset": 0}
    try:
        return timm.create_model(name, pretrained=True, num_classes=classes, pretrained_cfg_overlay=overlay, **arguments)
    except (RuntimeError, KeyError, ValueError) as error:
        details = " ".join(str(error).split())
        raise WeightsError(f"{source} does not fit {name}: {details[:600]} Name the model that these weights were made for.") from error


def _head_names(build: Any, num_classes: int) -> frozenset[str]:
    """The tensors whose shape depends on the number of classes."""
    with torch.device("meta"):
        one, more = build(num_classes).state_dict(), build(num_classes + 1).state_dict()
    return frozenset(key for key in one if one[key].shape != more[key].shape)


def _try_on(model: PictureClassifier, image_size: tuple[int, int]) -> None:
    """Show it one blank picture, so that a size that it cannot take is told before any training."""
    model.eval()
    try:
        with torch.inference_mode():
            outputs = model(torch.zeros(1, 3, *image_size, dtype=torch.uint8))
    except (RuntimeError, AssertionError, ValueError) as error:
        message = f"{model.name.name} cannot take pictures of {image_size[0]} x {image_size[1]} pixels (height x width): {error}."
        raise ConfigError(f"{message} Choose another resize.size, for instance [224, 224], or another network.") from error
    if outputs.ndim != 2 or outputs.shape[1] != model.num_classes or not math.isfinite(float(outputs.sum())):  # noqa: PLR2004 - a table
        raise ModelError(
            f"{model.name.name} gives outputs of shape {tuple(outputs.shape)}; expected (1, {model.num_classes}) finite numbers."
        )
