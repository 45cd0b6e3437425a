"""Judging boxes: which prediction found what, and the numbers that follow."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from training_builders import judged_detector  # noqa: E402

from burnish.data.dataset import make_dataset  # noqa: E402
from burnish.metrics.metric import build  # noqa: E402
from burnish.testing.datasets import write_picture  # noqa: E402
from burnish.train.judging.detection import DetectionJudge  # noqa: E402
from burnish.train.judging.matching import match  # noqa: E402
from burnish.train.policies.examples import gather  # noqa: E402
from burnish.train.policies.predicted import labels_of_arrays  # noqa: E402
from burnish.train.policies.settings import DataConfig, EvaluateConfig  # noqa: E402
from burnish.train.target import parse_target  # noqa: E402

CAR, DOG = 0, 1
A, B, FAR = [0.0, 0.0, 10.0, 10.0], [16.0, 0.0, 26.0, 10.0], [0.0, 12.0, 6.0, 18.0]


@pytest.fixture
def judge(tmp_path):
    """Of two pictures: a car and a dog on the first, a car on the second."""
    for number in (1, 2):
        write_picture(tmp_path / f"{number}.png", number)
    boxes = [(1, 1, A), (1, 2, B), (2, 1, A)]
    annotations = [
        {"id": number, "image": image, "class": name, "kind": "box", **dict(zip(("x1", "y1", "x2", "y2"), box, strict=True))}
        for number, (image, name, box) in enumerate(boxes, start=1)
    ]
    dataset = make_dataset(
        tmp_path,
        media=pl.DataFrame({"id": [1, 2], "path": ["1.png", "2.png"], "kind": ["image"] * 2}),
        images=pl.DataFrame({"id": [1, 2], "media": [1, 2], "width": [32, 32], "height": [24, 24], "split": ["test", "test"]}),
        annotations=pl.DataFrame(annotations),
        classes=pl.DataFrame({"id": [1, 2], "name": ["car", "dog"]}),
    )
    examples = gather(dataset, "detection", DataConfig(), to_learn=False)
    return DetectionJudge(judged_detector(torch.nn.Identity()), examples, EvaluateConfig(), build("map"))


def said(boxes, classes, scores):
    return labels_of_arrays("box", classes, np.array(boxes, dtype=np.float64).reshape(-1, 4), (32, 24), scores=scores)


def test_perfect_boxes_have_perfect_numbers(judge):
    judge.add_labels(0, said([A, B], [CAR, DOG], [0.9, 0.8]))
    judge.add_labels(1, said([A], [CAR], [0.7]))
    figures = judge.figures(None)
    for name in ("map", "map_50", "average_precision", "f1", "precision", "recall"):
        assert figures.metrics[name] == pytest.approx(1), name
    np.testing.assert_array_equal(figures.confusion.counts, [[2, 0, 0], [0, 1, 0], [0, 0, 0]])


def test_mistaken_missed_and_made_up_boxes_stand_where_they_belong(judge):
    judge.add_labels(0, said([A, B, FAR], [CAR, CAR, DOG], [0.9, 0.8, 0.7]))
    judge.add_labels(1, said([], [], []))
    figures = judge.figures(None)
    # The dog was taken for a car, a dog was made up, the second car was missed.
    np.testing.assert_array_equal(figures.confusion.counts, [[1, 0, 1], [1, 0, 0], [0, 1, 0]])
    assert figures.confusion.pictures == {(DOG, CAR): [0], (2, DOG): [0], (CAR, 2): [1]}
    assert figures.pictures.select("hits", "false_alarms", "misses").rows() == [(1, 2, 1), (0, 0, 1)]


def test_a_box_is_found_once_and_the_surest_finds_it():
    found = match(np.array([A, A]), np.array([0, 0]), np.array([0.6, 0.9]), np.array([A]), np.array([0]), overlap=0.5, min_score=0.5)
    assert found.hits.tolist() == [False, True]
    assert found.taken.tolist() == [-1, 0]


def test_unsure_boxes_count_for_curves_alone(judge):
    judge.add_labels(0, said([A, B], [CAR, DOG], [0.9, 0.2]))
    judge.add_labels(1, said([A], [CAR], [0.1]))
    figures = judge.figures(None)
    assert figures.metrics["recall"] == pytest.approx(0.25)  # half of the cars, none of the dogs
    assert figures.metrics["average_precision"] == pytest.approx(1)


def test_objects_are_the_boxes_around_what_was_drawn(tmp_path):
    write_picture(tmp_path / "1.png", 1)
    outline = [0.0, 0.0, 10.0, 0.0, 4.0, 10.0]
    turned = {"kind": "box", **dict(zip(("x1", "y1", "x2", "y2"), (16.0, 2.0, 24.0, 8.0), strict=True)), "rotation": 90.0}
    rows = [{"id": 1, "image": 1, "class": 1, "kind": "polygon", "points": outline}, {"id": 2, "image": 1, "class": 2, **turned}]
    dataset = make_dataset(
        tmp_path,
        media=pl.DataFrame({"id": [1], "path": ["1.png"], "kind": ["image"]}),
        images=pl.DataFrame({"id": [1], "media": [1], "width": [32], "height": [24]}),
        annotations=pl.DataFrame(rows, infer_schema_length=None),
        classes=pl.DataFrame({"id": [1, 2], "name": ["car", "dog"]}),
    )
    judge = DetectionJudge(
        judged_detector(torch.nn.Identity()), gather(dataset, "detection", DataConfig(), to_learn=False), EvaluateConfig(), build("map")
    )
    judge.add_labels(0, said([A, [17.0, 1.0, 23.0, 9.0]], [CAR, DOG], [0.9, 0.8]))
    figures = judge.figures(None)
    assert figures.metrics["map"] == pytest.approx(1)
    assert figures.metrics["f1"] == pytest.approx(1)


def test_the_sweep_marks_the_score_that_the_target_likes_best(judge):
    judge.add_labels(0, said([A, B, FAR], [CAR, DOG, CAR], [0.9, 0.8, 0.35]))
    judge.add_labels(1, said([A], [CAR], [0.4]))
    swept = judge.figures(parse_target("max f1")).sweep.filter(pl.col("class") == "all")
    assert swept.filter("best")["threshold"].to_list() == [0.4]
    assert swept.filter("best")["f1"].to_list() == [1.0]
    _, notes = judge.figures(parse_target("min latency")).sweep, judge.figures(parse_target("min latency")).notes
    assert "asks for what no threshold changes" in notes[0]


def test_no_threshold_is_called_the_best_where_no_box_is_sure(judge):
    judge.add_labels(0, said([A, B], [CAR, DOG], [0.04, 0.03]))
    judge.add_labels(1, said([], [], []))
    figures = judge.figures(parse_target("max f1"))
    assert figures.sweep.is_empty()
    assert figures.notes[0] == "No box has a score of 0.05 or more, so no threshold is better than another."


def test_doubled_pictures_weigh_as_if_they_were_there_twice(judge):
    first, second = said([A, FAR], [CAR, CAR], [0.9, 0.95]), said([A], [CAR], [0.6])
    judge.add_labels(0, first)
    judge.add_labels(1, second)
    weighted = judge.statistics()(np.array([2, 1]))
    judge.add_labels(0, first)
    assert weighted == pytest.approx(judge.statistics()(np.array([1, 1, 1])))


boxes = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 14), st.integers(1, 10), st.integers(1, 8), st.integers(0, 1)), max_size=8)


@settings(max_examples=60, deadline=None)
@given(boxes, boxes, st.randoms(use_true_random=False))
def test_no_true_box_is_taken_twice_and_every_match_overlaps(first, second, random):
    found, true = (np.array([[x, y, x + w, y + h] for x, y, w, h, _ in some], dtype=np.float64).reshape(-1, 4) for some in (first, second))
    classes, given_classes = (np.array([one[4] for one in some], dtype=np.int64) for some in (first, second))
    scores = np.array([random.random() for _ in first])
    matched = match(found, classes, scores, true, given_classes, overlap=0.5, min_score=0.3)
    taken = matched.taken[matched.taken >= 0]
    assert len(set(taken.tolist())) == len(taken)
    assert not np.any((matched.taken >= 0) & (scores < 0.3))
    for place in np.flatnonzero(matched.taken >= 0):
        one, other = found[place], true[matched.taken[place]]
        width, height = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
        common = max(width, 0) * max(height, 0)
        assert common / (np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2]) - common) >= 0.5
