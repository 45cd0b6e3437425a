import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from burnish.data.labels import labels_from_rows
from burnish.data.schema import ANNOTATIONS, empty
from burnish.data.tables import from_rows
from burnish.errors import ConfigError, DataError, MissingExtra
from burnish.media.colours import class_colour
from burnish.media.flow import move_points, optical_flow, warp
from burnish.media.video import Frame
from burnish.video import pipeline as p


def frames(*pictures, rate=25):
    return [Frame(n, n / rate, pixels) for n, pixels in enumerate(pictures)]


def noise(count=4, size=(40, 60), seed=0):
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 255, (count, size[0] // 4, size[1] // 4, 3), dtype=np.uint8)
    return frames(*np.kron(coarse, np.ones((1, 4, 4, 1), np.uint8)))


def same(left, right):
    return [f.number for f in left] == [f.number for f in right] and all(
        np.array_equal(a.pixels, b.pixels) for a, b in zip(left, right, strict=True)
    )


def test_an_empty_pipeline_passes_frames_on():
    assert same(list(p.pipeline()(noise())), noise())


def test_filters_work_in_order():
    double, more = p.each(lambda x: x * 2), p.each(lambda x: x + 1)
    result = next(p.pipeline(more, double)(frames(np.array([[3]], np.uint8))))
    assert result.pixels.item() == 8


def test_frames_that_are_none_are_skipped():
    one, two = noise(2)
    assert same(list(p.skip_none()([None, one, Frame(5, 0.2, None), two])), [one, two])
    assert [f.number for f in p.each(lambda x: None if x.mean() > 200 else x)(frames(np.full((2, 2), 255), np.zeros((2, 2))))] == [1]


def test_resize_gives_the_longer_side_and_multiples():
    assert next(p.resize(30)(noise())).pixels.shape == (20, 30, 3)
    assert next(p.resize(30, multiple=8)(noise())).pixels.shape == (16, 32, 3)
    with pytest.raises(ConfigError, match="at least the multiple"):
        p.resize(4, multiple=8)


def test_resize_and_restore_shows_the_inner_filter_small_frames_and_gives_the_old_size_back():
    seen = []
    result = list(p.resize_and_restore(p.each(lambda x: seen.append(x.shape) or x), side=30)(noise()))
    assert set(seen) == {(20, 30, 3)}
    assert {f.pixels.shape for f in result} == {(40, 60, 3)}


def test_class_indices_are_restored_without_mixing():
    classes = p.each(lambda x: np.where(np.arange(x.shape[1]) < x.shape[1] // 2, 3, 7).astype(np.int64) * np.ones(x.shape[:2], np.int64))
    restored = next(p.resize_and_restore(classes, side=30)(noise())).pixels
    assert restored.shape == (40, 60)
    assert set(np.unique(restored)) == {3, 7}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "00:00.000"), (62.5, "01:02.500"), (3599.9996, "1:00:00.000"), (3725.25, "1:02:05.250"), (-1.5, "-00:01.500")],
)
def test_times_are_sexagesimal(seconds, text):
    assert p.sexagesimal(seconds) == text


@pytest.mark.parametrize("corner", ["top left", "top right", "bottom left", "bottom right"])
def test_captions_stand_in_their_corner_and_nowhere_else(corner):
    black = frames(np.zeros((200, 400, 3), np.uint8))
    drawn = next(p.caption("draft", corner=corner, colour=(250, 0, 0))(black)).pixels
    rows, columns = np.nonzero(drawn[..., 0] > 60)
    assert (rows.max() < 60) == ("top" in corner)
    assert (rows.min() > 140) == ("bottom" in corner)
    assert (columns.max() < 200) == ("left" in corner)
    assert (columns.min() > 200) == ("right" in corner)
    assert not black[0].pixels.any()


def test_beside_and_compare_lay_out_across_and_down():
    grey = p.colours("rgb", "grey")
    assert next(p.beside(grey)(noise())).pixels.shape == (40, 120, 3)
    down = next(p.beside(grey, direction="down")(noise())).pixels
    assert np.array_equal(down[:40], noise()[0].pixels)
    both = next(p.compare(grey, p.resize(30))(noise())).pixels
    assert both.shape == (40, 120, 3)


def test_beside_pairs_by_number_when_the_filter_drops_frames():
    odd = lambda stream: (f for f in stream if f.number % 2)  # noqa: E731
    made = list(p.beside(odd)(noise(6)))
    assert [f.number for f in made] == [1, 3, 5]
    assert all(np.array_equal(f.pixels[:, :60], f.pixels[:, 60:]) for f in made)


def test_the_target_of_the_same_number_is_shown_and_must_be_there():
    assert next(p.with_target(p.pipeline(), noise())(noise())).pixels.shape == (40, 180, 3)
    with pytest.raises(DataError, match="no frame 2"):
        list(p.with_target(p.pipeline(), noise(2))(noise(4)))


def test_mix_weighs_result_and_source():
    white = p.each(lambda x: np.full_like(x, 200))
    assert next(p.mix(white, 0.25)(frames(np.full((4, 4, 3), 100, np.uint8)))).pixels[0, 0, 0] == 125


def test_a_random_crop_is_one_window_for_a_stream_another_for_the_next_and_the_same_in_the_next_run():
    ramp = np.arange(100 * 100).reshape(100, 100)
    stream = frames(*[ramp] * 3)
    crop, again = p.random_crop(10, 20, seed=3), p.random_crop(10, 20, seed=3)
    first, second = list(crop(stream)), list(crop(stream))
    assert {f.pixels.shape for f in first} == {(10, 20)}
    assert len({f.pixels[0, 0] for f in first}) == 1
    assert first[0].pixels[0, 0] != second[0].pixels[0, 0]
    assert same(first, list(again(stream)))
    with pytest.raises(DataError, match="window has 200 x 10"):
        list(p.random_crop(10, 200)(stream))


def test_a_random_flip_is_one_choice_for_a_stream():
    flip = p.random_flip(horizontal=0.5, vertical=0.5, seed=1)
    kinds = set()
    for _ in range(30):
        (one,) = {f.pixels.tobytes() for f in flip(frames(*[np.array([[1, 2], [3, 4]])] * 3))}
        kinds.add(one)
    assert len(kinds) == 4


@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255))
def test_yuv_and_back_is_the_same_colour_but_for_rounding(red, green, blue):
    pixel = frames(np.full((2, 2, 3), (red, green, blue), np.uint8))
    back = next(p.pipeline(p.colours("rgb", "yuv"), p.colours("yuv", "rgb"))(pixel)).pixels[0, 0]
    assert np.abs(back.astype(int) - (red, green, blue)).max() <= 2


def test_colours_are_converted():
    pixel = frames(np.full((1, 1, 3), (255, 0, 0), np.uint8))
    assert next(p.colours("rgb", "bgr")(pixel)).pixels.tolist() == [[[0, 0, 255]]]
    assert next(p.colours("rgb", "grey")(pixel)).pixels.tolist() == [[76]]
    assert next(p.colours("rgb", "yuv")(pixel)).pixels.tolist() == [[[76, 85, 255]]]
    assert next(p.pipeline(p.as_double(), p.as_uint8())(pixel)).pixels.tolist() == [[[255, 0, 0]]]
    with pytest.raises(ConfigError, match="no colour space 'hsv'"):
        p.colours("hsv", "rgb")


def test_last_frames_come_together_the_newest_last():
    stream = frames(*(np.full((1, 1), n) for n in range(4)))
    assert [f.pixels.ravel().tolist() for f in p.last_frames(3)(stream)] == [[0, 0, 0], [0, 0, 1], [0, 1, 2], [1, 2, 3]]


def test_a_model_gets_batches_and_must_answer_for_each():
    sizes = []
    asked = p.model(lambda batch: sizes.append(len(batch)) or 255 - batch, batch=3)
    assert next(asked(noise(1))).pixels[0, 0, 0] == 255 - noise(1)[0].pixels[0, 0, 0]
    sizes.clear()
    assert len(list(asked(noise(7)))) == 7
    assert sizes == [3, 3, 1]
    with pytest.raises(DataError, match="1 results for 2 frames"):
        list(p.model(lambda batch: batch[:1])(noise(2)))
    with pytest.raises(ConfigError, match="is no model"):
        p.model(3)


def test_a_detector_s_labels_are_drawn():

    class Finder:
        def detect(self, pictures):
            row = {"id": 1, "image": 0, "class": 0, "kind": "box", "x1": 10.0, "y1": 10.0, "x2": 50.0, "y2": 30.0}
            return [labels_from_rows(0, (60, 40), from_rows(ANNOTATIONS, [row])) for _ in pictures]

    assert empty(ANNOTATIONS).is_empty()
    drawn = list(p.model(Finder(), classes={0: "car"})(noise()))
    assert all((d.pixels != s.pixels).any() and d.pixels.shape == s.pixels.shape for d, s in zip(drawn, noise(), strict=True))


def test_classes_are_painted_in_the_colours_of_their_names_and_the_background_is_left():

    classes = p.each(lambda x: np.eye(*x.shape[:2], dtype=np.uint8))
    grey = frames(np.full((4, 4, 3), 100, np.uint8))
    made = next(p.overlay_classes(classes, {1: "car"}, alpha=1)(grey)).pixels
    assert made[0, 0].tolist() == list(class_colour("car"))
    assert made[0, 1].tolist() == [100, 100, 100]
    with pytest.raises(DataError, match="expected class indices"):
        list(p.overlay_classes(p.pipeline())(grey))


def shifting(count=4, step=3):
    """A textured picture that moves to the right."""
    wide = noise(1, (64, 160), seed=2)[0].pixels
    smooth = np.stack([np.apply_along_axis(lambda v: np.convolve(v, np.ones(5) / 5, "same"), 1, wide[..., c]) for c in range(3)], axis=2)
    picture = smooth.astype(np.uint8)
    return frames(*(picture[:, 40 - step * n : 120 - step * n] for n in range(count)))


@pytest.mark.parametrize("method", ["dis", "farneback"])
def test_flow_finds_how_the_picture_moved_and_warping_undoes_it(method):

    first, second, *_ = (f.pixels for f in shifting())
    flow = optical_flow(first, second, method=method)
    inner = flow[10:-10, 15:-15]
    assert np.median(inner[..., 0]) == pytest.approx(3, abs=0.3)
    assert np.median(inner[..., 1]) == pytest.approx(0, abs=0.3)
    assert np.median(np.abs(warp(second, flow).astype(int) - first)[10:-10, 15:-15]) <= 3
    assert move_points(np.array([[40.0, 30.0]]), flow)[0] == pytest.approx([43, 30], abs=0.7)


def test_stabilised_frames_stay_where_the_first_was():
    first, *_, last = list(p.stabilise()(shifting()))
    moved = np.abs(shifting()[-1].pixels.astype(int) - first.pixels)[10:-10, 20:-20].mean()
    assert np.abs(last.pixels.astype(int) - first.pixels)[10:-10, 20:-20].mean() < 0.3 * moved


def test_the_frame_before_moved_along_the_flow_looks_like_the_frame():
    made = list(p.warp_previous()(shifting()))
    assert np.abs(made[2].pixels.astype(int) - shifting()[2].pixels)[10:-10, 15:-15].mean() < 6


def test_motion_to_the_right_is_red_and_the_first_frame_black():
    first, second, *_ = list(p.flow_colours()(shifting()))
    assert not first.pixels.any()
    middle = np.median(second.pixels[10:-10, 15:-15].reshape(-1, 3), axis=0)
    assert middle[0] > 100
    assert middle[1:].max() < 60


def test_optical_flow_without_opencv_says_what_to_install(monkeypatch):

    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(MissingExtra, match=r"pip install 'burnish\[video\]'"):
        optical_flow(np.zeros((8, 8), np.uint8), np.zeros((8, 8), np.uint8))
