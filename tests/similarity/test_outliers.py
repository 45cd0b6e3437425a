import numpy as np
from PIL import Image

from burnish.media.hashing import hash_pictures
from burnish.similarity.outliers import find_outliers, odd_pictures


def cloud(count=200, seed=0):
    return np.random.default_rng(seed).standard_normal((count, 8)) + 4


def test_planted_outliers_stand_first_and_are_issues():
    rows = cloud()
    rows[[3, 50]] = [[40.0, -40] * 4, [-60.0] * 8]
    found = find_outliers(rows, metric="euclidean")
    assert set(np.argsort(-found.scores)[:2]) == {3, 50}
    assert found.is_issue[[3, 50]].all()
    assert found.is_issue.sum() <= 4
    assert ((found.scores >= 0) & (found.scores <= 1)).all()
    assert ((found.scores > 0.5) == found.is_issue).all()
    assert (found.distances[found.is_issue] > found.cutoff).all()


def test_a_plain_cloud_has_hardly_any_outliers():
    assert find_outliers(cloud(1000), metric="euclidean").is_issue.sum() <= 5


def test_equal_items_and_few_items_have_no_outliers():
    assert not find_outliers(np.ones((50, 3))).is_issue.any()
    few = find_outliers(cloud(10))
    assert not few.is_issue.any()
    assert few.scores.tolist() == [0.0] * 10
    assert len(find_outliers(np.zeros((0, 4))).scores) == 0


def test_blank_dark_bright_and_odd_pictures_are_named_with_their_numbers(tmp_path):
    rng = np.random.default_rng(0)
    pictures = [rng.integers(60, 200, (40, 50), np.uint8) for _ in range(30)]
    pictures[3] = np.full((40, 50), 128, np.uint8)
    pictures[5] = rng.integers(0, 12, (40, 50), np.uint8)
    pictures[7] = rng.integers(244, 256, (40, 50), np.uint8)
    pictures[9] = rng.integers(60, 200, (400, 500), np.uint8)
    pictures[11] = rng.integers(60, 200, (20, 100), np.uint8)
    paths = [tmp_path / f"{number}.png" for number in range(len(pictures) + 1)]
    for path, pixels in zip(paths, pictures, strict=False):
        Image.fromarray(pixels).save(path)
    found = odd_pictures(hash_pictures(paths))  # the last one is missing, and not odd for that
    assert [(index, kind) for index, kind, _, _ in found] == [
        (3, "blank"),
        (5, "dark"),
        (7, "bright"),
        (9, "odd_size"),
        (11, "odd_shape"),
    ]
    assert all(0.5 <= score <= 1 for _, _, score, _ in found)
    assert found[0][3] == "nearly one colour: grey 128 of 255, standard deviation 0.0"
