"""Clips whose frames carry their number in large blocks, which survive every coding."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

import av
import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

BITS = 12
BLOCK = 16
WIDTH, HEIGHT = 4 * BLOCK, 3 * BLOCK


def numbered(number: int) -> np.ndarray:
    """A frame that shows a number: twelve blocks, white for 1."""
    bits = (number >> np.arange(BITS)) & 1
    grey = np.kron(bits.reshape(3, 4), np.ones((BLOCK, BLOCK))) * 200 + 28
    return np.repeat(grey[..., None], 3, axis=2).astype(np.uint8)


def number_of(pixels: np.ndarray) -> int:
    """The number that a frame shows."""
    centres = pixels[BLOCK // 2 : HEIGHT : BLOCK, BLOCK // 2 : WIDTH : BLOCK].mean(axis=2).ravel()
    return int(((centres > 128) << np.arange(BITS)).sum())


def write_clip(path: Path, count: int, *, codec: str = "libx264", options=None, times=None, form=None, rotation=0, sound=False) -> Path:
    """Write a clip of numbered frames with PyAV alone; `times` are in milliseconds, otherwise 25 frames a second."""
    with av.open(str(path), "w", format=form) as container:
        stream = container.add_stream(codec, rate=25, options={k: str(v) for k, v in (options or {}).items()})
        stream.width, stream.height = WIDTH, HEIGHT
        stream.pix_fmt = {"ffv1": "bgr0", "gif": "rgb8", "mjpeg": "yuvj420p"}.get(codec, "yuv420p")
        if rotation:
            stream.set_display_rotation(rotation)
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        beep = container.add_stream("aac", rate=8000) if sound else None
        for number in range(count):
            frame = av.VideoFrame.from_ndarray(numbered(number), format="rgb24")
            frame.time_base = Fraction(1, 1000) if times is not None else Fraction(1, 25)
            frame.pts = times[number] if times is not None else number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if beep is not None:
            add_beep(container, beep, count / 25)
    return path


def add_beep(container, stream, seconds: float) -> None:
    for begin, end in pairwise(range(0, int(8000 * seconds) + 1, 1024)):
        wave = np.sin(np.arange(begin, end) * 0.3).astype(np.float32)[None] * 0.2
        frame = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 8000, begin, Fraction(1, 8000)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
