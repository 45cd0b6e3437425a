"""Weights are read from every usual file, and what is dangerous, damaged or unfit is refused by name."""

import pickle

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from burnish.errors import WeightsError
from burnish.models.weights import load_checked, read_weights


class Danger:
    def __reduce__(self):
        return print, ("this must never run",)


def network(classes=3):
    return nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Linear(5, classes))


HEAD = frozenset({"2.weight", "2.bias"})


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: state,
        lambda state: {"state_dict": state, "epoch": 3},
        lambda state: {"model": {f"module.{key}": value for key, value in state.items()}, "optimizer": {"lr": 1.0}},
    ],
)
def test_what_trainers_wrap_around_weights_is_taken_off(tmp_path, wrap):
    state = network().state_dict()
    torch.save(wrap(state), tmp_path / "a.pth")
    assert set(read_weights(tmp_path / "a.pth")) == set(state)


def test_a_folder_with_one_weights_file_will_do(tmp_path):
    save_file(network().state_dict(), tmp_path / "anything.safetensors")
    (tmp_path / "README.md").write_text("text", encoding="utf-8")
    assert "0.weight" in read_weights(tmp_path)


def test_a_folder_with_several_asks_for_the_file(tmp_path):
    for name in ("a.pt", "b.pt"):
        torch.save(network().state_dict(), tmp_path / name)
    with pytest.raises(WeightsError, match=r"found: a\.pt, b\.pt\. Name the file itself"):
        read_weights(tmp_path)


def test_a_pickle_with_code_is_not_run(tmp_path, capsys):
    torch.save({"a": Danger()}, tmp_path / "bad.pth")
    (tmp_path / "old.pth").write_bytes(pickle.dumps(Danger()))
    for name in ("bad.pth", "old.pth"):
        with pytest.raises(WeightsError, match="foreign code"):
            read_weights(tmp_path / name)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", ["a.pth", "a.safetensors"])
def test_a_git_lfs_pointer_says_what_to_run(tmp_path, name):
    (tmp_path / name).write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
    with pytest.raises(WeightsError, match="git lfs pull"):
        read_weights(tmp_path / name)


@pytest.mark.parametrize("name", ["a.pth", "a.safetensors"])
def test_a_truncated_file_is_named(tmp_path, name):
    whole = tmp_path / f"whole_{name}"
    save_file(network().state_dict(), whole) if name.endswith("safetensors") else torch.save(network().state_dict(), whole)
    (tmp_path / name).write_bytes(whole.read_bytes()[:-300])
    with pytest.raises(WeightsError, match=name):
        read_weights(tmp_path / name)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(WeightsError, match="There are no weights at"):
        read_weights(tmp_path / "none.pth")


def test_another_number_of_classes_leaves_the_new_head():
    own, other = network(3), network(7)
    before = own[2].weight.clone()
    assert not load_checked(own, other.state_dict(), source="other", head=HEAD)
    assert torch.equal(own[0].weight, other[0].weight)
    assert torch.equal(own[2].weight, before)


def test_the_same_number_of_classes_takes_the_head_too():
    own, other = network(3), network(3)
    assert load_checked(own, other.state_dict(), source="other", head=HEAD)
    assert torch.equal(own[2].weight, other[2].weight)


def test_weights_without_a_head_fit():
    body = {key: value for key, value in network().state_dict().items() if key not in HEAD}
    assert not load_checked(network(), body, source="body", head=HEAD)


def test_weights_of_another_network_are_refused_with_the_names_that_do_not_fit():
    state = network().state_dict()
    state["0.weight"], state["9.extra"] = torch.zeros(5, 9), torch.zeros(1)
    del state["1.bias"]
    with pytest.raises(WeightsError) as caught:
        load_checked(network(), state, source="file.pth", head=HEAD)
    assert "1 missing: 1.bias; 1 not known to it: 9.extra; 1 of another shape: 0.weight 5x9, expected 5x4" in str(caught.value)
