"""Training samples for tests of augmentations and loaders."""

import cv2
import numpy as np

from burnish.train.samples import Sample


def smooth_picture(height=48, width=64, seed=0):
    """A picture without sharp edges, so that sampling between pixels changes it little."""
    small = np.random.default_rng(seed).integers(40, 216, (4, 5, 3), dtype=np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def full_sample(height=48, width=64, count=3, seed=0):
    """A picture with a class mask, boxes, instance masks, key points and a label; the objects lie in the middle half."""
    rng = np.random.default_rng(seed)
    low = np.array([width, height]) * 0.25 + rng.integers(0, 8, (count, 2))
    boxes = np.concatenate([low, low + rng.integers(6, 14, (count, 2))], axis=1).astype(np.float32).round()
    instances = np.zeros((count, height, width), np.uint8)
    for mask, (x1, y1, x2, y2) in zip(instances, boxes.astype(int), strict=True):
        mask[y1:y2, x1:x2] = 1
    classes = rng.integers(0, 3, count)
    mask = np.zeros((height, width), np.uint8)
    for one, number in zip(instances, classes, strict=True):
        mask[one > 0] = number + 1
    points = np.stack([boxes[:, :2] + 1.5, boxes[:, 2:] - 1.5], axis=1)
    points = np.concatenate([points, np.full((count, 2, 1), 2)], axis=2).astype(np.float32)
    label = np.eye(4, dtype=np.float32)[seed % 4]
    return Sample(smooth_picture(height, width, seed), mask, None, boxes, None, classes, instances, points, label)


def task_sample(task, height=48, width=64, count=3, seed=0):
    """What is known of a picture in a task."""
    full = full_sample(height, width, count, seed)
    known = {
        "classification": {"label": full.label},
        "detection": {"boxes": full.boxes, "classes": full.classes},
        "segmentation": {"mask": full.mask},
        "keypoints": {"boxes": full.boxes, "classes": full.classes, "points": full.points},
    }
    return Sample(full.picture, **known[task])


def arrays(sample):
    """The arrays of a sample by name, those that are there."""
    values = {name: getattr(sample, name) for name in Sample.__slots__}
    return {name: value for name, value in values.items() if value is not None}


def assert_same(one, other):
    """Both samples have the same arrays, to the bit."""
    first, second = arrays(one), arrays(other)
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert value.dtype == second[name].dtype, name
        assert np.array_equal(value, second[name]), name
