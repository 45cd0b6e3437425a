import av
import numpy as np
import polars as pl
import pytest
from video_builders import HEIGHT, WIDTH, number_of, write_clip

from burnish.config import ConfigError
from burnish.engine.map import Engine
from burnish.errors import DataError
from burnish.media.images import read_image
from burnish.media.video import open_video
from burnish.video.extract import extract, runs_between_keys
from burnish.video.numbers import one_every, parse_numbers
from burnish.video.settings import ExtractConfig


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("clips") / "street.mp4", 60)


def taken(folder, **settings):
    def save(source):
        extract(source, ExtractConfig(**settings), engine=Engine(2)).save(folder)
        table = pl.read_csv(folder / "frames.csv")
        assert [number_of(read_image(folder / path)) for path in table["path"]] == table["true_frame"].to_list()
        return table

    return save


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, range(60)),
        ({"step": 7}, range(0, 60, 7)),
        ({"every": 0.5}, [0, 13, 25, 38, 50]),
        ({"frames": ("3,5-7", "59")}, [3, 5, 6, 7, 59]),
        ({"format": "png", "step": 20}, [0, 20, 40]),
    ],
    ids=str,
)
def test_the_frames_that_are_meant_are_taken_each_under_its_own_number(clip, tmp_path, settings, expected):
    table = taken(tmp_path, **settings)(clip)
    assert table["true_frame"].to_list() == list(expected)
    assert table["frame"].to_list() == list(range(len(expected)))
    assert table["seconds"].to_list() == pytest.approx([n / 25 for n in expected])


def test_png_pictures_are_the_reader_s_own_pixels_and_jpeg_ones_are_near(clip, tmp_path):
    taken(tmp_path / "png", format="png", frames=("7",))(clip)
    taken(tmp_path / "jpg", frames=("7",), quality=95)(clip)
    with open_video(clip) as video:
        pixels = video.read(7)
    assert np.array_equal(read_image(tmp_path / "png/000007.png"), pixels)
    near = read_image(tmp_path / "jpg/000007.jpg").astype(float)
    assert np.abs(near - pixels).mean() < 2


@pytest.mark.parametrize("colourspace", [1, 5, 9])
def test_jpeg_pictures_have_the_colours_of_the_video_whatever_its_matrix(tmp_path, colourspace):

    path = tmp_path / "colours.mkv"
    patches = np.kron(np.array([[[200, 40, 40], [40, 180, 60]], [[30, 60, 200], [220, 200, 60]]]), np.ones((32, 32, 1))).astype(np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "1"})
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        stream.codec_context.colorspace, stream.codec_context.color_range = colourspace, 1
        frame = av.VideoFrame.from_ndarray(patches, format="rgb24").reformat(
            format="yuv420p", dst_colorspace=colourspace, dst_color_range=1
        )
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    extract(path, ExtractConfig(quality=100)).save(tmp_path / "out")
    with open_video(path) as video:
        read = video.read(0)
    centres = np.ix_((16, 48), (16, 48))
    assert np.abs(read[centres].astype(int) - patches[centres]).max() <= 6
    assert np.abs(read_image(tmp_path / "out/000000.jpg")[centres].astype(int) - patches[centres]).max() <= 8


def test_turned_videos_become_upright_pictures(tmp_path):
    clip = write_clip(tmp_path / "turned.mp4", 4, rotation=90)
    extract(clip).save(tmp_path / "out")
    assert read_image(tmp_path / "out/000002.jpg").shape == (WIDTH, HEIGHT, 3)


def test_a_stopped_extraction_goes_on_and_makes_nothing_twice(clip, tmp_path):
    taken(tmp_path, step=10)(clip)
    (tmp_path / "000030.jpg").unlink()
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.jpg")}
    taken(tmp_path, step=10)(clip)
    after = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.jpg")}
    assert {name: after[name] for name in before} == before
    assert "000030.jpg" in after


def test_other_settings_do_not_mix_into_a_folder(clip, tmp_path):
    taken(tmp_path, step=10)(clip)
    with pytest.raises(DataError, match="not empty"):
        extract(clip, ExtractConfig(step=9)).save(tmp_path)


def test_of_a_folder_each_video_has_its_own_and_bad_files_are_told(clip, tmp_path):
    (tmp_path / "in/deep").mkdir(parents=True)
    for name in ("deep/a.mp4", "b.mp4", "b.mkv"):
        (tmp_path / "in" / name).write_bytes(clip.read_bytes())
    (tmp_path / "in/bad.mp4").write_bytes(b"")
    table = taken(tmp_path / "out", step=30)(tmp_path / "in")
    assert set(table["path"]) >= {"deep/a/000030.jpg", "b_mp4/000000.jpg", "b_mkv/000030.jpg"}
    notes = pl.read_csv(tmp_path / "out/findings.csv")
    assert notes.select("kind", "path").rows() == [("unreadable_video", "bad.mp4")]


def test_what_a_broken_video_lacks_is_told(shared_data, tmp_path):
    table = extract(shared_data / "video/bitflips_in_middle.mp4").save(tmp_path) and pl.read_csv(tmp_path / "frames.csv")
    notes = pl.read_csv(tmp_path / "findings.csv")
    assert table.height + notes.filter(kind="unreadable_frame").height == 325
    assert notes.filter(kind="damaged_frame").height > 5


def test_frames_that_are_not_there_are_refused(clip, tmp_path):
    with pytest.raises(DataError, match="has 60 frames, numbered from 0; number 60"):
        extract(clip, ExtractConfig(frames=("60",))).save(tmp_path / "out")
    with pytest.raises(ConfigError, match="'9-3' is no frame"):
        extract(clip, ExtractConfig(frames=("9-3",)))
    with pytest.raises(ConfigError, match="exclude one another"):
        ExtractConfig.make(step=2, every=1.0)
    with pytest.raises(DataError, match="no video below"):
        extract(tmp_path)


def test_numbers_are_read_as_people_write_them():
    assert parse_numbers(["5", "1-3, 2", "9"]) == [1, 2, 3, 5, 9]
    assert one_every(np.array([0.0, 0.04, 0.5, 0.999, 2.5]), 1.0) == [0, 3, 4]


def test_several_workers_make_the_same_pictures_as_one(tmp_path):
    long = write_clip(tmp_path / "long.mp4", 200, options={"x264-params": "keyint=20:min-keyint=20:scenecut=0:bframes=3:open-gop=1"})
    alone, together = (extract(long, engine=Engine(jobs)).save(tmp_path / str(jobs))[0] for jobs in (1, 2))
    with open_video(long) as video:
        assert len(runs_between_keys(video, list(range(200)))) >= 4
    assert [path.name for path in sorted(together.glob("*.jpg"))] == [f"{n:06d}.jpg" for n in range(200)]
    for n in range(200):
        assert number_of(read_image(together / f"{n:06d}.jpg")) == n
        assert (together / f"{n:06d}.jpg").read_bytes() == (alone / f"{n:06d}.jpg").read_bytes()
