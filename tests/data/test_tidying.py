from moving import boxes_of, moving

from burnish.data.shown import shown
from burnish.data.tidying import hidden_after_gaps, with_one_label


def seen(track: int, frames: dict[int, int], **more) -> list[dict]:
    return [{"frame": f, "at": (0, 0), "track": track, "keyframe": True, "class": c, **more} for f, c in frames.items()]


def test_most_views_decide_a_tracks_label():
    dataset, changed = with_one_label(moving(4, seen(1, {0: 1, 1: 0, 2: 1})))
    assert (dataset.annotations["class"].to_list(), changed) == ([1, 1, 1], 1)


def test_of_equal_numbers_the_label_that_came_first_wins_and_unlabeled_never_does():
    classes = ("car", "person", "unlabeled")
    assert with_one_label(moving(4, seen(1, {0: 1, 1: 0}), classes))[0].annotations["class"].to_list() == [1, 1]
    assert with_one_label(moving(4, seen(1, {0: 2, 1: 2, 2: 0}), classes))[0].annotations["class"].to_list() == [0, 0, 0]


def test_an_object_is_not_stretched_over_frames_on_which_it_was_not_seen():
    dataset, added = hidden_after_gaps(moving(8, seen(1, {0: 0, 1: 0, 4: 0}, source="auto")))
    assert added == 2
    assert sorted(frame for _, frame in boxes_of(shown(dataset))) == [0, 1, 4]


def test_short_gaps_can_be_bridged():
    dataset, added = hidden_after_gaps(moving(8, seen(1, {0: 0, 2: 0, 7: 0}, source="auto")), most_gap=2)
    assert added == 1
    assert sorted(frame for _, frame in boxes_of(shown(dataset))) == [0, 1, 2, 7]


def test_tracks_that_people_drew_are_left_alone_unless_asked():
    dataset = moving(8, seen(1, {0: 0, 5: 0}, source="manual"))
    assert hidden_after_gaps(dataset)[1] == 0
    assert hidden_after_gaps(dataset, which="all")[1] == 2


def test_tidying_twice_adds_nothing():
    once, _ = hidden_after_gaps(moving(8, seen(1, {0: 0, 4: 0}, source="auto")))
    assert hidden_after_gaps(once)[1] == 0
