"""The formats that the server lists, in its order."""

from __future__ import annotations

from typing import Final, NamedTuple


class Format(NamedTuple):
    """A format as the server lists it."""

    name: str
    ext: str
    version: str
    dimension: str


IMPORTERS: Final = (
    Format("Generic TSV 1.0", "TSV", "1.0", "1d"),
    Format("CamVid 1.0", "ZIP", "1.0", "2d"),
    Format("Cityscapes 1.0", "ZIP", "1.0", "2d"),
    Format("COCO 1.0", "JSON, ZIP", "1.0", "2d"),
    Format("COCO Keypoints 1.0", "JSON, ZIP", "1.0", "2d"),
    Format("CVAT 1.1", "XML, ZIP", "1.1", "2d"),
    Format("Datumaro 1.0", "JSON, ZIP", "1.0", "2d"),
    Format("Datumaro 3D 1.0", "JSON, ZIP", "1.0", "3d"),
    Format("ICDAR Recognition 1.0", "ZIP", "1.0", "2d"),
    Format("ICDAR Localization 1.0", "ZIP", "1.0", "2d"),
    Format("ICDAR Segmentation 1.0", "ZIP", "1.0", "2d"),
    Format("ImageNet 1.0", "ZIP", "1.0", "2d"),
    Format("KITTI 1.0", "ZIP", "1.0", "2d"),
    Format("LabelMe 3.0", "ZIP", "3.0", "2d"),
    Format("LFW 1.0", "ZIP", "1.0", "2d"),
    Format("Market-1501 1.0", "ZIP", "1.0", "2d"),
    Format("Segmentation mask 1.1", "ZIP", "1.1", "2d"),
    Format("MOT 1.1", "ZIP", "1.1", "2d"),
    Format("MOTS PNG 1.0", "ZIP", "1.0", "2d"),
    Format("Open Images V6 1.0", "ZIP", "1.0", "2d"),
    Format("PASCAL VOC 1.1", "ZIP", "1.1", "2d"),
    Format("Sly Point Cloud Format 1.0", "ZIP", "1.0", "3d"),
    Format("Kitti Raw Format 1.0", "ZIP, XML", "1.0", "3d"),
    Format("VGGFace2 1.0", "ZIP", "1.0", "2d"),
    Format("WiderFace 1.0", "ZIP", "1.0", "2d"),
    Format("YOLO 1.1", "ZIP", "1.1", "2d"),
    Format("Ultralytics YOLO Detection 1.0", "ZIP", "1.0", "2d"),
    Format("Ultralytics YOLO Segmentation 1.0", "ZIP", "1.0", "2d"),
    Format("Ultralytics YOLO Oriented Bounding Boxes 1.0", "ZIP", "1.0", "2d"),
    Format("Ultralytics YOLO Pose 1.0", "ZIP", "1.0", "2d"),
    Format("Ultralytics YOLO Classification 1.0", "ZIP", "1.0", "2d"),
)

EXPORTERS: Final = (
    Format("Generic TSV 1.0", "TSV", "1.0", "1d"),
    Format("CamVid 1.0", "ZIP", "1.0", "2d"),
    Format("Cityscapes 1.0", "ZIP", "1.0", "2d"),
    Format("COCO 1.0", "ZIP", "1.0", "2d"),
    Format("COCO Keypoints 1.0", "ZIP", "1.0", "2d"),
    Format("CVAT for video 1.1", "ZIP", "1.1", "2d"),
    Format("CVAT for images 1.1", "ZIP", "1.1", "2d"),
    Format("Datumaro 1.0", "ZIP", "1.0", "2d"),
    Format("Datumaro 3D 1.0", "ZIP", "1.0", "3d"),
    Format("ICDAR Recognition 1.0", "ZIP", "1.0", "2d"),
    Format("ICDAR Localization 1.0", "ZIP", "1.0", "2d"),
    Format("ICDAR Segmentation 1.0", "ZIP", "1.0", "2d"),
    Format("ImageNet 1.0", "ZIP", "1.0", "2d"),
    Format("KITTI 1.0", "ZIP", "1.0", "2d"),
    Format("LabelMe 3.0", "ZIP", "3.0", "2d"),
    Format("LFW 1.0", "ZIP", "1.0", "2d"),
    Format("Market-1501 1.0", "ZIP", "1.0", "2d"),
    Format("Segmentation mask 1.1", "ZIP", "1.1", "2d"),
    Format("MOT 1.1", "ZIP", "1.1", "2d"),
    Format("MOTS PNG 1.0", "ZIP", "1.0", "2d"),
    Format("Open Images V6 1.0", "ZIP", "1.0", "2d"),
    Format("PASCAL VOC 1.1", "ZIP", "1.1", "2d"),
    Format("Sly Point Cloud Format 1.0", "ZIP", "1.0", "3d"),
    Format("Kitti Raw Format 1.0", "ZIP", "1.0", "3d"),
    Format("VGGFace2 1.0", "ZIP", "1.0", "2d"),
    Format("WiderFace 1.0", "ZIP", "1.0", "2d"),
    Format("YOLO 1.1", "ZIP", "1.1", "2d"),
    Format("Ultralytics YOLO Detection 1.0", "ZIP", "1.0", "2d"),
    Format("Ultralytics YOLO Detection Track 1.0", "ZIP", "1.0", "2d"),
    Format("Ultralytics YOLO Oriented Bounding Boxes 1.0", "ZIP", "1.0", "2d"),
    Format("Ultralytics YOLO Segmentation 1.0", "ZIP", "1.0", "2d"),
    Format("Ultralytics YOLO Pose 1.0", "ZIP", "1.0", "2d"),
    Format("Ultralytics YOLO Classification 1.0", "ZIP", "1.0", "2d"),
)
