"""What the DETR families of transformers differ in: classes, settings, names of losses, sizes that they take."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from burnish.config import nearest
from burnish.errors import ConfigError, extra
from burnish.models.networks.pictures import IMAGENET, Normalisation

with extra("train"):
    import transformers
    from transformers.models.rf_detr.configuration_rf_detr import RfDetrDinov2Config

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """A DETR family.

    Attributes:
        model_type: What its config.json calls it.
        settings: Its config class.
        detector: Its model for boxes.
        tiny: Settings of a tiny one.
        stride: What height and width must be multiples of, by config.
        feature_strides: Strides of the features that queries are chosen from, by config.
        segmenter: Its model for masks, if it has one.
        mean_and_std: Normalisation of channels scaled to 0 to 1.
        idle: Ends of the names of parameters that no gradient reaches.
        loss_weights: The setting that weighs each part of the loss; empty where the model weighs them itself.
    """

    model_type: str
    settings: Any
    detector: Any
    tiny: Callable[[], dict[str, Any]]
    stride: Callable[[Any], int]
    feature_strides: Callable[[Any], Sequence[int]]
    segmenter: Any = None
    mean_and_std: tuple[tuple[float, ...], tuple[float, ...]] = ((0.0,) * 3, (1.0,) * 3)
    idle: tuple[str, ...] = ()
    loss_weights: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def normalisation(self) -> Normalisation:
        """As the family's published weights want it."""
        return Normalisation(*self.mean_and_std)

    def model(self, *, masks: bool) -> Any:
        """The class of the model."""
        return self.segmenter if masks else self.detector


def family_config(family: Family, size: str, queries: int | None, options: Mapping[str, Any], outputs: int) -> Any:
    """The settings that transformers builds a model from.

    Raises:
        ConfigError: An option is not one of the family's, or has a wrong value.
    """
    known = [*family.settings().to_dict(), "num_labels"]
    wrong = [name for name in options if name not in known]
    if wrong:
        raise ConfigError(f"'options' of {family.model_type} has '{wrong[0]}'. {nearest(wrong[0], known)}")
    values = {**(family.tiny() if size == "tiny" else {}), **({"num_queries": queries} if queries else {}), **options}
    try:
        return family.settings(**values, num_labels=outputs)
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{family.model_type} cannot be built so: {' '.join(str(error).split())[:300]}") from error


def _hybrid_settings() -> dict[str, Any]:
    """A tiny hybrid encoder and decoder, of RT-DETR and D-FINE."""
    widths: dict[str, Any] = {"d_model": 64, "encoder_hidden_dim": 64, "encoder_ffn_dim": 128, "decoder_ffn_dim": 128}
    channels: dict[str, Any] = {"encoder_in_channels": [32, 64, 128], "decoder_in_channels": [64, 64, 64]}
    layers: dict[str, Any] = {
        "decoder_layers": 2,
        "decoder_attention_heads": 4,
        "encoder_attention_heads": 4,
        "num_queries": 50,
        "num_denoising": 20,
    }
    return {**widths, **channels, **layers, "freeze_backbone_batch_norms": False}


def _tiny_resnet() -> dict[str, Any]:
    stages: dict[str, Any] = {"hidden_sizes": [16, 32, 64, 128], "depths": [1, 1, 1, 1], "out_features": ["stage2", "stage3", "stage4"]}
    return {**_hybrid_settings(), "backbone_config": transformers.RTDetrResNetConfig(embedding_size=16, layer_type="basic", **stages)}


def _tiny_hgnet() -> dict[str, Any]:
    inside: dict[str, Any] = {
        "stage_in_channels": [16, 16, 32, 64],
        "stage_mid_channels": [8, 16, 16, 32],
        "stage_out_channels": [16, 32, 64, 128],
    }
    counts: dict[str, Any] = {"stage_num_blocks": [1, 1, 1, 1], "stage_numb_of_layers": [1, 1, 1, 1], "depths": [1, 1, 1, 1]}
    outside: dict[str, Any] = {"stem_channels": [3, 8, 16], "embedding_size": 16, "hidden_sizes": [16, 32, 64, 128]}
    outside["out_features"] = ["stage2", "stage3", "stage4"]
    return {**_hybrid_settings(), "backbone_config": transformers.HGNetV2Config(**inside, **counts, **outside)}


def _tiny_dino() -> dict[str, Any]:
    inside: dict[str, Any] = {"hidden_size": 48, "num_hidden_layers": 4, "num_attention_heads": 4, "num_windows": 2}
    pictures: dict[str, Any] = {"image_size": 256, "patch_size": 16, "out_features": ["stage2", "stage4"]}
    backbone = RfDetrDinov2Config(**inside, **pictures)
    heads: dict[str, Any] = {"decoder_self_attention_heads": 4, "decoder_cross_attention_heads": 4}
    sizes: dict[str, Any] = {"d_model": 64, "decoder_ffn_dim": 128, "decoder_layers": 2, "num_queries": 50, "group_detr": 3}
    return {**sizes, **heads, "backbone_config": backbone}


def _of_strides(config: Any) -> int:
    return max(config.feat_strides)


def _of_windows(config: Any) -> int:
    """Patches in windows: each window must hold whole patches."""
    backbone = config.backbone_config
    return backbone.patch_size * backbone.num_windows


def _strides(config: Any) -> Sequence[int]:
    return config.feat_strides


def _patches(config: Any) -> Sequence[int]:
    return (config.backbone_config.patch_size,)


_RF_WEIGHTS: Final = {
    "loss_ce": "class_loss_coefficient",
    "loss_bbox": "bbox_loss_coefficient",
    "loss_giou": "giou_loss_coefficient",
    "loss_mask_ce": "mask_class_loss_coefficient",
    "loss_mask_dice": "mask_dice_loss_coefficient",
}

FAMILIES: Final = {
    "rt_detr": Family("rt_detr", transformers.RTDetrConfig, transformers.RTDetrForObjectDetection, _tiny_resnet, _of_strides, _strides),
    "rt_detr_v2": Family(
        "rt_detr_v2", transformers.RTDetrV2Config, transformers.RTDetrV2ForObjectDetection, _tiny_resnet, _of_strides, _strides
    ),
    "d_fine": Family(
        "d_fine",
        transformers.DFineConfig,
        transformers.DFineForObjectDetection,
        _tiny_hgnet,
        _of_strides,
        _strides,
        idle=("reg_scale", "decoder.up"),
    ),
    "rf_detr": Family(
        "rf_detr",
        transformers.RfDetrConfig,
        transformers.RfDetrForObjectDetection,
        _tiny_dino,
        _of_windows,
        _patches,
        segmenter=transformers.RfDetrForInstanceSegmentation,
        mean_and_std=IMAGENET,
        idle=("mask_token",),
        loss_weights=_RF_WEIGHTS,
    ),
}
