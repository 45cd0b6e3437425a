"""The number in the pixels must be the number that was asked for: for every coding, container and order of access."""

import random

import av
import numpy as np
import pytest
from video_builders import HEIGHT, WIDTH, add_beep, number_of, write_clip

from burnish.media.video import UnreadableVideo, open_video, probe_video

OPEN_GOP = {"x264-params": "open-gop=1:keyint=12:min-keyint=12:bframes=3:b-adapt=0:scenecut=0"}
CLOSED_GOP = {"x264-params": "keyint=10:min-keyint=10:bframes=2:scenecut=0"}
REFRESH = {"x264-params": "intra-refresh=1:keyint=10:bframes=0"}

KINDS = {
    "h264 in mp4": ("a.mp4", "libx264", CLOSED_GOP),
    "h264 with open groups in mp4": ("a.mp4", "libx264", OPEN_GOP),
    "h264 with open groups in mkv": ("a.mkv", "libx264", OPEN_GOP),
    "h264 with gradual refresh": ("a.mp4", "libx264", REFRESH),
    "h264 in a transport stream": ("a.ts", "libx264", OPEN_GOP),
    "h264 in avi, which has no presentation times": ("a.avi", "libx264", CLOSED_GOP),
    "h264 without a container, which has no times at all": ("a.h264", "libx264", CLOSED_GOP),
    "h265 in mp4": ("a.mp4", "libx265", {"x265-params": "log-level=error:keyint=12:bframes=3:open-gop=1"}),
    "mpeg4 with b-frames in avi": ("a.avi", "mpeg4", {"bf": 2, "g": 9}),
    "mpeg4 in mp4": ("a.mp4", "mpeg4", {"bf": 2, "g": 9}),
    "mpeg2 in a program stream": ("a.mpg", "mpeg2video", {"bf": 2, "g": 9}),
    "vp8 with hidden frames in webm": ("a.webm", "libvpx", {"auto-alt-ref": 1, "lag-in-frames": 12, "g": 15, "b": 200000}),
    "vp9 with hidden frames in webm": ("a.webm", "libvpx-vp9", {"auto-alt-ref": 1, "lag-in-frames": 12, "g": 15, "cpu-used": 8}),
    "av1 in mkv": ("a.mkv", "libsvtav1", {"preset": 12, "g": 15}),
    "ffv1 in mkv": ("a.mkv", "ffv1", {}),
    "mjpeg in avi": ("a.avi", "mjpeg", {}),
}
UNEVEN = [0, 40, 41, 120, 500, 501, 502, 1000, 1040, 1300]


@pytest.fixture(scope="module", params=KINDS)
def clip(request, tmp_path_factory):
    name, codec, options = KINDS[request.param]
    return write_clip(tmp_path_factory.mktemp("clips") / name, 47, codec=codec, options=options)


def test_every_frame_comes_once_and_in_order(clip):
    with open_video(clip) as video:
        assert [number_of(frame.pixels) for frame in video.frames()] == list(range(47))
        assert len(video) == video.info.frames == 47
        assert (video.info.width, video.info.height, video.unreadable) == (WIDTH, HEIGHT, set())


def test_any_order_gives_the_frames_that_were_asked_for(clip):
    order = [*random.Random(5).choices(range(47), k=25), 46, 0, 46, 45, 44, 1, 2, 2]  # noqa: S311 - any order, the same in every run
    with open_video(clip) as video:
        assert [number_of(video.read(number)) for number in order] == order


def test_jumping_gives_the_same_pixels_as_reading_through(clip):
    with open_video(clip, threads=1) as video:
        through = {frame.number: frame.pixels for frame in video.frames()}
    with open_video(clip, threads=2) as video:
        assert all((video.read(number) == through[number]).all() for number in (40, 3, 33, 11, 12, 46, 0))


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_uneven_times_are_kept(tmp_path, name):
    times = [t + 2000 * n for n in range(5) for t in UNEVEN]
    clip = write_clip(tmp_path / name, 50, options=CLOSED_GOP, times=times)
    with open_video(clip) as video:
        assert [number_of(frame.pixels) for frame in video.frames()] == list(range(50))
        assert video.info.variable_rate
        assert [round(1000 * second) for second in video.index.seconds] == times
        assert number_of(video.read(33)) == 33


def test_an_even_rate_is_told(tmp_path):
    info = probe_video(write_clip(tmp_path / "a.mp4", 50))
    assert (info.fps, info.seconds, info.variable_rate, info.codec) == (25, 2, False, "h264")


@pytest.mark.parametrize("kept", [0.5, 0.8, 0.99])
@pytest.mark.parametrize("name", ["a.mkv", "a.ts", "a.avi"])
def test_of_a_file_that_is_cut_short_what_is_left_is_read_and_nothing_is_repeated(tmp_path, name, kept):
    clip = write_clip(tmp_path / name, 200, options=CLOSED_GOP)
    clip.write_bytes(clip.read_bytes()[: int(clip.stat().st_size * kept)])
    with open_video(clip) as video:
        found = [number_of(frame.pixels) for frame in video.frames()]
        assert found == list(range(len(video)))
        assert 100 * kept - 10 < len(video) <= 200
        assert number_of(video.read(len(video) - 1)) == len(video) - 1


def test_a_cut_matroska_says_that_its_end_is_missing(tmp_path):
    clip = write_clip(tmp_path / "a.mkv", 200, options=CLOSED_GOP)
    clip.write_bytes(clip.read_bytes()[: int(clip.stat().st_size * 0.6)])
    assert probe_video(clip).cut_short


def test_of_an_mp4_whose_pictures_are_cut_off_what_is_left_is_read(tmp_path):
    clip = write_clip(tmp_path / "whole.mp4", 200, options={**CLOSED_GOP}, form="mp4")
    # With the index in front, as downloads have it, the pictures are what a broken download lacks.

    with av.open(str(clip)) as source, av.open(str(tmp_path / "a.mp4"), "w", options={"movflags": "faststart"}) as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.size:
                packet.stream = stream
                target.mux(packet)
    front = tmp_path / "a.mp4"
    front.write_bytes(front.read_bytes()[: int(front.stat().st_size * 0.7)])
    with open_video(front) as video:
        assert [number_of(frame.pixels) for frame in video.frames()] == list(range(len(video)))
        assert 60 < len(video) < 180
        assert (video.info.announced, video.info.cut_short) == (200, True)


def test_a_damaged_place_does_not_shift_what_is_behind_it(tmp_path):
    clip = write_clip(tmp_path / "a.mp4", 120, options=CLOSED_GOP)
    data = bytearray(clip.read_bytes())
    middle = data.index(b"mdat") + 2000
    data[middle : middle + 60] = bytes(60)
    clip.write_bytes(bytes(data))
    with open_video(clip) as video:
        shown = {frame.number: number_of(frame.pixels) for frame in video.frames()}
        assert len(video) == 120
        wrong = [number for number in range(120) if shown.get(number) != number]
        assert wrong
        assert wrong[-1] - wrong[0] < 20  # two groups of pictures
        assert [number_of(video.read(number)) for number in (119, 2, 100)] == [119, 2, 100]


@pytest.mark.parametrize(("rotation", "size"), [(90, (HEIGHT, WIDTH)), (180, (WIDTH, HEIGHT)), (270, (HEIGHT, WIDTH))])
def test_turned_videos_are_shown_upright(tmp_path, rotation, size):

    clip = write_clip(tmp_path / "a.mp4", 12, rotation=rotation)
    with open_video(clip) as video:
        assert (video.info.width, video.info.height) == size
        assert video.info.rotation in {rotation, 360 - rotation}
        back = np.rot90(video.read(7), video.info.rotation // 90)
        assert number_of(back) == 7


def test_a_number_that_is_not_there_is_refused(tmp_path):
    clip = write_clip(tmp_path / "a.mp4", 5)
    with open_video(clip) as video:
        for number in (-1, 5):
            with pytest.raises(ValueError, match=f"has 5 frames, numbered from 0; number {number} was asked for"):
                video.read(number)


def test_what_is_no_video_is_told_in_words(tmp_path):
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "text.mp4").write_text("hello there", encoding="utf-8")
    (tmp_path / "moov.mp4").write_bytes(write_clip(tmp_path / "a.mp4", 9).read_bytes()[:800])
    for name, reason in (("empty", "0 bytes"), ("text", "text, not a video"), ("moov", "without its index"), ("none", "no such file")):
        with pytest.raises(UnreadableVideo, match=reason):
            probe_video(tmp_path / f"{name}.mp4")


def test_sound_alone_is_no_video(tmp_path):

    with av.open(str(tmp_path / "a.m4a"), "w", format="mp4") as container:
        add_beep(container, container.add_stream("aac", rate=8000), 1)
    with pytest.raises(UnreadableVideo, match="no video stream"):
        probe_video(tmp_path / "a.m4a")
