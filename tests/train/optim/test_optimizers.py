"""Optimisers are made by name, with settings that are checked, and they train."""

import pytest
import torch

from burnish.descriptions import config_class, schema
from burnish.errors import ConfigError
from burnish.train.optim.names import OPTIMIZERS
from burnish.train.optim.optimizers import build_optimizer

NAMED = [name for name in OPTIMIZERS.entries if name != "timm"]


def squares(optimizer, model):
    """The loss of a small regression before and after some steps."""
    inputs = torch.randn(64, 4, generator=torch.Generator().manual_seed(1))
    wanted = inputs @ torch.tensor([[1.0], [-2.0], [0.5], [3.0]])
    losses = []
    if hasattr(optimizer, "train"):
        optimizer.train()
    for _ in range(60):
        loss = torch.nn.functional.mse_loss(model(inputs), wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@pytest.fixture
def model():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))


@pytest.mark.parametrize("name", NAMED)
def test_every_optimiser_lowers_a_loss(name, model):
    losses = squares(build_optimizer({"name": name, "lr": 0.02}, model), model)
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("name", NAMED)
def test_a_description_survives_a_round_trip(name):
    config = config_class(OPTIMIZERS, name).make(name=name)
    assert type(config).make(**config.model_dump(mode="json")) == config


def test_settings_reach_the_optimiser(model):
    optimizer = build_optimizer({"name": "adamw", "lr": 0.5, "betas": [0.7, 0.8], "options": {"amsgrad": True}}, model)
    assert (optimizer.defaults["betas"], optimizer.defaults["amsgrad"], optimizer.defaults["lr"]) == ((0.7, 0.8), True, 0.5)


def test_any_optimiser_of_timm_goes_by_its_name_there(model):
    optimizer = build_optimizer({"name": "timm", "optimizer": "cadamw"}, model)
    assert optimizer.defaults["caution"]


def test_an_unknown_optimiser_is_told_with_the_nearest(model):
    with pytest.raises(ConfigError, match=r"no optimiser 'adamwv'. Did you mean 'adamw'"):
        build_optimizer("adamwv", model)
    with pytest.raises(ConfigError, match=r"timm has no optimiser 'cadamv'. Did you mean 'cadamw'"):
        build_optimizer({"name": "timm", "optimizer": "cadamv"}, model)


def test_an_unknown_key_or_option_is_told_with_the_nearest(model):
    with pytest.raises(ConfigError, match=r"unknown key 'momentun'. Did you mean 'momentum'"):
        build_optimizer({"name": "sgd", "momentun": 0.5}, model)
    with pytest.raises(ConfigError, match=r"takes no 'amsgard'. Did you mean 'amsgrad'"):
        build_optimizer({"name": "adam", "options": {"amsgard": True}}, model)


def test_a_rate_that_is_no_rate_is_refused(model):
    with pytest.raises(ConfigError, match="'lr' is -1"):
        build_optimizer({"name": "sgd", "lr": -1}, model)


def test_schedule_free_evaluates_with_its_average(model):
    optimizer = build_optimizer({"name": "schedule_free_adamw", "lr": 0.02}, model)
    squares(optimizer, model)
    training = [p.detach().clone() for p in model.parameters()]
    optimizer.eval()
    assert any(not torch.equal(a, b) for a, b in zip(training, model.parameters(), strict=True))


def test_the_json_schema_lists_every_optimiser():
    assert len(schema(OPTIMIZERS)["oneOf"]) == len(OPTIMIZERS.entries)
