import av
import numpy as np
import polars as pl
import pytest
from video_builders import HEIGHT, WIDTH, number_of, numbered, write_clip

from burnish.config import ConfigError
from burnish.data.dataset import make_dataset
from burnish.errors import DataError
from burnish.inspect.annotated_video import preview_video
from burnish.media.images import encode_png, read_image
from burnish.media.video import open_video, probe_video
from burnish.media.video.writing import Encoding, write_gif, write_video
from burnish.testing.datasets import boxes_dataset, write_picture
from burnish.video.filters import filters
from burnish.video.pipeline import as_double, colours, pipeline, resize
from burnish.video.recording import filter_pictures, filter_video, pictures_to_video, recompress
from burnish.video.settings import FiltersConfig
from burnish.video.shots import cuts_among, find_shots


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("clips")
    (place / "deep").mkdir()
    write_clip(place / "one.mp4", 12)
    write_clip(place / "deep" / "two.mkv", 8)
    return place


def test_a_tree_is_mirrored_and_finished_results_are_kept(folder, tmp_path):
    chosen = FiltersConfig(steps=("resize:128", "timer"))
    written = filters(folder, chosen).save(tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in written] == ["deep/two.mp4", "one.mp4"]
    assert [probe_video(path).frames for path in written] == [8, 12]
    assert probe_video(written[0]).width == 128
    written[0].write_bytes(b"mine")
    filters(folder, chosen).save(tmp_path)
    assert written[0].read_bytes() == b"mine"
    filters(folder, chosen).save(tmp_path, force=True)
    assert probe_video(written[0]).frames == 8
    assert not list(tmp_path.rglob("*.part"))


def test_a_step_and_a_rate_of_one_s_own(folder, tmp_path):
    (path,) = filters(folder / "one.mp4", FiltersConfig(step=3, fps=5)).save(tmp_path)
    with open_video(path) as video:
        assert [number_of(frame.pixels) for frame in video.frames()] == [0, 3, 6, 9]
        assert video.info.fps == 5


def test_bad_videos_are_told_and_do_not_stop_the_others(folder, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.mp4").write_bytes(b"")
    (tmp_path / "in/b.mp4").write_bytes((folder / "one.mp4").read_bytes())
    filters(tmp_path / "in").save(tmp_path / "out")
    assert probe_video(tmp_path / "out/b.mp4").frames == 12
    assert "0 bytes" in (tmp_path / "out/findings.csv").read_text("utf-8")


def test_filters_around_others_are_written_as_lists():
    made = FiltersConfig.make(steps=[{"beside": ["resize:32", {"colours": {"source": "rgb", "target": "grey"}}]}, "caption:{text: a b}"])
    assert made.steps[0] == 'beside:["resize:32", {"colours": {"source": "rgb", "target": "grey"}}]'


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("resise:3", "no filter 'resise'. Did you mean 'resize'"),
        ("resize:{sid: 3}", "no setting 'sid'. Did you mean 'side'"),
        ("caption", "cannot be made of"),
        ("caption:{text", "cannot be read"),
    ],
)
def test_filters_that_are_not_there_are_refused_before_any_work(folder, step, message):
    with pytest.raises(ConfigError, match=message):
        filters(folder, FiltersConfig(steps=(step,)))


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("a.mp4", Encoding()),
        ("a.mkv", Encoding("ffv1")),
        ("a.webm", Encoding("vp9")),
        ("a.mkv", Encoding("av1")),
        ("a.avi", Encoding("mpeg4")),
        ("a.avi", Encoding("mjpeg")),
        ("a.mov", Encoding("h265")),
    ],
    ids=str,
)
def test_what_is_written_is_read_again(tmp_path, name, encoding):
    tinted = [np.clip(numbered(n).astype(int) * (1, 0.6, 0.3), 0, 255).astype(np.uint8) for n in range(20)]
    assert write_video(tmp_path / name, tinted, fps=30_000 / 1001, encoding=encoding) == 20
    with open_video(tmp_path / name) as video:
        read = [frame.pixels for frame in video.frames()]
        assert video.info.fps == pytest.approx(29.97, abs=0.02)
    assert [number_of(pixels * np.array((1, 1.6, 3.3))) for pixels in read] == list(range(20))
    assert np.abs(np.mean(read, axis=(0, 1, 2)) - np.mean(tinted, axis=(0, 1, 2))).max() < (0.01 if encoding.codec == "ffv1" else 6)


def test_odd_sides_get_one_more_row_and_column(tmp_path):
    write_video(tmp_path / "a.mp4", [np.full((31, 45, 3), 90, np.uint8)] * 3)
    info = probe_video(tmp_path / "a.mp4")
    assert (info.width, info.height) == (46, 32)


def test_a_video_that_cannot_be_written_leaves_nothing(tmp_path):
    uneven = [np.zeros((32, 32, 3), np.uint8), np.zeros((16, 16, 3), np.uint8)]
    with pytest.raises(DataError, match=r"Frame 1 for .* is 16 x 16, the first was 32 x 32"):
        write_video(tmp_path / "a.mp4", uneven)
    with pytest.raises(DataError, match="no frame"):
        write_video(tmp_path / "a.mp4", [])
    with pytest.raises(ConfigError, match=r"found '\.xyz'"):
        write_video(tmp_path / "a.xyz", uneven[:1])
    with pytest.raises((ConfigError, DataError), match=r"webm|another ending"):
        write_video(tmp_path / "a.webm", uneven[:1])
    assert not list(tmp_path.iterdir())


def test_an_animation_keeps_frames_and_rate(tmp_path):
    assert write_gif(tmp_path / "a.gif", [numbered(n) for n in range(6)], fps=10) == 6
    with open_video(tmp_path / "a.gif") as video:
        assert [number_of(frame.pixels) for frame in video.frames()] == list(range(6))
        assert video.info.fps == pytest.approx(10)


def test_a_filter_that_gives_no_picture_is_told(folder, tmp_path):

    with pytest.raises(DataError, match="came out of the filters as float64"):
        filter_video(folder / "one.mp4", tmp_path / "a.mp4", as_double())


def test_pictures_of_a_tree_are_filtered_too(tmp_path):
    for name in ("a.jpg", "deep/b.png"):
        write_picture(tmp_path / "in" / name)
    (tmp_path / "in/bad.png").write_bytes(b"no")
    notes = filter_pictures(tmp_path / "in", tmp_path / "out", pipeline(resize(16), colours("rgb", "grey")))
    assert read_image(tmp_path / "out/deep/b.png").shape == (12, 16, 3)
    assert [note["path"] for note in notes] == ["bad.png"]


def test_a_folder_of_pictures_becomes_a_video_in_natural_order(tmp_path):

    for n in range(12):
        (tmp_path / f"image_{n}.png").write_bytes(encode_png(numbered(n)))
    assert pictures_to_video(tmp_path, tmp_path / "out.mp4", fps=12) == 12
    with open_video(tmp_path / "out.mp4") as video:
        assert [number_of(frame.pixels) for frame in video.frames()] == list(range(12))


def test_recompressing_keeps_frames_times_and_sound(tmp_path):

    times = [0, 40, 41, 500, 900, 1500]
    write_clip(tmp_path / "a.mkv", 6, times=times, codec="ffv1", sound=True)
    assert recompress(tmp_path / "a.mkv", tmp_path / "b.mkv") == 6
    with open_video(tmp_path / "b.mkv") as video:
        assert [number_of(frame.pixels) for frame in video.frames()] == list(range(6))
        assert [round(1000 * s) for s in video.index.seconds] == times
    with av.open(str(tmp_path / "b.mkv")) as container:
        assert len(container.streams.audio) == 1


def test_the_annotations_of_a_video_are_drawn_on_its_frames(folder, tmp_path):
    dataset = make_dataset(
        folder,
        media=pl.DataFrame({"id": [1], "path": ["one.mp4"], "kind": ["video"]}),
        images=pl.DataFrame({"id": [1, 2], "media": 1, "true_frame": [2, 5], "width": WIDTH, "height": HEIGHT}),
        annotations=pl.DataFrame(
            {
                "id": [1, 2],
                "image": [1, 2],
                "class": 0,
                "kind": "box",
                "track": 3,
                "x1": 4.0,
                "y1": 20.0,
                "x2": 40.0,
                "y2": 44.0,
                "outside": [False, True],
            }
        ),
        classes=pl.DataFrame({"id": [0], "name": ["car"]}),
    )
    assert preview_video(dataset, tmp_path / "all.mp4", encoding=Encoding(quality=90)) == 12
    with open_video(tmp_path / "all.mp4") as drawn, open_video(folder / "one.mp4") as plain:
        changed = [n for n in range(12) if np.abs(drawn.read(n).astype(int) - plain.read(n)).max() > 60]
    assert changed == [2]
    assert preview_video(dataset, tmp_path / "some.gif", every_frame=False) == 2


def test_pictures_are_shown_one_after_another(tmp_path):

    assert preview_video(boxes_dataset(tmp_path), tmp_path / "out.mp4") == 4
    assert probe_video(tmp_path / "out.mp4").fps == 3


def test_sudden_changes_are_cuts_and_steady_ones_are_not():
    calm = np.full(40, 0.03)
    calm[[12, 30]] = 0.5, 0.2
    assert cuts_among(calm) == [12, 30]
    assert cuts_among(np.full(40, 0.6)) == []
    assert cuts_among(np.zeros(3)) == []


@pytest.mark.parametrize(("name", "cuts"), [("bikes.mp4", [30, 76, 137, 187, 242]), ("nasa_13013.mp4", [202])])
def test_the_cuts_of_real_videos_are_found_and_no_others(shared_data, name, cuts):
    with open_video(shared_data / "video" / name) as video:
        assert find_shots(video) == cuts


def test_people_walking_are_no_cut(shared_data):
    with open_video(shared_data / "tracking/TUD-Campus/frames.mp4") as video:
        assert find_shots(video) == []


def test_tracks_of_key_frames_are_drawn_on_the_frames_between(folder, tmp_path):
    frames = range(12)
    keys = {"id": [1, 2], "image": [0, 10], "class": 0, "kind": "box", "track": 1, "keyframe": True}
    drawn = make_dataset(
        folder,
        media=pl.DataFrame({"id": [1], "path": ["one.mp4"], "kind": ["video"]}),
        images=pl.DataFrame({"id": frames, "media": 1, "frame": frames, "true_frame": frames, "width": WIDTH, "height": HEIGHT}),
        annotations=pl.DataFrame(keys | {"x1": [0.0, 20.0], "y1": 10.0, "x2": [20.0, 40.0], "y2": 40.0}),
        classes=pl.DataFrame({"id": [0], "name": ["car"], "colour": ["#ff0000"]}),
    )
    preview_video(drawn, tmp_path / "drawn.mp4")
    with open_video(tmp_path / "drawn.mp4") as seen, open_video(folder / "one.mp4") as plain:
        # Between, the left edge of the box is half-way.
        change = np.abs(seen.read(5).astype(int) - plain.read(5))[25:35].mean(axis=(0, 2))
        assert change[8:14].max() > change[:6].max() + 20
