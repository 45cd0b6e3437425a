"""Losses and metrics beside the libraries that have them: time of value and gradient at 8 x 4 x 512 x 512.

    python benchmarks/losses.py [--turns 5] [--threads 1] [--only "dice;lovasz"] [--size 512]

Peers: segmentation-models-pytorch, MONAI, kornia, torchmetrics, torch itself; those that are not installed are left out. All take turns
in one process, so that all meet the same load; the quickest turn of each counts. One thread and processor seconds by default, because a
machine with other work stretches wall seconds at random; `--threads 2` takes wall seconds.
"""

from __future__ import annotations

import argparse
import importlib
import time
import warnings

import numpy as np
import torch
from scipy import ndimage
from torch.nn import functional

from burnish.metrics.surfaces import hausdorff, nsd, surface_distances
from burnish.train import losses
from burnish.train.metering import build as build_meter

warnings.filterwarnings("ignore")


def library(name):
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


smp, monai, kornia, torchmetrics = map(library, ("segmentation_models_pytorch.losses", "monai.losses", "kornia.losses", "torchmetrics"))
monai_metrics = library("monai.metrics")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--size", type=int, default=512)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    clock = time.process_time if arguments.threads == 1 else time.perf_counter
    only = {name for name in arguments.only.split(";") if name}
    tables = {"loss, value and gradient": loss_rivals(arguments.size), "metric": metric_rivals(arguments.size)}
    for title, rivals in tables.items():
        compare(title, {name: sides for name, sides in rivals.items() if not only or name in only}, arguments.turns, clock)


def compare(title, rivals, turns, clock):
    """Print a table of the quickest turn of each side, in milliseconds, and the sums where both sides have a time."""
    print(f"\n| {title} | burnish (ms) | fastest peer (ms) | ratio | peers (ms) |\n| --- | --- | --- | --- | --- |")
    ours = theirs = 0.0
    for name, sides in rivals.items():
        times = {side: float("inf") for side, run in sides.items() if run is not None}
        if len(times) < 2:
            continue
        for _ in range(turns):
            for side, fastest in times.items():
                began = clock()
                sides[side]()
                times[side] = min(fastest, clock() - began)
        mine = times.pop("burnish")
        best = min(times.values())
        ours, theirs = ours + mine, theirs + best
        told = ", ".join(f"{side} {1e3 * seconds:.1f}" for side, seconds in times.items())
        print(f"| {name} | {1e3 * mine:.1f} | {1e3 * best:.1f} | {mine / best:.2f} | {told} |", flush=True)
    if theirs:
        print(f"| sum | {1e3 * ours:.0f} | {1e3 * theirs:.0f} | {ours / theirs:.2f} | |")


def loss_rivals(size):
    """What each side runs, by loss."""
    torch.manual_seed(0)
    scores = torch.randn(8, 4, size, size, requires_grad=True)
    target = blobs(size, 4)
    hot = functional.one_hot(target, 4).permute(0, 3, 1, 2).contiguous()
    hot_float = hot.float()
    yes = (target > 1).float().unsqueeze(1)
    binary = torch.randn(8, 1, size, size, requires_grad=True)
    distances = losses.signed_distances(hot)
    boxes = torch.rand(100_000, 4) * 50
    boxes[:, 2:] += boxes[:, :2] + 1
    moved = (boxes + torch.rand(100_000, 4)).requires_grad_()

    def ours(given, predicted=scores, truth=target, **options):
        loss = losses.build(given)
        return lambda: torch.autograd.grad(loss(predicted, truth, **options).mean, predicted)

    def theirs(made, predicted=scores, truth=target):
        if made is None:
            return None
        return lambda: torch.autograd.grad(made(predicted, truth).mean(), predicted)

    def of(module, name, *args, **options):
        return None if module is None or not hasattr(module, name) else getattr(module, name)(*args, **options)

    def both(multilabel):
        return {"mode": "multilabel" if multilabel else "multiclass"}

    softmax = {"softmax": True, "include_background": True}
    ops = library("torchvision.ops")
    small = (scores.detach()[:2, :, ::4, ::4].clone().requires_grad_(), target[:2, ::4, ::4], hot_float[:2, :, ::4, ::4])
    return {
        "cross-entropy": {
            "burnish": ours("CE"),
            "torch": theirs(functional.cross_entropy),
            "smp": theirs(of(smp, "SoftCrossEntropyLoss", smooth_factor=0.0)),
        },
        "cross-entropy, smoothed": {
            "burnish": ours({"name": "CE", "label_smoothing": 0.1}),
            "torch": theirs(lambda p, t: functional.cross_entropy(p, t, label_smoothing=0.1)),
            "smp": theirs(of(smp, "SoftCrossEntropyLoss", smooth_factor=0.1)),
        },
        "binary cross-entropy": {
            "burnish": ours({"name": "BCE", **both(multilabel=True)}, truth=hot_float),
            "torch": theirs(functional.binary_cross_entropy_with_logits, truth=hot_float),
            "smp": theirs(of(smp, "SoftBCEWithLogitsLoss", ignore_index=None), truth=hot_float),
        },
        "KL": {
            "burnish": ours("KL", truth=hot_float),
            "torch": theirs(lambda p, t: functional.kl_div(p.log_softmax(1), t, reduction="none"), truth=hot_float),
        },
        "focal": {
            "burnish": ours("focal"),
            "smp": theirs(of(smp, "FocalLoss", "multiclass")),
            "kornia": theirs(of(kornia, "FocalLoss", alpha=None, gamma=2.0)),
            "monai": theirs(of(monai, "FocalLoss", use_softmax=True, to_onehot_y=True), truth=target.unsqueeze(1)),
        },
        "focal, each class yes or no": {
            "burnish": ours({"name": "focal", "alpha": 0.25, **both(multilabel=True)}, truth=hot_float),
            "torchvision": theirs(ops and ops.sigmoid_focal_loss, truth=hot_float),
            "monai": theirs(of(monai, "FocalLoss", alpha=0.25), truth=hot_float),
        },
        "dice": {
            "burnish": ours("dice"),
            "smp": theirs(of(smp, "DiceLoss", "multiclass")),
            "kornia": theirs(of(kornia, "DiceLoss")),
            "monai": theirs(of(monai, "DiceLoss", to_onehot_y=True, **softmax), truth=target.unsqueeze(1)),
        },
        "dice, binary": {
            "burnish": ours({"name": "dice", "mode": "binary"}, binary, yes),
            "smp": theirs(of(smp, "DiceLoss", "binary"), binary, yes),
            "monai": theirs(of(monai, "DiceLoss", sigmoid=True), binary, yes),
        },
        "dice, multilabel": {
            "burnish": ours({"name": "dice", **both(multilabel=True)}, truth=hot_float),
            "smp": theirs(of(smp, "DiceLoss", "multilabel"), truth=hot_float),
            "monai": theirs(of(monai, "DiceLoss", sigmoid=True), truth=hot_float),
        },
        "jaccard": {
            "burnish": ours("jaccard"),
            "smp": theirs(of(smp, "JaccardLoss", "multiclass")),
            "monai": theirs(of(monai, "DiceLoss", to_onehot_y=True, jaccard=True, **softmax), truth=target.unsqueeze(1)),
        },
        "tversky": {
            "burnish": ours({"name": "tversky", "fp_weight": 0.3, "fn_weight": 0.7}),
            "smp": theirs(of(smp, "TverskyLoss", "multiclass", alpha=0.3, beta=0.7)),
            "kornia": theirs(of(kornia, "TverskyLoss", alpha=0.3, beta=0.7)),
            "monai": theirs(of(monai, "TverskyLoss", to_onehot_y=True, alpha=0.3, beta=0.7, **softmax), truth=target.unsqueeze(1)),
        },
        "generalised dice": {
            "burnish": ours({"name": "gdice", "per_image": True}),
            "monai": theirs(of(monai, "GeneralizedDiceLoss", to_onehot_y=True, **softmax), truth=target.unsqueeze(1)),
        },
        "squared dice": {
            "burnish": ours("sq_dice"),
            "monai": theirs(of(monai, "DiceLoss", to_onehot_y=True, squared_pred=True, **softmax), truth=target.unsqueeze(1)),
        },
        "squared jaccard": {
            "burnish": ours("sq_jaccard"),
            "monai": theirs(of(monai, "DiceLoss", to_onehot_y=True, squared_pred=True, jaccard=True, **softmax), truth=target.unsqueeze(1)),
        },
        "lovasz": {
            "burnish": ours("lovasz"),
            "smp": theirs(of(smp, "LovaszLoss", "multiclass")),
            "kornia": theirs(of(kornia, "LovaszSoftmaxLoss")),
        },
        "lovasz, binary": {
            "burnish": ours({"name": "lovasz", "mode": "binary"}, binary, yes),
            "smp": theirs(of(smp, "LovaszLoss", "binary"), binary, yes),
            "kornia": theirs(of(kornia, "LovaszHingeLoss"), binary, yes.squeeze(1)),
        },
        "surface": {
            "burnish": ours({"name": "surface", "mode": "multiclass"}),
            "monai": theirs(of(monai, "BoundaryLoss", to_onehot_y=True, **softmax), truth=target.unsqueeze(1)),
        },
        "surface, distances from the loader": {
            "burnish": ours({"name": "surface", "mode": "multiclass"}, distances=distances),
            "monai": theirs(of(monai, "BoundaryLoss", to_onehot_y=True, **softmax), truth=target.unsqueeze(1)),
        },
        "hausdorff, distance transforms": {
            "burnish": ours({"name": "hausdorff_dt", "mode": "multiclass"}),
            "monai": theirs(of(monai, "HausdorffDTLoss", to_onehot_y=True, **softmax), truth=target.unsqueeze(1)),
        },
        "hausdorff, erosions (2 x 4 x 128 x 128)": {
            "burnish": ours({"name": "hausdorff_er", "mode": "multiclass"}, small[0], small[1]),
            "kornia": theirs(of(kornia, "HausdorffERLoss"), small[0], small[1].unsqueeze(1)),
        },
        "GIoU of 100,000 boxes": {
            "burnish": ours("GIoU", moved, boxes),
            "torchvision": theirs(ops and ops.generalized_box_iou_loss, moved, boxes),
        },
        "CIoU of 100,000 boxes": {
            "burnish": ours("CIoU", moved, boxes),
            "torchvision": theirs(ops and ops.complete_box_iou_loss, moved, boxes),
        },
    }


def metric_rivals(size):  # noqa: C901 - one small function for each side
    """What each side runs, by metric."""
    torch.manual_seed(0)
    target = blobs(size, 4)
    scores = torch.randn(8, 4, size, size) + 2 * functional.one_hot(target, 4).permute(0, 3, 1, 2)
    chances, classes = torch.rand(20_000, 10).softmax(1), torch.randint(0, 10, (20_000,))
    masks = [mask.numpy() for mask in blobs(size, 2)[:2].bool()]
    moved = [np.roll(mask, (3, 5), (0, 1)) for mask in masks]

    def ours(given, predicted=scores, truth=target):
        meter = build_meter(given)

        def run():
            meter.reset()
            meter.update(predicted, truth)
            return meter.compute()

        return run

    def theirs(name, predicted=scores, truth=target, **options):
        if torchmetrics is None:
            return None
        metric = getattr(torchmetrics.classification, name)(**options)

        def run():
            metric.reset()
            metric.update(predicted, truth)
            return metric.compute()

        return run

    def our_surfaces():
        for found, true in zip(moved, masks, strict=True):
            distances = surface_distances(found, true)
            hausdorff(distances, 95), nsd(distances, 2.0)

    def monai_surfaces():
        for found, true in zip(moved, masks, strict=True):
            one, two = (torch.from_numpy(np.stack([~mask, mask])[None].astype(np.float32)) for mask in (found, true))
            monai_metrics.compute_hausdorff_distance(one, two, percentile=95)
            monai_metrics.compute_surface_dice(one, two, [2.0])

    def smp_iou():
        functions = importlib.import_module("segmentation_models_pytorch.metrics")
        counts = functions.get_stats(scores.argmax(1), target, mode="multiclass", num_classes=4)
        return functions.iou_score(*counts, reduction="macro")

    multiclass = {"num_classes": 4}
    return {
        "IoU, dataset": {
            "burnish": ours("iou"),
            "torchmetrics": theirs("MulticlassJaccardIndex", **multiclass),
            "smp": smp_iou if smp else None,
        },
        "F1, dataset": {"burnish": ours("f1"), "torchmetrics": theirs("MulticlassF1Score", **multiclass)},
        "confusion matrix": {"burnish": ours("confusion"), "torchmetrics": theirs("MulticlassConfusionMatrix", **multiclass)},
        "HD95 and NSD of two masks": {"burnish": our_surfaces, "monai": monai_surfaces if monai_metrics else None},
        "accuracy, 20,000 of 10 classes": {
            "burnish": ours({"name": "accuracy", "top": [5]}, chances, classes),
            "torchmetrics": theirs("MulticlassAccuracy", chances, classes, num_classes=10, top_k=5, average="micro"),
        },
        "ECE, 20,000 of 10 classes": {
            "burnish": ours("ece", chances, classes),
            "torchmetrics": theirs("MulticlassCalibrationError", chances, classes, num_classes=10),
        },
        "AUROC, 20,000 of 10 classes": {
            "burnish": ours("auroc", chances, classes),
            "torchmetrics": theirs("MulticlassAUROC", chances, classes, num_classes=10),
        },
        "average precision, 20,000 of 10 classes": {
            "burnish": ours("average_precision", chances, classes),
            "torchmetrics": theirs("MulticlassAveragePrecision", chances, classes, num_classes=10),
        },
    }


def blobs(size, classes):
    """Label maps (8, size, size) of smooth regions, as masks are."""
    rng = np.random.default_rng(0)
    fields = ndimage.gaussian_filter(rng.normal(size=(8, classes, size, size)), (0, 0, size / 40, size / 40))
    return torch.from_numpy(fields.argmax(axis=1))


if __name__ == "__main__":
    main()
