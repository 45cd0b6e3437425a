"""A trained network out of its run folder: what it was made for, its weights, and how pictures reach it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from burnish.errors import FormatError, WeightsError, extra
from burnish.models.device import choose_device
from burnish.models.networks.building import build_network
from burnish.models.weights import load_checked
from burnish.train.checkpoint import read_checkpoint
from burnish.train.handlers.saving import BEST
from burnish.train.loaders.placement import Placement, find_place, place_picture
from burnish.train.run_folder import RUN

with extra("train"):
    import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from burnish.train.loaders.placement import Place
    from burnish.train.policies.settings import Mode, Task


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A network, ready to predict.

    Attributes:
        model: In evaluation mode, on its device.
        task: What it tells of a picture.
        mode: How classes go together.
        names: What its outputs are called.
        classes: The classes that it was trained on.
        placement: How pictures are brought to its size.
        device: Where it is.
        producer: What stands in `produced_by` of its predictions.
        details: What else the task keeps, for instance the points of a skeleton.
        folder: The run folder.
    """

    model: torch.nn.Module
    task: Task
    mode: Mode
    names: tuple[str, ...]
    classes: tuple[str, ...]
    placement: Placement
    device: torch.device
    producer: str
    details: dict[str, Any]
    folder: Path


def read_trained(folder: Path | str, *, device: str | None = None) -> Trained:
    """Read the best weights of a run folder.

    Args:
        folder: What `burnish train` wrote, also when it was interrupted.
        device: Where to predict; the best there is when None.

    Raises:
        FormatError: It is no run folder.
        WeightsError: There are no weights yet, they are damaged, or they belong to another network.
    """
    place = Path(folder)
    about = _about(place)
    checkpoint = place / BEST
    if not checkpoint.is_file():
        raise WeightsError(f"{place} holds no {BEST}: no evaluation has been finished yet. Run its training on, with the same command.")
    where = choose_device(device)
    placement = Placement.make(**about["placement"])
    model = build_network({**about["network"], "weights": None}, outputs=about["outputs"], image_size=placement.size)
    content = read_checkpoint(checkpoint, remedy="Train again, or put a copy of it in its place.")
    if content.get("fingerprint") != about["mark"]:
        raise WeightsError(f"{checkpoint} belongs to another training than {place / RUN} tells of.")
    load_checked(model, content["model"], source=checkpoint)
    model.to(where, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    return Trained(
        model=model.eval(),
        task=about["task"],
        mode=about["mode"],
        names=tuple(about["names"]),
        classes=tuple(about["classes"]),
        placement=placement,
        device=where,
        producer=f"burnish/{about['network']['name']}/{about['mark'][:8]}",
        details=about.get("details", {}),
        folder=place,
    )


def framed(trained: Trained, pictures: Sequence[NDArray[np.uint8]]) -> tuple[torch.Tensor, list[Place]]:
    """Pictures (h, w, 3) uint8 of any sizes as the network sees them, (N, 3, H, W) uint8 on its device, and their places in the frames."""
    places = [find_place((picture.shape[0], picture.shape[1]), trained.placement) for picture in pictures]
    frames = [place_picture(picture, place, trained.placement.padding) for picture, place in zip(pictures, places, strict=True)]
    return torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2).to(trained.device), places


def _about(folder: Path) -> dict[str, Any]:
    path = folder / RUN
    if not path.is_file():
        raise FormatError(f"this is no run folder: there is no {RUN}. Expected the folder that burnish train wrote.", path=folder)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, UnicodeDecodeError) as error:
        raise FormatError(f"this cannot be read: {error}. Expected what burnish train wrote.", path=path) from error
