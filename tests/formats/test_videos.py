"""Videos and folders of pictures without labels, as tasks."""

from importlib.util import find_spec

import pytest
from cvat_builders import RECORDED
from format_builders import put_picture

from burnish.formats.recognise import open_dataset, recognise_format

CLIP = RECORDED / "bodies/06_task_video.002.request.upload.clip.mp4"


@pytest.fixture
def folder(tmp_path):
    for name in ("b/2.png", "b/10.png", "a.png"):
        put_picture(tmp_path / name)
    (tmp_path / "clip.mp4").write_bytes(b"no video at all")
    return tmp_path


def test_each_video_is_a_task_and_so_are_the_pictures_of_each_folder(folder):
    dataset = open_dataset(folder)
    assert dataset.origin["format"] == "videos"
    assert set(dataset.tasks["name"]) == {folder.name, "b", "clip"}
    placed = dataset.images.join(dataset.media.select(media="id", path="path"), on="media").sort("path")
    assert dict(placed.select("path", "frame").iter_rows()) == {"a.png": 0, "b/2.png": 0, "b/10.png": 1}


def test_a_video_that_cannot_be_opened_is_a_source_without_frames_and_says_why(folder):
    dataset = open_dataset(folder)
    video = dataset.media.filter(path="clip.mp4")
    assert video["kind"].to_list() == ["video"]
    assert dataset.notes.filter(path="clip.mp4")["kind"].to_list() == ["unreadable_video"]
    assert dataset.images.filter(media=video["id"][0]).is_empty()


def test_a_video_alone_is_recognised(folder):
    assert recognise_format(folder / "clip.mp4") == "videos"


@pytest.mark.skipif(not CLIP.is_file(), reason="the recorded video is not here")
@pytest.mark.skipif(find_spec("burnish.media.video") is None or find_spec("av") is None, reason="the extra video is not installed")
def test_every_frame_of_a_video_is_a_row(tmp_path):
    (tmp_path / "clip.mp4").write_bytes(CLIP.read_bytes())
    dataset = open_dataset(tmp_path)
    assert dataset.images["true_frame"].to_list() == list(range(30))
    assert dataset.images.select("width", "height").unique().rows() == [(160, 120)]
