import pytest
from moving import moving

from burnish.data.scenes import split_scenes
from burnish.errors import DataError

CLASSES = ("car", "scene-start", "scene-finish")


def marked(frames: int, marks: list[tuple[int, int]]):
    rows = [{"frame": f, "at": (0, 0)} for f in range(frames)]
    return moving(frames, rows + [{"frame": f, "kind": "tag", "class": c} for f, c in marks], CLASSES)


def test_only_the_frames_of_scenes_stay_and_each_knows_its_own():
    dataset = split_scenes(marked(8, [(1, 1), (2, 2), (5, 1), (7, 2)]))
    assert dataset.images.select("frame", "scene").rows() == [(1, "#0"), (2, "#0"), (5, "#1"), (6, "#1"), (7, "#1")]
    assert dataset.annotations["kind"].cast(str).unique().to_list() == ["box"]
    assert dataset.class_names() == {0: "car"}


def test_a_scene_of_one_frame_starts_and_finishes_there():
    assert split_scenes(marked(3, [(1, 2), (1, 1)])).images["frame"].to_list() == [1]


def test_a_task_without_marks_stays_whole():
    assert len(split_scenes(marked(3, []))) == 3


def test_all_wrong_marks_are_told_together():
    with pytest.raises(DataError) as told:
        split_scenes(marked(9, [(0, 2), (1, 1), (3, 1), (4, 2), (6, 1)]))
    text = str(told.value)
    assert "'scene-finish' on frame 0 without a 'scene-start' before it" in text
    assert "'scene-start' on frame 3, but the scene that started on frame 1 has not finished" in text
    assert "the scene that starts on frame 6 never finishes" in text
