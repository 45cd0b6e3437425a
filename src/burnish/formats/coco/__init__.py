"""COCO JSON: boxes, polygons, masks, crowds, keypoints, captions, panoptic PNG (read), results."""

from burnish.formats.coco.layout import recognise
from burnish.formats.coco.loading import NAME, read

__all__ = ["NAME", "read", "recognise"]
