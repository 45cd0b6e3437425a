"""The losses once more, in float64 NumPy and by another route: from the formulas, class by class and picture by picture.

Every oracle takes logits (B, C, H, W), targets from 0 to 1 of the same shape, weights (B, C, H, W) and keyword arguments, and gives one
number. Gradients are checked by differences of these numbers.
"""

import itertools
import math

import numpy as np
from scipy import ndimage
from scipy.special import expit, log_expit, log_softmax, softmax


def probable(logits, mode):
    return softmax(logits, axis=1) if mode == "multiclass" else expit(logits)


def logs(logits, mode):
    """log p and log(1 - p)."""
    if mode == "multiclass":
        return log_softmax(logits, axis=1), None
    return log_expit(logits), log_expit(-logits)


def cross_entropy(logits, target, weights, *, mode):
    yes, no = logs(logits, mode)
    if mode == "multiclass":
        return -(target * yes * weights).sum() / weights[:, 0].sum()
    return -((target * yes + (1 - target) * no) * weights).sum() / weights.sum()


def kl(logits, target, weights, *, mode):
    def entropy(share):
        return np.sum(np.where(share > 0, share * np.log(np.where(share > 0, share, 1)), 0) * weights)

    if mode == "multiclass":
        return cross_entropy(logits, target, weights, mode=mode) + entropy(target) / weights[:, 0].sum()
    return cross_entropy(logits, target, weights, mode=mode) + (entropy(target) + entropy(1 - target)) / weights.sum()


def focal(logits, target, weights, *, mode, gamma=2.0):
    yes, no = logs(logits, mode)
    chance = probable(logits, mode)
    if mode == "multiclass":
        return -(target * (1 - chance) ** gamma * yes * weights).sum() / weights[:, 0].sum()
    return -(np.abs(target - chance) ** gamma * (target * yes + (1 - target) * no) * weights).sum() / weights.sum()


def soft_margin(logits, target, weights, *, mode):
    del mode
    return (np.logaddexp(0, -(2 * target - 1) * logits) * weights).sum() / weights.sum()


def weighted_cross_entropy(logits, target, weights, *, mode):
    yes, no = logs(logits, mode)
    return -((target * yes + (1 - target) * no) * (0.1 + 0.9 * target) * weights).sum() / weights.sum()


def bbox_aware(logits, target, weights, *, mode):
    yes, no = logs(logits, mode)
    square = np.ones((1, 1, 5, 5))
    hard = np.isin(target, (0, 1)).all()
    border = ndimage.grey_dilation(target, footprint=square, mode="constant") != ndimage.grey_erosion(
        target, footprint=square, mode="constant", cval=1
    )
    pixel = np.where(border, 0.1, 1.0) if hard else 1.0
    return -((target * yes + (1 - target) * no) * pixel * weights).sum() / weights.sum()


def over_regions(logits, target, weights, *, mode, per_image, measure, empty="penalise"):
    """The mean of a measure of (p, g, w) over classes, of the batch or of each picture."""
    chance = probable(logits, mode)
    pictures = [slice(n, n + 1) for n in range(len(logits))] if per_image else [slice(None)]
    costs = []
    for picture, label in itertools.product(pictures, range(logits.shape[1])):
        p, g, w = (values[picture, label].ravel() for values in (chance, target, weights))
        if w.sum() == 0 or (empty == "ignore" and (g * w).sum() == 0):
            continue
        if (g * w).sum() == 0 and empty != "formula":
            costs.append((p * w).sum() / w.sum() if empty == "penalise" else 0.0)
        else:
            costs.append(measure(p, g, w))
    return float(np.mean(costs)) if costs else 0.0


def dice(*args, form="semimetric", smooth=0.0, **options):
    def measure(p, g, w):
        total = (w * p).sum() + (w * g).sum()
        common = 2 * (w * p * g).sum() if form == "product" else total - (w * np.abs(p - g)).sum()
        return 1 - (common + smooth) / (total + smooth)

    return over_regions(*args, measure=measure, **options)


def jaccard(*args, form="semimetric", smooth=0.0, **options):
    def measure(p, g, w):
        total, gap = (w * p).sum() + (w * g).sum(), (w * np.abs(p - g)).sum()
        if form == "product":
            common = (w * p * g).sum()
            return 1 - (common + smooth) / (total - common + smooth)
        return 1 - (total - gap + 2 * smooth) / (total + gap + 2 * smooth)

    return over_regions(*args, measure=measure, **options)


def tversky(*args, fp_weight=0.3, fn_weight=0.7, gamma=0.75, **options):
    def measure(p, g, w):
        hit = (w * np.minimum(p, g)).sum()
        more, less = (w * np.maximum(p - g, 0)).sum(), (w * np.maximum(g - p, 0)).sum()
        return (1 - hit / (hit + fp_weight * more + fn_weight * less)) ** gamma

    return over_regions(*args, measure=measure, **options)


def sq_dice(*args, **options):
    return over_regions(*args, measure=lambda p, g, w: (w * (p - g) ** 2).sum() / (w * (p * p + g * g)).sum(), **options)


def sq_jaccard(*args, **options):
    def measure(p, g, w):
        apart = (w * (p - g) ** 2).sum()
        return apart / (apart + (w * p * g).sum())

    return over_regions(*args, measure=measure, **options)


def gdice(logits, target, weights, *, mode, per_image, empty="penalise"):
    chance = probable(logits, mode)
    pictures = [slice(n, n + 1) for n in range(len(logits))] if per_image else [slice(None)]
    costs = []
    for picture in pictures:
        p, g, w = (values[picture] for values in (chance, target, weights))
        if w.sum() == 0 or (empty == "ignore" and (g * w).sum() == 0):
            continue
        sizes = (g * w).sum((0, 2, 3))
        if sizes.sum() == 0:
            costs.append(((p * w).sum((0, 2, 3)) / w.sum((0, 2, 3))).mean() if empty == "penalise" else 0.0)
            continue
        inverse = np.array([1 / size**2 if size else 1 / sizes[sizes > 0].min() ** 2 for size in sizes])
        above = (inverse * (w * p * g).sum((0, 2, 3))).sum()
        below = (inverse * (w * (p + g)).sum((0, 2, 3))).sum()
        costs.append(1 - 2 * above / below)
    return float(np.mean(costs)) if costs else 0.0


def lovasz(logits, target, weights, *, mode, per_image):
    """From the definition: errors in falling order, each times how much the Jaccard loss of the set of mistakes grows with it."""
    chance = probable(logits, mode)
    pictures = [slice(n, n + 1) for n in range(len(logits))] if per_image else [slice(None)]
    costs = []
    for picture, label in itertools.product(pictures, range(logits.shape[1])):
        keep = weights[picture, label].ravel() > 0
        if not keep.any():
            continue
        x, p, g = (values[picture, label].ravel()[keep] for values in (logits, chance, target > 0.5))
        if mode == "multiclass" and not g.any():
            continue
        errors = np.abs(g - p) if mode == "multiclass" else np.maximum(1 - np.where(g, x, -x), 0)
        order, total, before = np.argsort(-errors), 0.0, 0.0
        wrong_inside = wrong_outside = 0
        for pixel in order:
            wrong_inside += g[pixel]
            wrong_outside += not g[pixel]
            loss = (wrong_inside + wrong_outside) / (g.sum() + wrong_outside)
            total, before = total + errors[pixel] * (loss - before), loss
        costs.append(total)
    return float(np.mean(costs)) if costs else 0.0


def signed_distance(mask):
    """By the definition: the nearest pixel of the other side, less half a pixel."""
    if mask.all() or not mask.any():
        return np.zeros(mask.shape)
    places, inside, outside = np.indices(mask.shape).reshape(2, -1).T, np.argwhere(mask), np.argwhere(~mask)
    to_inside = np.sqrt(((places[:, None] - inside) ** 2).sum(-1)).min(1).reshape(mask.shape)
    to_outside = np.sqrt(((places[:, None] - outside) ** 2).sum(-1)).min(1).reshape(mask.shape)
    return np.where(mask, 0.5 - to_outside, to_inside - 0.5)


def distance_maps(masks):
    return np.array([[signed_distance(plane) for plane in picture] for picture in masks])


def surface(logits, target, weights, *, mode):
    return (probable(logits, mode) * distance_maps(target > 0.5) * weights).sum() / weights.sum()


def hausdorff_dt(logits, target, weights, *, mode):
    chance = probable(logits, mode)
    mine, theirs = (np.abs(maps) + 0.5 * (maps != 0) for maps in (distance_maps(chance > 0.5), distance_maps(target > 0.5)))
    diagonal = math.hypot(*logits.shape[2:])
    return ((chance - target) ** 2 * (mine**2 + theirs**2) / diagonal**2 * weights).sum() / weights.sum()


def hausdorff_er(logits, target, weights, *, mode, erosions=10):
    left = (probable(logits, mode) - target) ** 2 * (weights > 0)
    cross, total = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]])[None, None] / 5, 0
    for number in range(1, erosions + 1):
        left = np.maximum(ndimage.convolve(left, cross, mode="constant") - 0.5, 0)
        low, high = left.min((2, 3), keepdims=True), left.max((2, 3), keepdims=True)
        left = np.where(high > low, (left - low) / np.where(high > low, high - low, 1), left)
        total = total + left * number**2
    return (total * weights).sum() / weights.sum()


def grown(values, side):
    return ndimage.maximum_filter(values, size=(1, 1, side, side), mode="constant", cval=-np.inf)


def boundary(logits, target, weights, *, mode):
    found, true = (grown(1 - x, 3) - (1 - x) for x in (probable(logits, mode), target))
    near_found, near_true = grown(found, 5), grown(true, 5)
    costs = []
    for at in np.ndindex(logits.shape[:2]):
        w = weights[at]
        if w.sum() == 0:
            continue
        sizes = (found[at] * w).sum(), (true[at] * w).sum()
        if sizes == (0, 0):
            costs.append(0.0)
            continue
        precision = (found[at] * near_true[at] * w).sum() / sizes[0] if sizes[0] else 0.0
        recall = (true[at] * near_found[at] * w).sum() / sizes[1] if sizes[1] else 0.0
        costs.append(1 - 2 * precision * recall / (precision + recall) if precision + recall else 1.0)
    return float(np.mean(costs)) if costs else 0.0


def surface2edge(logits, target, weights, *, mode):
    found, true = (grown(x, 3) + grown(-x, 3) for x in (probable(logits, mode), target))
    away, near = np.abs(distance_maps(target > 0.5)), grown(found, 5)
    costs = []
    for at in np.ndindex(logits.shape[:2]):
        w = weights[at]
        if w.sum() == 0:
            continue
        far = (found[at] * away[at] * w).sum() / ((found[at] * w).sum() or 1)
        missed = (true[at] * (1 - near[at]) * w).sum() / ((true[at] * w).sum() or 1)
        costs.append(far + missed)
    return float(np.mean(costs)) if costs else 0.0
