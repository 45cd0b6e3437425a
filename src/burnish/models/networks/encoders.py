"""Encoders by name: those of segmentation-models-pytorch, and timm's networks as features at halved resolutions."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, cast

from burnish.errors import ConfigError, WeightsError, extra
from burnish.models.classifiers import Licences, timm_weights, timm_with_weights
from burnish.models.hub import hub_file
from burnish.models.networks.pictures import IMAGENET, Normalisation
from burnish.models.networks.sources import read_source
from burnish.models.weights import load_checked

with extra("train"):
    import timm
    from segmentation_models_pytorch import encoders as smp
    from segmentation_models_pytorch.encoders import TimmUniversalEncoder
    from segmentation_models_pytorch.encoders.timm_vit import TimmViTEncoder

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor, nn

_HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
_NORMALISATIONS = {
    "inceptionresnetv2": _HALF,
    "inceptionv4": _HALF,
    "xception": _HALF,
    "dpn": ((124 / 255, 117 / 255, 104 / 255), (1 / (0.0167 * 255),) * 3),
}
_HEADS = {"fc", "classifier", "head", "last_linear", "logits", "avgpool", "linear"}
_WEIGHTS_LICENCES = {
    "mit_b": "NVIDIA Source Code License (non-commercial)",
    "mobileone": "Apple sample code licence",
}


def find_encoder(name: str) -> str:
    """The name that segmentation-models-pytorch knows an encoder by.

    Its own names come first, then timm's; `timm/` and smp's `tu-` before a name take timm's.

    Raises:
        ConfigError: There is none of that name; the message holds the nearest.
    """
    plain = name.strip()
    bare = plain.removeprefix("tu-").removeprefix("timm/")
    if bare == plain and plain in _own_names():
        return plain
    if timm.is_model(bare.partition(".")[0]):
        return f"tu-{bare}"
    near = difflib.get_close_matches(bare.lower(), dict.fromkeys([*_own_names(), *timm.list_models()]), n=3, cutoff=0.5)
    hint = f"Did you mean {', '.join(near)}?" if near else "For instance resnet34, efficientnet-b0, convnext_tiny or mobilenetv3_small_100."
    raise ConfigError(f"There is no encoder '{name}'. {hint}")


def encoder_arguments(name: str, image_size: tuple[int, int]) -> dict[str, Any]:
    """What a timm network must be told so that it takes pictures of this size, and of others where it can."""
    if not name.startswith("tu-"):
        return {}
    bare = name.removeprefix("tu-")
    config = timm.get_pretrained_cfg(bare)
    if config is None or not config.fixed_input_size:
        return {}
    return {"dynamic_img_size": True} if _is_plain_transformer(bare) else {"img_size": image_size}


def build_encoder(name: str, in_channels: int, weights: str | None, *, depth: int, image_size: tuple[int, int]) -> nn.Module:
    """Build an encoder, with weights.

    Args:
        name: As `find_encoder` understands it.
        in_channels: Channels of a picture.
        weights: "pretrained", a hub name, a folder, a file, or None.
        depth: Halvings, 1 to 5.
        image_size: Height and width in pixels, for networks of one size.

    Raises:
        ConfigError: It is not known, or has no features at halved resolutions.
        WeightsError: The weights cannot be had or do not fit.
    """
    found = find_encoder(name)
    try:
        encoder = smp.get_encoder(found, in_channels=in_channels, depth=depth, **encoder_arguments(found, image_size))
    except (ValueError, RuntimeError, TypeError, AttributeError, KeyError) as error:
        raise ConfigError(f"'{name}' cannot be used as an encoder: {' '.join(str(error).split())[:300]}. Take another.") from error
    free_of_idle_parts(encoder)
    if weights is not None:
        load_encoder(encoder, found, in_channels, weights, image_size)
    return encoder


def load_encoder(encoder: nn.Module, name: str, in_channels: int, weights: str, image_size: tuple[int, int]) -> None:
    """Put weights into an encoder: those of the encoder, of the classifier that it comes from, or of a segmentation network around it.

    Raises:
        WeightsError: They cannot be had or do not fit.
    """
    source, state = read_source(weights, lambda: pretrained_file(name))
    inside = {key.removeprefix("encoder."): value for key, value in state.items() if key.startswith("encoder.")}
    if inside:
        load_checked(encoder, inside, source=source)
    elif name.startswith("tu-"):
        _load_timm(encoder, name.removeprefix("tu-"), source, in_channels, image_size)
    else:
        _load_own(encoder, name, in_channels, state, source)


def pretrained_file(name: str) -> Path:
    """The file with the usual pretrained weights of an encoder, from this machine or the hub.

    Raises:
        WeightsError: There are none, or they cannot be had.
    """
    if name.startswith("tu-"):
        return timm_weights(name.removeprefix("tu-"))
    settings = cast("dict[str, dict[str, str]]", smp.encoders[name]["pretrained_settings"])
    if not settings:
        raise WeightsError(f"There are no pretrained weights for the encoder {name}. Give none, or take another.")
    chosen = settings.get("imagenet") or next(iter(settings.values()))
    return hub_file(f"{chosen['repo_id']}@{chosen['revision']}", ("model.safetensors",))


def normalisation_of(name: str, in_channels: int) -> Normalisation:
    """The normalisation that an encoder was trained with."""
    found = find_encoder(name)
    if found.startswith("tu-"):
        config = timm.get_pretrained_cfg(found.removeprefix("tu-"))
        return Normalisation(config.mean if config else IMAGENET[0], config.std if config else IMAGENET[1], in_channels)
    mean, std = next((values for start, values in _NORMALISATIONS.items() if found.startswith(start)), IMAGENET)
    return Normalisation(mean, std, in_channels)


def encoder_licences(name: str) -> Licences:
    """Licences of an encoder's code and of its pretrained weights."""
    found = find_encoder(name)
    if found.startswith("tu-"):
        config = timm.get_pretrained_cfg(found.removeprefix("tu-"))
        return Licences("MIT (smp), Apache-2.0 (timm)", (config.license if config else None) or "not stated")
    weights = next((text for start, text in _WEIGHTS_LICENCES.items() if found.startswith(start)), "of its page at huggingface.co/smp-hub")
    return Licences("MIT (smp)", weights)


def free_of_idle_parts(encoder: nn.Module) -> None:
    """Do not train what an encoder keeps but does not use, deeper stages and a head: no gradient would ever reach it."""
    if isinstance(encoder, TimmViTEncoder):
        for name in ("norm", "fc_norm", "head", "head_dist"):
            idle: nn.Module | None = getattr(encoder.model, name, None)
            if idle is not None:
                idle.requires_grad_(requires_grad=False)
    for stride, modules in _stages(encoder).items():
        if stride > 2 ** _depth(encoder):
            for module in modules:
                module.requires_grad_(requires_grad=False)


def freeze(encoder: nn.Module) -> None:
    """Let nothing of an encoder be trained; the network around it keeps its normalisation in evaluation mode."""
    encoder.requires_grad_(requires_grad=False)


def _own_names() -> list[str]:
    """Encoders of smp's own, less those that it gives up in favour of timm's."""
    return [name for name in smp.get_encoder_names() if not name.startswith("timm-")]


def _is_plain_transformer(name: str) -> bool:
    return name.startswith(("vit_", "deit_", "deit3_", "beit", "eva", "test_vit", "flexivit"))


def _load_timm(encoder: nn.Module, name: str, source: Path, in_channels: int, image_size: tuple[int, int]) -> None:
    """Through the classifier, because timm loads features without asking whether all fits."""
    whole = timm_with_weights(name, source, {})
    overlay = {"state_dict": whole.state_dict(), "num_classes": whole.num_classes, "source": "", "custom_load": False, "label_offset": 0}
    arguments: dict[str, Any] = {
        **encoder_arguments(f"tu-{name}", image_size),
        "pretrained": True,
        "pretrained_cfg_overlay": overlay,
        "in_channels": in_channels,
        "depth": _depth(encoder),
    }
    if isinstance(encoder, TimmViTEncoder):
        made: nn.Module = TimmViTEncoder(name, **arguments)
    else:
        made = TimmUniversalEncoder(name, output_stride=getattr(encoder, "_output_stride", 32), **arguments)
    load_checked(encoder, made.state_dict(), source=source, head=[name for name in encoder.state_dict() if name.startswith("model.head")])


def _load_own(encoder: nn.Module, name: str, in_channels: int, state: dict[str, Tensor], source: Path) -> None:
    fresh: Any = smp.get_encoder(name, depth=_depth(encoder))
    known = fresh.state_dict()
    load_checked(fresh, {k: v for k, v in state.items() if k in known or k.partition(".")[0] not in _HEADS}, source=source)
    fresh.set_in_channels(in_channels, pretrained=True)
    encoder.load_state_dict(fresh.state_dict())


def _stages(encoder: nn.Module) -> dict[int, Any]:
    """Modules by stride, of those of smp's encoders that tell it."""
    try:
        return getattr(encoder, "get_stages", dict)()
    except NotImplementedError:
        return {}


def _depth(encoder: nn.Module) -> int:
    return len(encoder.out_channels) - (0 if isinstance(encoder, TimmViTEncoder) else 1)  # pyright: ignore[reportArgumentType]
