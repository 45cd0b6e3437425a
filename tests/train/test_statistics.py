"""Statistics equal what is computed by hand over everything at once, however the work is cut; a damaged file is measured anew."""

import importlib
import json
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from burnish.engine.map import Engine
from burnish.errors import ConfigError, DataError
from burnish.train.class_weights import class_weights, effective_number
from burnish.train.sample_sums import SIDES, StatisticsConfig, no_sums, sample_sums
from burnish.train.samples import IGNORED, Sample
from burnish.train.statistics import dataset_statistics, sample_statistics

CLASSES = 4
CONFIG = StatisticsConfig(num_classes=CLASSES, background=0)
PLAIN = StatisticsConfig(num_classes=CLASSES)


def picture(rng, height=9, width=7):
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


def segmented(row, seed=0):
    """A picture with a mask; each fifth has nothing but background."""
    rng = np.random.default_rng([seed, row])
    height, width = rng.integers(3, 12, 2)
    mask = np.zeros((height, width), np.uint8) if row % 5 == 0 else rng.choice([0, 0, 1, 3, IGNORED], (height, width)).astype(np.uint8)
    return Sample(picture(rng, height, width), mask=mask)


def detected(row):
    rng = np.random.default_rng([1, row])
    number = int(rng.integers(0, 4))
    corners = np.sort(rng.uniform(0, 300, (number, 2, 2)), axis=1).reshape(number, 4).astype(np.float32)
    return Sample(picture(rng), boxes=corners, classes=rng.integers(0, 3, number))


def oracle(samples):
    """Everything at once, in float64, over all pixels."""
    pixels = np.concatenate([sample.picture.reshape(-1, 3) for sample in samples]).astype(np.float64) / 255
    return pixels.mean(0), pixels.std(0)


def test_colours_equal_those_over_all_pixels_at_once():
    samples = [segmented(row) for row in range(40)]
    found = sample_statistics(samples, CONFIG)
    mean, std = oracle(samples)
    assert found.mean == pytest.approx(mean, rel=1e-13)
    assert found.std == pytest.approx(std, rel=1e-12)


def test_the_deviation_of_one_colour_is_exactly_zero():
    one = Sample(np.full((300, 500, 3), 251, np.uint8))
    assert sample_statistics([one] * 3, PLAIN).std == (0.0, 0.0, 0.0)


def test_masks_are_counted_by_pixel_and_picture():
    samples = [segmented(row) for row in range(30)]
    found = sample_statistics(samples, CONFIG)
    whole = np.concatenate([sample.mask.ravel() for sample in samples])
    assert (found.sums.class_pixels // 255).tolist() == [int((whole == number).sum()) for number in range(CLASSES)]
    assert int(found.sums.mask_pixels) == int((whole != IGNORED).sum())
    assert found.sums.class_pictures.tolist() == [sum(bool((s.mask == number).any()) for s in samples) for number in range(CLASSES)]
    within = [sum(int((s.mask != IGNORED).sum()) for s in samples if (s.mask == number).any()) for number in range(CLASSES)]
    assert found.sums.class_within.tolist() == within
    assert found.empty_share == sum(not np.isin(s.mask, [1, 2, 3]).any() for s in samples) / 30
    assert found.pixel_share.sum() == pytest.approx(1)


def test_boxes_are_counted_by_class_and_size():
    samples = [detected(row) for row in range(60)]
    found = sample_statistics(samples, PLAIN)
    classes = np.concatenate([sample.classes for sample in samples])
    boxes = np.concatenate([sample.boxes for sample in samples]).astype(np.float64)
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    assert found.sums.class_boxes.tolist() == [int((classes == number).sum()) for number in range(CLASSES)]
    small, large = areas < 32**2, areas >= 96**2
    wanted = [[int((kind & (classes == number)).sum()) for kind in (small, ~small & ~large, large)] for number in range(CLASSES)]
    assert found.sums.class_sizes.tolist() == wanted
    sides = np.sqrt(areas)
    edges = [0, *SIDES, np.inf]
    assert found.sums.sides.tolist() == [int(((sides >= a) & (sides < b)).sum()) for a, b in pairwise(edges)]
    assert found.empty_share == sum(len(s.classes) == 0 for s in samples) / 60


def test_instances_are_measured_by_their_masks():
    shape = np.zeros((2, 50, 50), np.uint8)
    shape[0, :31, :31], shape[1, :40, :40] = 1, 1
    boxes = np.array([[0, 0, 50, 50]] * 2, np.float32)
    sample = Sample(np.zeros((50, 50, 3), np.uint8), instances=shape, boxes=boxes, classes=np.array([1, 1]))
    assert sample_statistics([sample], PLAIN).sums.class_sizes[1].tolist() == [1, 1, 0]


def test_beliefs_are_counted_in_parts_of_pixels():
    beliefs = np.zeros((2, 2, 2), np.uint8)
    beliefs[0, 0] = [51, 204]
    beliefs[1, 1] = [255, 0]
    mask = np.zeros((2, 2), np.uint8)
    mask[1, 1] = IGNORED
    found = sample_statistics([Sample(np.zeros((2, 2, 3), np.uint8), mask=mask, beliefs=beliefs)], PLAIN)
    assert found.sums.class_pixels.tolist() == [51, 204, 0, 0]
    assert found.pixel_share.tolist() == pytest.approx([0.2 / 3, 0.8 / 3, 0, 0])


def test_labels_count_pictures():
    labels = np.array([[1, 0, 0], [0.5, 0.5, 0], [0, 0, 0]], np.float32)
    found = sample_statistics([Sample(np.zeros((2, 2, 3), np.uint8), label=label) for label in labels], PLAIN)
    assert found.sums.class_pictures.tolist() == [2, 1, 0, 0]
    assert found.empty_share == pytest.approx(1 / 3)
    assert found.counted == "pictures"


@settings(max_examples=25, deadline=None)
@given(some.lists(some.integers(0, 10**6), min_size=1, max_size=8), some.randoms(use_true_random=False))
def test_parts_add_up_in_any_order(rows, order):
    parts = [sample_sums(segmented(row), CONFIG) for row in rows]
    shuffled = parts[:]
    order.shuffle(shuffled)
    first, second = sum(parts, no_sums(CONFIG)), sum(shuffled, no_sums(CONFIG))
    assert as_lists(first) == as_lists(second)


def as_lists(sums):
    return {name: getattr(sums, name).tolist() for name in sums.__dataclass_fields__}


@pytest.mark.parametrize("jobs", [1, 3])
def test_threads_find_what_one_pass_finds(jobs):
    found = dataset_statistics(segmented, 150, CONFIG, engine=Engine(jobs))
    assert as_lists(found.sums) == as_lists(sample_statistics(map(segmented, range(150)), CONFIG).sums)


def test_processes_find_what_one_pass_finds(tmp_path, monkeypatch):
    (tmp_path / "pictures_of_workers.py").write_text(
        "import numpy as np\nfrom burnish.train.samples import Sample\n"
        "def read(row):\n    shape = (row % 5 + 1, 4)\n"
        "    return Sample(np.full((*shape, 3), row, np.uint8), mask=np.full(shape, row % 3, np.uint8))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    read = importlib.import_module("pictures_of_workers").read
    found = dataset_statistics(read, 150, CONFIG, engine=Engine(2), workers="processes")
    assert as_lists(found.sums) == as_lists(sample_statistics(map(read, range(150)), CONFIG).sums)


def test_sums_are_kept_and_read_again(tmp_path):
    seen = []

    def read(row):
        seen.append(row)
        return segmented(row)

    ask = partial(dataset_statistics, read, 12, CONFIG, cache=tmp_path, engine=Engine(1))
    first, second = ask(mark=["data", "resize 8"]), ask(mark=["data", "resize 8"])
    assert len(seen) == 12
    assert as_lists(first.sums) == as_lists(second.sums)
    ask(mark=["data", "resize 16"])
    assert len(seen) == 24
    dataset_statistics(read, 12, PLAIN, cache=tmp_path, mark=["data", "resize 8"], engine=Engine(1))
    assert len(seen) == 36


@pytest.mark.parametrize("damage", ["cut", "changed", "other", "shape", "binary"])
def test_a_damaged_file_is_measured_anew(tmp_path, damage):
    class Told:
        def __init__(self):
            self.lines = []

        def say(self, text):
            self.lines.append(text)

        def task(self, label, total=None):
            from burnish.engine.progress import silent  # noqa: PLC0415

            return silent.task(label, total)

    ask = partial(dataset_statistics, segmented, 12, CONFIG, cache=tmp_path, mark=["data"], engine=Engine(1))
    wanted = as_lists(ask().sums)
    (path,) = tmp_path.iterdir()
    text = path.read_text()
    content = json.loads(text)
    match damage:
        case "cut":
            path.write_text(text[: len(text) // 2])
        case "changed":
            content["sums"]["pixels"] += 1
            path.write_text(json.dumps(content))
        case "other":
            path.write_text("[1, 2]")
        case "shape":
            del content["sums"]["sides"]
            path.write_text(json.dumps(content))
        case _:
            path.write_bytes(b"\xff\x00\xfe")
    told = Told()
    assert as_lists(ask(progress=told).sums) == wanted
    assert "are damaged" in told.lines[0]
    assert "measured anew" in told.lines[0]
    assert json.loads(path.read_text())["sums"] == json.loads(text)["sums"]


def test_wrong_pictures_are_told_by_their_number():
    def read(row):
        return Sample(np.zeros((2, 2, 3), np.uint8), mask=np.full((2, 2), 7 if row == 3 else 0, np.uint8))

    with pytest.raises(DataError, match="Picture 3: A mask has the class 7; expected 0 to 3") as caught:
        dataset_statistics(read, 5, CONFIG, engine=Engine(1))
    assert caught.value.rows == (3,)
    with pytest.raises(DataError, match="A picture is float32 of shape"):
        sample_statistics([Sample(np.zeros((2, 2, 3), np.float32))], CONFIG)
    with pytest.raises(DataError, match="The objects has the class -1"):
        sample_statistics([Sample(np.zeros((2, 2, 3), np.uint8), boxes=np.zeros((1, 4), np.float32), classes=np.array([-1]))], CONFIG)
    with pytest.raises(DataError, match="There is no picture"):
        sample_statistics([], CONFIG)
    with pytest.raises(ConfigError, match="give mark"):
        dataset_statistics(read, 5, CONFIG, cache="here")


def test_weights_equal_their_formulas():
    counts, total = np.array([900.0, 90.0, 10.0, 0.0]), 1000.0
    found = class_weights(counts, total, within=[1000, 300, 100, 0], beta=0.999)
    assert found.inverse == pytest.approx([1000 / (3 * 900), 1000 / (3 * 90), 1000 / 30, 0])
    assert (found.inverse * counts).sum() / counts.sum() == pytest.approx(1)
    assert found.median == pytest.approx([0.3 / 0.9, 1, 0.3 / 0.1, 0])
    raw = np.array([(1 - 0.999) / (1 - 0.999**n) for n in counts[:3]])
    assert found.effective == pytest.approx([*(raw * 3 / raw.sum()), 0])
    assert found.pos_weight == pytest.approx([100 / 900, 910 / 90, 99, 1])
    assert found.focal_alpha == pytest.approx([0.1, 0.91, 0.99, 0])
    assert found.absent == (3,)
    assert found.table.shape == (4, 7)


def test_effective_numbers_lie_between_equal_and_inverse():
    counts = np.array([1e9, 1e6])
    assert effective_number(counts, 0.0).tolist() == [1, 1]
    assert effective_number(counts, 1 - 1e-13)[1] / effective_number(counts, 1 - 1e-13)[0] == pytest.approx(1000, rel=1e-2)
    assert effective_number(counts)[1] > 1
    with pytest.raises(DataError, match="beta of the effective number is 1"):
        effective_number(counts, 1.0)


def test_weights_go_by_what_the_targets_are_made_of():
    masks = sample_statistics([segmented(row) for row in range(9)], CONFIG)
    boxes = sample_statistics([detected(row) for row in range(9)], PLAIN)
    assert (masks.counted, boxes.counted) == ("pixels", "boxes")
    assert masks.weights().counts.tolist() == (masks.sums.class_pixels / 255).tolist()
    assert boxes.weights().counts.tolist() == boxes.sums.class_boxes.tolist()
    assert boxes.weights("pictures").counts.tolist() == boxes.sums.class_pictures.tolist()
    assert "9 pictures" in str(boxes)


def test_counts_that_cannot_be_are_refused():
    with pytest.raises(DataError, match="class 1 has 7; expected one number a class, from 0 to the total of 5"):
        class_weights([1, 7], 5)
