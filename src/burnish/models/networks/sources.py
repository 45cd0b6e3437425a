"""Where weights come from: pretrained ones, a hub name, a folder or a file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from burnish.models.hub import hub_file
from burnish.models.weights import load_checked, read_weights, weights_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

HUB_FILES = ("model.safetensors", "pytorch_model.bin")

_HUB_NAME = re.compile(r"^[\w.-]+/[\w.-]+(@[\w.-]+)?$")
_FILE_ENDINGS = (".safetensors", ".pth", ".pt", ".bin", ".ckpt")


def find_weights(weights: str, pretrained: Callable[[], Path]) -> Path:
    """The file that is meant.

    What is on this disk comes before a hub model of the same name.

    Args:
        weights: "pretrained", a file, a folder, or a hub name, owner/name or owner/name@revision.
        pretrained: Gives the file of the usual pretrained weights.

    Raises:
        WeightsError: It cannot be had.
    """
    if weights == "pretrained":
        return pretrained()
    path = Path(weights)
    if not path.exists() and is_hub_name(weights):
        return hub_file(weights, HUB_FILES)
    return weights_file(path)


def is_hub_name(text: str) -> bool:
    """Whether a text looks like owner/name, and not like a file."""
    return _HUB_NAME.match(text) is not None and not text.endswith(_FILE_ENDINGS)


def load_whole(network: nn.Module, state: dict[str, Tensor], *, source: object, head: tuple[str, ...]) -> bool:
    """Put the weights of a whole network into it; only the head may be of other classes.

    Args:
        network: Where to.
        state: Tensors by name.
        source: Where they come from, for messages.
        head: Beginnings of the names of the tensors whose shape depends on the number of classes.

    Returns:
        Whether the head was loaded too.

    Raises:
        WeightsError: Tensors are missing, left over, or of another shape.
    """
    names = frozenset(name for name in network.state_dict() if name.startswith(head)) if head else frozenset[str]()
    return load_checked(network, state, source=source, head=names)


def read_source(weights: str, pretrained: Callable[[], Path]) -> tuple[Path, dict[str, Tensor]]:
    """The file that is meant, and the tensors in it.

    Raises:
        WeightsError: It cannot be had, or read safely.
    """
    file = find_weights(weights, pretrained)
    return file, read_weights(file)
