"""The visualiser of trainings: picture, target and prediction side by side, for writers and reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from burnish.errors import extra
from burnish.media.colours import class_colour
from burnish.media.drawing import ClassLook, DrawStyle, draw_labels
from burnish.train.distributed import is_first
from burnish.train.loaders.placement import Place
from burnish.train.policies.predicted import labels_of_arrays
from burnish.train.policies.skeletons import given_skeletons, skeletons_of
from burnish.train.samples import Sample

with extra("train"):
    import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import nn

    from burnish.data.labels import Labels
    from burnish.train.loaders.feeding import Feed
    from burnish.train.policies.policy import Policy
    from burnish.train.policies.settings import Task
    from burnish.train.run import Run

_GAP = 6
_STYLE = DrawStyle(captions=False, least_side=256, fill=0.4)


class Showing:
    """A handler that draws predictions at each evaluation.

    Attributes:
        last: The pictures of the last evaluation, (H, W, 3) uint8 each.
    """

    name = "showing"
    after = "memory"

    def __init__(self, policy: Policy, feed: Feed, rows: NDArray[np.int64], device: torch.device) -> None:
        self.last: list[NDArray[np.uint8]] = []
        self._policy = policy
        self._feed = feed
        self._rows = rows
        self._device = device

    def evaluated(self, run: Run) -> None:
        """Draw what the network says now."""
        if not is_first() or run.job.writer is None:
            return
        self.last = self.drawn(run.job.model)
        run.job.writer.images("predictions", [np.concatenate(self.last)], run.step)

    def drawn(self, model: nn.Module) -> list[NDArray[np.uint8]]:
        """The pictures of chosen rows, each beside its target and the prediction."""
        shown: list[NDArray[np.uint8]] = []
        with torch.inference_mode():
            for rows, batch in self._feed.plain_batches(self._rows):
                predicted = self._policy.predictions(model, batch.to(self._device))
                samples = [self._feed.sample(int(row)) for row in rows]
                shown += [side_by_side(self._policy, one, labels) for one, labels in zip(samples, predicted, strict=True)]
        return shown


def side_by_side(policy: Policy, sample: Sample, predicted: Labels) -> NDArray[np.uint8]:
    """One row: the picture, what it should be, what the network says; classes are places in the policy's names."""
    names = policy.examples.classes if "points" in policy.details else policy.names  # the outputs of key points are points, not classes
    edges = tuple((int(one), int(other)) for one, other in policy.details.get("edges", ()))
    return panels(sample.picture, [(policy.given(sample), names), (predicted, names)], policy.examples.task, edges=edges)


def panels(
    picture: NDArray[np.uint8], shown: Sequence[tuple[Labels, Sequence[str]]], task: Task, *, edges: Sequence[tuple[int, int]] = ()
) -> NDArray[np.uint8]:
    """One row: the picture (h, w, 3) alone, then with each of several annotations.

    Args:
        picture: The picture.
        shown: Annotations, whose classes are places in the names beside them.
        task: What is shown.
        edges: Of skeletons, pairs of point numbers.
    """
    style = _STYLE if task in {"segmentation", "keypoints"} else DrawStyle(least_side=256)
    alone = draw_labels(picture, nothing((picture.shape[1], picture.shape[0])), {}, style=style)
    drawn = [alone, *(draw_labels(picture, labels, _looks(names, edges), style=style) for labels, names in shown)]
    gap = np.full((alone.shape[0], _GAP, 3), 255, np.uint8)
    return np.concatenate([part for one in drawn for part in (gap, one)][1:], axis=1)


def _looks(names: Sequence[str], edges: Sequence[tuple[int, int]]) -> dict[int, ClassLook]:
    return {number: ClassLook(name, class_colour(name, None), edges=tuple(edges)) for number, name in enumerate(names)}


def given_labels(policy: Policy, row: int, picture: NDArray[np.uint8]) -> Labels:
    """The targets of one of a policy's whole pictures, in its own size."""
    size = picture.shape[0], picture.shape[1]
    if policy.pictures.task == "keypoints":  # one row may have many objects
        return given_skeletons(skeletons_of(policy.pictures, row), size[::-1])
    targets = policy.targets
    sample = Sample(picture, mask=targets.mask(row) if targets.mask else None, beliefs=targets.beliefs(row) if targets.beliefs else None)
    return policy.given(policy.annotated(sample, row, Place(size, size, (0, 0), size)))


def nothing(size: tuple[int, int]) -> Labels:
    """No annotation, of a picture of this width and height."""
    return labels_of_arrays("box", [], np.empty((0, 4)), size)
