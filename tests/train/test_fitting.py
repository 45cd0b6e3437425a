"""The training of a classifier: its learning rates, which epoch it takes, and that it goes on wherever it was stopped."""

import random

import numpy as np
import pytest
import torch
from training_builders import Stopping

from burnish.errors import DataError, ModelError
from burnish.models.classifiers import build_classifier
from burnish.train import fitting
from burnish.train.augs.settings import TransformConfig
from burnish.train.fitting import Task, fit_classifier
from burnish.train.settings import TrainingConfig

INNER = np.arange(80, 110)
STEPS = 5


def network():
    """With dropout, so that chance has a say in every step."""
    torch.manual_seed(4)
    model = build_classifier("small_net", 3, image_size=(16, 16))
    assert any(isinstance(module, torch.nn.Dropout) and module.p > 0 for module in model.modules())
    return model


def task(coloured, *, inner=INNER, labels=None, **training):
    settings = {"epochs": 3, "batch_size": 16, "lr": 3e-3, "warmup": 0.5, "num_workers": 0, **training}
    transform = TransformConfig.make(hflip={"p": 0.5})
    pixels, own = coloured
    return Task(
        pixels, own if labels is None else labels, np.arange(80), inner, TrainingConfig(**settings), transform, 5, torch.device("cpu")
    )


def stopped(given, folder, steps):
    with pytest.raises(KeyboardInterrupt):
        fit_classifier(network(), given, work_folder=folder, progress=Stopping(steps))


def same(one, other):
    """Equal weights and equal reports, but for the time."""
    equal = all(torch.equal(a, b) for a, b in zip(one.model.state_dict().values(), other.model.state_dict().values(), strict=True))
    return equal and one.best_epoch == other.best_epoch and np.array_equal(numbers(one), numbers(other), equal_nan=True)


def numbers(fitted):
    names = ("epoch", "train_loss", "loss", "accuracy", "balanced_accuracy", "weighted_f1", "rate")
    return [[getattr(report, name) for name in names] for report in fitted.history]


@pytest.fixture
def saves_each_step(monkeypatch):
    monkeypatch.setattr(fitting, "_MINUTES_BETWEEN_SAVES", 1e-9)


@pytest.fixture(scope="module")
def whole(coloured):
    """A training that nothing disturbed."""
    return fit_classifier(network(), task(coloured))


@pytest.mark.parametrize(("inner", "name"), [(INNER, "loss"), (INNER[:0], "train_loss")])
def test_the_rate_falls_as_that_of_torch_when_the_inner_loss_stands_still_or_without_one_the_training_loss(coloured, inner, name):
    chance = np.random.default_rng(0).integers(0, 3, 120)
    given = task(coloured, inner=inner, labels=chance, epochs=8, lr=0.02, min_lr=4e-3, patience=0, factor=0.5)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.02)
    oracle = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, factor=0.5, min_lr=4e-3)
    rates = []
    history = fit_classifier(network(), given).history
    for report in history:
        rates.append(optimizer.param_groups[0]["lr"])
        oracle.step(getattr(report, name))
    assert [report.rate for report in history] == pytest.approx(rates)
    assert len(set(rates)) > 1


def test_a_warm_up_may_outlast_the_training(coloured):
    history = fit_classifier(network(), task(coloured, warmup=5.5)).history
    expected = [3e-3 * np.expm1(-5 * epochs / 5.5) / np.expm1(-5) for epochs in (1, 2, 3)]
    assert [report.rate for report in history] == pytest.approx(expected)


def test_the_lower_loss_decides_between_equally_good_epochs(coloured):
    fitted = fit_classifier(network(), task(coloured, epochs=8, lr=0.01))
    merits = [(report.balanced_accuracy, -report.loss) for report in fitted.history]
    assert merits[fitted.best_epoch] == max(merits)
    assert sum(accuracy == max(merits)[0] for accuracy, _ in merits) > 1


def test_without_inner_rows_the_last_epoch_is_taken(coloured):
    fitted = fit_classifier(network(), task(coloured, inner=INNER[:0]))
    assert fitted.best_epoch == 2
    assert fitted.temperature == 1


@pytest.mark.usefixtures("saves_each_step")
@pytest.mark.parametrize("steps", [STEPS - 3, STEPS, 2 * STEPS + 2])
def test_a_killed_training_goes_on_inside_its_epoch_and_ends_the_same(coloured, whole, tmp_path, steps):
    stopped(task(coloured), tmp_path, steps)
    progress = Stopping()
    again = fit_classifier(network(), task(coloured), work_folder=tmp_path, progress=progress)
    epochs = (steps + 1) / STEPS
    assert progress.said == [f"Training: continues at step {steps + 1}, epoch {epochs:.2f} of 3."]
    assert same(again, whole)


def test_killed_between_the_best_and_the_last_checkpoint_it_ends_the_same(coloured, whole, tmp_path):
    stopped(task(coloured), tmp_path, STEPS)
    last = (tmp_path / "last.pt").read_bytes()
    fit_classifier(network(), task(coloured), work_folder=tmp_path)
    (tmp_path / "last.pt").write_bytes(last)
    assert same(fit_classifier(network(), task(coloured), work_folder=tmp_path), whole)


def _remove(path):
    path.unlink()


def _cut_short(path):
    path.write_bytes(path.read_bytes()[:1000])


def _make_foreign(path):
    torch.save({"fingerprint": "of another training", "model": {}}, path)


@pytest.mark.parametrize("name", ["best.pt", "last.pt"])
@pytest.mark.parametrize("harm", [_remove, _cut_short, _make_foreign])
def test_with_a_missing_damaged_or_foreign_checkpoint_it_begins_anew(coloured, whole, tmp_path, name, harm):
    stopped(task(coloured), tmp_path, 2 * STEPS)
    harm(tmp_path / name)
    progress = Stopping()
    again = fit_classifier(network(), task(coloured), work_folder=tmp_path, progress=progress)
    assert progress.said == []
    assert same(again, whole)


def test_continuing_leaves_the_callers_own_chance_alone(coloured, tmp_path):
    def draws():
        return random.random(), np.random.random(), torch.rand(1).item()  # noqa: S311, NPY002 - the global generators are the point

    def begin():
        random.seed(1)
        np.random.seed(1)  # noqa: NPY002 - as above
        torch.manual_seed(1)

    begin()
    expected = draws()
    stopped(task(coloured), tmp_path, STEPS)
    model = network()
    begin()
    fit_classifier(model, task(coloured), work_folder=tmp_path)
    assert draws() == expected


def test_a_device_without_enough_memory_ends_with_advice(coloured):
    def full(*_):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    model = network()
    model.register_forward_pre_hook(full)
    with pytest.raises(ModelError, match=r"memory of cpu does not suffice for 16 pictures at once. Lower batch_size or resize.size"):
        fit_classifier(model, task(coloured))


def test_a_loss_that_is_no_number_is_told_with_its_step_and_rate(coloured):
    model = network()
    model.register_forward_hook(lambda _model, _given, found: found * torch.nan)
    with pytest.raises(ModelError, match=r"The loss is nan in epoch 1, by step 5, at a learning rate of 0.003. Lower lr \(.*0.0003"):
        fit_classifier(model, task(coloured))


def test_a_row_without_a_class_is_refused(coloured):
    with pytest.raises(DataError, match="Picture 0 has the class 7; expected 0 to 2"):
        fit_classifier(network(), task(coloured, labels=np.full(120, 7)))
