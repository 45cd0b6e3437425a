"""The small network suits its pictures."""

import pytest
import torch

from burnish.models.small_net import build_small_net


@pytest.mark.parametrize("side", [8, 16, 32, 64, 128, 224])
def test_it_takes_pictures_of_every_usual_size(side):
    network = build_small_net(5, (side, side), width=8)
    assert network(torch.rand(2, 3, side, side)).shape == (2, 5)


def test_larger_pictures_get_more_stages():
    counts = [sum(1 for _ in build_small_net(5, (side, side), width=8).parameters()) for side in (16, 32, 64, 128)]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]


def test_flat_and_tall_pictures_are_taken():
    assert build_small_net(3, (20, 90), width=8)(torch.rand(2, 3, 20, 90)).shape == (2, 3)
