import polars as pl
import pytest
from format_builders import box, pictured

from burnish.data.chains import make_chain
from burnish.data.relabelling import apply_labels, marked, relabelled
from burnish.data.taxonomy import LabelEntry, Member, Superlabel, Taxonomy, taxonomy_of
from burnish.errors import ForbiddenLabelError, LabelError

LABELS = (
    *(LabelEntry("Машина", "car"), LabelEntry("Автобус", "bus"), LabelEntry("Человек", "person")),
    *(LabelEntry("Тень", "shadow"), LabelEntry("Лицо", "face")),
)
TABLES = Taxonomy(
    LABELS,
    (
        Superlabel("Люди", (Member("Человек"),), 1, "Высокий"),
        Superlabel("Транспорт", (Member("Машина"), Member("Автобус")), 2, "Обычный"),
        Superlabel("Лишнее", (Member("Тень"),), 0, "Нет"),
        Superlabel("Запретное", (Member("Лицо"),), -1, "Нет"),
    ),
)
NAMES = ["bus", "car", "shadow", "person", "face"]


@pytest.fixture
def street(tmp_path):
    rows = [box(image, number, (1, 1, 5, 5)) for image, number in [(1, 0), (1, 1), (1, 2), (2, 3), (3, 4), (3, 3)]]
    return pictured(tmp_path, ["a.png", "b.png", "c.png"], rows, NAMES)


def test_classes_become_superlabels_numbered_by_their_index(street):
    made = relabelled(street, make_chain(TABLES), TABLES)
    assert made.classes.select("id", "name", "status", "priority").rows() == [
        (0, "Люди", "used", 3),
        (1, "Транспорт", "used", 2),
        (2, "Лишнее", "unused", 0),
        (3, "Запретное", "forbidden", 0),
    ]
    assert made.annotations["class"].to_list() == [1, 1, 2, 0, 3, 0]


def test_applied_tables_skip_unused_objects_and_leave_forbidden_pictures_out(street):
    kept, findings = apply_labels(street, TABLES)
    assert kept.images["id"].to_list() == [1, 2]
    assert kept.annotations.select("id", "class").rows() == [(1, 1), (2, 1), (4, 0)]
    assert findings["kind"].to_list() == ["unused_class", "forbidden_class"]


def test_forbidden_objects_can_be_an_error_that_lists_the_pictures(street):
    with pytest.raises(ForbiddenLabelError, match="1 pictures: 3") as caught:
        apply_labels(street, TABLES, forbidden_is="error")
    assert caught.value.rows == (3,)


def test_values_to_skip_and_to_forbid_can_be_given(street):
    kept, _ = apply_labels(street, Taxonomy(LABELS), unused={"Машина"}, forbidden={"Человек"})
    assert kept.images["id"].to_list() == [1]
    assert [kept.class_names()[number] for number in kept.annotations["class"]] == ["Автобус", "Тень"]


def test_meanings_keep_their_superlabel_and_its_status(street):
    made = relabelled(street, make_chain(TABLES, "label2meaning"), TABLES)
    assert made.classes.select("name", "superclass", "status").rows() == [
        ("Машина", "Транспорт", "used"),
        ("Автобус", "Транспорт", "used"),
        ("Человек", "Люди", "used"),
        ("Тень", "Лишнее", "unused"),
        ("Лицо", "Запретное", "forbidden"),
    ]


def test_classes_can_be_marked_and_keep_their_names(street):
    made = marked(street, TABLES)
    assert made.classes.select("id", "name", "superclass", "status").rows()[2:4] == [
        (2, "shadow", "Лишнее", "unused"),
        (3, "person", "Люди", "used"),
    ]
    assert made.annotations.equals(street.annotations)


def test_marking_leaves_what_the_tables_do_not_know(street):
    renamed = street.with_tables(classes=street.classes.with_columns(pl.col("name").replace("bus", "tram")))
    assert marked(renamed, TABLES).classes["superclass"].to_list()[0] is None
    assert marked(renamed, Taxonomy(LABELS)) is renamed


def test_every_class_with_objects_must_be_known_and_one_without_need_not(street):
    strange = street.with_tables(classes=street.classes.with_columns(pl.col("name").replace({"bus": "buss", "person": "man"})))
    with pytest.raises(LabelError, match=r"2 of the labels:\n  'buss' Did you mean 'bus'\?\n  'man'"):
        relabelled(strange, make_chain(TABLES), TABLES)
    bare = strange.with_tables(annotations=strange.annotations.filter(pl.col("id") == 2))
    assert relabelled(bare, make_chain(TABLES), TABLES).annotations["class"].to_list() == [1]


def test_objects_without_a_class_stay_without_one(street):
    unnamed = street.with_tables(annotations=street.annotations.with_columns(pl.lit(None, dtype=pl.Int32).alias("class")))
    assert relabelled(unnamed, make_chain(TABLES), TABLES).annotations["class"].null_count() == 6


def test_mappings_without_numbers_number_superlabels_in_their_order(street):
    tables = taxonomy_of(dict.fromkeys(NAMES, "m"), {"m": "all"})
    assert relabelled(street, make_chain(tables), tables).classes.select("id", "name").rows() == [(0, "all")]


def test_what_classes_have_in_common_goes_on_to_the_one_they_become(street):
    colours = pl.Series("colour", ["#111111", "#111111", "#222222", "#333333", "#444444"])
    extras = pl.DataFrame({"format": ["coco"] * 3, "table": ["classes", "classes", "images"], "row": [0, 3, 1], "value": ["{}"] * 3})
    dressed = street.with_tables(classes=street.classes.with_columns(colours), extras=extras)
    made = relabelled(dressed, make_chain(TABLES), TABLES)
    assert made.classes["colour"].to_list() == ["#333333", "#111111", "#222222", "#444444"]
    assert sorted(made.extras.select("table", "row").rows()) == [("classes", 0), ("images", 1)]


def test_classes_of_the_parts_of_skeletons_stay_behind_the_others(street):
    parts = pl.when(pl.col("id") == 2).then(1)
    dressed = street.with_tables(
        classes=street.classes.with_columns(pl.col("name").replace("car", "bus/door")),
        annotations=street.annotations.with_columns(parent=parts),
    )
    made = relabelled(dressed, make_chain(TABLES), TABLES)
    assert made.classes["name"].to_list() == ["Люди", "Транспорт", "Лишнее", "Запретное", "bus/door"]
    assert made.annotations["class"].to_list() == [1, 4, 2, 0, 3, 0]
