"""Trained networks as predictors of masks: their outputs in the order of a prepared dataset's classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from burnish.engine.fingerprint import fingerprint
from burnish.errors import ModelError
from burnish.refine.flips import flipped
from burnish.refine.merging import Improver
from burnish.train.handlers.saving import BEST

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from burnish.refine.flips import Flips, Predictor
    from burnish.train.trained import Trained


def improver_of(
    model: Path | str, classes: Sequence[str], *, second: Path | str | None = None, flips: Flips = "none", device: str | None = None
) -> Improver:
    """What predicts masks with the network of a run folder.

    Args:
        model: The run folder.
        classes: Of the prepared dataset.
        second: Run folder of another network, for mode agreement.
        flips: How many ways of laying a picture down are averaged.
        device: Where to predict.

    Raises:
        FormatError: It is no run folder.
        WeightsError: It has no weights that fit.
        ModelError: The network is for another task or other classes.
    """
    own, other = (None if folder is None else _read(folder, device) for folder in (model, second))
    assert own is not None
    predict = flipped(predictor_of(own, classes), flips)
    more = None if other is None else flipped(predictor_of(other, classes), flips)
    mark = fingerprint(*((one.folder / BEST).read_bytes() for one in (own, other) if one is not None))
    return Improver(predict, f"{own.producer} {mark}", second=more)


def predictor_of(trained: Trained, classes: Sequence[str]) -> Predictor:
    """Probabilities (K, h, w) of pictures, one map for each of the classes.

    Raises:
        ModelError: The network does not draw masks, or does not know a class.
    """
    if trained.task != "segmentation":
        raise ModelError(f"{trained.folder} holds a network for {trained.task}; masks are improved by one for segmentation.")
    places = _places(trained, classes)

    def predict(pictures: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
        from burnish.train.policies.segmentation import probability_maps  # noqa: PLC0415 - torch

        return [found[places] for found in probability_maps(trained, pictures)]

    return predict


def _places(trained: Trained, classes: Sequence[str]) -> list[int]:
    if trained.mode == "binary" and len(classes) == 1:
        return [0]  # one output for one class, whatever each is called: masks in black and white have no names
    lacking = [name for name in classes if name not in trained.names]
    if lacking:
        known = ", ".join(trained.names)
        raise ModelError(
            f"The network in {trained.folder} tells {known}; the sets have the classes {', '.join(classes)}. Train one on them."
        )
    return [trained.names.index(name) for name in classes]


def _read(folder: Path | str, device: str | None) -> Trained:
    from burnish.train.trained import read_trained  # noqa: PLC0415 - torch

    return read_trained(folder, device=device)
