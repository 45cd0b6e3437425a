import json

import polars as pl
import pytest
from builders import boxes_dataset

import burnish
from burnish.data.taxonomy import LabelEntry, Member, Superlabel, Taxonomy
from burnish.errors import ConfigError, DataError
from burnish.formats.findings import read_findings
from burnish.formats.label_tables import read_tables, write_tables
from burnish.formats.recognise import write_dataset
from burnish.inspect.settings import LabelsConfig

TABLES = Taxonomy(
    (
        LabelEntry("Транспорт", position=(1,)),
        LabelEntry("Машина", "car", "автомобиль", (1, 1)),
        LabelEntry("Люди", position=(2,)),
        LabelEntry("Человек", "person", position=(2, 1)),
    ),
    (Superlabel("Люди", (Member("Человек"),), 1, "Высокий"), Superlabel("Лишнее", (Member("Машина"),), 0, "Нет")),
)


@pytest.fixture
def tables(tmp_path):
    return write_tables(TABLES, tmp_path / "tables")


def looked(tables, **settings):
    return burnish.labels(*tables, LabelsConfig(**settings))


def test_the_tree_shows_each_label_with_what_it_is_trained_as(tables):
    assert looked(tables).tree.splitlines() == [
        "I. Транспорт",
        "└─ 1. Машина   car → Лишнее (unused)",
        "II. Люди",
        "└─ 1. Человек  person → Люди (0)",
    ]


def test_the_tree_can_be_a_diagram_in_the_colours_of_previews(tables):
    lines = looked(tables, tree="mermaid").tree.splitlines()
    assert "  classDef unused stroke:rgb(30,100,230),stroke-width:2px" in lines
    assert '  n1["1. Машина<br/>car → Лишнее (unused)"]:::unused' in lines


def test_superlabels_alone_are_a_tree_too(tables):
    assert looked(tables[1:]).tree.splitlines() == ["Люди    0", "└─ Человек", "Лишнее  unused", "└─ Машина"]


def test_a_table_without_groups_begins_at_the_edge(tmp_path):
    entries = (LabelEntry("A", "a", position=(0, 1)), LabelEntry("B", "b", position=(0, 1, 1)))
    assert looked(write_tables(Taxonomy(entries), tmp_path)).tree.splitlines() == ["1. A       a", "└─ 1.1. B  b"]


def test_what_each_label_becomes_is_listed(tables):
    result = looked(tables)
    assert result.chain == "label2superind"
    assert result.mapping.rows() == [("car", "-1", "unused"), ("person", "0", "used"), ("автомобиль", "-1", "unused")]
    assert looked(tables, chain="mark").mapping.is_empty()


def test_problems_are_told_with_their_cells_and_fail_only_when_asked(tables):
    spoilt = Taxonomy(TABLES.labels, (*TABLES.superlabels, Superlabel("Ещё", (Member("человек"), Member("Трамвай")), 3, "Нет")))
    tables = write_tables(spoilt, tables[0].parent, force=True)
    result = looked(tables)
    assert result.exit_code == 0
    assert looked(tables, strict=True).exit_code == 3
    assert result.summary()["issues"] == {"absent_meaning": 1, "letter_case": 1, "number_gap": 1, "repeated_meaning": 1}
    assert "4 issues:" in str(result)
    assert "superlabels!C5: The table of labels has no meaning 'Трамвай'." in str(result)
    assert looked(tables[:1], strict=True).exit_code == 0


def test_the_classes_of_a_dataset_are_compared_both_ways(tables, tmp_path):
    write_dataset(boxes_dataset(tmp_path / "data", classes=("Car", "Автомобиль", "tram")), tmp_path / "coco", "coco")
    found = looked(tables, dataset=str(tmp_path / "coco")).table
    assert found.select("kind", "given", "suggestion", "is_issue").rows() == [
        ("letter_case", "Car", "car", True),
        ("unknown_label", "tram", None, True),
        ("missing_label", "person", None, False),
    ]


def test_the_labels_of_a_cvat_project_are_compared_both_ways(tables, tmp_path):
    (tmp_path / "project.json").write_text(json.dumps({"labels": [{"name": "car"}, {"name": "persons"}]}))
    found = looked(tables, cvat=str(tmp_path / "project.json")).table
    assert found.select("kind", "position", "given", "suggestion").rows() == [
        ("unknown_label", None, "persons", "person"),
        ("missing_label", "labels!C5", "person", "persons"),
    ]


def test_a_cvat_project_that_agrees_is_no_issue(tables, tmp_path):
    (tmp_path / "labels.json").write_text(json.dumps(["person", "АВТОМОБИЛЬ"]))
    assert looked(tables, cvat=str(tmp_path / "labels.json")).table.is_empty()


def test_what_was_found_is_saved_with_the_tree_and_the_tidied_tables(tables, tmp_path):
    written = looked(tables, write="csv").save(tmp_path / "out")
    names = ["findings.parquet", "findings.csv", "labels.html", "tree.txt", "tree.mmd", "mapping.csv", "labels.csv", "superlabels.csv"]
    assert [path.name for path in written] == names
    assert read_findings(tmp_path / "out").about["verb"] == "labels"
    assert read_tables(tmp_path / "out/labels.csv", tmp_path / "out/superlabels.csv").taxonomy == TABLES
    assert pl.read_csv(tmp_path / "out/mapping.csv").height == 3
    page = (tmp_path / "out/labels.html").read_text("utf-8")
    assert "car → Лишнее (unused)" in page
    assert "label2superind" in page


def test_templates_are_put_into_a_folder_and_never_over_filled_in_ones(tmp_path):
    made = burnish.labels(config=LabelsConfig(template=str(tmp_path)))
    assert [path.name for path in made.save_in_place()] == ["labels.xlsx", "superlabels.xlsx"]
    with pytest.raises(DataError, match="would be replaced"):
        made.save_in_place()
    assert burnish.labels(config=LabelsConfig(template=str(tmp_path)), force=True).save_in_place()
    assert looked([tmp_path / "labels.xlsx", tmp_path / "superlabels.xlsx"], strict=True).exit_code == 0


def test_without_a_table_the_way_to_one_is_told():
    with pytest.raises(ConfigError, match="--template"):
        burnish.labels()
