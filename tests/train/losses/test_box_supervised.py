"""Masks from boxes alone: the loss equals its definition pixel by pixel, whatever boxes and pictures there are."""

import colorsys

import numpy as np
import pytest
import torch

from burnish.errors import ConfigError, DataError
from burnish.train import losses
from burnish.train.losses.box_supervised import Boxed
from burnish.train.losses.lab import cielab

SIDE = 9
BOXES = [[[1.0, 2.0, 6.0, 7.0], [4.4, 0.0, 9.0, 3.5]], [], [[-2.0, 5.0, 3.0, 12.0], [8.7, 8.7, 8.9, 8.9]]]
CLASSES = [[0, 1], [], [1, 0]]


def lab(rgb):
    """One colour by the book."""
    r, g, b = ((v / 255 / 12.92) if v / 255 <= 0.04045 else ((v / 255 + 0.055) / 1.055) ** 2.4 for v in rgb)
    x = (0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047
    y = 0.2126729 * r + 0.7151522 * g + 0.0721750 * b
    z = (0.0193339 * r + 0.1191920 * g + 0.9503041 * b) / 1.08883
    fx, fy, fz = (v ** (1 / 3) if v > (6 / 29) ** 3 else v / (3 * (6 / 29) ** 2) + 4 / 29 for v in (x, y, z))
    return np.array([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)])


def is_held(box, row, column):
    return box[0] <= column + 0.5 < box[2] and box[1] <= row + 0.5 < box[3]


def batch(maps, seed=0):
    """Logits, filled boxes with some pixels that do not count, and pictures of few colours."""
    rng = np.random.default_rng(seed)
    palette = np.array([[200, 30, 30], [201, 31, 30], [20, 90, 160], [20, 92, 160]])
    pictures = palette[rng.integers(0, 4, (3, SIDE, SIDE))].astype(np.uint8)
    target = np.zeros((3, maps, SIDE, SIDE))
    for picture, (boxes, classes) in enumerate(zip(BOXES, CLASSES, strict=True)):
        for box, number in zip(boxes, classes, strict=True):
            for row, column in np.ndindex(SIDE, SIDE):
                target[picture, number if maps > 1 else 0, row, column] += is_held(box, row, column)
    target = np.minimum(target, 1)
    target[:, :, 0, 7:] = 255
    return rng.normal(0, 2, (3, maps, SIDE, SIDE)), target, pictures


def boxed(pictures, boxes=BOXES, classes=CLASSES):
    arrays = [np.array(some, np.float32).reshape(-1, 4) for some in boxes]
    return Boxed(torch.from_numpy(pictures).permute(0, 3, 1, 2), arrays, [np.array(some, np.int64) for some in classes])


def oracle(scores, target, pictures, *, dilation=2, similarity=0.3, scale=2.0):
    """The definition with plain loops: the mean of each part."""
    p = 1 / (1 + np.exp(-scores))
    projection, outside, pairwise = [], [], []
    for picture, (boxes, classes) in enumerate(zip(BOXES, CLASSES, strict=True)):
        for box, number in zip(boxes, classes, strict=True):
            held = np.array([[is_held(box, row, column) for column in range(SIDE)] for row in range(SIDE)])
            rows, columns = np.flatnonzero(held.any(1)), np.flatnonzero(held.any(0))
            if not len(rows):
                continue
            inside = p[picture, number if scores.shape[1] > 1 else 0][np.ix_(rows, columns)]
            lines = [inside.max(0), inside.max(1)]
            projection.append(sum(1 - 2 * line.sum() / ((line**2).sum() + len(line)) for line in lines))
    colours = np.array([[[lab(rgb) for rgb in row] for row in picture] for picture in pictures])
    for picture, number, row, column in np.ndindex(scores.shape):
        here = target[picture, number, row, column]
        if here == 0:
            outside.append(-np.log(1 - p[picture, number, row, column]))
        for down, across in ((0, 1), (1, -1), (1, 0), (1, 1)):
            other = row + down * dilation, column + across * dilation
            if not (0 <= other[0] < SIDE and 0 <= other[1] < SIDE):
                continue
            there = target[picture, number][other]
            distance = np.linalg.norm(colours[picture, row, column] - colours[picture][other])
            if 255 in {here, there} or here + there == 0 or np.exp(-distance / scale) <= similarity:
                continue
            a, b = p[picture, number, row, column], p[picture, number][other]
            pairwise.append(-np.log(a * b + (1 - a) * (1 - b)))
    return {"projection": np.mean(projection), "outside": np.mean(outside), "pairwise": np.mean(pairwise)}


@pytest.mark.parametrize("maps", [1, 2])
@pytest.mark.parametrize("dilation", [1, 2])
def test_each_part_equals_its_definition(maps, dilation):
    scores, target, pictures = batch(maps)
    mode = "binary" if maps == 1 else "multilabel"
    loss = losses.build({"name": "box_supervised", "mode": mode, "ignore_index": 255, "dilation": dilation})
    given = torch.tensor(scores, requires_grad=True)
    found = loss(given, torch.tensor(target), boxed=boxed(pictures))
    expected = oracle(scores, target, pictures, dilation=dilation)
    for name, value in expected.items():
        assert found.parts[name].mean.item() == pytest.approx(value, abs=1e-9), name
    assert found.mean.item() == pytest.approx(sum(expected.values()))
    assert int(found.parts["projection"].count) == 3  # the box without the middle of a pixel has no projection


def test_the_gradient_is_that_of_finite_differences():
    scores, target, pictures = batch(1)
    loss = losses.build({"name": "box_supervised", "ignore_index": 255})
    given = torch.tensor(scores, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda x: loss(x, torch.tensor(target), boxed=boxed(pictures)).mean, given, eps=1e-6, atol=1e-5, fast_mode=True
    )


@pytest.mark.parametrize("size", [60.0, -60.0])
def test_value_and_gradient_are_finite_for_sure_predictions_in_half_precision(size):
    _, target, pictures = batch(1)
    given = torch.full((3, 1, SIDE, SIDE), size, dtype=torch.float16, requires_grad=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = losses.build({"name": "box_supervised", "ignore_index": 255})(given, torch.tensor(target), boxed=boxed(pictures))
    assert found.mean.dtype == torch.float32
    found.mean.backward()
    assert torch.isfinite(given.grad).all()


def test_a_tight_mask_on_a_plain_background_costs_nothing_and_others_cost():
    pictures = np.zeros((1, 12, 12, 3), np.uint8)
    rows, columns = np.mgrid[:12, :12]
    disc = (rows - 5.5) ** 2 + (columns - 5.5) ** 2 <= 16
    pictures[0, disc] = [220, 40, 40]
    held = np.zeros((1, 12, 12), np.uint8)
    held[0, 2:10, 2:10] = 1
    loss = losses.build("box_supervised")
    box = boxed(pictures, [[[2, 2, 10, 10]]], [[0]])

    def cost(mask):
        scores = torch.from_numpy(np.where(mask, 30.0, -30.0).astype(np.float32))[None, None]
        return loss(scores, torch.from_numpy(held), boxed=box).mean.item()

    assert cost(disc) == pytest.approx(0, abs=1e-6)
    assert cost(held[0] == 1) > 0.1  # parts neighbours of one colour at the corners of the box
    assert cost(np.zeros((12, 12), bool)) > 0.1  # touches no side
    assert cost(np.ones((12, 12), bool)) > 0.1  # is not empty beside the box
    assert cost(disc & (columns < 6)) > 0.1  # half of it


def test_pictures_without_boxes_teach_that_nothing_is_there():
    scores, _, pictures = batch(1)
    given = torch.tensor(scores, dtype=torch.float32, requires_grad=True)
    nothing = boxed(pictures, [[], [], []], [[], [], []])
    found = losses.build("box_supervised")(given, torch.zeros(3, SIDE, SIDE), boxed=nothing)
    assert {name: int(one.count) for name, one in found.parts.items()} == {"projection": 0, "outside": 3 * SIDE**2, "pairwise": 0}
    found.mean.backward()
    assert (given.grad > 0).all()


def test_neighbours_weigh_nothing_at_first_and_wholly_after_the_warm_up():
    scores, target, pictures = batch(1)
    loss = losses.build({"name": "box_supervised", "warmup": 0.5, "pairwise": 2.0})

    def factor(progress):
        return loss(torch.tensor(scores), torch.tensor(target), boxed=boxed(pictures), progress=progress).parts["pairwise"].factor

    assert [factor(progress) for progress in (0.0, 0.25, 0.5, 1.0)] == [0.0, 1.0, 2.0, 2.0]


def test_it_is_a_part_of_a_combined_loss_that_passes_boxes_and_progress_on():
    scores, target, pictures = batch(1)
    parts = {"boxes": {"loss": {"name": "box_supervised"}}, "region": {"loss": {"name": "dice", "mode": "binary"}, "weight": 0.5}}
    whole = losses.build({"name": "combined", "parts": parts})
    target[target == 255] = 0
    found = whole(torch.tensor(scores), torch.tensor(target), boxed=boxed(pictures), progress=0.0)
    assert set(found.parts) == {"boxes/projection", "boxes/outside", "boxes/pairwise", "region"}
    assert found.parts["boxes/pairwise"].factor == 0


@pytest.mark.parametrize(
    ("maps", "given", "told"),
    [
        (1, None, "needs pictures and boxes"),
        (1, boxed(np.zeros((3, 4, 4, 3), np.uint8)), "expected the same number and size"),
        (2, boxed(np.zeros((3, SIDE, SIDE, 3), np.uint8), classes=[[0, 2], [], [1, 0]]), "A box is of class 2"),
    ],
)
def test_what_does_not_fit_is_told(maps, given, told):
    scores, target, _ = batch(maps)
    loss = losses.build({"name": "box_supervised", "mode": "binary" if maps == 1 else "multilabel"})
    with pytest.raises(DataError, match=told):
        loss(torch.tensor(scores), torch.tensor(target), boxed=given)


def test_classes_that_exclude_one_another_are_refused():
    with pytest.raises(ConfigError, match="mode"):
        losses.build({"name": "box_supervised", "mode": "multiclass"})


def test_colours_are_those_of_cielab():
    rng = np.random.default_rng(1)
    colours = [rng.integers(0, 256, 3).tolist() for _ in range(20)] + [[0, 0, 0], [255, 255, 255], [1, 1, 1]]
    colours += [[round(255 * v) for v in colorsys.hsv_to_rgb(hue, 1, 1)] for hue in (0, 1 / 3, 2 / 3)]
    found = cielab(torch.tensor(colours, dtype=torch.uint8).T[None, :, None])[0, :, 0].T.numpy()
    assert found == pytest.approx(np.array([lab(colour) for colour in colours]), abs=2e-3)
    red = found[-3]
    assert red == pytest.approx([53.24, 80.09, 67.20], abs=0.02)
