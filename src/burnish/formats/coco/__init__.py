"""COCO JSON: boxes, polygons, masks, crowds, keypoints, captions, panoptic PNG (read), results (read)."""

from burnish.formats.coco.layout import recognise
from burnish.formats.coco.loading import NAME, read
from burnish.formats.coco.saving import write

__all__ = ["CARRIES", "NAME", "read", "recognise", "write"]

CARRIES = frozenset(
    {"tag", "box", "polygon", "polyline", "points", "ellipse", "mask", "skeleton", "cuboid"}
    | {"ids", "parts", "rotation", "score", "crowd", "attributes", "split", "scene", "track", "occluded", "group", "z_order", "source"}
    | {"class_ids", "class_details", "unlabelled", "no_class"}
)
"""What survives writing and reading: kinds of annotations and other features, see tests/formats/test_contract.py."""
