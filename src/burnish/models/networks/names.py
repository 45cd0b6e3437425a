"""The networks by name, one kind a task. Strings only: listing and describing load no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from burnish.config import nearest
from burnish.descriptions import Alias, Entry, Kind, describe
from burnish.errors import ConfigError, MissingExtra

if TYPE_CHECKING:
    from collections.abc import Mapping

    from burnish.config import Config

NetworkTask = Literal["classification", "segmentation", "detection", "keypoints"]

_AT: Final = "burnish.models.networks."


def _entry(config: str, make: str, summary: str) -> Entry:
    return Entry(f"{_AT}settings:{config}", _AT + make, summary)


NETWORKS: Final[Mapping[NetworkTask, Kind]] = {
    "classification": Kind(
        "classification network",
        {"classifier": _entry("ClassifierConfig", "classification:build", "Any classifier of timm or torchvision, or our small one.")},
    ),
    "segmentation": Kind(
        "segmentation network",
        {
            "unet": _entry("UNetConfig", "unet:build_unet", "Our U-Net of residual blocks, from scratch."),
            "attention_unet": _entry("AttentionUNetConfig", "unet:build_attention_unet", "The same with attention gates on its skips."),
            "smp": _entry("SmpConfig", "encoded:build_smp", "A decoder of segmentation-models-pytorch on any encoder."),
            "encoder_unet": _entry("EncoderUNetConfig", "encoded:build_encoder_unet", "U-Net on any encoder, with a gate if wanted."),
        },
        {
            "UNet": Alias("encoder_unet", {"gate": False}, read=f"{_AT}seed_names:read_unet"),
            "UNetAttention": Alias("encoder_unet", {"gate": True}, read=f"{_AT}seed_names:read_unet"),
        },
    ),
    "detection": Kind(
        "detection network",
        {
            "centres": _entry("CentreConfig", "centres:build_centres", "Our small detector, from scratch: middles and boxes on a U-Net."),
            "rt_detr": _entry("DetrConfig", "detr:build_detr", "RT-DETR of transformers (Zhao et al., CVPR 2024)."),
            "rt_detr_v2": _entry("DetrConfig", "detr:build_detr", "RT-DETRv2 of transformers (Lv et al., 2024)."),
            "d_fine": _entry("DetrConfig", "detr:build_detr", "D-FINE of transformers (Peng et al., ICLR 2025)."),
            "rf_detr": _entry("RfDetrConfig", "detr:build_detr", "RF-DETR of transformers (Robinson et al., 2025), with masks if wanted."),
        },
    ),
    "keypoints": Kind(
        "keypoint network",
        {"heatmaps": _entry("HeatmapConfig", "heatmaps:build_heatmaps", "A heatmap for each point name, on our U-Net or an encoder.")},
    ),
}


def find_task(name: str) -> NetworkTask:
    """The task of a network.

    Raises:
        ConfigError: No network is called so; the message holds the nearest names.
    """
    for task, kind in NETWORKS.items():
        if name in kind.entries or name in kind.aliases:
            return task
    known = [name for kind in NETWORKS.values() for name in (*kind.entries, *kind.aliases)]
    raise ConfigError(f"There is no network '{name}'. {told_as_classifier(name) or nearest(name, known)}")


def told_as_classifier(name: str) -> str | None:
    """How a classifier of timm or torchvision is chosen, where the name means one; None where it does not, or neither is installed."""
    try:
        from burnish.models.classifier_names import find_network  # noqa: PLC0415 - torch, only where a name is wrong

        library, _ = find_network(name)
    except (ConfigError, MissingExtra):
        return None
    own = f"{name} is a classifier of {library}, which is chosen as network: {{name: classifier, network: {name}}}"
    return f"{own}; on the command line: --network classifier --set network.network={name}"


def describe_network(given: Config | Mapping[str, Any] | str, *, task: NetworkTask | None = None) -> tuple[Kind, Config]:
    """The kind and the typed description of what a name, a mapping or a description says.

    Args:
        given: A name; or a mapping with the key `name`; or a description.
        task: What the network must be for; None takes that of the name.

    Raises:
        ConfigError: The name or a key is unknown, the network is for another task, or a value does not fit.
    """
    name: Any = given if isinstance(given, str) else given.get("name") if isinstance(given, dict) else getattr(given, "name", None)
    if not isinstance(name, str):
        raise ConfigError(f"A network is chosen by its name, but 'name' is {name!r}. For instance: name: unet.")
    found = find_task(name)
    if task is not None and found != task:
        known = ", ".join(sorted(NETWORKS[task].entries))
        raise ConfigError(f"'{name}' is a network for {found}; for {task} there are: {known}.")
    return NETWORKS[found], describe(NETWORKS[found], given)


EVERY_NETWORK: Final = Kind(
    "network",
    {name: entry for kind in NETWORKS.values() for name, entry in kind.entries.items()},
    {name: alias for kind in NETWORKS.values() for name, alias in kind.aliases.items()},
    elsewhere=f"{_AT}names:told_as_classifier",
)
"""All of them, whatever the task."""
