"""Heatmaps are drawn and read exactly, and the network learns named points."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from network_builders import KEYPOINTS, built, pictures, skeletons

from burnish.errors import DataError
from burnish.models.networks.building import build_network
from burnish.models.networks.heatmaps import draw_heatmaps, read_heatmaps

inside = st.floats(4.5, 59.5, width=32)


@settings(max_examples=30)
@given(st.lists(st.tuples(inside, inside), min_size=2, max_size=2), st.floats(1, 3))
def test_what_is_drawn_is_read_again_to_a_hundredth_of_a_pixel(places, spread):
    points = torch.tensor([[[x, y, 2.0] for x, y in places]])
    heatmaps, known = draw_heatmaps([points], 2, (16, 16), spread)
    found = read_heatmaps(heatmaps)
    assert known.all()
    assert (found[0, :, :2] - points[0, :, :2]).abs().max() < 0.01
    assert (found[0, :, 2] > 0.7).all()


def test_a_point_that_is_not_known_draws_nothing_and_does_not_count():
    points = torch.tensor([[[8.0, 8.0, 2], [40.0, 40.0, 0]]])
    heatmaps, known = draw_heatmaps([points, points[:0]], 2, (16, 16), 2.0)
    assert known.tolist() == [[True, False], [False, False]]
    assert not heatmaps[0, 1].any()
    assert not heatmaps[1].any()


def test_points_of_another_number_are_refused():
    with pytest.raises(DataError, match=r"Picture 0 has points of shape \(1, 2, 3\); expected \(n, 3, 3\)"):
        built(KEYPOINTS[0]).losses(pictures(KEYPOINTS[0], 1), [torch.zeros(1, 2, 3)])


def test_points_for_each_picture_are_wanted():
    with pytest.raises(DataError, match="Points of 1 pictures were found beside 2 pictures"):
        built(KEYPOINTS[0]).losses(pictures(KEYPOINTS[0]), skeletons(1))


@pytest.mark.parametrize("case", KEYPOINTS, ids=str)
@pytest.mark.parametrize("size", [(45, 38), (64, 96), (33, 131)], ids=str)
def test_a_heatmap_has_a_place_for_every_four_pixels(case, size):
    with torch.inference_mode():
        found = built(case).eval()(pictures(case, 1, size=size))
    assert found.shape == (1, 3, -(-size[0] // 4), -(-size[1] // 4))


def scene(count, seed):
    """Dark pictures with a red and a green dot each, and a second red one in the right half of the last."""
    generator = torch.Generator().manual_seed(seed)
    shown = torch.randint(0, 40, (count, 3, 64, 64), dtype=torch.uint8, generator=generator)
    points = torch.randint(8, 26, (count, 1, 2, 2), generator=generator).float()
    points[:, :, 1, 1] += 28
    for picture, ((red, green),) in zip(shown, points.long(), strict=True):
        for channel, (x, y) in enumerate((red, green)):
            picture[channel, y - 2 : y + 2, x - 2 : x + 2] = 255
    return shown, [torch.cat([place, torch.full((1, 2, 1), 2.0)], dim=2) for place in points]


def test_named_points_are_learned_and_every_peak_is_found():
    torch.manual_seed(0)
    model = build_network({"name": "heatmaps", "width": 8, "depth": 3, "spread": 1.0}, outputs=2).train()
    shown, points = scene(12, 0)
    optimiser = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(60):
        optimiser.zero_grad()
        sum(model.losses(shown, points).values()).backward()
        optimiser.step()
    seen, true = scene(6, 1)
    found = model.eval().locate(seen)
    assert (found[..., :2] - torch.cat(true)[..., :2]).abs().max() < 2
    seen[-1, 0, 10:14, 50:54] = 255
    reds, greens = model.peaks(seen[-1:], threshold=0.3)[0]
    assert len(reds) == 2
    assert len(greens) == 1
    assert (reds[:, :2] - torch.tensor([52.0, 12.0])).abs().amax(1).min() < 2
