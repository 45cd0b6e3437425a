import json

from PIL import Image

import burnish
from burnish.testing.datasets import boxes_dataset, labels_folder, tags_dataset


def test_every_picture_of_a_tiny_dataset_is_a_real_file(tmp_path):
    for dataset in (boxes_dataset(tmp_path / "boxes"), tags_dataset(tmp_path / "tags", ["a", "b"])):
        for path in dataset.image_files()["path"]:
            with Image.open(dataset.root / path) as picture:
                assert picture.size == (32, 24)


def test_a_labels_folder_opens_and_holds_the_wrong_labels_asked_for(tmp_path):
    folder = labels_folder(tmp_path, ["red", "blue", "red"], wrong={1: "red"})
    assert [json.loads(line)["label"] for line in (folder / "labels.jsonl").read_text().splitlines()] == ["red", "red", "red"]
    assert len(burnish.open(folder)) == 3


def test_a_tiny_dataset_is_the_same_every_time(tmp_path):
    first, second = (labels_folder(tmp_path / name, ["red", "blue"]) for name in ("a", "b"))
    assert (first / "images/001.jpg").read_bytes() == (second / "images/001.jpg").read_bytes()


def test_pictures_of_a_tiny_dataset_are_no_copies_of_one_another(tmp_path):
    found = burnish.dedupe(tags_dataset(tmp_path, ["a", "b"] * 10))
    assert found.pairs.is_empty()
