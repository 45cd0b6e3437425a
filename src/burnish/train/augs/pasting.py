"""Parts of one sample laid over another, with everything that is known of both."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from burnish.errors import DataError
from burnish.train.augs.covering import without_covered

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from burnish.train.augs.moving import Rules
    from burnish.train.augs.views import ImageSize
    from burnish.train.samples import Sample

_SHARED: Final = ("boxes", "classes", "instances", "points", "label", "beliefs")
_STACKED: Final = ("boxes", "rotations", "classes", "instances", "points")


def blank(sample: Sample) -> Sample:
    """A black sample of the same size and with the same kinds of targets, and no object."""
    empty: dict[str, Any] = {}
    for name in _STACKED:
        rows = getattr(sample, name)
        empty[name] = None if rows is None else rows[:0]
    for name in ("picture", "mask", "beliefs", "label"):
        array = getattr(sample, name)
        empty[name] = None if array is None else np.zeros_like(array)
    return replace(sample, **empty)


def alike(sample: Sample, other: Sample) -> Sample:
    """The other sample, with turns and ignored pixels where only the first one speaks of them.

    Raises:
        DataError: One has targets of a kind that the other has not, or other numbers of classes or key points.
    """
    for name in _SHARED:
        ours, theirs = getattr(sample, name), getattr(other, name)
        if (ours is None) != (theirs is None):
            whose, lacks = ("first", "other") if theirs is None else ("other", "first")
            raise DataError(f"Samples that are mixed know the same things: the {whose} one has {name}, the {lacks} one has none.")
        last = slice(1, 2) if name == "points" else slice(-1, None)
        if name in {"points", "label", "beliefs"} and ours is not None and ours.shape[last] != theirs.shape[last]:
            raise DataError(f"Samples that are mixed have {name} of one kind; found shapes {ours.shape} and {theirs.shape}.")
    if sample.beliefs is None and (sample.mask is None) != (other.mask is None):
        raise DataError("Samples that are mixed know the same things: one of them has a mask, the other has none.")
    return with_turns(other, turned=sample.rotations is not None, masked=sample.mask is not None)


def with_turns(sample: Sample, *, turned: bool, masked: bool) -> Sample:
    """The sample with turns of 0 and a mask of 0 where it has none and is to have them."""
    if turned and sample.rotations is None and sample.boxes is not None:
        sample = replace(sample, rotations=np.zeros(len(sample.boxes), np.float32))
    if masked and sample.mask is None:
        sample = replace(sample, mask=np.zeros(sample.size, np.uint8))
    return sample


def pasted(base: Sample, patch: Sample, corner: tuple[int, int], rules: Rules) -> Sample:
    """Lay a whole sample over a rectangle of another one.

    Args:
        base: What lies below; its label stays.
        patch: What covers it.
        corner: Row and column of the patch's upper left corner.
        rules: Which covered objects still count.
    """
    cover = np.zeros(base.size, np.uint8)
    cover[_place(patch, corner)] = 1
    return laid(without_covered(base, cover, rules), patch, corner)


def laid(base: Sample, patch: Sample, corner: tuple[int, int]) -> Sample:
    """Lay a whole sample over a rectangle of another one in which there is no object."""
    patch = alike(base, patch)
    base = with_turns(base, turned=patch.rotations is not None, masked=patch.mask is not None)
    changed: dict[str, Any] = {}
    for name in ("picture", "mask", "beliefs"):
        pixels = getattr(base, name)
        if pixels is not None:
            changed[name] = pixels.copy()
            changed[name][_place(patch, corner)] = getattr(patch, name)
    return joined(replace(base, **changed), _shifted(patch, corner, base.size))


def joined(one: Sample, other: Sample) -> Sample:
    """The first sample with the objects of both, which lie in pictures of one size."""
    changed: dict[str, Any] = {}
    for name in _STACKED:
        ours, theirs = getattr(one, name), getattr(other, name)
        changed[name] = None if ours is None else np.concatenate([ours, theirs])
    return replace(one, **changed)


def mixed_labels(parts: list[tuple[NDArray[np.float32] | None, float]]) -> NDArray[np.float32] | None:
    """Labels by their shares; None where samples have none."""
    known = [label * np.float32(share) for label, share in parts if label is not None]
    return np.asarray(np.sum(known, axis=0), dtype=np.float32) if known else None


def _place(patch: Sample, corner: tuple[int, int]) -> tuple[slice, slice]:
    return slice(corner[0], corner[0] + patch.size[0]), slice(corner[1], corner[1] + patch.size[1])


def _shifted(sample: Sample, corner: tuple[int, int], size: ImageSize) -> Sample:
    """The objects of a patch in the larger picture."""
    top, left = corner
    way = np.array([left, top], dtype=np.float32)
    changed: dict[str, Any] = {}
    if sample.boxes is not None:
        changed["boxes"] = sample.boxes + np.tile(way, 2)
    if sample.points is not None:
        changed["points"] = sample.points.copy()
        changed["points"][..., :2] += way * (sample.points[..., 2:] > 0)
    if sample.instances is not None:
        whole = np.zeros((len(sample.instances), *size), np.uint8)
        whole[:, top : top + sample.size[0], left : left + sample.size[1]] = sample.instances
        changed["instances"] = whole
    return replace(sample, **changed)
