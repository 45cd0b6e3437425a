import pytest
from builders import boxes_dataset

import burnish
from burnish.cli.app import run
from burnish.data.findings import counts_by_kind
from burnish.errors import FormatError
from burnish.inspect.settings import ConvertConfig, HomeConfig


def corners(dataset):
    return sorted(dataset.annotations.select("image", "class", "x1", "y1", "x2", "y2").rows())


@pytest.mark.parametrize("options", [{"scale": "0.5,2"}, {"tiles": "20x24+8", "samples": {"min_visible": 0}}])
@pytest.mark.parametrize("form", ["yolo", "coco"])
def test_what_is_written_as_samples_comes_home(tmp_path, options, form):
    dataset = boxes_dataset(tmp_path / "data")
    burnish.convert(dataset, ConvertConfig.make(to=form, **options)).save(tmp_path / "samples")
    made = burnish.home(burnish.open(tmp_path / "samples"), dataset)
    assert [tuple(map(float, row)) for row in corners(made.dataset)] == [pytest.approx(row, abs=1e-5) for row in corners(dataset)]
    assert not {"unknown_sample", "unknown_source"} & set(counts_by_kind(made.findings))


def test_frames_of_a_recorded_video_come_home_to_their_task(backups, tmp_path):
    backup = burnish.open(backups / "13_backup.008.zip")
    burnish.convert(backup, ConvertConfig(to="yolo", task="detect", scale="2")).save(tmp_path / "samples")
    made = burnish.home(burnish.open(tmp_path / "samples"), backup).dataset
    assert made.tasks["name"].to_list() == ["clip"]
    assert made.annotations["image"].is_in(backup.images["id"].implode()).all()
    assert made.annotations.height == burnish.open(tmp_path / "samples").annotations.height


def test_without_a_manifest_it_is_said_where_to_name_one(tmp_path):
    dataset = boxes_dataset(tmp_path / "data")
    with pytest.raises(FormatError, match="--manifest"):
        burnish.home(dataset, dataset)
    burnish.convert(dataset, ConvertConfig(to="yolo", scale="2")).save(tmp_path / "samples")
    moved = burnish.open(tmp_path / "samples")
    (tmp_path / "samples/samples.csv").rename(tmp_path / "kept.csv")
    (tmp_path / "samples/samples.parquet").unlink()
    assert burnish.home(moved, dataset, HomeConfig(manifest=str(tmp_path / "kept.csv"))).dataset.annotations.height == 8


def test_the_command_line_carries_home(tmp_path):
    dataset = boxes_dataset(tmp_path / "data")
    burnish.convert(dataset, ConvertConfig(to="coco")).save(tmp_path / "coco")
    assert (
        run(["convert", str(tmp_path / "coco"), str(tmp_path / "tiles"), "--to", "yolo", "--tiles", "20x24", "--scale", "any:1,1.5..2"])
        == 0
    )
    assert run(["home", str(tmp_path / "tiles"), str(tmp_path / "coco"), "--out", str(tmp_path / "home"), "--merge", "0.5"]) == 0
    assert len(burnish.open(tmp_path / "home")) == 4
