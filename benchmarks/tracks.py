"""Interpolating tracks: 1,000,000 boxes and 100,000 polygons of 20 points from key frames on every tenth frame.

To reach: 2 s and 10 s.
"""

from __future__ import annotations

import time

import numpy as np
import polars as pl

from burnish.data.dataset import make_dataset
from burnish.data.tracks import interpolate

STEP = 10


def main():
    print("| what | views | seconds | CPU seconds |\n| --- | --- | --- | --- |")
    for kind, tracks, frames, vertices in (("box", 1000, 1000, 0), ("polygon", 100, 1000, 20)):
        dataset = moving(kind, tracks, frames, vertices)
        wall, cpu = time.perf_counter(), time.process_time()
        shown = interpolate(dataset)
        spent = time.perf_counter() - wall, time.process_time() - cpu
        what = "boxes" if not vertices else f"polygons of {vertices} points"
        print(f"| {what} | {shown.annotations.height:,} | {spent[0]:.2f} | {spent[1]:.2f} |")


def moving(kind: str, tracks: int, frames: int, vertices: int):
    """A video with objects that have a key frame on every tenth frame, each drawn anew."""
    draw = np.random.default_rng(0)
    keys = frames // STEP
    track, frame = np.repeat(np.arange(tracks), keys), np.tile(np.arange(keys) * STEP, tracks)
    corner = draw.uniform(0, 1000, (len(track), 2))
    columns = {"x1": corner[:, 0], "y1": corner[:, 1], "x2": corner[:, 0] + 50, "y2": corner[:, 1] + 40}
    if vertices:
        angles = np.sort(draw.uniform(0, 2 * np.pi, (len(track), vertices)), axis=1)
        radii = draw.uniform(20, 60, (len(track), vertices))
        points = np.stack([np.cos(angles) * radii, np.sin(angles) * radii], axis=2) + corner[:, None]
        columns["points"] = pl.Series(points.reshape(len(track), -1)).arr.to_list()
    annotations = pl.DataFrame(
        {"id": np.arange(len(track)), "image": frame, "class": 0, "kind": kind, "track": track, "keyframe": True, **columns}
    ).with_columns(pl.col("class").cast(pl.Int32))
    return make_dataset(
        ".",
        media=pl.DataFrame({"id": [0], "path": ["video.mp4"], "kind": ["video"]}),
        images=pl.DataFrame({"id": np.arange(frames), "media": 0, "frame": np.arange(frames), "true_frame": np.arange(frames)}),
        annotations=annotations,
        classes=pl.DataFrame({"id": [0], "name": ["thing"]}),
    )


if __name__ == "__main__":
    main()
