"""Distance maps are those of the geometry, and may come from the loader."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from burnish.errors import DataError
from burnish.geometry.distance import signed
from burnish.train import losses


@pytest.fixture
def masks():
    rng = np.random.default_rng(0)
    found = ndimage.gaussian_filter(rng.normal(size=(2, 3, 20, 24)), (0, 0, 2, 2)) > 0
    found[0, 0], found[0, 1] = False, True
    return torch.from_numpy(found)


def test_they_are_those_of_the_geometry_and_0_where_there_is_no_outline(masks):
    maps = losses.signed_distances(masks)
    assert not maps[0, :2].any()
    for at in [(0, 2), (1, 0), (1, 1), (1, 2)]:
        assert maps[at].numpy() == pytest.approx(signed(masks[at].numpy()), abs=1e-5)


@pytest.mark.parametrize("name", ["surface", "surface2edge", "hausdorff_dt"])
def test_a_loss_takes_them_from_the_loader(masks, name):
    scores = torch.randn(2, 3, 20, 24)
    loss = losses.build({"name": name, "mode": "multilabel"})
    maps = losses.signed_distances(masks)
    assert loss(scores, masks, distances=maps).mean == loss(scores, masks).mean
    assert loss(scores, masks, distances=2 * maps).mean != loss(scores, masks).mean


def test_binary_maps_may_come_without_their_channel(masks):
    loss = losses.build("surface")
    scores, one = torch.randn(2, 20, 24), masks[:, 2]
    maps = losses.signed_distances(one.unsqueeze(1))
    assert loss(scores, one, distances=maps.squeeze(1)).mean == loss(scores, one).mean


def test_maps_of_another_size_are_told(masks):
    with pytest.raises(DataError, match=r"distances have the shape \(2, 3, 4, 4\); expected \(2, 3, 20, 24\)"):
        losses.build({"name": "surface", "mode": "multilabel"})(torch.zeros(2, 3, 20, 24), masks, distances=torch.zeros(2, 3, 4, 4))
    with pytest.raises(DataError, match=r"expected \(B, C, H, W\)"):
        losses.signed_distances(masks[0])


def test_outlines_need_pictures():
    with pytest.raises(DataError, match="this loss needs two, height and width"):
        losses.build("surface")(torch.zeros(2, 5), torch.zeros(2, 5))
