"""Milliseconds of CPU time that each preset and each step takes for one picture of 512 x 512 pixels.

python benchmarks/augmentations.py
"""

from __future__ import annotations

import time
from dataclasses import replace

import cv2
import numpy as np

from burnish.train.augs.pipeline import build_augs, generator
from burnish.train.augs.presets import PRESETS
from burnish.train.augs.steps import STEPS
from burnish.train.samples import Sample

SIDE, OBJECTS, PICTURES = 512, 6, 150


def sample(task, seed=0):
    """A picture with what a task knows of it: a mask of four classes, six boxes, or six skeletons of 17 points."""
    rng = np.random.default_rng(seed)
    picture = cv2.resize(rng.integers(0, 256, (32, 32, 3), dtype=np.uint8), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    mask = cv2.resize(rng.integers(0, 4, (8, 8), dtype=np.uint8), (SIDE, SIDE), interpolation=cv2.INTER_NEAREST)
    corners = rng.random((OBJECTS, 2)) * SIDE * 0.7
    boxes = np.concatenate([corners, corners + SIDE / 4], axis=1).astype(np.float32)
    points = np.full((OBJECTS, 17, 3), 2, np.float32)
    points[..., :2] = corners[:, None] + 5
    known = {
        "classification": {"label": np.eye(5, dtype=np.float32)[rng.integers(5)]},
        "segmentation": {"mask": mask},
        "detection": {"boxes": boxes, "classes": rng.integers(0, 3, OBJECTS)},
        "keypoints": {"boxes": boxes, "classes": rng.integers(0, 3, OBJECTS), "points": points},
    }
    return Sample(picture, **known[task])


def with_instances(one):
    """The same with a mask of each box, which copy-paste needs."""
    instances = np.zeros((OBJECTS, SIDE, SIDE), np.uint8)
    for mask, (x1, y1, x2, y2) in zip(instances, one.boxes.astype(int), strict=True):
        mask[y1:y2, x1:x2] = 1
    return replace(one, instances=instances)


def taken(augs, one, others):
    """CPU milliseconds of each of several runs."""
    times = []
    for row in range(PICTURES):
        rng = generator(0, 0, row)
        began = time.process_time()
        augs.augment(one, rng, lambda rng: others[int(rng.integers(len(others)))])
        times.append(1000 * (time.process_time() - began))
    return np.array(times[5:])


def main():
    """Print both tables."""
    cv2.setNumThreads(1)
    print("| preset | strength | mean | median | 95 of 100 |\n| --- | --- | ---: | ---: | ---: |")
    for task, strengths in PRESETS.items():
        for strength in strengths:
            times = taken(build_augs({"preset": task, "strength": strength}), sample(task), [sample(task, seed) for seed in range(8)])
            print(f"| {task} | {strength} | {times.mean():.1f} | {np.median(times):.1f} | {np.quantile(times, 0.95):.1f} |")
    print("\n| step | median |\n| --- | ---: |")
    for name in STEPS:
        one = with_instances(sample("detection")) if name == "copy_paste" else sample("detection")
        print(f"| {name} | {np.median(taken(build_augs({'steps': [{'name': name, 'p': 1}]}), one, [one])):.2f} |")


if __name__ == "__main__":
    main()
