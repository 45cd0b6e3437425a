"""The report of a training, and its course out of metrics.jsonl."""

import json
import math
import re
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from burnish.errors import FormatError  # noqa: E402
from burnish.train.course import read_course  # noqa: E402
from burnish.train.page import train_page, trained_of  # noqa: E402
from burnish.train.policies.settings import TrainConfig  # noqa: E402
from burnish.train.train import train  # noqa: E402
from burnish.train.trained import read_trained  # noqa: E402


def lines(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_steps_that_were_done_again_after_a_kill_count_as_they_were_done_last(tmp_path):
    path = lines(
        tmp_path / "metrics.jsonl",
        {"step": 10, "train/loss": 1.0},
        {"step": 20, "train/loss": 0.9},
        {"step": 30, "train/loss": 0.8},
        {"step": 20, "train/loss": 0.7},
        {"step": 25, "train/loss": 0.6},
    )
    assert read_course(path).series["train/loss"] == ([10, 20, 25], [1.0, 0.7, 0.6])


def test_what_was_no_number_is_a_gap(tmp_path):
    path = lines(tmp_path / "metrics.jsonl", {"step": 1, "loss": None}, {"step": 2, "loss": 0.5})
    steps, values = read_course(path).series["loss"]
    assert steps == [1, 2]
    assert math.isnan(values[0])


def test_a_torn_last_line_is_left_out_and_a_torn_line_within_is_an_error(tmp_path):
    path = lines(tmp_path / "metrics.jsonl", {"step": 1, "loss": 1.0})
    with path.open("a") as stream:
        stream.write('{"step": 2, "lo')
    assert read_course(path).series["loss"] == ([1], [1.0])
    with path.open("a") as stream:
        stream.write('\n{"step": 3, "loss": 0.5}\n')
    with pytest.raises(FormatError, match="line 2"):
        read_course(path)


def test_series_of_different_steps_share_one_axis_and_end_where_they_end(tmp_path):
    rows = [{"step": 0, "a": 0.0}, {"step": 2, "b": 5.0}, {"step": 4, "a": 4.0}, {"step": 6, "b": 7.0}]
    steps, series = read_course(lines(tmp_path / "metrics.jsonl", *rows)).over(["a", "b", "missing"])
    assert steps == [0, 2, 4, 6]
    assert series["a"][:3] == [0.0, 2.0, 4.0]
    assert math.isnan(series["a"][3])
    assert math.isnan(series["b"][0])
    assert series["b"][1:] == [5.0, 6.0, 7.0]


def test_a_training_without_a_course_has_an_empty_one(tmp_path):
    assert read_course(tmp_path / "metrics.jsonl").series == {}


@pytest.mark.parametrize("name", ["mask_run", "two_class_run", "overlap_run", "tag_run", "many_tags_run"])
def test_saving_a_training_writes_a_report_of_one_file(name, request):
    _, folder, result = request.getfixturevalue(name)
    assert folder / "report.html" in result.save(folder)
    page = (folder / "report.html").read_text(encoding="utf-8")
    for part in ("Course", "Final numbers", "Mistakes", "Examples", "Data", "How it was trained", "Resolved settings"):
        assert part in page, part
    assert 'src="http' not in page
    assert ">best</text>" in page


def test_the_report_shows_worst_and_best_pictures_of_both_parts(two_class_run):
    _, folder, result = two_class_run
    result.save(folder)
    page = (folder / "report.html").read_text(encoding="utf-8")
    for key in ("test-worst-0", "val-worst-0"):
        assert f'"key":"{key}"' in page


def test_what_is_no_number_is_a_dash_on_the_console_and_in_the_tiles(mask_run):
    result = replace(mask_run[2], measured={"val": {"loss": 1.0, "map_small": math.nan}})
    assert "val: loss 1.0000, map_small –" in str(result)
    assert not re.search(r">\s*nan\b", train_page(result, mask_run[1]))


def test_the_network_of_a_result_is_the_one_that_its_folder_holds(mask_run):
    _, folder, result = mask_run
    ours, theirs = trained_of(result, folder), read_trained(folder, device="cpu")
    assert (ours.task, ours.mode, ours.names, ours.classes, ours.placement) == (
        theirs.task,
        theirs.mode,
        theirs.names,
        theirs.classes,
        theirs.placement,
    )
    for name, value in ours.model.state_dict().items():
        assert torch.equal(value, theirs.model.state_dict()[name])


def test_a_training_without_a_folder_of_its_own_can_be_saved(squares, tmp_path):
    (tmp_path / "data").mkdir()
    dataset = squares(tmp_path / "data", ("cell",), splits=("train",) * 4 + ("val",) * 2)
    chosen = {"size": 16, "epochs": 1, "batch_size": 2, "data": {"workers": 0}, "hardware": {"device": "cpu"}}
    result = train(dataset, TrainConfig.make(network={"name": "unet", "width": 4, "depth": 1}, **chosen))
    (tmp_path / "out").mkdir()
    written = result.save(tmp_path / "out")
    assert (tmp_path / "out" / "report.html") in written
    assert all(path.exists() for path in written)
