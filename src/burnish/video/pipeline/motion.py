"""Filters that look at motion."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from burnish.media.flow import FlowMethod, chained, colour_flow, optical_flow, warp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from burnish.media.video import Frame
    from burnish.video.pipeline.chain import Filter


def flow_colours(*, method: FlowMethod = "dis", most: float | None = None) -> Filter:
    """The motion since the frame before as colours: hue tells the direction, brightness the speed; the first frame is black.

    `most` is the speed, in pixels a frame, that is shown brightest; the fastest of each frame when not given.
    """

    def filtered(frames: Iterable[Frame]) -> Iterator[Frame]:
        before: NDArray[Any] | None = None
        for frame in frames:
            flow = (
                np.zeros((*frame.pixels.shape[:2], 2), np.float32) if before is None else optical_flow(before, frame.pixels, method=method)
            )
            before = frame.pixels
            yield replace(frame, pixels=colour_flow(flow, most=most))

    return filtered


def warp_previous(*, method: FlowMethod = "dis") -> Filter:
    """Each frame as the frame before, moved along the optical flow; the first as it is. Beside the frames it shows how good the flow is."""

    def filtered(frames: Iterable[Frame]) -> Iterator[Frame]:
        before: NDArray[Any] | None = None
        for frame in frames:
            made = frame.pixels if before is None else warp(before, optical_flow(frame.pixels, before, method=method))
            before = frame.pixels
            yield replace(frame, pixels=made)

    return filtered


def stabilise(*, method: FlowMethod = "dis") -> Filter:
    """All frames moved onto the first one, along the flows of all steps one after another."""

    def filtered(frames: Iterable[Frame]) -> Iterator[Frame]:
        before: NDArray[Any] | None = None
        total: NDArray[np.float32] | None = None
        for frame in frames:
            if before is not None:
                step = optical_flow(before, frame.pixels, method=method)
                total = step if total is None else chained(total, step)
            before = frame.pixels
            yield frame if total is None else replace(frame, pixels=warp(frame.pixels, total))

    return filtered
