"""YOLO text labels: detect, segment, obb, pose and classify, with data.yaml."""

from burnish.formats.yolo.layout import recognise
from burnish.formats.yolo.loading import NAME, read
from burnish.formats.yolo.saving import CARRIES, write

__all__ = ["CARRIES", "NAME", "read", "recognise", "write"]
