"""Training pictures and their targets at the training's size, made once for all trainings, ranks and workers of a machine."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from burnish.engine.fingerprint import fingerprint
from burnish.engine.locks import Slots
from burnish.engine.map import Engine, available_cores
from burnish.engine.progress import Progress, silent
from burnish.errors import DataError
from burnish.media.cache import file_stamps
from burnish.media.fitting import fitting_decoder, read_fitted
from burnish.media.images import probe_image, read_image
from burnish.media.shared.fields import Field
from burnish.media.shared.rows import Recipe, SharedRows, fill_rows, open_rows, read_row
from burnish.media.unreadable import UnreadableImage
from burnish.train.loaders.placement import (
    Place,
    Placement,
    cut_window,
    find_place,
    place_beliefs,
    place_mask,
    place_picture,
    place_scaled,
)
from burnish.train.samples import Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from burnish.media.shared.budget import Budget

_VERSION: Final = 1  # change it whenever the same file would give other arrays


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """What is computed once for each picture, in the picture's own size, and kept beside it.

    Attributes:
        key: Names all that the functions depend on, for instance a fingerprint of the annotations: another key gives another cache.
        mask: Gives a row's (h, w) uint8 classes of pixels.
        beliefs: Gives a row's (h, w, K) uint8 shares of classes.
        classes: K.
    """

    key: str = ""
    mask: Callable[[int], NDArray[np.uint8]] | None = None
    beliefs: Callable[[int], NDArray[np.uint8]] | None = None
    classes: int = 0

    def __post_init__(self) -> None:
        if (self.mask or self.beliefs) and not self.key:
            raise DataError("Targets are kept from one training to the next; expected a key that changes when the annotations do.")
        if bool(self.beliefs) != bool(self.classes):
            raise DataError(f"There are {self.classes} classes of beliefs; expected their number with the function, and neither alone.")


@dataclass(frozen=True, slots=True, eq=False)
class SharedSamples:
    """Samples by row number; called, it gives one.

    Attributes:
        rows: What is kept.
        placement: How pictures are brought to the training's size.
    """

    rows: SharedRows
    placement: Placement

    def __len__(self) -> int:
        return len(self.rows)

    def __call__(self, row: int) -> Sample:
        """The sample of a row, its arrays read-only where they are shared.

        Raises:
            DataError: The picture cannot be read, or its mask does not belong to it.
        """
        return self.placed(row)[0]

    def placed(self, row: int) -> tuple[Sample, Place]:
        """A row's sample, and where its picture lies in the frame: for boxes and points. Reads once what `place` would read again.

        Raises:
            DataError: The picture cannot be read, or its mask does not belong to it.
        """
        arrays = _read(self.rows, row)
        height, width = arrays["original"].tolist()
        sample = Sample(arrays["picture"], mask=arrays.get("mask"), beliefs=arrays.get("beliefs"))
        return sample, find_place((height, width), self.placement)

    def place(self, row: int) -> Place:
        """Where a row's picture lies in the frame, without its pixels: for predictions on their way home."""
        if self.rows.arrays:
            return self.placed(row)[1]  # parts of a map cost nothing
        info = probe_image(self.rows.recipe.paths[row])
        return find_place((info.height, info.width), self.placement)

    def name(self, row: int) -> str:
        """What messages call a row."""
        return str(self.rows.recipe.paths[row])


def share_samples(
    paths: Sequence[Path],
    placement: Placement,
    folder: Path | str,
    *,
    targets: Targets | None = None,
    budget: Budget | None = None,
    windows: NDArray[np.int64] | None = None,
    progress: Progress = silent,
) -> SharedSamples:
    """Open the shared cache of exactly these files, placement and targets; pictures are decoded when they are first read.

    Args:
        paths: Picture files.
        placement: How they are brought to the training's size.
        folder: Where caches are; trainings that name the same folder share them, and together decode on no more threads than cores.
        targets: What is computed once beside each picture.
        budget: What the cache may take; by default what there is room for.
        windows: (N, 4) x1, y1, x2, y2 in whole pixels: the part of each picture that is the sample; a picture may come several times.
        progress: Is told where the cache cannot be kept as it is.

    Raises:
        DataError: There are no pictures, or no room for what is asked for, or windows are given beside targets in the pictures' size.
    """
    if not paths:
        raise DataError("There are no pictures to train on; expected at least one.")
    if windows is not None and targets is not None and (targets.mask or targets.beliefs):
        raise DataError("Masks belong to whole pictures; expected no windows beside them.")
    aims, paths = targets or Targets(), tuple(paths)
    make = partial(_made, paths, placement, aims) if windows is None else partial(_made_of_window, paths, placement, windows)
    recipe = Recipe(paths, _fields(placement, aims), make, Slots(Path(folder) / "slots", available_cores()))
    return SharedSamples(open_rows(recipe, Path(folder) / _key(paths, placement, aims, windows), budget, progress=progress), placement)


def fill_samples(samples: SharedSamples, *, engine: Engine | None = None, progress: Progress = silent) -> int:
    """Decode all that is not decoded yet, before a training instead of in its first epoch; returns how many this call decoded."""
    return fill_rows(samples.rows, engine=engine, progress=progress, label="Decoding pictures")


def _key(paths: Sequence[Path], placement: Placement, targets: Targets, windows: NDArray[np.int64] | None) -> str:
    told = () if windows is None else (windows.astype(np.int64).tobytes(),)
    recipe = f"{_VERSION} {fitting_decoder()} {placement.model_dump_json()}"
    return fingerprint(recipe, f"{targets.key}\0{bool(targets.mask)}\0{targets.classes}", *file_stamps(paths), *told)


def _fields(placement: Placement, targets: Targets) -> dict[str, Field]:
    fields = {"picture": Field((*placement.size, 3), is_picture=True), "original": Field((2,), "int32")}
    if targets.mask is not None:
        fields["mask"] = Field(placement.size)
    if targets.beliefs is not None:
        fields["beliefs"] = Field((*placement.size, targets.classes))
    return fields


def _made(paths: tuple[Path, ...], placement: Placement, targets: Targets, row: int) -> dict[str, NDArray[Any]]:
    scaled, size = read_fitted(paths[row], lambda size: find_place(size, placement).inner)
    place = find_place(size, placement)
    arrays: dict[str, NDArray[Any]] = {
        "picture": place_scaled(scaled, place, placement.padding),
        "original": np.array(size, np.int32),
    }
    if targets.mask is not None:
        arrays["mask"] = place_mask(targets.mask(row), place)
    if targets.beliefs is not None:
        arrays["beliefs"] = place_beliefs(targets.beliefs(row), place)
    return arrays


def _made_of_window(paths: tuple[Path, ...], placement: Placement, windows: NDArray[np.int64], row: int) -> dict[str, NDArray[Any]]:
    part = cut_window(read_image(paths[row]), windows[row], paths[row])
    place = find_place((part.shape[0], part.shape[1]), placement)
    return {"picture": place_picture(part, place, placement.padding), "original": np.array(part.shape[:2], np.int32)}


def _read(rows: SharedRows, row: int) -> Mapping[str, NDArray[Any]]:
    try:
        return read_row(rows, row)
    except UnreadableImage as error:
        told = "Mend it or leave it out of the training; `burnish check` lists all such pictures."
        raise DataError(f"{error} {told}", table="images", rows=(row,)) from error
