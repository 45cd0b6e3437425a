"""Optical flow between two pictures, and pictures moved along it."""

from __future__ import annotations

import colorsys
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from burnish.errors import DataError, extra

if TYPE_CHECKING:
    from numpy.typing import NDArray

FlowMethod = Literal["dis", "farneback"]

_HUES: Final = 360


def optical_flow(first: NDArray[Any], second: NDArray[Any], *, method: FlowMethod = "dis") -> NDArray[np.float32]:
    """Where each pixel of the first picture is found in the second.

    Args:
        first: (height, width, 3) RGB or (height, width) grey, uint8.
        second: Likewise, of the same size.
        method: `dis`, dense inverse search (Kroeger et al. 2016), is quick and sharp; `farneback` (Farnebäck 2003) is smoother.

    Returns:
        (height, width, 2) float32, pixels to the right and down: first[y, x] is seen at second[y + flow[..., 1], x + flow[..., 0]].

    Raises:
        DataError: The pictures differ in size.
        MissingExtra: OpenCV is not installed.
    """
    if first.shape[:2] != second.shape[:2]:
        raise DataError(f"The pictures have {first.shape[1::-1]} and {second.shape[1::-1]} pixels; optical flow needs one size.")
    cv2 = _cv2()
    grey = [_grey(picture) for picture in (first, second)]
    if method == "farneback":
        flow = cv2.calcOpticalFlowFarneback(*grey, None, 0.5, 4, 21, 3, 7, 1.5, 0)
    else:
        flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(*grey, None)
    return np.asarray(flow, dtype=np.float32)


def warp(picture: NDArray[Any], flow: NDArray[np.float32]) -> NDArray[Any]:
    """A picture fetched along a flow: result[y, x] = picture[y + flow[..., 1], x + flow[..., 0]], bilinear; the border is repeated.

    With `optical_flow(first, second)` and the second picture it gives back the first.
    """
    cv2 = _cv2()
    across, down = _grid(flow)
    return cv2.remap(np.ascontiguousarray(picture), across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def move_points(points: NDArray[np.float64], flow: NDArray[np.float32]) -> NDArray[np.float64]:
    """Points (n, 2), x and y, moved along a flow, which is read between pixels; points outside move like the border."""
    centre = np.asarray(points, dtype=np.float32) - np.float32(0.5)  # pixel centres lie at half numbers
    cv2 = _cv2()
    step = cv2.remap(flow, centre[:, :1].copy(), centre[:, 1:].copy(), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(points, dtype=np.float64) + step.reshape(-1, 2)


def chained(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
    """The flow from a first picture to a third, out of those from the first to the second and from the second to the third."""
    return first + warp(second, first)


def colour_flow(flow: NDArray[np.float32], *, most: float | None = None) -> NDArray[np.uint8]:
    """A flow as RGB: hue for the direction (red to the right, then clockwise), brightness for the speed."""
    speed = np.hypot(flow[..., 0], flow[..., 1])
    brightest = most or max(float(speed.max(initial=0.0)), 1.0)
    hue = (np.degrees(np.arctan2(flow[..., 1], flow[..., 0])) % _HUES).astype(np.int64) % _HUES
    share = np.clip(speed / brightest, 0, 1)[..., None]
    return np.rint(_wheel()[hue] * share).astype(np.uint8)


def _cv2() -> Any:
    with extra("video"):
        import cv2  # noqa: PLC0415
    return cv2


def _grey(picture: NDArray[Any]) -> NDArray[np.uint8]:
    if picture.ndim == 2:  # noqa: PLR2004 - grey
        return np.ascontiguousarray(picture, dtype=np.uint8)
    return np.rint(picture[..., :3] @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)


def _grid(flow: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    down, across = np.mgrid[: flow.shape[0], : flow.shape[1]].astype(np.float32)
    return across + flow[..., 0], down + flow[..., 1]


@cache
def _wheel() -> NDArray[np.float64]:
    return np.array([colorsys.hsv_to_rgb(hue / _HUES, 1, 1) for hue in range(_HUES)]) * 255
