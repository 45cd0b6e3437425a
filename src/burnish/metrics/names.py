"""The metrics by name. Strings only: listing and describing load no numpy."""

from __future__ import annotations

from typing import Final

from burnish.descriptions import Alias, Entry, Kind

_AT = "burnish.metrics."


def _entry(module: str, make: str, config: str, summary: str) -> Entry:
    return Entry(f"{_AT}settings:{config}", f"{_AT}{module}:{make}", summary)


METRICS: Final = Kind(
    "metric",
    {
        "iou": _entry("segmentation", "counted", "IouConfig", "Intersection over union."),
        "dice": _entry("segmentation", "counted", "DiceConfig", "Dice, the same as F1."),
        "precision": _entry("segmentation", "counted", "PrecisionConfig", "Share of what was found that is right."),
        "recall": _entry("segmentation", "counted", "RecallConfig", "Share of what is there that was found."),
        "specificity": _entry("segmentation", "counted", "SpecificityConfig", "Share of what is not there that was left alone."),
        "f": _entry("segmentation", "counted", "FConfig", "F-beta."),
        "soft_overlap": _entry("segmentation", "soft", "SoftConfig", "IoU and Dice of probabilities, without a threshold."),
        "boundary_iou": _entry("segmentation", "boundary_iou", "BoundaryIouConfig", "IoU of the bands along outlines."),
        "surfaces": _entry("segmentation", "surfaces", "SurfacesConfig", "HD95, ASSD and NSD."),
        "accuracy": _entry("labels", "accuracy", "AccuracyConfig", "Share of right classes, also among the highest k."),
        "confusion": _entry("labels", "confusion", "ConfusionConfig", "Confusion matrix."),
        "ece": _entry("labels", "ece", "EceConfig", "Expected calibration error."),
        "auroc": _entry("labels", "area_under_roc", "AurocConfig", "Area under the ROC curve."),
        "average_precision": _entry(
            "labels", "area_under_precision_recall", "AveragePrecisionConfig", "Area under the precision-recall curve."
        ),
        "panoptic": _entry("detection", "panoptic", "PanopticConfig", "Panoptic quality."),
        "map": _entry("detection", "mean_average_precision", "MapConfig", "COCO's mAP of boxes."),
        "mask_map": _entry("instances", "mask_average_precision", "MaskMapConfig", "COCO's mAP of the masks of objects."),
        "oks_ap": _entry("detection", "keypoint_average_precision", "OksApConfig", "COCO's mAP of key points."),
        "pck": _entry("keypoints", "correct_keypoints", "PckConfig", "Share of key points that are near enough."),
    },
    {
        "jaccard": Alias("iou"),
        "f1": Alias("f"),
        "iou_image": Alias("iou", {"per": "image"}),
        "iou_dataset": Alias("iou"),
        "hd95": Alias("surfaces"),
        "nsd": Alias("surfaces"),
        "assd": Alias("surfaces"),
        "pq": Alias("panoptic"),
        "mAP": Alias("map"),
        "MAP": Alias("map"),
        "segm_map": Alias("mask_map"),
        "pr": Alias("average_precision"),
    },
)
"""Every metric."""
