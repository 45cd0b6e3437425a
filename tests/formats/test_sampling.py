import hashlib

import numpy as np
import polars as pl
import pytest
from builders import boxes_dataset
from video_builders import HEIGHT, WIDTH, number_of, write_clip

import burnish
from burnish.data.dataset import make_dataset
from burnish.data.findings import counts_by_kind
from burnish.data.samples import Sampling
from burnish.data.scales import parse_scales
from burnish.data.tile_size import TileSize
from burnish.engine.map import Engine
from burnish.errors import ConfigError, FormatError
from burnish.formats.recognise import write_dataset
from burnish.formats.sample_manifest import read_manifest
from burnish.inspect.settings import ConvertConfig, SamplesConfig
from burnish.media.images import read_image

PICTURED = ["yolo", "coco", "voc", "masks", "labelme", "via_csv", "jsonl"]


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A video whose frames show their numbers; the task takes each third, and its objects are a car that is tracked and a mask."""
    root = tmp_path_factory.mktemp("clip")
    write_clip(root / "street.mp4", 30)
    frames = list(range(10))
    return make_dataset(
        root,
        media=pl.DataFrame({"id": [0], "path": ["street.mp4"], "kind": ["video"], "frame_count": [30]}),
        tasks=pl.DataFrame({"id": [0], "name": ["street"], "step": [3]}),
        images=pl.DataFrame(
            {"id": frames, "media": 0, "task": 0, "frame": frames, "true_frame": [3 * n for n in frames], "width": WIDTH, "height": HEIGHT}
        ),
        annotations=pl.DataFrame(
            {
                "id": [1, 2, 3],
                "image": [2, 6, 7],
                "class": 0,
                "kind": "box",
                "track": 1,
                "keyframe": True,
                "outside": [False, False, True],
                "x1": [0.0, 40.0, 40.0],
                "y1": 0.0,
                "x2": [16.0, 56.0, 56.0],
                "y2": 16.0,
            }
        ),
        classes=pl.DataFrame({"id": [0], "name": ["car"]}),
    )


@pytest.mark.parametrize("form", PICTURED)
def test_frames_of_a_video_become_the_right_pictures_in_every_format(clip, tmp_path, form):
    labelled = clip
    if form == "jsonl":  # one label a picture
        tags = clip.annotations.with_columns(kind=pl.lit("tag"), track=None, keyframe=None, outside=False)
        labelled = clip.with_tables(annotations=tags)
    write_dataset(labelled, tmp_path / "out", form)
    manifest = read_manifest(tmp_path / "out")
    assert manifest["true_frame"].to_list() == [3 * n for n in range(10)]
    for sample, number in manifest.select("sample", "true_frame").iter_rows():
        assert sample.endswith(f"street_{number:06d}.jpg")
        assert number_of(read_image(tmp_path / "out" / sample)) == number
    again = burnish.open(tmp_path / "out")
    assert len(again) == 10
    assert set(again.media["path"]) <= set(manifest["sample"]) | {s.rpartition("/")[2] for s in manifest["sample"]}


def test_a_track_stands_on_every_frame_between_its_key_frames(clip, tmp_path):
    write_dataset(clip, tmp_path / "out", "yolo", task="detect")
    texts = {path.stem: path.read_text() for path in (tmp_path / "out/labels").rglob("*.txt")}
    assert sorted(name for name, text in texts.items() if text) == [f"street_{n:06d}" for n in (6, 9, 12, 15, 18)]
    left = [float(texts[f"street_{n:06d}"].split()[1]) - 8 / WIDTH for n in (6, 9, 12, 15, 18)]
    assert left == pytest.approx([x / WIDTH for x in (0, 10, 20, 30, 40)])


def test_the_manifest_names_the_bytes_of_each_sample(clip, tmp_path):
    write_dataset(clip, tmp_path / "out", "coco")
    manifest = read_manifest(tmp_path / "out/samples.csv")
    assert manifest.equals(read_manifest(tmp_path / "out/samples.parquet"))
    for sample, told in manifest.select("sample", "hash").iter_rows():
        assert hashlib.blake2b((tmp_path / "out" / sample).read_bytes(), digest_size=16).hexdigest() == told


def test_tiles_show_the_pixels_and_the_boxes_that_the_manifest_says(clip, tmp_path):
    sampling = Sampling(scales=parse_scales(2), tile=TileSize(48, 64), min_visible=0.2)
    write_dataset(clip, tmp_path / "out", "yolo", sampling=sampling, task="detect")
    for row in read_manifest(tmp_path / "out").filter(pl.col("true_frame") == 12).iter_rows(named=True):
        tile = read_image(tmp_path / "out" / row["sample"])
        assert tile.shape[:2] == (row["y2"] - row["y1"], row["x2"] - row["x1"]) == (48, 64)
        whole = np.kron((12 >> np.arange(12) & 1).reshape(3, 4), np.ones((32, 32))) * 200 + 28
        assert np.abs(tile.mean(axis=2) - whole[row["y1"] : row["y2"], row["x1"] : row["x2"]]).mean() < 8
    again = burnish.open(tmp_path / "out")
    boxes = again.annotations.join(again.media.select("path", image="id"), on="image").filter(pl.col("path").str.contains("_000012_"))
    home = {row["sample"].rpartition("/")[2]: row for row in read_manifest(tmp_path / "out").iter_rows(named=True)}
    corners = [
        [x / 2 for x in (b["x1"] + m["x1"], b["y1"] + m["y1"], b["x2"] + m["x1"], b["y2"] + m["y1"])]
        for b in boxes.iter_rows(named=True)
        for m in [home[b["path"].rpartition("/")[2]]]
    ]
    assert min(c[0] for c in corners) == pytest.approx(20)
    assert max(c[2] for c in corners) == pytest.approx(36)


def test_pictures_that_stay_as_they_are_keep_their_bytes_and_others_become_jpeg(tmp_path):
    dataset = boxes_dataset(tmp_path / "data")
    write_dataset(dataset, tmp_path / "out", "yolo", sampling=Sampling(scales=parse_scales([1, 0.5])))
    for number in range(4):
        assert (tmp_path / f"out/images/{number}.jpg").read_bytes() == (tmp_path / f"data/images/{number}.jpg").read_bytes()
        assert read_image(tmp_path / f"out/images/{number}_scale=0.5.jpg").shape == (12, 16, 3)
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_symlink()]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "out"]


def test_links_to_what_was_made_outlive_the_making(clip, tmp_path):
    write_dataset(clip, tmp_path / "out", "yolo", media="link")
    assert number_of(read_image(tmp_path / "out/images/street_000027.jpg")) == 27


def test_a_dataset_of_pictures_is_written_as_before_where_nothing_is_asked(tmp_path):
    write_dataset(boxes_dataset(tmp_path / "data"), tmp_path / "out", "yolo")
    assert not (tmp_path / "out/samples.csv").exists()


def test_the_same_seed_makes_the_same_files_with_any_number_of_workers(clip, tmp_path):
    sampling = Sampling(scales=parse_scales("any:0.5,0.7..1.4"), tile=TileSize(32, 32), background=1, seed=4)
    for name, jobs in (("one", 1), ("many", 3)):
        write_dataset(clip, tmp_path / name, "yolo", sampling=sampling, engine=Engine(jobs))
    first, second = (read_manifest(tmp_path / name) for name in ("one", "many"))
    assert first.equals(second)
    assert first["hash"].null_count() == 0


def test_frames_that_cannot_be_had_are_told(clip, tmp_path):
    beyond = clip.with_tables(images=clip.images.with_columns(true_frame=pl.col("true_frame") + 10))
    kinds = counts_by_kind(write_dataset(beyond, tmp_path / "out", "yolo"))
    assert kinds["unreadable_frame"] == kinds["missing_file"] == 3
    wrong = clip.with_tables(images=clip.images.with_columns(width=pl.lit(99, dtype=pl.Int32)))
    assert counts_by_kind(write_dataset(wrong, tmp_path / "wrong", "yolo"))["size"] == 10


def test_without_media_only_labels_are_written(clip, tmp_path):
    write_dataset(clip, tmp_path / "out", "yolo", media="none")
    assert not list((tmp_path / "out").rglob("*.jpg"))
    assert len(list((tmp_path / "out/labels").rglob("*.txt"))) == 10
    assert read_manifest(tmp_path / "out")["hash"].null_count() == 10


def test_settings_that_no_samples_can_come_of_are_refused(clip, tmp_path):
    with pytest.raises(ConfigError, match="keeps a dataset as it is"):
        burnish.convert(clip, ConvertConfig(to="burnish", scale="0.5"))
    with pytest.raises(ConfigError, match="media none"):
        burnish.convert(clip, ConvertConfig(to="yolo", scale="0.5", media="none"))
    with pytest.raises(ConfigError, match="bus"):
        burnish.convert(clip, ConvertConfig(to="yolo", samples=SamplesConfig(min_visible_of={"bus": 0.2})))
    with pytest.raises(ConfigError, match="range of 3"):
        ConvertConfig.make(to="yolo", scale=[[1, 2, 3]])
    with pytest.raises(FormatError, match=r"samples\.csv"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("scale", ["1", "any:0.5,2"])
def test_a_recorded_backup_becomes_a_training_set(backups, tmp_path, scale):
    backup = burnish.open(backups / "13_backup.008.zip")
    burnish.convert(backup, ConvertConfig(to="yolo", task="detect", scale=scale)).save(tmp_path / "out")
    again = burnish.open(tmp_path / "out")
    assert len(again) == 30
    assert counts_by_kind(burnish.check(again).table).get("missing_file", 0) == 0
    assert read_manifest(tmp_path / "out")["source"].unique().to_list() == ["data/clip.mp4"]
