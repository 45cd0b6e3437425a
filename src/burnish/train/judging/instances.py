"""Judges the masks of objects beside their boxes: COCO's numbers of masks, and how well the mask of each found object fits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from burnish.formats.painting import object_pixels
from burnish.geometry import rle
from burnish.geometry.overlap import mask_overlaps
from burnish.metrics.metric import Metric, build
from burnish.metrics.state import State, merged
from burnish.train.judging.matching import greedy
from burnish.train.policies.boxes import crowd_code, truth_of
from burnish.train.policies.predicted import labels_of_arrays

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from burnish.data.labels import Labels
    from burnish.train.policies.boxes import Truth
    from burnish.train.policies.examples import Examples
    from burnish.train.trained import Trained

_OUTLINED: Final = frozenset({"mask", "polygon", "ellipse"})


@dataclass(slots=True, eq=False)
class Instances:
    """What was seen of the masks of objects.

    Attributes:
        coco: COCO's mean average precision of masks.
        overlap: IoU from which a mask is found.
        states: COCO's memory of each picture.
        found: (n, 4) of each picture: its number, class, score and whether the mask is a hit, at any score; without what lies in crowds.
        fits: (m,) of each picture: IoU of each object's mask with that of the prediction which found its box, 0 where none did.
    """

    coco: Metric
    overlap: float
    states: list[State] = field(default_factory=list[State])
    found: list[NDArray[np.float64]] = field(default_factory=list)
    fits: list[NDArray[np.float64]] = field(default_factory=list)

    def add(self, labels: Labels, truth: Truth, taken: NDArray[np.int64]) -> None:
        """Compare the masks of one picture.

        Args:
            labels: What was predicted, each with a mask; classes are places in the network's.
            truth: The objects and crowds.
            taken: Of each prediction the object, without crowds, whose box it found; -1 for none.
        """
        (width, height), number = _size(labels), len(self.states)
        codes = object_codes(truth, (width, height))
        crowd, classes = truth.codes < 0, labels.classes.astype(np.int64)
        runs = [*map(rle.decompress, codes)]
        overlaps = mask_overlaps([*map(rle.decompress, _said(labels))], runs, height=height, crowd=crowd)
        same = np.where(classes[:, None] == np.where(crowd, crowd_code(truth.codes), truth.codes)[None], overlaps, 0.0)
        hits = greedy(same[:, ~crowd], np.argsort(-labels.scores, kind="stable"), self.overlap) >= 0
        counts = hits | ~(same[:, crowd] >= self.overlap).any(axis=1)
        told = np.stack([np.full(len(classes), number), classes, labels.scores, hits], axis=1).astype(np.float64)
        self.found.append(told[counts])
        own, fits = overlaps[:, ~crowd], np.zeros(np.count_nonzero(~crowd))
        fits[taken[taken >= 0]] = own[taken >= 0, taken[taken >= 0]]
        self.fits.append(fits)
        self.states.append(_state(self.coco, number, labels, truth, codes))

    def result(self) -> dict[str, float]:
        """COCO's numbers, those of classes too."""
        return self.coco.result(merged(self.states))

    def mean_fit(self, weights: NDArray[np.int64]) -> float:
        """The mean IoU over objects, with every picture counted so many times; NaN where there is no object."""
        sums = np.array([fits.sum() for fits in self.fits])
        objects = int(weights @ np.array([len(fits) for fits in self.fits]))
        return float(weights @ sums) / objects if objects else float("nan")


def instances_of(trained: Trained, examples: Examples, overlap: float) -> tuple[Instances | None, tuple[str, ...]]:
    """What judges the masks of a network, if it gives any and the labels have any; and what to tell of it."""
    if not gives_masks(trained):
        return None, ()
    kinds = [one["kind"] for rows in examples.rows.values() for one in rows]
    if not _OUTLINED & set(kinds):
        return None, ("The labels are boxes alone, so the masks of the network are not judged.",)
    told = "Masks are judged beside boxes; hits, misses and the confusion are those of boxes."
    boxes = sum(kind not in _OUTLINED for kind in kinds)
    more = (f"{boxes:,} labelled objects are boxes; their whole area counts as their mask.",) if boxes else ()
    return Instances(build({"name": "mask_map", "per_class": True, "class_names": trained.classes}), overlap), (told, *more)


def gives_masks(trained: Trained) -> bool:
    """Whether a network gives the masks of objects."""
    return bool(getattr(trained.model, "gives_masks", False))


def instance_labels(examples: Examples, row: int) -> Labels:
    """The objects of a picture, without crowds, as masks."""
    truth, (width, height) = truth_of(examples, row), examples.sizes[row].tolist()
    own = truth.codes >= 0
    codes = [code for code, is_own in zip(object_codes(truth, (width, height)), own, strict=True) if is_own]
    return labels_of_arrays("mask", truth.codes[own], truth.boxes[own], (width, height), masks=codes)


def object_codes(truth: Truth, size: tuple[int, int]) -> list[bytes]:
    """COCO's compressed run-length code of each object of a picture of this width and height; of a plain box its whole area."""
    return [rle.compress(rle.encode(object_pixels(row, *size))) for row in truth.rows]


def _size(labels: Labels) -> tuple[int, int]:
    width, height = labels.size
    assert width is not None
    assert height is not None
    return width, height


def _said(labels: Labels) -> list[bytes]:
    return [code for code in labels.masks if code is not None]


def _state(coco: Metric, number: int, labels: Labels, truth: Truth, codes: Sequence[bytes]) -> State:
    """One picture as COCO's metric takes it."""
    (width, height), said = _size(labels), _said(labels)
    crowd, count = truth.codes < 0, len(truth.codes)
    classes = np.where(crowd, crowd_code(truth.codes), truth.codes)
    found = np.stack([np.full(len(said), number), labels.classes, labels.scores], axis=1)
    true = np.stack([np.full(count, number), classes, crowd, np.full(count, np.nan)], axis=1)
    return coco.measure(found, true, masks=said, true_masks=codes, images=[number], sizes=[[height, width]])
