"""A small network with an example and a loss, as the checks of networks take them."""

import torch
from torch import nn
from torch.nn import functional

from burnish.train.checks.finding import Example


def segmenter():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout2d(0.1), nn.Conv2d(8, 2, 1))


def example():
    chance = torch.Generator().manual_seed(1)
    return Example(torch.rand(3, 3, 24, 24, generator=chance), torch.randint(0, 2, (3, 24, 24), generator=chance))


def loss(output, targets):
    return functional.cross_entropy(output, targets), len(targets)
