"""Tiny networks of every name, and what their outputs must look like."""

from dataclasses import dataclass
from typing import Any

import torch

from burnish.models.networks.building import build_network
from burnish.models.networks.found import Objects

DECODERS = ("unet", "unetplusplus", "manet", "linknet", "fpn", "pspnet", "deeplabv3", "deeplabv3plus", "pan", "upernet", "segformer", "dpt")
_SMALL = {
    "unet": {"decoder_channels": (32, 16, 16, 8, 8)},
    "unetplusplus": {"decoder_channels": (32, 16, 16, 8, 8)},
    "manet": {"decoder_channels": (64, 64, 32, 32, 32), "decoder_pab_channels": 8},
    "deeplabv3": {"decoder_channels": 16},
    "deeplabv3plus": {"decoder_channels": 16},
    "fpn": {"decoder_pyramid_channels": 32, "decoder_segmentation_channels": 32},
    "pspnet": {"psp_out_channels": 32},
    "upernet": {"decoder_channels": 16},
    "segformer": {"decoder_segmentation_channels": 16},
    "dpt": {"decoder_fusion_channels": 16, "decoder_intermediate_channels": (16, 16, 16, 16)},
}


@dataclass(frozen=True)
class Case:
    """A description, and the size of the pictures that it is tried on."""

    settings: dict[str, Any]
    size: tuple[int, int] = (45, 38)
    outputs: int = 3

    def __str__(self):
        rest = [str(value) for key, value in self.settings.items() if key in {"decoder", "encoder", "gate", "norm", "network", "masks"}]
        return "-".join([self.settings["name"], *rest])


def smp(decoder):
    encoder = "timm/test_vit" if decoder == "dpt" else "timm/test_resnet"
    return Case({"name": "smp", "decoder": decoder, "encoder": encoder, "options": _SMALL.get(decoder, {})})


SEGMENTATION = (
    Case({"name": "unet", "width": 4, "depth": 2}),
    Case({"name": "unet", "width": 4, "depth": 3, "norm": "batch", "blocks": 2}),
    Case({"name": "attention_unet", "width": 4, "depth": 2}),
    Case({"name": "attention_unet", "width": 4, "depth": 3, "encoder": "timm/test_convnext"}),
    Case({"name": "encoder_unet", "encoder": "timm/test_resnet"}),
    Case({"name": "encoder_unet", "encoder": "timm/test_resnet", "gate": True}),
    *(smp(decoder) for decoder in DECODERS),
)
CLASSIFICATION = (Case({"name": "classifier", "network": "timm/test_resnet"}), Case({"name": "classifier", "network": "small_net"}))
_SMALLEST = {"encoder_layers": 1, "d_model": 32, "encoder_hidden_dim": 32, "decoder_in_channels": [32, 32, 32]}
DETECTION = (
    Case({"name": "centres", "width": 4, "depth": 3}),
    *(Case({"name": name, "size": "tiny", "queries": 12, "options": _SMALLEST}) for name in ("rt_detr", "rt_detr_v2", "d_fine")),
    Case({"name": "rf_detr", "size": "tiny", "queries": 12}),
    Case({"name": "rf_detr", "size": "tiny", "queries": 12, "masks": True}),
)
KEYPOINTS = (
    Case({"name": "heatmaps", "width": 4, "depth": 3, "gates": True}),
    Case({"name": "heatmaps", "width": 4, "depth": 5, "encoder": "timm/test_resnet"}),
)
CASES = (*CLASSIFICATION, *SEGMENTATION, *DETECTION, *KEYPOINTS)


def built(case, **more):
    torch.manual_seed(0)
    return build_network({**case.settings, **more}, outputs=case.outputs, image_size=case.size)


def pictures(case, count=2, *, size=None, channels=3):
    return torch.randint(0, 256, (count, channels, *(size or case.size)), dtype=torch.uint8, generator=torch.Generator().manual_seed(5))


def total(model, case, count=2):
    """One number that everything trainable has a part in."""
    if case in KEYPOINTS:
        return sum(model.losses(pictures(case, count), skeletons(count)).values())
    if hasattr(model, "losses"):
        return sum(model.losses(pictures(case, count), objects(case, count)).values())
    found = model(pictures(case, count))
    return (found * torch.randn(found.shape, generator=torch.Generator().manual_seed(1))).sum()


def answers(model, case):
    """All that a model says, as one list of tensors."""
    model.eval()
    with torch.inference_mode():
        if not hasattr(model, "detect"):
            return [model(pictures(case))]
        found = model.detect(pictures(case), threshold=0.0)
    return [part for one in found for part in one if part is not None]


def objects(case, count):
    """Two objects in the first picture, one in each other, none in the last."""
    height, width = case.size
    boxes = torch.tensor([[2.0, 3.0, 20.0, 30.0], [10.0, 5.0, 34.0, 40.0]])
    masks = torch.zeros(2, height, width, dtype=torch.uint8)
    masks[0, 3:30, 2:20] = masks[1, 5:40, 10:34] = 1
    some = [2, *[1] * (count - 2), 0]
    return [Objects(boxes[:n], torch.tensor([0, 2])[:n], masks[:n]) for n in some]


def skeletons(count):
    """One object with three points in each picture."""
    points = torch.tensor([[[9.0, 12.5, 2], [30.25, 8.0, 1], [20.0, 33.0, 2]]])
    return [points for _ in range(count)]
