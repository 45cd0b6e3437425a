import polars as pl
from format_builders import box, pictured

from burnish.formats.carrying import not_carried


def test_every_annotation_of_a_kind_without_a_place_is_named(tmp_path):
    dataset = pictured(tmp_path, ["a.png"], [box(1, 0, (1, 2, 3, 4)), {"image": 1, "class": 0, "kind": "tag"}], ["cat"])
    findings = not_carried(dataset, "x", {"tag"})
    assert findings.select("kind", "image", "annotation").rows() == [("not_carried", 1, 1)]


def test_values_without_a_place_are_told_with_the_value_and_defaults_are_not(tmp_path):
    dataset = pictured(tmp_path, ["a.png"], [box(1, 0, (1, 2, 3, 4), score=0.5), box(1, 0, (1, 2, 3, 4))], ["cat"])
    findings = not_carried(dataset, "x", {"box"})
    assert findings.select("annotation", "given").rows() == [(1, "0.5")]
    assert not_carried(dataset, "x", {"box", "score"}).is_empty()


def test_values_of_an_annotation_that_is_lost_as_a_whole_are_not_told_again(tmp_path):
    dataset = pictured(tmp_path, ["a.png"], [box(1, 0, (1, 2, 3, 4), score=0.5)], ["cat"])
    assert not_carried(dataset, "x", {"tag"}).height == 1


def test_splits_colours_and_attributes_are_told(tmp_path):
    dataset = pictured(tmp_path, ["a.png"], [box(1, 0, (1, 2, 3, 4))], ["cat"], split=["train"])
    dataset = dataset.with_tables(
        classes=dataset.classes.with_columns(colour=pl.lit("#ff0000")),
        attributes=pl.DataFrame({"annotation": [1], "name": ["a"], "value": ["b"]}),
    )
    assert set(not_carried(dataset, "x", {"box"})["given"]) == {"train", "#ff0000", "a = b"}
    assert not_carried(dataset, "x", {"box", "split", "colour", "attributes"}).is_empty()


def test_fields_of_another_format_are_told_once(tmp_path):
    dataset = pictured(tmp_path, ["a.png", "b.png"])
    extras = pl.DataFrame({"format": ["coco", "coco", "x"], "table": ["images"] * 3, "row": [1, 2, 1], "value": ["{}"] * 3})
    findings = not_carried(dataset.with_tables(extras=extras), "x", set())
    assert findings.select("is_issue").rows() == [(False,)]
    assert "2 rows" in findings["reason"][0]
