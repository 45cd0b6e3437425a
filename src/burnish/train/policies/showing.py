"""The visualiser of trainings: picture, target and prediction side by side, for writers and reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from burnish.errors import extra
from burnish.media.colours import class_colour
from burnish.media.drawing import ClassLook, DrawStyle, draw_labels
from burnish.train.distributed import is_first

with extra("train"):
    import torch

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import nn

    from burnish.data.labels import Labels
    from burnish.train.loaders.feeding import Feed
    from burnish.train.policies.policy import Policy
    from burnish.train.run import Run
    from burnish.train.samples import Sample

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
    """One row: the picture, what it should be, what the network says."""
    looks = _looks(policy)
    style = _STYLE if policy.examples.task in {"segmentation", "keypoints"} else DrawStyle(least_side=256)
    parts = [
        draw_labels(sample.picture, predicted_nothing(predicted), looks, style=style),
        draw_labels(sample.picture, policy.given(sample), looks, style=style),
        draw_labels(sample.picture, predicted, looks, style=style),
    ]
    gap = np.full((parts[0].shape[0], _GAP, 3), 255, np.uint8)
    return np.concatenate([parts[0], gap, parts[1], gap, parts[2]], axis=1)


def _looks(policy: Policy) -> dict[int, ClassLook]:
    """How classes are drawn; skeletons, whose outputs are points, with their edges."""
    edges = tuple((int(one), int(other)) for one, other in policy.details.get("edges", ()))
    names = policy.examples.classes if "points" in policy.details else policy.names
    return {number: ClassLook(name, class_colour(name, None), edges=edges) for number, name in enumerate(names)}


def predicted_nothing(like: Labels) -> Labels:
    """No annotation, of a picture of the same size."""
    from burnish.train.policies.predicted import labels_of_arrays  # noqa: PLC0415 - beside

    return labels_of_arrays("box", [], np.empty((0, 4)), (like.size[0] or 0, like.size[1] or 0))
