"""Tiny networks of every name, and what their outputs must look like."""

from dataclasses import dataclass, field
from typing import Any

import torch

from burnish.models.networks.building import build_network

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
    encoder: str = field(default="encoder")

    def __str__(self):
        rest = [str(value) for key, value in self.settings.items() if key in {"decoder", "encoder", "gate", "norm", "network", "family"}]
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
CASES = (*CLASSIFICATION, *SEGMENTATION)


def built(case, **more):
    torch.manual_seed(0)
    return build_network({**case.settings, **more}, outputs=case.outputs, image_size=case.size)


def pictures(case, count=2, *, size=None, channels=3):
    return torch.randint(0, 256, (count, channels, *(size or case.size)), dtype=torch.uint8, generator=torch.Generator().manual_seed(5))


def total(model, case, count=2):
    """One number that everything trainable has a part in."""
    found = model(pictures(case, count))
    return (found * torch.randn(found.shape, generator=torch.Generator().manual_seed(1))).sum()


def answers(model, case):
    """All that a model says, as one list of tensors."""
    model.eval()
    with torch.inference_mode():
        return [model(pictures(case))]
