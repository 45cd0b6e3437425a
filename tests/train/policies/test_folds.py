"""One fold: it learns, it is repeatable, it continues where it was killed, and the predicted part has no say."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from training_builders import Stopping

from burnish.engine.progress import Silent
from burnish.errors import ConfigError, DataError, ModelError
from burnish.train.augs.settings import TransformConfig
from burnish.train.policies.folds import inner_split, train_fold
from burnish.train.settings import TrainingConfig

TRAINING = TrainingConfig(epochs=3, batch_size=16, lr=3e-3, warmup=0.5, num_workers=2)
TRANSFORM = TransformConfig.make(hflip={"p": 0.5}, rotation={"degrees": 10})
TRAIN, TEST = np.arange(90), np.arange(90, 120)


def fold(coloured, **changes):
    pixels, labels = coloured
    arguments = {"num_classes": 3, "model_name": "small_net", "training": TRAINING, "transform": TRANSFORM, "seed": 5, "device": "cpu"}
    return train_fold(pixels, labels, TRAIN, TEST, **{**arguments, **changes})


@pytest.fixture(scope="module")
def trained(coloured):
    return fold(coloured)


def test_a_network_learns_and_predicts_what_it_never_saw(coloured, trained):
    probabilities, report = trained
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(30))
    assert (probabilities.argmax(axis=1) == coloured[1][TEST]).mean() > 0.9
    assert len(report.history) == 3
    assert report.best.balanced_accuracy == max(epoch.balanced_accuracy for epoch in report.history)
    assert report.train_pictures + report.inner_pictures == 90


def test_the_same_seed_gives_the_same_probabilities(coloured, trained):
    assert np.array_equal(fold(coloured)[0], trained[0])


def test_the_callers_own_chance_is_left_alone(coloured):
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    fold(coloured, training=TRAINING.model_copy(update={"epochs": 1}))
    assert torch.equal(torch.rand(2), expected)


def test_the_labels_of_the_predicted_part_have_no_say(coloured, trained):
    pixels, labels = coloured
    scrambled = labels.copy()
    scrambled[TEST] = -1
    assert np.array_equal(fold((pixels, scrambled))[0], trained[0])


def test_a_stopped_training_continues_at_its_epoch_and_ends_the_same(coloured, trained, tmp_path):
    steps = 5
    with pytest.raises(KeyboardInterrupt):
        fold(coloured, work_folder=tmp_path, progress=Stopping(2 * steps + 1))
    said = []
    progress = Silent()
    progress.say = said.append
    probabilities, report = fold(coloured, work_folder=tmp_path, progress=progress)
    assert said == ["Training: continues after epoch 2 of 3."]
    assert np.array_equal(probabilities, trained[0])
    assert [epoch.train_loss for epoch in report.history] == [epoch.train_loss for epoch in trained[1].history]


def test_a_finished_training_is_not_repeated(coloured, trained, tmp_path):
    fold(coloured, work_folder=tmp_path)
    assert np.array_equal(fold(coloured, work_folder=tmp_path, progress=Stopping(2 * 30))[0], trained[0])


def test_a_checkpoint_of_other_settings_is_not_continued(coloured, trained, tmp_path):
    fold(coloured, work_folder=tmp_path, seed=6)
    assert np.array_equal(fold(coloured, work_folder=tmp_path)[0], trained[0])


def test_a_damaged_checkpoint_begins_anew(coloured, trained, tmp_path):
    (tmp_path / "last.pt").write_bytes(b"half a check")
    assert np.array_equal(fold(coloured, work_folder=tmp_path)[0], trained[0])


def test_checkpoints_load_without_running_anything(coloured, tmp_path):
    fold(coloured, work_folder=tmp_path, training=TRAINING.model_copy(update={"epochs": 1}))
    best = torch.load(tmp_path / "best.pt", weights_only=True)
    assert best["epoch"] == 0
    fold(coloured, weights=tmp_path / "best.pt", training=TRAINING.model_copy(update={"epochs": 1}))


def test_a_loss_that_leaves_all_bounds_ends_with_advice(coloured):
    wild = TrainingConfig(epochs=3, batch_size=16, lr=1e30, warmup=0)
    with pytest.raises(ModelError, match=r"(The loss is|no numbers).*Lower lr"):
        fold(coloured, training=wild)


def test_forty_workers_run_and_are_noted(coloured):
    _, report = fold(coloured, training=TRAINING.model_copy(update={"epochs": 1, "num_workers": 40}))
    assert report.notes[0].startswith("num_workers is 40, but this machine has")


def test_two_pictures_suffice_and_the_last_epoch_is_taken(coloured):
    pixels, _ = coloured
    probabilities, report = train_fold(
        pixels, np.arange(120) % 2, np.arange(2), TEST, num_classes=2, model_name="small_net", training=TRAINING, device="cpu"
    )
    assert probabilities.shape == (30, 2)
    assert report.best_epoch == 2
    assert "last epoch" in report.notes[-1]


def test_the_seeds_own_network_trains(coloured):
    pixels, labels = coloured
    training = TrainingConfig(epochs=1, batch_size=4, warmup=0)
    probabilities, report = train_fold(
        pixels, labels, np.arange(9), np.arange(9, 11), num_classes=3, model_name="EfficientNetV2_s", training=training, device="cpu"
    )
    assert report.network == "torchvision/efficientnet_v2_s"
    assert probabilities.shape == (2, 3)


def test_a_picture_in_both_parts_is_refused(coloured):
    pixels, labels = coloured
    with pytest.raises(DataError, match="1 pictures are in both parts, for instance 7"):
        train_fold(pixels, labels, np.arange(8), np.arange(7, 9), num_classes=3)


def test_a_training_row_without_a_class_is_refused_with_its_row(coloured):
    pixels, labels = coloured
    unlabelled = labels.copy()
    unlabelled[4] = -1
    with pytest.raises(DataError, match="Picture 4 has the class -1; expected 0 to 2"):
        fold((pixels, unlabelled))


def test_one_class_is_no_choice(coloured):
    pixels, labels = coloured
    with pytest.raises(ConfigError, match="at least 2 classes"):
        train_fold(pixels, 0 * labels, TRAIN, TEST, num_classes=1)


@given(st.integers(0, 1000), st.integers(1, 6), st.integers(2, 80))
def test_the_inner_split_cuts_no_group_and_leaves_every_class_something_to_train_on(seed, group_size, number):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, number + 5)
    groups = rng.integers(0, number // group_size + 1, number + 5)
    rows = np.sort(rng.permutation(number + 5)[:number])
    train, inner = inner_split(labels, rows, num_classes=4, groups=groups, seed=seed)
    assert np.array_equal(np.sort(np.concatenate([train, inner])), rows)
    assert not np.intersect1d(groups[train], groups[inner]).size
    assert set(labels[inner]) <= set(labels[train])


def test_the_inner_split_keeps_the_proportions_of_classes():
    labels = np.repeat([0, 1, 2], [400, 200, 40])
    _, inner = inner_split(labels, np.arange(640), num_classes=3, share=0.15)
    assert np.bincount(labels[inner]).tolist() == [60, 30, 6]
