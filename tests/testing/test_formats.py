"""Our own formats keep the contract that we ship, and the contract notices what breaks it."""

from types import SimpleNamespace

import polars as pl
import pytest

from burnish.data.findings import no_findings
from burnish.formats import jsonl, voc
from burnish.formats.recognise import FORMATS, load_format
from burnish.testing.datasets import boxes_dataset, tags_dataset
from burnish.testing.formats import check_format, check_losses_are_told, check_round_trip, check_strangers_are_refused

WRITTEN = [n for n in FORMATS if hasattr(load_format(n), "write") and getattr(load_format(n), "CARRIES", {"box"}) & {"box", "tag"}]


@pytest.mark.parametrize("form", WRITTEN)
def test_a_format_of_ours_keeps_the_contract(form, tmp_path):
    check_format(load_format(form), tmp_path)


def test_a_format_that_takes_everything_for_its_own_breaks_the_contract(tmp_path):
    greedy = SimpleNamespace(NAME="greedy", recognise=lambda _path: True)
    with pytest.raises(AssertionError, match="greedy takes an empty folder"):
        check_strangers_are_refused(greedy, tmp_path / "x")


def test_a_format_that_moves_corners_breaks_the_contract(tmp_path):
    def read(path):
        dataset = voc.read(path)
        return dataset.with_tables(annotations=dataset.annotations.with_columns(pl.col("x1") + 1))

    shifted = SimpleNamespace(NAME="shifted", recognise=voc.recognise, read=read, write=voc.write)
    with pytest.raises(AssertionError, match="shifted wrote"):
        check_round_trip(shifted, boxes_dataset(tmp_path / "in"), tmp_path / "out")


def test_a_format_that_drops_in_silence_breaks_the_contract(tmp_path):
    def write(dataset, folder):
        jsonl.write(dataset.with_tables(annotations=dataset.annotations.clear()), folder)
        return no_findings()

    silent = SimpleNamespace(NAME="silent", recognise=jsonl.recognise, write=write, read=jsonl.read)
    with pytest.raises(AssertionError, match="without a finding"):
        check_losses_are_told(silent, tags_dataset(tmp_path / "in", ["a", "b"]), tmp_path / "out")


def test_a_loss_in_what_is_carried_breaks_the_contract(tmp_path):
    with pytest.raises(AssertionError, match="tells of losses"):
        check_round_trip(jsonl, boxes_dataset(tmp_path / "in"), tmp_path / "out")
