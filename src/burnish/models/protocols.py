"""The five kinds of model, each one method: a batch in, a batch out, NumPy arrays and `Labels` at the border.

A picture is a (H, W, 3) uint8 array, RGB, upright. A batch is any sequence of pictures, whose sizes may differ, or one (N, H, W, 3) array.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from burnish.data.labels import Labels

    Pictures = Sequence[NDArray[np.uint8]] | NDArray[np.uint8]


@runtime_checkable
class Classifier(Protocol):
    """Says which class a whole picture belongs to."""

    def classify(self, pictures: Pictures) -> NDArray[np.float64]:
        """Give (N, K) probabilities; each row adds up to 1."""
        ...


@runtime_checkable
class Embedder(Protocol):
    """Describes a picture by numbers: pictures that look alike get vectors that lie close together."""

    def embed(self, pictures: Pictures) -> NDArray[np.float32]:
        """Give (N, D) finite numbers."""
        ...


@runtime_checkable
class Detector(Protocol):
    """Finds objects: boxes, or skeletons with their points."""

    def detect(self, pictures: Pictures) -> list[Labels]:
        """Give one `Labels` for each picture, with scores, in pixels of that picture."""
        ...


@runtime_checkable
class Segmenter(Protocol):
    """Draws masks: of everything, or of what it is pointed at."""

    def segment(self, pictures: Pictures, prompts: Sequence[Labels] | None = None) -> list[Labels]:
        """Give one `Labels` with masks for each picture; boxes and points in `prompts` say what to draw, one `Labels` a picture."""
        ...


@runtime_checkable
class Tracker(Protocol):
    """Follows objects through frames."""

    def track(self, frames: Iterable[NDArray[np.uint8]], prompts: Labels | None = None) -> Iterator[Labels]:
        """Give one `Labels` with track numbers for each frame, in order; `prompts` says what to follow from the first frame on."""
        ...
