from moving import moving

import burnish
from burnish.formats import versioned
from burnish.inspect.settings import ConvertConfig, TidyConfig


def walker(frames, number=0, **more):
    """An untracked box that moves a pixel a frame, seen on some frames."""
    return [{"frame": n, "at": (n, 0), "class": number, **more} for n in frames]


def test_tracks_get_one_label_and_end_where_they_were_last_seen():
    rows = walker(range(4), track=1, source="auto")
    rows[1]["class"] = 1
    made = burnish.tidy(moving(8, rows))
    assert made.dataset.annotations["class"].unique().to_list() == [0]
    hidden = made.dataset.annotations.filter("outside")
    assert hidden["image"].to_list() == [4]
    assert str(made) == "1 labels follow the majority of their track; 1 times an object is hidden after it was last seen"


def test_untracked_shapes_become_tracks_only_where_asked():
    dataset = moving(6, [*walker(range(3), source="auto"), *walker([5], source="auto")])
    assert burnish.tidy(dataset).dataset.annotations["track"].null_count() == 4
    made = burnish.tidy(dataset, TidyConfig(track_overlap=0.5, shortest=2, untracked="drop", memory=1))
    assert made.dataset.annotations.filter(~made.dataset.annotations["outside"])["track"].to_list() == [1, 1, 1]
    assert made.dataset.annotations.filter("outside")["image"].to_list() == [3]


def test_groups_are_fused_and_segments_fitted():
    def square(left, group):
        points = [left, 0.0, left + 10, 0.0, left + 10, 10.0, left, 10.0]
        return {"frame": 0, "kind": "polygon", "points": points, "group": group, "x1": left, "y1": 0.0, "x2": left + 10, "y2": 10.0}

    dataset = moving(1, [square(0.0, 2), square(30.0, 2), square(35.0, 0)])
    made = burnish.tidy(dataset, TidyConfig(fuse_groups=True, fit_segments=True))
    assert made.dataset.annotations["kind"].to_list() == ["mask", "mask"]
    assert "1 shapes became a part of another" in str(made)


def test_frames_outside_of_scenes_go():
    rows = [{"frame": 1, "kind": "tag", "class": 2}, {"frame": 3, "kind": "tag", "class": 3}, *walker(range(6))]
    made = burnish.tidy(moving(6, rows, classes=("car", "person", "scene-start", "scene-finish")), TidyConfig(scenes=True))
    assert made.dataset.images["frame"].to_list() == [1, 2, 3]
    assert made.dataset.classes["name"].to_list() == ["car", "person"]


def test_a_tidied_dataset_is_a_new_version(tmp_path):
    burnish.convert(moving(3, walker(range(3), track=1)), ConvertConfig(to="burnish", media="none")).save(tmp_path / "d")
    burnish.tidy(burnish.open(tmp_path / "d")).save_in_place()
    assert [v.verb for v in versioned.ancestry(tmp_path / "d")] == ["tidy", "convert"]
