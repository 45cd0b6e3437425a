"""Our own model families, as the registry lists them. Nothing heavy is imported here."""

from __future__ import annotations

from burnish.models.registry import ModelFamily, Task


def torchvision_classifiers() -> ModelFamily:
    """Classifiers of torchvision."""
    return ModelFamily(
        name="torchvision",
        task="classifier",
        build="burnish.models.classifiers:build_classifier",
        summary="Any torchvision classifier by name, for instance EfficientNetV2_s or ResNet18.",
        code_licence="BSD-3-Clause",
        weights_licence="BSD-3-Clause; trained on ImageNet, whose pictures are for non-commercial research (swag weights: CC-BY-NC-4.0)",
        extra="audit",
    )


def timm_classifiers() -> ModelFamily:
    """Classifiers of timm."""
    return ModelFamily(
        name="timm",
        task="classifier",
        build="burnish.models.classifiers:build_classifier",
        summary="Any timm classifier by name, for instance timm/convnext_tiny or mobilenetv3_small_100.",
        code_licence="Apache-2.0",
        weights_licence="of each model: timm.get_pretrained_cfg(name).license",
        extra="audit",
    )


def small_net() -> ModelFamily:
    """The small network of our own."""
    return ModelFamily(
        name="small_net",
        task="classifier",
        build="burnish.models.classifiers:build_classifier",
        summary="A small network trained from scratch, for pictures of about 32 to 128 pixels.",
        code_licence="MIT",
        weights_licence="none exist",
        extra="audit",
    )


def unet() -> ModelFamily:
    """The U-Nets of our own."""
    return _network("unet", "segmenter", "Our U-Net, with attention gates if wanted, trained from scratch.", "MIT", "none exist")


def smp_segmenters() -> ModelFamily:
    """Decoders of segmentation-models-pytorch on encoders of timm and its own."""
    return _network(
        "smp",
        "segmenter",
        "Any of 12 decoders of segmentation-models-pytorch on any encoder; UNet and UNetAttention.",
        "MIT (encoders of timm: Apache-2.0)",
        "of each encoder: burnish.models.networks.building.network_licences",
    )


def centres() -> ModelFamily:
    """The small detector of our own."""
    return _network("centres", "detector", "A small detector trained from scratch, on a CPU too: middles and boxes.", "MIT", "none exist")


def detrs() -> ModelFamily:
    """The DETR family of transformers."""
    return _network(
        "detr",
        "detector",
        "rt_detr, rt_detr_v2, d_fine and rf_detr (also with masks) by config, folder, file or hub name.",
        "Apache-2.0",
        "of each model: Apache-2.0, but RF-DETR XLarge and 2XLarge have a licence of their own",
    )


def heatmaps() -> ModelFamily:
    """Named points by heatmaps."""
    return _network(
        "heatmaps",
        "detector",
        "A heatmap for each point name, on our U-Net or an encoder.",
        "MIT (encoders of timm: Apache-2.0)",
        "of each encoder: burnish.models.networks.building.network_licences",
    )


def pretrained_embedders() -> ModelFamily:
    """Frozen embedders of timm and transformers."""
    return ModelFamily(
        name="embedder",
        task="embedder",
        build="burnish.models.embedders:load_embedder",
        summary="A frozen vision model of timm or transformers by hub name, folder or file, for instance facebook/dinov2-small.",
        code_licence="Apache-2.0",
        weights_licence="of each model: DINOv2 and SigLIP Apache-2.0, CLIP MIT, DINOv3 its own licence",
        extra="audit",
    )


def _network(name: str, task: Task, summary: str, code: str, weights: str) -> ModelFamily:
    build = "burnish.models.networks.building:build_network"
    return ModelFamily(name=name, task=task, build=build, summary=summary, code_licence=code, weights_licence=weights, extra="train")
