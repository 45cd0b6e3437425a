"""A combined loss is the weighted sum of its parts, logs each, and averages each by its own count."""

import pytest
import torch

from burnish.errors import ConfigError
from burnish.train import losses
from burnish.train.losses.combined import weight_at
from burnish.train.losses.settings.combined import Ramp

PARTS = {"region": {"loss": "dice", "weight": 0.25}, "pixels": {"loss": {"name": "focal"}, "weight": 2.0}}


@pytest.fixture
def batch():
    torch.manual_seed(0)
    return torch.randn(4, 3, 5, 5), torch.randint(0, 3, (4, 5, 5))


def test_it_is_the_weighted_sum_of_its_parts(batch):
    found = losses.build({"name": "combined", "parts": PARTS})(*batch)
    expected = 0.25 * losses.build("dice")(*batch).mean + 2 * losses.build("focal")(*batch).mean
    assert found.mean == pytest.approx(expected.item())


def test_every_part_is_logged_beside_the_whole(batch):
    loss = losses.build({"name": "combined", "parts": PARTS})
    loss(*batch)
    logged = loss.meter.compute()
    assert list(logged) == ["loss", "region", "pixels"]
    assert logged["loss"] == pytest.approx(0.25 * logged["region"] + 2 * logged["pixels"])


def test_a_ramp_goes_from_its_start_to_its_end():
    ramp = Ramp(start=1, end=0.2, begins=0.25, ends=0.75)
    assert [weight_at(ramp, at) for at in (0, 0.25, 0.5, 0.75, 1)] == pytest.approx([1, 1, 0.6, 0.2, 0.2])
    slow = Ramp(start=0, end=1, shape="cosine")
    assert [weight_at(slow, at) for at in (0, 0.25, 0.5, 1)] == pytest.approx([0, 0.1464466, 0.5, 1])
    assert [weight_at(Ramp(start=0, end=1, begins=0.5, ends=0.5), at) for at in (0.4, 0.5)] == [0, 1]


def test_a_changing_weight_needs_to_know_the_progress(batch):
    parts = {"region": {"loss": "dice"}, "outline": {"loss": {"name": "surface", "mode": "multiclass"}, "weight": {"start": 0, "end": 1}}}
    loss = losses.build({"name": "combined", "parts": parts})
    with pytest.raises(ConfigError, match="The weight of 'outline' changes"):
        loss(*batch)
    expected = losses.build("dice")(*batch).mean + 0.5 * losses.build({"name": "surface", "mode": "multiclass"})(*batch).mean
    assert loss(*batch, progress=0.5).mean == pytest.approx(expected.item())


def test_distances_from_the_loader_reach_the_losses_at_outlines_alone(batch):
    scores, target = batch
    parts = {"region": {"loss": "dice"}, "outline": {"loss": {"name": "surface", "mode": "multiclass"}}}
    loss = losses.build({"name": "combined", "parts": parts})
    masks = torch.stack([target == label for label in range(3)], 1)
    assert loss(scores, target, distances=losses.signed_distances(masks)).mean == loss(scores, target).mean
    assert loss(scores, target, distances=torch.zeros(4, 3, 5, 5)).parts["outline"].mean == 0


def test_combined_losses_may_hold_combined_ones(batch):
    inner = {"name": "combined", "parts": {"a": {"loss": "dice", "weight": {"start": 0, "end": 1}}, "b": {"loss": "CE"}}}
    loss = losses.build({"name": "combined", "parts": {"in": {"loss": inner, "weight": 0.5}, "c": {"loss": "jaccard"}}})
    result = loss(*batch, progress=0.5)
    assert {name: part.factor for name, part in result.parts.items()} == {"in/a": 0.25, "in/b": 0.5, "c": 1.0}
