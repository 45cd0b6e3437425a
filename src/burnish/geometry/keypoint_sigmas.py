"""How exactly people place key points, as a share of the root of the object's area: what object keypoint similarity is scaled with."""

from __future__ import annotations

from typing import Final

COCO_PERSON: Final = (
    *(0.026, 0.025, 0.025, 0.035, 0.035),  # nose, eyes, ears
    *(0.079, 0.079, 0.072, 0.072, 0.062, 0.062),  # shoulders, elbows, wrists
    *(0.107, 0.107, 0.087, 0.087, 0.089, 0.089),  # hips, knees, ankles
)
"""COCO's 17 points of a person, measured on repeated annotations (https://cocodataset.org/#keypoints-eval)."""
