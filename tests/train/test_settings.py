"""The training settings are the seed's."""

import pytest

from burnish.config import validated
from burnish.errors import ConfigError
from burnish.train.policies.settings import TrainConfig
from burnish.train.settings import TrainingConfig

SEED = {
    "epochs": 15,
    "batch_size": 32,
    "num_workers": 40,
    "patience": 2,
    "warmup": 1,
    "lr": 0.0003,
    "min_lr": 0.000005,
    "factor": 0.9,
    "weighted_sampler": True,
}


def test_every_key_of_the_seed_is_in_force():
    assert validated(TrainingConfig, SEED).model_dump() == SEED


def test_a_lowest_rate_above_the_rate_is_refused():
    with pytest.raises(ConfigError, match=r"min_lr 0\.1 is above lr 0\.01"):
        TrainingConfig.make(lr=0.01, min_lr=0.1)


def test_single_pictures_are_no_batches():
    with pytest.raises(ConfigError, match="batch_size"):
        TrainingConfig.make(batch_size=1)


def test_an_unreadable_target_is_told_at_its_own_key():
    with pytest.raises(ConfigError, match=r"^'evaluation\.target' is 'maximise iou': the target"):
        TrainConfig.make(evaluation={"target": "maximise iou", "per_epoch": 2})
