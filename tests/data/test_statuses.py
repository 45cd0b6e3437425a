import polars as pl
import pytest
from format_builders import box, pictured

from burnish.data.dataset import same_content
from burnish.data.statuses import without_skipped

NAMES = ["car", "junk", "face"]


@pytest.fixture
def street(tmp_path):
    rows = [
        box(1, 0, (1, 1, 5, 5)),
        box(1, 1, (1, 1, 5, 5)),
        box(2, 1, (1, 1, 5, 5)),
        box(3, 0, (1, 1, 5, 5)),
        box(3, 2, (1, 1, 5, 5)),
        box(1, 0, (2, 2, 3, 3), parent=2),
        box(1, 0, (2, 2, 3, 3), parent=6),
    ]
    return pictured(tmp_path, ["a.png", "b.png", "c.png"], rows, NAMES)


def with_statuses(dataset, *statuses):
    return dataset.with_tables(classes=dataset.classes.with_columns(pl.Series("status", list(statuses))))


def test_a_dataset_of_used_classes_stays_as_it_is(street):
    kept, findings = without_skipped(street)
    assert kept is street
    assert findings.is_empty()


def test_unused_objects_go_with_their_elements_and_forbidden_ones_take_their_picture(street):
    kept, findings = without_skipped(with_statuses(street, "used", "unused", "forbidden"))
    assert kept.annotations["id"].to_list() == [1]
    assert kept.images["id"].to_list() == [1, 2]
    assert kept.media["path"].to_list() == ["a.png", "b.png"]
    assert kept.classes["name"].to_list() == ["car"]
    told = findings.select("kind", "image", "annotation", "given", "is_issue").rows()
    assert told == [
        ("unused_class", 1, 2, "junk", False),
        ("unused_class", 2, 3, "junk", False),
        ("forbidden_class", 3, 5, "face", False),
    ]


def test_what_hangs_on_rows_that_go_goes_too(street):
    attributes = pl.DataFrame({"annotation": [1, 5], "name": ["a", "a"], "value": ["x", "y"]})
    tables = ["annotations", "annotations", "images", "images", "classes", "dataset"]
    extras = pl.DataFrame({"format": ["coco"] * 6, "table": tables, "row": [1, 5, 1, 3, 2, None], "value": ["{}"] * 6})
    kept, _ = without_skipped(with_statuses(street.with_tables(attributes=attributes, extras=extras), "used", "used", "forbidden"))
    assert kept.attributes["annotation"].to_list() == [1]
    assert kept.extras.select("table", "row").rows() == [("annotations", 1), ("images", 1), ("dataset", None)]


def test_a_tracked_object_that_has_left_the_picture_does_not_forbid_it(street):
    gone = street.with_tables(annotations=street.annotations.with_columns(outside=pl.col("id") == 5))
    kept, findings = without_skipped(with_statuses(gone, "used", "used", "forbidden"))
    assert kept.images.height == 3
    assert findings.select("kind", "annotation").rows() == [("unused_class", 5)]


def test_nothing_but_forbidden_pictures_leaves_an_empty_dataset(street):
    kept, findings = without_skipped(with_statuses(street, "forbidden", "forbidden", "forbidden"))
    assert kept.counts()["images"] == 0
    assert kept.counts()["annotations"] == 0
    assert findings.height == 7


def test_doing_it_twice_changes_nothing_more(street):
    kept, _ = without_skipped(with_statuses(street, "used", "unused", "forbidden"))
    assert same_content(without_skipped(kept)[0], kept)
