import polars as pl
import pytest
from polars.testing import assert_frame_equal
from python_calamine import CalamineWorkbook

import burnish
from burnish.data.dataset import make_dataset
from burnish.data.taxonomy import Member, Superlabel, Taxonomy
from burnish.formats.label_tables import write_tables
from burnish.inspect.settings import StatsConfig


def _street(root, **changed):
    """Four pictures in two splits and one in none; the third has nothing on it, a bus occurs nowhere."""
    columns = {
        "id": [1, 2, 3, 4, 5, 6],
        "image": [10, 10, 10, 20, 40, 50],
        "class": [7, 7, 3, 7, 3, 7],
        "kind": ["box", "box", "box", "polygon", "box", "box"],
    }
    numbers = {"x1": [1.0] * 6, "y1": [1.0] * 6, "x2": [9.0] * 6, "y2": [9.0] * 6}
    return make_dataset(
        root,
        media=pl.DataFrame({"id": [1, 2, 3, 4, 5], "path": [f"{n}.jpg" for n in range(5)]}),
        images=pl.DataFrame(
            {
                "id": [10, 20, 30, 40, 50],
                "media": [1, 2, 3, 4, 5],
                "split": ["train", "train", "val", "val", None],
                "width": [640, 640, 640, 32, None],
                "height": [480, 480, 480, 32, None],
            }
        ),
        annotations=pl.DataFrame({**columns, **numbers, **changed}, infer_schema_length=None),
        classes=pl.DataFrame({"id": [3, 7, 9], "name": ["person", "car", "bus"]}),
    )


def _column(counted, name):
    return dict(zip(counted.table["class"], counted.table[name], strict=True))


def test_pictures_and_shapes_of_each_class_are_counted(tmp_path):
    counted = burnish.stats(_street(tmp_path))
    assert _column(counted, "shapes") == {"person": 2, "car": 4, "bus": 0}
    assert _column(counted, "pictures") == {"person": 2, "car": 3, "bus": 0}
    assert _column(counted, "share") == pytest.approx({"person": 2 / 6, "car": 4 / 6, "bus": 0.0})


def test_each_split_is_counted_beside_the_whole(tmp_path):
    counted = burnish.stats(_street(tmp_path))
    assert _column(counted, "train shapes") == {"person": 1, "car": 3, "bus": 0}
    assert _column(counted, "train pictures") == {"person": 1, "car": 2, "bus": 0}
    assert _column(counted, "val shapes") == {"person": 1, "car": 0, "bus": 0}


def test_without_parts_only_the_whole_is_counted(tmp_path):
    assert burnish.stats(_street(tmp_path), StatsConfig(by="none")).table.columns == ["class", "pictures", "shapes", "tracks", "share"]


def test_a_track_across_pictures_counts_as_one_object_and_a_shape_without_one_as_its_own(tmp_path):
    counted = burnish.stats(_street(tmp_path, track=[1, 2, None, 1, None, None]))
    assert _column(counted, "tracks") == {"person": 2, "car": 3, "bus": 0}
    assert _column(counted, "train tracks") == {"person": 1, "car": 2, "bus": 0}


def test_views_outside_the_picture_and_elements_of_a_skeleton_are_not_counted(tmp_path):
    hidden = burnish.stats(_street(tmp_path, outside=[True, False, False, False, False, False], parent=[None, 1, None, None, None, None]))
    assert _column(hidden, "shapes") == {"person": 2, "car": 2, "bus": 0}


def test_the_order_of_the_rows_does_not_matter(tmp_path):
    street = _street(tmp_path)
    mixed = street.with_tables(annotations=street.annotations.sort("kind", "id", descending=[True, True]))
    assert_frame_equal(burnish.stats(mixed).table, burnish.stats(street).table)


def test_class_ids_far_apart_are_counted_alike(tmp_path):
    street = _street(tmp_path)
    far = pl.col("class").replace_strict({3: -2_000_000_000, 7: 2_000_000_000}, return_dtype=pl.Int32)
    ids = pl.Series("id", [-2_000_000_000, 2_000_000_000, 9], dtype=pl.Int32)
    spread = street.with_tables(annotations=street.annotations.with_columns(far), classes=street.classes.with_columns(ids))
    assert_frame_equal(burnish.stats(spread).table, burnish.stats(street).table)


def test_the_facts_tell_of_empty_pictures_and_of_the_imbalance(tmp_path):
    facts = burnish.stats(_street(tmp_path)).facts
    assert facts == {"pictures": 5, "without_annotations": 1, "annotations": 6, "classes": 3, "imbalance": 2.0}


def test_a_shape_on_a_picture_that_does_not_exist_hides_no_empty_picture(tmp_path):
    counted = burnish.stats(_street(tmp_path, image=[10, 10, 10, 20, 40, 99]))
    assert counted.facts["without_annotations"] == 2
    assert counted.per_picture.rows() == [(0, 2), (1, 2), (3, 1)]


def test_sizes_kinds_and_shapes_on_a_picture_are_told_by_frequency(tmp_path):
    counted = burnish.stats(_street(tmp_path))
    assert counted.sizes.row(0) == (640, 480, 3)
    assert counted.kinds.rows() == [("box", 5), ("polygon", 1)]
    assert counted.per_picture.rows() == [(0, 1), (1, 3), (3, 1)]


def test_a_dataset_without_annotations_counts_nothing(tmp_path):
    street = _street(tmp_path)
    bare = burnish.stats(street.with_tables(annotations=street.annotations.clear()))
    assert bare.facts["without_annotations"] == 5
    assert bare.facts["imbalance"] is None
    assert _column(bare, "val shapes") == {"person": 0, "car": 0, "bus": 0}


def test_the_csv_and_the_sheet_hold_the_table(tmp_path):
    counted = burnish.stats(_street(tmp_path))
    csv, sheet, page = counted.save(tmp_path / "out")
    assert_frame_equal(pl.read_csv(csv), counted.table, check_dtypes=False)
    header, *rows = CalamineWorkbook.from_path(sheet).get_sheet_by_name("classes").to_python()
    assert_frame_equal(pl.DataFrame(rows, schema=header, orient="row"), counted.table, check_dtypes=False)
    assert [path.name for path in (csv, sheet, page)] == ["stats.csv", "stats.xlsx", "stats.html"]


def test_the_page_shows_every_class_and_loads_nothing(tmp_path):
    page = burnish.stats(_street(tmp_path)).save(tmp_path / "out")[2].read_text(encoding="utf-8")
    assert all(name in page for name in ("person", "car", "bus", "640 x 480"))
    assert "://" not in page.replace("http://www.w3.org/", "")


def test_classes_of_label_tables_are_counted(tmp_path):
    table = Superlabel("road user", (Member("car"), Member("bus"), Member("person")), 1)
    (path,) = write_tables(Taxonomy(superlabels=(table,)), tmp_path / "tables")
    counted = burnish.stats(_street(tmp_path), StatsConfig(by="none", superlabels=str(path)))
    assert counted.table.select("class", "shapes").rows() == [("road user", 6)]
