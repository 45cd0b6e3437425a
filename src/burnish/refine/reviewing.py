"""The way back of a review: which masks people refused, drew anew or left as they were."""

from __future__ import annotations

import posixpath
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import polars as pl

from burnish.errors import ConfigError, DataError
from burnish.formats.painting import object_pixels
from burnish.formats.recognise import open_dataset
from burnish.refine.merging import refused_beliefs
from burnish.refine.sets import read_mask, read_provenance, stem_of
from burnish.refine.settings import ShapesConfig
from burnish.refine.shapes import find_shapes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from burnish.data.dataset import Dataset
    from burnish.geometry.arrays import Bools
    from burnish.refine.prepared import PreparedSets
    from burnish.refine.shapes import Shape

ORIGINS: Final = {"accepted": "reviewed", "partly refused": "reviewed", "refused": "weak", "redrawn": "manual"}
"""Where the mask of a picture comes from after each verdict."""

_DRAWN: Final = ("mask", "polygon", "ellipse")
_LISTS: Final = frozenset({".txt", ".csv", ".lst", ""})
_FULL: Final = 255
_LISTED: Final = 5


class Review(NamedTuple):
    """What people said of one picture: a key of `ORIGINS`, and what gives its mask, (K, H, W) beliefs."""

    verdict: str
    paint: Callable[[], NDArray[np.uint8]]


@dataclass(frozen=True, slots=True, eq=False)
class Reviews:
    """A review of a refined set.

    Attributes:
        about: For the provenance: where the review lies, and the set that was looked at where it is known.
        pictures: Verdicts by the names of weakly labelled pictures; those that were not looked at are missing.
        ignored: Pictures of the review that are not weakly labelled, whose masks a review does not change.
    """

    about: Mapping[str, Any]
    pictures: Mapping[str, Review]
    ignored: tuple[str, ...] = ()

    def __str__(self) -> str:
        counts = Counter(one.verdict for one in self.pictures.values())
        told = ", ".join(f"{number:,} {verdict}" for verdict, number in sorted(counts.items()))
        return f"Review of {len(self.pictures):,} pictures: {told or 'none of them weakly labelled'}."


class _Looked(NamedTuple):
    """A picture of the set that was looked at: its folder, height and width, and the shapes that people were given."""

    sets: PreparedSets
    name: str
    home: Path
    size: tuple[int, int]
    given: tuple[Shape, ...]


def read_reviews(path: Path | str, sets: PreparedSets, number: int, alpha: float) -> Reviews:
    """Read a review.

    Args:
        path: A file of the names of refused pictures, one a line; or a dataset with the shapes as people left them, in any format.
        sets: The prepared dataset.
        number: Of the set that is to be made; the newest one before it was reviewed.
        alpha: Belief inside the weak label of what was refused.

    Raises:
        ConfigError: The file cannot be read, or names pictures that are not weakly labelled.
        DataError: No refined set was made before, or pictures have other sizes than its masks.
    """
    place = Path(path)
    if place.is_file() and place.suffix.lower() in _LISTS:
        names = _listed(place, sets)
        refused = {name: Review("refused", partial(refused_beliefs, sets, name, alpha)) for name in names}
        return Reviews({"path": str(place)}, refused)
    return _compared(place, open_dataset(place), sets, number, alpha)


def _listed(file: Path, sets: PreparedSets) -> list[str]:
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"'reviewed' names the file {file}, which cannot be read ({error}); expected names of pictures.") from error
    given = [line.strip().replace("\\", "/").rpartition("/")[2] for line in lines if line.strip()]
    found = {name: name if name in sets.weak else stem_of(name) for name in given}
    missing = [name for name, known in found.items() if known not in sets.weak]
    if missing:
        shown = ", ".join(missing[:_LISTED])
        raise ConfigError(f"{file} names {len(missing)} pictures that are not weakly labelled in {sets.name}, such as {shown}.")
    return list(dict.fromkeys(found.values()))


def _compared(path: Path, dataset: Dataset, sets: PreparedSets, number: int, alpha: float) -> Reviews:
    """Compare the shapes of a dataset with those of the set that was looked at."""
    before = _newest(sets, number)
    config = ShapesConfig.make(**read_provenance(before[0]).get("config", {}).get("shapes", {}))
    homes = {row["name"]: folder for folder in before for row in read_provenance(folder)["pictures"] if row["copy_of"] is None}
    drawn = dataset.annotations.filter(pl.col("kind").cast(pl.String).is_in(_DRAWN) & ~pl.col("outside") & pl.col("class").is_not_null())
    rows = {key[0]: part.to_dicts() for key, part in drawn.partition_by("image", as_dict=True).items()}
    files = dict(dataset.image_files().select("image", "path").iter_rows())
    names = dataset.class_names()
    found: dict[str, Review] = {}
    ignored: list[str] = []
    for image, width, height, deleted in dataset.images.select("id", "width", "height", "deleted").iter_rows():
        name = stem_of(posixpath.basename(files[image]))
        if name not in sets.weak or name not in homes:
            ignored.append(name)
            continue
        beliefs = read_mask(homes[name], name, sets.classes, soft=True)
        if beliefs.shape[1:] != (height, width):
            raise DataError(f"{files[image]} of {path} is {width} x {height}, and its mask {beliefs.shape[2]} x {beliefs.shape[1]}.")
        left = [{**row, "class": _place(names[row["class"]], sets, path)} for row in rows.get(image, [])]
        looked = _Looked(sets, name, homes[name], (height, width), tuple(find_shapes(beliefs, config)))
        found[name] = _judged(looked, left, alpha, gone=bool(deleted))
    about = {"path": str(path), "of": before[0].name, "verdicts": dict(Counter(one.verdict for one in found.values()))}
    return Reviews(about, found, tuple(ignored))


def _newest(sets: PreparedSets, number: int) -> list[Path]:
    """The folders of the newest refined set before a number."""
    for earlier in range(number - 1, 0, -1):
        folders = [sets.root / f"{sets.name}_H{earlier}{end}" for end in ("", "_VAL")]
        if folders[0].is_dir():
            return [folder for folder in folders if folder.is_dir()]
    raise DataError(
        f"There is no refined set of {sets.name} before number {number}, so nothing could have been reviewed. "
        f"Give the new set a number above that of the reviewed one (--number {number + 1})."
    )


def _place(name: str, sets: PreparedSets, path: Path) -> int:
    if name not in sets.classes:
        raise DataError(f"{path} has shapes of class '{name}', and the sets of {sets.name} know {', '.join(sets.classes)}.")
    return sets.classes.index(name)


def _judged(looked: _Looked, left: Sequence[dict[str, Any]], alpha: float, *, gone: bool) -> Review:
    """The verdict on one picture: what people left of its shapes, or drew, against those that they were given."""
    height, width = looked.size
    pixels = [object_pixels(row, width, height) for row in left]
    same = [_same(row["class"], mask, looked.given) for row, mask in zip(left, pixels, strict=True)]
    deleted = [shape for place, shape in enumerate(looked.given) if place not in same]
    if gone or (deleted and not left):
        return Review("refused", partial(refused_beliefs, looked.sets, looked.name, alpha))
    if any(place is None or row["source"] == "manual" for row, place in zip(left, same, strict=True)):
        return Review("redrawn", partial(_painted, left, looked.size, len(looked.sets.classes)))
    if deleted:
        return Review("partly refused", partial(_without, looked, deleted, alpha))
    return Review("accepted", partial(_kept, looked))


def _same(number: int, pixels: Bools, given: Sequence[Shape]) -> int | None:
    """Place of the given shape of the same class and pixels."""
    return next((place for place, one in enumerate(given) if one.number == number and np.array_equal(one.pixels, pixels)), None)


def _kept(looked: _Looked) -> NDArray[np.uint8]:
    return read_mask(looked.home, looked.name, looked.sets.classes, soft=True)


def _painted(rows: Sequence[dict[str, Any]], size: tuple[int, int], count: int) -> NDArray[np.uint8]:
    """(count, H, W) 0 and 255, what people drew or left of each class."""
    drawn = np.zeros((count, *size), np.uint8)
    for row in rows:
        drawn[row["class"]][object_pixels(row, size[1], size[0])] = _FULL
    return drawn


def _without(looked: _Looked, deleted: Sequence[Shape], alpha: float) -> NDArray[np.uint8]:
    """The masks that were looked at, but where a shape was deleted the weak label is believed a little."""
    beliefs, refused = _kept(looked).copy(), refused_beliefs(looked.sets, looked.name, alpha)
    for shape in deleted:
        beliefs[shape.number][shape.pixels] = refused[shape.number][shape.pixels]
    return beliefs
