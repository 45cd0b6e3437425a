"""What is counted: objects, classes and pictures of a dataset."""

import numpy as np
import polars as pl
import pytest
from builders import boxes_dataset, tags_dataset
from incidence_builders import golden

from burnish.balance.incidence import incidence_from_lists, incidence_of, joined_incidence
from burnish.data.dataset import make_dataset
from burnish.errors import DataError


def dataset(rows, *, pictures=3, classes=("car", "person"), **images):
    """Annotations given as dicts on pictures numbered from 0."""
    media = pl.DataFrame({"id": range(pictures), "path": [f"{n}.jpg" for n in range(pictures)]})
    table = pl.DataFrame({"id": range(pictures), "media": range(pictures), **images})
    made = [{"id": number, "kind": "box", **row} for number, row in enumerate(rows)]
    classes = pl.DataFrame(
        {"id": range(len(classes)), "name": [c if isinstance(c, str) else c["name"] for c in classes]}
        | {key: [c.get(key) for c in classes] for key in (("superclass", "status") if isinstance(classes[0], dict) else ())}
    )
    return make_dataset("/nowhere", media=media, images=table, annotations=pl.DataFrame(made), classes=classes)


def test_each_shape_is_an_object_of_its_own(tmp_path):
    incidence = incidence_of(boxes_dataset(tmp_path, pictures=4))
    assert incidence.classes == ("car", "person")
    assert incidence.counts.toarray().tolist() == [[1] * 4, [1] * 4]
    assert incidence.sizes.tolist() == [4, 4]


def test_labels_of_whole_pictures_are_objects(tmp_path):
    incidence = incidence_of(tags_dataset(tmp_path, ["cat", "dog", "cat"]))
    assert incidence.counts.toarray().tolist() == [[1, 0, 1], [0, 1, 0]]


def test_an_object_on_many_frames_is_one_object():
    rows = [{"image": frame, "class": 0, "track": 7} for frame in range(3)] + [{"image": 0, "class": 1, "track": None}]
    incidence = incidence_of(dataset(rows))
    assert incidence.sizes.tolist() == [1, 1]
    assert incidence.counts.toarray().tolist() == [[1, 1, 1], [1, 0, 0]]
    assert sorted(incidence.alike.views.toarray().tolist()) == [[1, 0, 0], [1, 1, 1]]


def test_one_track_with_two_classes_is_two_objects():
    incidence = incidence_of(dataset([{"image": 0, "class": 0, "track": 7}, {"image": 1, "class": 1, "track": 7}]))
    assert incidence.sizes.tolist() == [1, 1]


def test_one_track_number_in_two_tasks_is_two_objects():
    rows = [{"image": 0, "class": 0, "track": 7}, {"image": 1, "class": 0, "track": 7}]
    assert incidence_of(dataset(rows, task=[1, 2, 2])).sizes.tolist() == [2]
    assert incidence_of(dataset(rows, task=[1, 1, 2])).sizes.tolist() == [1]


def test_shapes_of_a_group_are_one_object_on_their_picture():
    rows = [{"image": 0, "class": 0, "group": 3}] * 2 + [{"image": 1, "class": 0, "group": 3}, {"image": 1, "class": 0, "group": 0}]
    assert incidence_of(dataset(rows)).counts.toarray().tolist() == [[1, 2, 0]]


def test_objects_outside_the_picture_are_not_seen():
    rows = [{"image": 0, "class": 0, "track": 1, "outside": False}, {"image": 1, "class": 0, "track": 1, "outside": True}]
    assert incidence_of(dataset(rows)).counts.toarray().tolist() == [[1, 0, 0]]


def test_tracks_are_seen_on_the_frames_between_their_key_frames():
    box = {"class": 0, "track": 1, "keyframe": True, "x1": 0.0, "y1": 0.0, "x2": 4.0, "y2": 4.0}
    incidence = incidence_of(dataset([{"image": 0, **box}, {"image": 2, **box}], frame=[0, 1, 2], task=[1, 1, 1]))
    assert incidence.counts.toarray().tolist() == [[1, 1, 1]]


def test_unused_classes_are_skipped_and_pictures_with_forbidden_ones_left_out():
    classes = [{"name": "car", "status": "used"}, {"name": "sky", "status": "unused"}, {"name": "face", "status": "forbidden"}]
    incidence = incidence_of(dataset([{"image": n, "class": c} for n, c in ((0, 0), (0, 1), (1, 0), (1, 2), (2, 0))], classes=classes))
    assert incidence.classes == ("car",)
    assert incidence.pictures["path"].to_list() == ["0.jpg", "2.jpg"]
    assert incidence.skipped == (1, 1)


def test_only_the_named_split_takes_part():
    rows = [{"image": n, "class": 0} for n in range(3)]
    made = dataset(rows, split=["train", "val", "train"])
    assert incidence_of(made).pictures["path"].to_list() == ["0.jpg", "2.jpg"]
    assert incidence_of(made, "val").pictures["path"].to_list() == ["1.jpg"]
    with pytest.raises(DataError, match="no split 'test'; the dataset has train, val"):
        incidence_of(made, "test")


def test_superclasses_come_from_the_classes_and_a_class_without_one_is_its_own():
    classes = [{"name": "car", "superclass": "vehicle"}, {"name": "bus", "superclass": "vehicle"}, {"name": "dog", "superclass": None}]
    incidence = incidence_of(dataset([{"image": n, "class": n} for n in range(3)], classes=[{**c, "status": "used"} for c in classes]))
    assert incidence.superclasses == ("vehicle", "dog")
    assert incidence.super_counts.toarray().tolist() == [[1, 1, 0], [0, 0, 1]]


def test_classes_without_objects_are_named():
    assert incidence_of(dataset([{"image": 0, "class": 1}])).absent == ("car",)


def test_nothing_to_balance_is_told():
    with pytest.raises(DataError, match="nothing to balance: the 3 pictures show no object"):
        incidence_of(dataset([{"image": 0, "class": None}]))
    with pytest.raises(DataError, match="no pictures"):
        incidence_of(dataset([{"image": 0, "class": 0}], pictures=0))


def test_objects_alike_share_a_row_and_keep_their_number():
    rows = golden().alike
    assert rows.number.sum() == 8
    assert rows.views.shape[1] == 6
    twice = incidence_from_lists({"a": [[0], [0], [0, 1]]}, {}, ["0", "1"]).alike
    assert sorted(twice.number.tolist()) == [1, 2]


def test_datasets_are_joined_by_the_names_of_their_classes():
    one = incidence_of(dataset([{"image": 0, "class": 0}, {"image": 1, "class": 1}], pictures=2))
    other = incidence_of(dataset([{"image": 0, "class": 0}], pictures=1, classes=("person", "dog")))
    joined = joined_incidence([one, other])
    assert joined.classes == ("car", "person")
    assert joined.counts.toarray().tolist() == [[1, 0, 0], [0, 1, 1]]
    assert joined.sizes.tolist() == [1, 2]
    assert joined.pictures["path"].to_list() == ["/nowhere/0.jpg", "/nowhere/1.jpg", "/nowhere/0.jpg"]


def test_a_class_with_two_superclasses_is_not_joined():
    parts = [incidence_from_lists({"a": [[0]], "b": [[0]]}, {above: {"a", "b"}}, ["0"]) for above in ("X", "Y")]
    with pytest.raises(DataError, match="Class 'a' belongs to 'X' in one dataset and to 'Y'"):
        joined_incidence(parts)


def test_lists_that_name_what_is_not_there_are_refused():
    with pytest.raises(DataError, match=r"name the classes \['b'\]"):
        incidence_from_lists({"a": [[0]]}, {"X": {"a", "b"}}, ["0"])
    with pytest.raises(DataError, match="seen on picture 4; expected numbers from 0 to 0"):
        incidence_from_lists({"a": [[4]]}, {}, ["0"])


def test_many_objects_are_counted_as_few_are():
    rng = np.random.default_rng(0)
    rows = [{"image": int(i), "class": int(c)} for i, c in zip(rng.integers(0, 3, 200), rng.integers(0, 2, 200), strict=True)]
    expected = np.zeros((2, 3))
    for row in rows:
        expected[row["class"], row["image"]] += 1
    assert (incidence_of(dataset(rows)).counts.toarray() == expected).all()
