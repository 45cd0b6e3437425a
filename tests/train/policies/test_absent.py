"""Classes that a part does not show: what a training says of them is what its numbers do."""

import numpy as np
import polars as pl
import pytest

pytest.importorskip("torch")

import burnish
from burnish.data.dataset import make_dataset
from burnish.metrics.metric import build
from burnish.testing.datasets import labels_folder
from burnish.train.policies.examples import gather
from burnish.train.policies.settings import DataConfig


def divided(dataset, splits):
    images = dataset.images.with_columns(pl.Series("split", list(splits)))
    tables = {name: getattr(dataset, name) for name in ("media", "annotations", "classes")}
    return make_dataset(dataset.root, images=images, origin=dataset.origin, **tables)


@pytest.fixture
def told(tmp_path):
    """The notes on pictures of some classes in some splits."""

    def notes(labels, splits, **data):
        dataset = divided(burnish.open(labels_folder(tmp_path, labels)), splits)
        return gather(dataset, None, DataConfig(**data)).notes

    return notes


def test_a_class_without_a_training_picture_stays_an_output_and_its_pictures_count_as_mistakes(told):
    (note,) = told(("red", "green", "blue", "blue"), ("train", "train", "val", "val"))[:1]
    expected = "it stays an output that is never learnt, and its 2 pictures of val count as mistakes. Leave it out with data.classes."
    assert note == f"No training picture has a label of blue: {expected}"


def test_several_such_classes_are_told_in_one_sentence(told):
    labels = ("red", "green", "blue", "red")
    note = told(labels, ("train", "val", "test", "val"))[0]
    assert note.startswith("No training picture has a label of blue, green: they stay outputs that are never learnt")
    assert "and their 1 pictures of val and 1 pictures of test count as mistakes" in note


def test_a_class_without_a_picture_to_validate_with_is_told_once(told):
    notes = told(("red", "green", "red", "green", "red"), ("train", "train", "val", "test", "test"))
    assert notes == (
        "No picture of val shows green: it does not count in means over classes there; pictures that are taken for it are mistakes.",
    )


def test_nothing_is_told_where_each_part_shows_each_class(told):
    assert told(("red", "green") * 2, ("train", "train", "val", "val")) == ()


def test_masks_without_a_class_are_told_with_what_becomes_of_the_iou(squares, tmp_path):
    dataset = squares(tmp_path, ("cell", "debris"))
    validating = dataset.images.filter(pl.col("split").cast(pl.String) == "val")["id"].to_list()
    kept = dataset.annotations.filter(~(pl.col("image").is_in(validating) & (pl.col("class") == 2)))
    tables = {name: getattr(dataset, name) for name in ("media", "images", "classes")}
    notes = gather(make_dataset(dataset.root, annotations=kept, **tables), None, DataConfig()).notes
    (note,) = [note for note in notes if "debris" in note]
    assert note == (
        "No picture of val shows debris: it does not count in means there, unless the network finds it, which is wrong: "
        "then the IoU is 0 and counts."
    )


@pytest.mark.parametrize(("found", "mean"), [(False, 1.0), (True, (1 + 12 / 16 + 0) / 3)])
def test_the_iou_of_such_a_class_is_0_where_it_is_found_and_else_does_not_count(found, mean):
    given = np.repeat([0, 1], [16, 16]).reshape(1, 4, 8)
    said = given.copy()
    said[given == 0] = 0
    if found:
        said[0, 0, 0], said[0, 0, 1], said[0, 1, 0], said[0, 1, 1] = (2,) * 4
    scores = np.eye(3)[said].transpose(0, 3, 1, 2)
    metric = build({"name": "iou", "per_class": True, "class_names": ("background", "cell", "debris")})
    result = metric.result(metric.measure(scores, given))
    assert result["iou_dataset/debris"] == 0 if found else np.isnan(result["iou_dataset/debris"])
    assert result["iou_dataset"] == pytest.approx(mean)
