"""Distances between outlines equal those by brute force over all pairs of outline pixels, whatever way they are computed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from burnish.errors import DataError
from burnish.metrics import surfaces
from burnish.metrics.metric import build
from burnish.metrics.surfaces import assd, hausdorff, nsd, outline, surface_distances


def blobs(seed, size=(24, 31)):
    """Two smooth masks that may be empty or touch the frame."""
    rng = np.random.default_rng(seed)
    return [ndimage.gaussian_filter(rng.normal(size=size), 2.5) > rng.choice([0.0, 0.08, 9.0], p=[0.6, 0.3, 0.1]) for _ in range(2)]


pairs = st.integers(0, 100_000).map(blobs)


def brute(first, second, spacing=(1.0, 1.0)):
    """Outline pixels by looking at the four neighbours of each; the least of all distances."""

    def edge(mask):
        height, width = mask.shape
        places = [(y, x) for y, x in np.argwhere(mask)]
        beside = ((0, 1), (1, 0), (0, -1), (-1, 0))
        inside = lambda y, x: 0 <= y < height and 0 <= x < width and mask[y, x]  # noqa: E731
        kept = [(y, x) for y, x in places if not all(inside(y + dy, x + dx) for dy, dx in beside)]
        return np.array(kept, dtype=float).reshape(-1, 2) * spacing

    one, two = edge(first), edge(second)
    apart = np.sqrt(((one[:, None] - two) ** 2).sum(-1))
    return (apart.min(1), apart.min(0)) if apart.size else (np.full(len(one), np.inf), np.full(len(two), np.inf))


def same(first, second, spacing=(1.0, 1.0)):
    found, (there, back) = surface_distances(first, second, spacing=spacing), brute(first, second, spacing)
    assert found.there == pytest.approx(there)
    assert found.back == pytest.approx(back)
    return found, there, back


@settings(deadline=None, max_examples=60)
@given(pairs)
def test_distances_are_those_of_brute_force(pair):
    found, there, back = same(*pair)
    both = np.concatenate([there, back])
    if not len(both):
        assert all(np.isnan(value) for value in (hausdorff(found), assd(found), nsd(found, 1)))
        return
    if len(there) and len(back):
        assert hausdorff(found) == pytest.approx(both.max())
        assert hausdorff(found, 95) == pytest.approx(max(np.percentile(there, 95), np.percentile(back, 95)))
    assert assd(found) == pytest.approx(both.mean())
    assert nsd(found, 2.0) == pytest.approx((both <= 2.0).mean())


@pytest.mark.parametrize("crowded", [0.0, 1.0])
def test_search_and_transform_give_the_same_also_with_spacing(crowded, monkeypatch):
    monkeypatch.setattr(surfaces, "_CROWDED", crowded)
    same(*blobs(1), spacing=(0.5, 2.0))


def test_noise_of_single_pixels_takes_the_transform_and_is_exact():
    rng = np.random.default_rng(0)
    same(rng.random((30, 40)) < 0.3, rng.random((30, 40)) < 0.3)


def test_the_frame_of_a_picture_is_outline():
    assert outline(np.ones((4, 5), bool)).tolist() == (np.pad(np.zeros((2, 3), bool), 1, constant_values=True)).tolist()


def test_of_one_empty_mask_distances_are_infinite_and_the_share_is_nothing():
    full, empty = np.ones((5, 5), bool), np.zeros((5, 5), bool)
    distances = surface_distances(full, empty)
    assert (hausdorff(distances, 95), assd(distances), nsd(distances, 3)) == (np.inf, np.inf, 0)
    with pytest.raises(DataError, match="must be of one picture"):
        surface_distances(full, empty[:4])


@pytest.mark.parametrize(("missing", "hd", "mean"), [("diagonal", 5.0, 2.5), ("inf", np.inf, np.inf), ("skip", np.nan, 0.0)])
def test_what_a_distance_to_nothing_is_can_be_told(missing, hd, mean):
    found, true = np.zeros((2, 3, 4), bool), np.ones((2, 3, 4), bool)
    found[1] = True
    metric = build({"name": "surfaces", "mode": "binary", "missing": missing})
    alone = metric.result(metric.measure(found[:1], true[:1]))
    assert alone["hd95"] == pytest.approx(hd, nan_ok=True)
    both = metric.result(metric.measure(found, true))
    assert (both["hd95"], both["nsd"]) == (pytest.approx(mean), 0.5)


def test_monai_agrees_where_it_is_installed():
    monai = pytest.importorskip("monai.metrics")
    torch = pytest.importorskip("torch")
    for seed in range(6):
        first, second = blobs(seed)
        if not (first.any() and second.any()):
            continue
        found = surface_distances(first, second)
        one, two = (torch.from_numpy(np.stack([~mask, mask])[None].astype(np.float32)) for mask in (first, second))
        assert hausdorff(found) == pytest.approx(monai.compute_hausdorff_distance(one, two).item())
        assert hausdorff(found, 95) == pytest.approx(monai.compute_hausdorff_distance(one, two, percentile=95).item())
        assert nsd(found, 2.0) == pytest.approx(monai.compute_surface_dice(one, two, [2.0], use_subvoxels=False).item())
        assert assd(found) == pytest.approx(monai.compute_average_surface_distance(one, two, symmetric=True).item())


def test_boundary_iou_is_that_of_the_bands():
    found, true = np.zeros((1, 40, 40), bool), np.zeros((1, 40, 40), bool)
    found[0, 5:25, 5:25], true[0, 5:25, 7:27] = True, True
    metric = build({"name": "boundary_iou", "mode": "binary", "width": 2})

    def band(mask):
        return mask & ~ndimage.binary_erosion(mask, np.ones((5, 5)))

    one, two = band(found[0]), band(true[0])
    assert metric.result(metric.measure(found, true))["boundary_iou"] == pytest.approx((one & two).sum() / (one | two).sum())
    multiclass = build({"name": "boundary_iou", "width": 2, "num_classes": 2})
    assert multiclass.result(multiclass.measure(true.astype(int), true.astype(int))) == {"boundary_iou": 1.0}
