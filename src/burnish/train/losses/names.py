"""The losses by name, and the names that others know them by. Strings only: listing and describing load no torch."""

from __future__ import annotations

from typing import Final

from burnish.descriptions import Alias, Entry, Kind

_AT = "burnish.train.losses."
_DESCRIBED = _AT + "settings."


def _entry(module: str, config: str, name: str, summary: str, *, settings: str = "") -> Entry:
    return Entry(f"{_DESCRIBED}{settings or module}:{config}", f"{_AT}{module}:{name}", summary)


_ENTRIES: Final = {
    "cross_entropy": _entry("probabilistic", "CrossEntropyConfig", "cross_entropy", "-log p of the true class."),
    "binary_cross_entropy": _entry("probabilistic", "BinaryCrossEntropyConfig", "cross_entropy", "Cross-entropy of yes and no."),
    "nll": _entry("probabilistic", "NllConfig", "nll", "Cross-entropy of log-probabilities."),
    "kl": _entry("probabilistic", "KlConfig", "kl", "Kullback-Leibler divergence; distillation."),
    "focal": _entry("probabilistic", "FocalConfig", "focal", "Cross-entropy that looks past easy examples."),
    "soft_margin": _entry("probabilistic", "SoftMarginConfig", "soft_margin", "Logistic loss with targets -1 and 1."),
    "weighted_cross_entropy": _entry(
        "probabilistic", "WeightedCrossEntropyConfig", "weighted_cross_entropy", "Cross-entropy with less weight on the background."
    ),
    "bbox_aware": _entry("probabilistic", "BoxAwareConfig", "bbox_aware", "Cross-entropy with less weight on the borders of masks."),
    "l1": _entry("magnitude", "L1Config", "l1", "Absolute difference."),
    "mse": _entry("magnitude", "MseConfig", "mse", "Squared difference."),
    "huber": _entry("magnitude", "HuberConfig", "huber", "Squared near 0, absolute far away."),
    "smooth_l1": _entry("magnitude", "SmoothL1Config", "smooth_l1", "Huber with slope 1."),
    "log_cosh": _entry("magnitude", "LogCoshConfig", "log_cosh", "Squared near 0, absolute far away, smooth."),
    "dice": _entry("region", "DiceConfig", "dice", "1 - Dice, the same as F1."),
    "jaccard": _entry("region", "JaccardConfig", "jaccard", "1 - IoU."),
    "tversky": _entry("region", "TverskyConfig", "tversky", "Overlap with weights for false positives and negatives; focal with gamma."),
    "gdice": _entry("region", "GeneralisedDiceConfig", "gdice", "Dice over all classes, weighted by inverse size."),
    "sq_dice": _entry("region", "SquaredDiceConfig", "sq_dice", "Dice with squares below the bar."),
    "sq_jaccard": _entry("region", "SquaredJaccardConfig", "sq_jaccard", "IoU with squares below the bar."),
    "lovasz": _entry("lovasz", "LovaszConfig", "lovasz", "Convex extension of IoU.", settings="region"),
    "surface": _entry("outline", "SurfaceConfig", "surface", "Probability times signed distance to the true outline."),
    "surface2edge": _entry("outline", "Surface2EdgeConfig", "surface2edge", "Distance of the predicted edge from the true one."),
    "hausdorff_dt": _entry("outline", "HausdorffDistanceConfig", "hausdorff_dt", "Errors weighted by distances to outlines."),
    "hausdorff_er": _entry("outline", "HausdorffErosionConfig", "hausdorff_er", "Errors weighted by the erosions that they survive."),
    "boundary": _entry("outline", "BoundaryConfig", "boundary", "1 - F1 of the outlines."),
    "box_supervised": _entry("box_supervised", "BoxSupervisedConfig", "box_supervised", "Masks from boxes alone."),
    "box_overlap": _entry("boxes", "BoxOverlapConfig", "box_overlap", "1 - IoU, GIoU, DIoU or CIoU of boxes."),
    "rotated_overlap": _entry("boxes", "RotatedOverlapConfig", "rotated_overlap", "The same of rotated boxes."),
    "average_precision": _entry(
        "ranking", "AveragePrecisionConfig", "average_precision", "1 - smooth average precision, the stand-in for mAP.", settings="boxes"
    ),
    "heatmap_mse": _entry("keypoints", "HeatmapMseConfig", "heatmap_mse", "Squared difference of heatmaps."),
    "oks": _entry("keypoints", "OksConfig", "oks", "1 - object keypoint similarity."),
    "wing": _entry("keypoints", "WingConfig", "wing", "Logarithmic near 0, for coordinates."),
    "adaptive_wing": _entry("keypoints", "AdaptiveWingConfig", "adaptive_wing", "Logarithmic near 0, for heatmaps."),
    "combined": _entry("combined", "CombinedConfig", "combined", "A weighted sum of others."),
}

_READ = _AT + "seed_names:"

_ALIASES: Final = {
    "CE": Alias("cross_entropy"),
    "BCE": Alias("binary_cross_entropy"),
    "NLL": Alias("nll"),
    "KL": Alias("kl"),
    "FocalLoss": Alias("focal"),
    "L1": Alias("l1"),
    "MAE": Alias("l1"),
    "MSE": Alias("mse"),
    "Huber": Alias("huber"),
    "SmoothL1": Alias("smooth_l1"),
    "LogCosh": Alias("log_cosh"),
    "F1Loss": Alias("dice"),
    "DiceLoss": Alias("dice"),
    "SoftDICE": Alias("dice", {"form": "product"}),
    "SoftDice": Alias("dice", {"form": "product"}),
    "JaccardLoss": Alias("jaccard"),
    "SoftIoU": Alias("jaccard", {"form": "product"}),
    "TverskiyLoss": Alias("tversky", read=_READ + "tversky"),
    "GDice": Alias("gdice"),
    "SqDice": Alias("sq_dice"),
    "SqJaccard": Alias("sq_jaccard"),
    "LovaszSoftmax": Alias("lovasz"),
    "SurfaceLoss": Alias("surface"),
    "Surface2EdgeLoss": Alias("surface2edge"),
    "HausdorffLoss": Alias("hausdorff_dt"),
    "BoundaryLoss": Alias("boundary"),
    "SoftMarginLoss": Alias("soft_margin"),
    "IoU": Alias("box_overlap", {"measure": "iou"}),
    "MIoU": Alias("box_overlap", {"measure": "iou"}),
    "GIoU": Alias("box_overlap", {"measure": "giou"}),
    "DIoU": Alias("box_overlap", {"measure": "diou"}),
    "CIoU": Alias("box_overlap", {"measure": "ciou"}),
    "MAP": Alias("average_precision"),
    "BoxInst": Alias("box_supervised"),
    "Combined": Alias("combined"),
    # The registry of the segmentation from weak boxes; its Tversky is that of segmentation_models_pytorch.
    "TverskyLoss": Alias("tversky", {"empty": "zero"}, read=_READ + "tversky"),
    "BCELoss": Alias("binary_cross_entropy", {"from_logits": False}, read=_READ + "reduced"),
    "WeightedCrossEntropyLoss": Alias("weighted_cross_entropy", read=_READ + "reduced"),
    "BBoxAwareLoss": Alias("bbox_aware", read=_READ + "reduced"),
}

LOSSES: Final = Kind("loss", _ENTRIES, _ALIASES)
"""Every loss."""
