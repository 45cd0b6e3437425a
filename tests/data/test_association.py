from moving import moving

from burnish.data.association import track_by_overlap


def tracks(dataset) -> list[int | None]:
    return dataset.annotations["track"].to_list()


def test_shapes_that_overlap_from_frame_to_frame_are_one_track():
    rows = [{"frame": f, "at": at} for f in range(3) for at in ((f, 0), (50, 2 * f))]
    assert tracks(track_by_overlap(moving(3, rows))) == [1, 2, 1, 2, 1, 2]


def test_objects_that_cross_get_the_pairs_with_the_largest_sum():
    rows = [{"frame": 0, "at": (0, 0)}, {"frame": 0, "at": (4, 0)}, {"frame": 1, "at": (3, 0)}, {"frame": 1, "at": (7, 0)}]
    assert tracks(track_by_overlap(moving(2, rows), min_overlap=0.3)) == [1, 2, 1, 2]


def test_a_track_waits_for_its_object_as_long_as_its_memory():
    rows = [{"frame": 0, "at": (0, 0)}, {"frame": 5, "at": (0, 0)}]
    assert tracks(track_by_overlap(moving(6, rows), memory=5)) == [1, 1]
    assert tracks(track_by_overlap(moving(6, rows), memory=4)) == [1, 2]


def test_the_label_is_voted_for():
    rows = [{"frame": f, "at": (0, 0), "class": c} for f, c in ((0, 1), (1, 0), (2, 0))]
    assert track_by_overlap(moving(3, rows)).annotations["class"].to_list() == [0, 0, 0]


def test_from_a_key_frame_tracks_go_both_ways_with_one_number():
    rows = [{"frame": f, "at": (2 * f, 0)} for f in range(5)]
    assert tracks(track_by_overlap(moving(5, rows), key_frame=2)) == [1] * 5


def test_short_tracks_are_taken_back_or_dropped():
    rows = [{"frame": 0, "at": (0, 0)}, {"frame": 1, "at": (0, 0)}, {"frame": 1, "at": (60, 60)}]
    assert tracks(track_by_overlap(moving(2, rows), shortest=2)) == [1, 1, None]
    assert tracks(track_by_overlap(moving(2, rows), shortest=2, rest="drop")) == [1, 1]


def test_what_has_a_track_already_is_left_alone():
    rows = [{"frame": 0, "at": (0, 0), "track": 9, "keyframe": True}, {"frame": 1, "at": (0, 0)}]
    assert tracks(track_by_overlap(moving(2, rows))) == [9, 10]
