from moving import moving

from burnish.data.jobs import with_joined_tracks

JOBS = [(0, 5, "annotation"), (4, 9, "annotation")]


def piece(track: int, job: int, frames: dict[int, tuple[int, int]], **more) -> list[dict]:
    return [{"frame": f, "at": at, "track": track, "keyframe": True, "jobs": [job], **more} for f, at in frames.items()]


def test_pieces_that_lie_on_one_another_in_the_shared_frames_are_one_object():
    rows = piece(1, 0, {0: (0, 0), 5: (50, 0)}) + piece(2, 1, {4: (40, 0), 9: (60, 0)}) + piece(3, 1, {4: (0, 40)})
    assert with_joined_tracks(moving(10, rows, jobs=JOBS)).annotations["track"].to_list() == [1, 1, 1, 1, 3]


def test_pieces_of_another_class_or_far_away_stay_apart():
    rows = piece(1, 0, {0: (0, 0)}) + piece(2, 1, {4: (0, 0)}, **{"class": 1}) + piece(3, 1, {4: (8, 0)})
    assert with_joined_tracks(moving(10, rows, jobs=JOBS)).annotations["track"].to_list() == [1, 2, 3]


def test_each_piece_joins_one_other_at_most_and_the_best_wins():
    rows = piece(1, 0, {0: (0, 0)}) + piece(2, 1, {4: (1, 0)}) + piece(3, 1, {4: (0, 0)})
    assert with_joined_tracks(moving(10, rows, jobs=JOBS)).annotations["track"].to_list() == [1, 2, 1]


def test_jobs_without_shared_frames_join_nothing():
    rows = piece(1, 0, {0: (0, 0)}) + piece(2, 1, {5: (0, 0)})
    dataset = moving(10, rows, jobs=[(0, 4, "annotation"), (5, 9, "annotation")])
    assert with_joined_tracks(dataset).annotations["track"].to_list() == [1, 2]
