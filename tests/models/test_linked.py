"""A side connection carries features, keeps shapes, changes nothing at first, and survives copies and files."""

import copy

import pytest
import torch
from torch import nn

from burnish.errors import DataError, ModelError
from burnish.models.linked import linked_pair


def network(*, linked=True):
    torch.manual_seed(0)
    first, middle, last = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 12, 3, stride=2, padding=1), nn.Conv2d(12, 2, 1)
    if not linked:
        return nn.Sequential(first, middle, last)
    sender, receiver = linked_pair(8, 12, inner=5)
    return nn.Sequential(first, sender, middle, receiver, last)


def pictures(count=2):
    return torch.rand(count, 3, 17, 22, generator=torch.Generator().manual_seed(3))


def test_a_new_link_leaves_a_network_as_it_was():
    assert torch.equal(network()(pictures()), network(linked=False)(pictures()))


def test_both_ends_learn_and_what_is_sent_then_matters():
    model = network()
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    before = model(pictures())
    for _ in range(2):
        optimiser.zero_grad()
        model(pictures()).square().mean().backward()
        optimiser.step()
    assert all(parameter.grad.abs().sum() > 0 for parameter in model.parameters())
    sent = model(pictures())
    model[1].convolution.weight.data.zero_()
    model[1].convolution.bias.data.zero_()
    assert not torch.allclose(sent, model(pictures()))
    assert sent.shape == before.shape


def test_copies_have_links_of_their_own():
    model = network()
    nn.init.ones_(model[3].convolution.weight)
    copied = copy.deepcopy(model)
    assert torch.equal(copied(pictures()), model(pictures()))
    copied[1](torch.rand(2, 8, 5, 5))
    with pytest.raises(ModelError, match="got nothing"):
        model[3](torch.rand(2, 12, 5, 5))


def test_the_weights_of_a_linked_network_go_through_a_file(tmp_path):
    model, other = network(), network()
    nn.init.ones_(model[3].convolution.weight)
    torch.save(model.state_dict(), tmp_path / "a.pt")
    other.load_state_dict(torch.load(tmp_path / "a.pt", weights_only=True))
    assert torch.equal(other(pictures()), model(pictures()))


def test_nothing_is_received_twice():
    model = network()
    model(pictures())
    with pytest.raises(ModelError, match="its sender must come before it"):
        model[3](torch.rand(2, 12, 9, 11))


def test_features_of_other_pictures_are_refused():
    model = network()
    model[1](torch.rand(3, 8, 5, 5))
    with pytest.raises(ModelError, match="features of 3 pictures; expected 2"):
        model[3](torch.rand(2, 12, 5, 5))


def test_an_even_kernel_is_refused():
    with pytest.raises(DataError, match="expected an odd number"):
        linked_pair(4, 4, kernel_size=2)
