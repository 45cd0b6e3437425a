import json

import av
import numpy as np
import polars as pl
import pytest
from video_builders import number_of, write_clip

from burnish.config import ConfigError
from burnish.data.dataset import make_dataset
from burnish.data.invariants import broken_invariants
from burnish.errors import DataError
from burnish.media.video import open_video
from burnish.media.video.copying import Span
from burnish.video.cut import cut, read_part_map
from burnish.video.part_labels import labels_to_parts, labels_to_whole
from burnish.video.parts import moved_back, spans
from burnish.video.settings import CutConfig

GROUPS_OF_TEN = {"x264-params": "keyint=10:min-keyint=10:bframes=2:scenecut=0"}
OPEN_GROUPS = {"x264-params": "open-gop=1:keyint=12:min-keyint=12:bframes=3:b-adapt=0:scenecut=0"}


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("clips") / "street.mp4", 60, options=GROUPS_OF_TEN, sound=True)


def shown(path):
    with open_video(path) as video:
        return [number_of(frame.pixels) for frame in video.frames()]


def all_shown(written):
    return [number for path in written if path.suffix in {".mp4", ".mkv", ".ts"} for number in shown(path)]


@pytest.mark.parametrize(
    "settings",
    [{"seconds": 0.9}, {"at": ("15", "40-41")}, {"size": 6000}, {"seconds": 0.5, "exact": True}, {"at": ("1", "59"), "exact": True}],
    ids=str,
)
@pytest.mark.parametrize("container", ["mp4", "mkv", "ts"])
def test_parts_add_up_to_the_whole(clip, tmp_path, settings, container):
    written = cut(clip, CutConfig(**settings, container=container)).save(tmp_path / "out")
    assert all_shown(written) == list(range(60))
    assert sum(path.suffix == f".{container}" for path in written) > 1


def test_copied_parts_begin_at_the_key_frame_before_and_exact_ones_where_they_are_told(clip, tmp_path):
    assert [len(span) for span in cut(clip, CutConfig(at=("15",))).maps[0].spans] == [10, 50]
    written = cut(clip, CutConfig(at=("15",), exact=True)).save(tmp_path / "out")
    assert [shown(path) for path in written[:2]] == [list(range(15)), list(range(15, 60))]


def test_copied_parts_lose_nothing(clip, tmp_path):
    written = cut(clip, CutConfig(seconds=0.4)).save(tmp_path / "out")
    with open_video(clip) as whole, open_video(written[1]) as part:
        assert np.array_equal(part.read(3), whole.read(13))


def test_where_groups_are_open_packets_are_not_cut_apart_from_what_they_need(tmp_path):
    clip = write_clip(tmp_path / "open.mp4", 60, options=OPEN_GROUPS)
    planned = cut(clip, CutConfig(seconds=0.5))
    assert all_shown(planned.save(tmp_path / "out")) == list(range(60))


def test_sound_goes_along(clip, tmp_path):

    written = cut(clip, CutConfig(at=("20", "40"))).save(tmp_path / "out")
    lengths = []
    for path in written[:3]:
        with av.open(str(path)) as container:
            lengths.append(sum(frame.samples for frame in container.decode(audio=0)) / 8000)
    assert lengths == pytest.approx([0.8, 0.8, 0.8], abs=0.3)


def test_uneven_times_survive_copying_and_encoding(tmp_path):
    times = [t + 1000 * n for n in range(6) for t in (0, 40, 41, 120, 500, 501, 502, 900)]
    clip = write_clip(tmp_path / "uneven.mkv", 48, options={"x264-params": "keyint=8:min-keyint=8:bframes=0:scenecut=0"}, times=times)
    for exact in (False, True):
        second = cut(clip, CutConfig(at=("16", "24"), exact=exact)).save(tmp_path / f"out{exact}")[1]
        with open_video(second) as video:
            assert [round(1000 * s) for s in video.index.seconds] == [t - times[16] for t in times[16:24]]


def test_the_map_tells_part_and_frame_of_every_frame_and_can_be_read_again(clip, tmp_path):
    planned = cut(clip, CutConfig(at=("20",)))
    planned.save(tmp_path / "out")
    table = pl.read_csv(tmp_path / "out" / "cut.csv")
    assert table.row(25, named=True) == {"part": 2, "path": "street-2.mp4", "frame": 5, "whole_frame": 25, "seconds": 1.0}
    assert json.loads((tmp_path / "out" / "cut.json").read_text("utf-8"))["parts"][1]["start"] == 20
    assert read_part_map(tmp_path / "out") == planned.maps[0]


def test_parts_larger_than_asked_for_are_told(clip):
    planned = cut(clip, CutConfig(size=100))
    assert len(planned.maps[0].spans) == 6
    assert set(planned.notes["kind"]) == {"large_part"}
    assert "key frames allow cuts before 5 of its 60 frames" in planned.notes["reason"][0]


def test_a_folder_of_videos_is_cut_each_into_its_own_folder(clip, tmp_path):
    (tmp_path / "in" / "a").mkdir(parents=True)
    for name in ("a/one.mp4", "two.mp4"):
        (tmp_path / "in" / name).write_bytes(clip.read_bytes())
    cut(tmp_path / "in", CutConfig(at=("20",))).save(tmp_path / "out")
    found = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.mp4"))
    assert found == ["a/one/one-1.mp4", "a/one/one-2.mp4", "two/two-1.mp4", "two/two-2.mp4"]


def test_a_filled_folder_is_refused_and_wrong_frames_too(clip, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("keep", encoding="utf-8")
    with pytest.raises(DataError, match="not empty"):
        cut(clip, CutConfig(at=("20",))).save(tmp_path / "out")
    with pytest.raises(ConfigError, match="cannot be cut at frame 60"):
        cut(clip, CutConfig(at=("60",)))
    with pytest.raises(ConfigError, match="'x' is no frame"):
        cut(clip, CutConfig(at=("x",)))
    with pytest.raises(ConfigError, match="one of seconds, size, at and scenes"):
        CutConfig.make()


def test_spans_meet_and_cover_everything():
    assert spans([5, 5, 0, 3, 99], 10) == [Span(0, 3), Span(3, 5), Span(5, 10)]
    assert moved_back([4, 10, 25], np.array([0, 10, 20])) == [0, 10, 20]


@pytest.fixture
def tracked(clip):
    """Two tracks over the clip: one on all frames, with key frames at its ends alone; one on the first ten."""
    frames = list(range(60))
    rows = [(n, 1, n in {0, 59}) for n in frames] + [(n, 2, n == 0) for n in range(10)]
    return make_dataset(
        clip.parent,
        media=pl.DataFrame({"id": [4], "path": [clip.name], "kind": ["video"], "frame_count": [60], "fps": [25.0]}),
        images=pl.DataFrame(
            {"id": [100 + n for n in frames], "media": 4, "frame": frames, "true_frame": frames, "width": 64, "height": 48}
        ),
        annotations=pl.DataFrame(
            {
                "id": list(range(len(rows))),
                "image": [100 + n for n, _, _ in rows],
                "class": 0,
                "kind": "box",
                "x1": [float(n) / 2 for n, _, _ in rows],
                "y1": 0.0,
                "x2": [float(n) / 2 + 8 for n, _, _ in rows],
                "y2": 8.0,
                "track": [track for _, track, _ in rows],
                "keyframe": [key for _, _, key in rows],
            }
        ),
        classes=pl.DataFrame({"id": [0], "name": ["car"]}),
    )


def test_labels_follow_to_the_parts_and_back(clip, tracked, tmp_path):
    planned = cut(clip, CutConfig(at=("20", "40")))
    planned.save(tmp_path / "out")
    parts = labels_to_parts(tracked, planned.maps[0])
    assert parts.media.select("path", "frame_count").rows() == [("street-1.mp4", 20), ("street-2.mp4", 20), ("street-3.mp4", 20)]
    assert parts.images.filter(pl.col("id") == 125).select("true_frame", "frame").row(0) == (5, 5)
    assert broken_invariants(parts).is_empty()
    whole = labels_to_whole(parts, planned.maps[0])
    assert whole.images.drop("media").equals(tracked.images.drop("media"))
    assert whole.media.drop("id").equals(tracked.media.drop("id"))
    assert whole.annotations.drop("keyframe").equals(tracked.annotations.drop("keyframe"))


def test_tracks_have_key_frames_at_cuts(clip, tracked):
    parts = labels_to_parts(tracked, cut(clip, CutConfig(at=("20", "40"))).maps[0])
    keys = parts.annotations.filter("keyframe").join(tracked.images.select(pl.col("id").alias("image"), whole="true_frame"), on="image")
    assert sorted(keys.filter(pl.col("track") != 2)["whole"]) == [0, 19, 20, 39, 40, 59]
    assert sorted(keys.filter(track=2)["whole"]) == [0]


def test_labels_of_another_video_are_refused(clip, tracked):
    planned = cut(clip, CutConfig(at=("20",))).maps[0]
    other = tracked.with_tables(media=tracked.media.with_columns(path=pl.lit("other.mp4")))
    with pytest.raises(DataError, match=r"no media row for street\.mp4"):
        labels_to_parts(other, planned)
    beyond = tracked.with_tables(images=tracked.images.with_columns(true_frame=pl.col("true_frame") + 1))
    with pytest.raises(DataError, match="1 frames of the dataset are not on the map, the first is 60"):
        labels_to_parts(beyond, planned)
