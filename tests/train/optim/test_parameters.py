"""Parameters fall into groups by name and type, each into one, and frozen ones into none."""

import pytest
import timm
import torch
from torch import nn

from burnish.errors import ConfigError
from burnish.train.optim.optimizers import build_optimizer
from burnish.train.optim.parameters import begin_training, group_table, layer_depths, parameter_groups
from burnish.train.optim.settings import ParameterRule, ParametersConfig


class Net(nn.Module):
    """A little of everything: an embedding, convolutions with norms, a tensor in two places."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(5, 4)
        self.encoder = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4))
        self.head = nn.Linear(4, 5, bias=False)
        self.head.weight = self.words.weight
        self.out = nn.Linear(5, 2)


@pytest.fixture
def net():
    return Net()


def groups(net, lr=0.1, weight_decay=0.05, **settings):
    return parameter_groups(net, ParametersConfig.make(**settings), lr=lr, weight_decay=weight_decay)


def by_name(net, found, key):
    names = {id(p): name for name, p in net.named_parameters()}
    return {names[id(p)]: group[key] for group in found for p in group["params"]}


def test_every_trainable_parameter_is_in_exactly_one_group(net):
    held = [p for group in groups(net) for p in group["params"]]
    assert len(held) == len({id(p) for p in held}) == len(list(net.parameters()))


def test_biases_norms_and_embeddings_get_no_decay(net):
    decay = by_name(net, groups(net), "weight_decay")
    assert {name for name, value in decay.items() if value} == {"encoder.0.weight", "encoder.2.weight", "out.weight"}


def test_decay_of_all_can_be_asked_for(net):
    assert set(by_name(net, groups(net, no_decay=()), "weight_decay").values()) == {0.05}


@pytest.mark.parametrize(
    "rule", [{"glob": "encoder.*.weight"}, {"regex": r"^encoder\.\d\.weight"}, {"glob": "encoder.*[!s]", "lr_scale": 1.0}], ids=str
)
def test_names_are_chosen_by_glob_and_expression(net, rule):
    rate = by_name(net, groups(net, rules=[{**rule, "weight_decay": 0.5}]), "weight_decay")
    assert rate["encoder.0.weight"] == rate["encoder.1.weight"] == 0.5
    assert rate["out.weight"] == 0.05


def test_types_are_chosen_by_class_and_what_it_comes_from(net):
    rate = by_name(net, groups(net, rules=[{"type": "_BatchNorm", "lr": 7.0}, {"type": "Linear", "lr_scale": 0.5}]), "lr")
    assert (rate["encoder.1.weight"], rate["out.bias"], rate["encoder.0.weight"]) == (7.0, 0.05, 0.1)


def test_the_first_rule_that_matches_decides(net):
    rate = by_name(net, groups(net, rules=[{"glob": "out.bias", "lr": 1.0}, {"glob": "out.*", "lr": 2.0}]), "lr")
    assert (rate["out.bias"], rate["out.weight"]) == (1.0, 2.0)


def test_frozen_parameters_do_not_move_and_their_norms_keep_their_statistics(net):
    optimizer = build_optimizer({"name": "sgd", "lr": 1.0}, net, {"rules": [{"glob": "encoder.*", "freeze": True}]})
    before = {key: value.clone() for key, value in net.encoder.state_dict().items()}
    begin_training(net)
    net.out(net.encoder(torch.randn(2, 3, 8, 8)).mean((2, 3)) @ net.head.weight.T).sum().backward()
    optimizer.step()
    assert all(torch.equal(before[key], value) for key, value in net.encoder.state_dict().items())
    assert net.out.training
    assert not net.encoder[1].training


def test_norms_of_an_unfrozen_network_train(net):
    begin_training(net)
    assert net.encoder[1].training


def test_a_network_that_is_all_frozen_is_refused(net):
    with pytest.raises(ConfigError, match="No parameter is left to train"):
        groups(net, rules=[{"glob": "*", "freeze": True}])


def test_a_rule_that_matches_nothing_is_told_with_the_nearest(net):
    with pytest.raises(ConfigError, match=r"'out\.weights' matches no parameter.*Did you mean 'out\.weight'"):
        groups(net, rules=[{"glob": "out.weights", "lr": 1}])
    with pytest.raises(ConfigError, match=r"'BatchNorm3d' matches no parameter.*Did you mean 'BatchNorm2d'"):
        groups(net, rules=[{"type": "BatchNorm3d", "freeze": True}])


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({}, "none is given"),
        ({"glob": "a", "regex": "b"}, "glob and regex"),
        ({"regex": "("}, "no regular"),
        ({"glob": "a", "lr": 1, "lr_scale": 2}, "not both"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(rule, said):
    with pytest.raises(ConfigError, match=said):
        ParameterRule.make(**rule)


def test_layer_decay_lowers_the_rate_block_by_block(net):
    rate = by_name(net, groups(net, layer_decay=0.5), "lr")
    depths = layer_depths(net)
    assert depths["words.weight"] < depths["encoder.0.weight"] < depths["encoder.2.weight"] < depths["out.weight"]
    assert rate["out.weight"] == pytest.approx(0.1)
    assert rate["encoder.0.weight"] == pytest.approx(0.1 * 0.5 ** (depths["out.weight"] - depths["encoder.0.weight"]))


def test_layer_decay_follows_the_order_of_timm():
    vit = timm.create_model("vit_tiny_patch16_224", depth=2, num_classes=3)
    rate = by_name(vit, groups(vit, layer_decay=0.5), "lr")
    assert rate["pos_embed"] < rate["blocks.0.attn.qkv.weight"] < rate["blocks.1.attn.qkv.weight"] <= rate["head.weight"] == 0.1


def test_tokens_and_positions_of_vision_transformers_get_no_decay():
    vit = timm.create_model("vit_tiny_patch16_224", depth=1, num_classes=3)
    decay = by_name(vit, groups(vit), "weight_decay")
    assert decay["pos_embed"] == decay["cls_token"] == 0 < decay["patch_embed.proj.weight"]


def test_the_table_counts_all_values(net):
    text = group_table(build_optimizer("adamw", net))
    counted = sum(int(line[42:54].replace(",", "")) for line in text.splitlines()[1:])
    assert counted == sum(p.numel() for p in net.parameters())
