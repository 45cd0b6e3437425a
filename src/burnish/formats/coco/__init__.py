"""COCO JSON: boxes, polygons, masks, crowds, keypoints, captions, panoptic PNG, results (read)."""

from burnish.formats.coco.layout import recognise
from burnish.formats.coco.loading import NAME, read
from burnish.formats.coco.saving import write

__all__ = ["CARRIES", "NAME", "read", "recognise", "write"]

CARRIES = frozenset(
    {"tag", "box", "polygon", "polyline", "points", "ellipse", "mask", "skeleton", "cuboid"}
    | {"rotation", "parts", "visibility", "score", "source", "produced_by", "track", "keyframe", "outside", "occluded", "crowd"}
    | {"z_order", "group", "parent", "attributes", "split", "scene", "subset"}
    | {"superclass", "colour", "status", "priority", "skeleton"}
)
"""What COCO carries, by the words of `burnish.formats.carrying`."""
