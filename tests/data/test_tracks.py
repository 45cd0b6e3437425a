"""Tracks on every frame on which they are seen."""

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from moving import boxes_of, moving

from burnish.data.tracks import interpolate

FRAMES = 9
often = settings(deadline=None, max_examples=40)


def key(frame, at=(0, 0), **more):
    return {"frame": frame, "at": at, "track": 1, "keyframe": True, **more}


@st.composite
def tracks(draw: st.DrawFn):
    """Key frames of some tracks, each with at most one on a frame."""
    rows = []
    for number in range(1, draw(st.integers(1, 3)) + 1):
        for frame in sorted(draw(st.sets(st.integers(0, FRAMES - 1), min_size=1, max_size=5))):
            at = draw(st.integers(0, 40)) / 4, draw(st.integers(0, 40)) / 4
            rows.append(key(frame, at, outside=draw(st.booleans())) | {"track": number})
    return rows


def plain(rows):
    """Upper left corner by track and frame, one frame after the other."""
    found = {}
    for number in {row["track"] for row in rows}:
        keys = {row["frame"]: row for row in rows if row["track"] == number}
        for frame in range(FRAMES):
            before = [f for f in keys if f <= frame]
            if not before or keys[max(before)]["outside"]:
                continue
            one, after = max(before), [f for f in keys if f > frame]
            two = min(after) if after else one
            weight = (frame - one) / (two - one) if after else 0
            found[number, frame] = tuple(a + (b - a) * weight for a, b in zip(keys[one]["at"], keys[two]["at"], strict=True))
    return found


@often
@given(tracks())
def test_views_are_those_that_a_plain_loop_gives(rows):
    assert boxes_of(interpolate(moving(FRAMES, rows))) == plain(rows)


@often
@given(tracks())
def test_visible_key_frames_stay_as_they_are(rows):
    dataset = moving(FRAMES, rows)
    shown = interpolate(dataset).annotations.filter(pl.col("keyframe"))
    stored = dataset.annotations.filter(~pl.col("outside"))
    assert shown.sort("id").equals(stored.sort("id"), null_equal=True)


@often
@given(tracks())
def test_ids_are_unique_and_rows_stand_in_the_order_of_frames(rows):
    shown = interpolate(moving(FRAMES, rows)).annotations
    assert shown["id"].is_unique().all()
    assert shown["image"].is_sorted()


@often
@given(tracks())
def test_hidden_key_frames_stay_where_asked(rows):
    shown = interpolate(moving(FRAMES, rows), hidden=True).annotations
    assert shown.filter(pl.col("keyframe")).height == len(rows)
    assert shown.filter(~pl.col("outside")).height == len(plain(rows))


def test_a_track_ends_with_its_last_job():
    jobs = [(0, 3, "annotation"), (4, 8, "annotation")]
    shown = interpolate(moving(FRAMES, [key(1, jobs=[0])], jobs=jobs))
    assert [frame for _, frame in boxes_of(shown)] == [1, 2, 3]


def test_a_key_frame_behind_the_end_of_its_job_ends_its_track():
    jobs = [(0, 3, "annotation"), (4, 9, "annotation")]
    seen = boxes_of(interpolate(moving(10, [key(1, track=1, jobs=[0]), key(7, (6, 0), track=1, jobs=[0])], jobs=jobs)))
    assert sorted(frame for _, frame in seen) == [1, 2, 3, 4, 5, 6]


def test_deleted_frames_hold_no_view_and_their_key_frames_do_not_count():
    rows = [key(0, (0, 0)), key(2, (50, 50)), key(4, (8, 8))]
    shown = boxes_of(interpolate(moving(FRAMES, rows, deleted=[2])))
    assert shown[1, 3] == (6.0, 6.0)
    assert (1, 2) not in shown


def test_changeable_attributes_hold_until_they_change_and_the_others_everywhere():
    dataset = moving(5, [key(0), key(2), key(3)])
    told = {"annotation": [1, 1, 2], "name": ["model", "speed", "speed"], "value": ["volvo", "5", "7"], "mutable": [False, True, True]}
    shown = interpolate(dataset.with_tables(attributes=pl.DataFrame(told)))
    frames = dict(shown.annotations.select("id", "image").iter_rows())
    found = sorted((frames[a], name, value) for a, name, value in shown.attributes.select("annotation", "name", "value").iter_rows())
    speeds = [(frame, "speed", "5" if frame < 2 else "7") for frame in range(5)]
    assert found == sorted([(frame, "model", "volvo") for frame in range(5)] + speeds)


def test_views_without_key_frames_stay_as_they_are():
    dataset = moving(5, [key(0, keyframe=None), key(3, keyframe=None)])
    assert boxes_of(interpolate(dataset)) == boxes_of(dataset)


def test_a_dataset_without_tracks_is_returned_itself():
    dataset = moving(3, [{"frame": 1, "at": (1, 1)}])
    assert interpolate(dataset) is dataset
