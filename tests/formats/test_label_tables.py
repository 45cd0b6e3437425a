"""The two spreadsheets, read in all the ways in which people save them, written, and read back equal."""

import json
from pathlib import Path

import pytest
import xlsxwriter
from format_builders import fresh_folders
from hypothesis import given, settings
from hypothesis import strategies as st

from burnish.data.chains import make_chain
from burnish.data.numbering import position_text
from burnish.data.taxonomy import LabelEntry, Member, Superlabel, Taxonomy
from burnish.errors import DataError, FormatError
from burnish.formats.label_tables import FILE_KINDS, copy_templates, read_names, read_tables, write_tables
from burnish.formats.label_tables.grids import column_letter, tidy

LABELS = [
    ["Класс объекта", "Метка в CVAT", "Метка в другом источнике данных", "Признаки", "URL"],
    ["I. Транспорт", "", "", "", ""],
    ["1. Машина", "car", "машина, автомобиль", "", ""],
    ["II. Люди", "", "", "", ""],
    ["1. Человек", "person", "человек, люди", "", ""],
]
SUPERLABELS = [
    ["№ п/п", "Наименование суперкласса", "Классы (содержимое суперкласса)", "Приоритет"],
    ["1", "Человек", "Человек", "Высокий"],
    ["2", "Транспорт", "Машина", "Высокий"],
]


def put_text(path: Path, rows: list[list[str]], separator: str = ",", encoding: str = "utf-8") -> Path:
    cells = [[f'"{cell}"' if separator in cell or "\n" in cell else cell for cell in row] for row in rows]
    path.write_bytes("\n".join(separator.join(row) for row in cells).encode(encoding))
    return path


def put_book(path: Path, *sheets: list[list[object]], merged: tuple[str, ...] = ()) -> Path:
    book = xlsxwriter.Workbook(str(path))
    for number, rows in enumerate(sheets):
        sheet = book.add_worksheet(f"Лист{number + 1}")
        for row, cells in enumerate(rows):
            sheet.write_row(row, 0, cells)
        for cells in merged:
            sheet.merge_range(cells, rows[int(cells.split(":")[0][1:]) - 1][ord(cells[0]) - ord("A")])
    book.close()
    return path


def told(read):
    return read.findings.select("kind", "position", "suggestion").rows()


def label_rows(*rows):
    return [LABELS[0], *[[*row, *[""] * (5 - len(row))] for row in rows]]


# Templates and what was tested of the tables before.


@pytest.fixture
def templates(tmp_path):
    return copy_templates(tmp_path / "tables")


def test_the_templates_lead_from_class_to_one_and_say_nothing(templates):
    for order in (templates, templates[::-1]):
        read = read_tables(*order)
        chain = make_chain(read.taxonomy)
        assert (chain.name, chain("class"), chain("domain"), chain("phylum")) == ("label2superind", 1, -2, -1)
        assert told(read) == []


def test_each_template_alone_leads_as_far_as_it_can(templates):
    labels, superlabels = (read_tables(path).taxonomy for path in templates)
    assert make_chain(labels).name == "label2meaning"
    assert (make_chain(labels)("class"), make_chain(labels)("kingdom")) == ("Класс", "Царство")
    assert make_chain(superlabels, "meaning2superlabel")("Класс") == "Классы, отряды и семейства"
    assert make_chain(superlabels)("Класс") == 1


def test_the_templates_that_ship_are_those_that_the_tool_makes(templates, tmp_path):
    read = read_tables(*templates).taxonomy
    assert [entry.label for entry in read.labels] == ["domain", "kingdom", "phylum", "class", "order", "family", "genus", "species"]
    for path, fresh in zip(templates, write_tables(read, tmp_path / "fresh"), strict=True):
        assert path.read_bytes() == fresh.read_bytes()


def test_a_filled_in_template_is_not_written_over(templates):
    with pytest.raises(DataError, match="would be replaced"):
        copy_templates(templates[0].parent)


@pytest.mark.parametrize("mixed", [(".csv", ".csv"), (".csv", ".tsv"), (".xlsx", ".csv"), (".tsv", ".xlsx"), (".txt", ".csv")])
def test_files_of_any_kind_go_together_in_either_order(mixed, tmp_path):
    paths = []
    for name, rows, suffix in zip(("labels", "superlabels"), (LABELS, SUPERLABELS), mixed, strict=True):
        path = tmp_path / f"{name}{suffix}"
        paths.append(put_book(path, rows) if suffix == ".xlsx" else put_text(path, rows, "," if suffix == ".csv" else "\t"))
    for order in (paths, paths[::-1]):
        chain = make_chain(read_tables(*order).taxonomy)
        assert (chain.name, chain("person"), chain("car"), chain("автомобиль")) == ("label2superind", 0, 1, 1)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_text_tables_are_read_in_the_usual_encodings_and_separators(encoding, separator, tmp_path):
    read = read_tables(put_text(tmp_path / "labels.csv", LABELS, separator, encoding))
    assert make_chain(read.taxonomy)("люди") == "Человек"
    assert told(read) == ([("encoding", None, None)] if encoding == "cp1251" else [])


def test_a_latin_table_is_read_when_its_encoding_is_named(tmp_path):
    rows = [["Class", "Label"], ["1. Fenêtre", "fenêtre"]]
    path = put_text(tmp_path / "labels.csv", rows, encoding="latin1")
    assert make_chain(read_tables(path, encoding="latin1").taxonomy)("fenêtre") == "Fenêtre"


def test_one_workbook_may_hold_both_tables(tmp_path):
    assert make_chain(read_tables(put_book(tmp_path / "both.xlsx", LABELS, SUPERLABELS)).taxonomy)("car") == 1


def test_a_mapping_beside_a_file_is_what_the_file_is_not(tmp_path):
    labels = put_text(tmp_path / "labels.csv", LABELS)
    superlabels = put_text(tmp_path / "superlabels.csv", SUPERLABELS)
    for order in ((labels, {"Машина": "T"}), ({"Машина": "T"}, labels)):
        assert make_chain(read_tables(*order).taxonomy)("car") == "T"
    assert make_chain(read_tables({"auto": "Машина"}, superlabels).taxonomy)("auto") == 1
    assert make_chain(read_tables({"a": "A"}, {"A": "X"}).taxonomy)("a") == "X"
    assert make_chain(read_tables({"a": "A"}).taxonomy).name == "label2meaning"
    assert make_chain(read_tables(None, {"a": "A"}).taxonomy).name == "meaning2superlabel"


# Files that are no label tables.


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", b"{}", "cannot end in '.json'"),
        ("a.csv", b"x,y\n1,2", "neither a table of labels .* Its first row holds: 'x', 'y'"),
        ("a.csv", b"", "holds: nothing"),
        ("a.xlsx", b"no zip", "cannot be read"),
        ("a.txt", "Класс объекта\tЧто-то".encode(), "neither"),
    ],
)
def test_another_file_is_refused_with_what_was_seen(name, content, message, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FormatError, match=message):
        read_tables(tmp_path / name)


def test_a_missing_file_two_tables_of_a_kind_and_nothing_at_all_are_refused(tmp_path):
    labels = put_text(tmp_path / "labels.csv", LABELS)
    with pytest.raises(FormatError, match="no such file"):
        read_tables(tmp_path / "none.xlsx")
    with pytest.raises(DataError, match="second table of labels"):
        read_tables(labels, labels)
    with pytest.raises(DataError, match="No label table"):
        read_tables()


# Rows.


def test_the_other_spelling_of_the_headings_is_known_too(tmp_path):
    rows = [["№ п/п", "Наименование суперметки", "Метки", "Приоритет"], ["1", "Люди", "Человек", "Нет"]]
    english = [["No.", "Superclass", "Classes", "Priority"], ["1", "People", "Human", "High"]]
    for number, table in enumerate((rows, english)):
        assert told(read_tables(put_text(tmp_path / f"{number}.csv", table))) == []


def test_spaces_of_any_kind_letters_in_parts_and_empty_rows_do_no_harm(tmp_path):
    decomposed = "Трамваи\N{COMBINING BREVE}"
    rows = label_rows(["1.\N{NO-BREAK SPACE} Жёлтый\N{NO-BREAK SPACE}дом  ", " house "], ["", "", "", ". "], [f"2.  {decomposed}", "tram"])
    read = read_tables(put_book(tmp_path / "labels.xlsx", rows))
    assert make_chain(read.taxonomy).asdict() == {"house": "Жёлтый дом", "tram": "Трамвай"}
    assert told(read) == []


def test_a_number_may_have_a_cell_of_its_own_and_numbers_that_are_no_text_are_told(tmp_path):
    rows = [["Класс объекта", "", "Метка в CVAT"], ["I.", "Группа", ""], [1, "Машина", "car"], [1.1, "Такси", "taxi"]]
    read = read_tables(put_book(tmp_path / "labels.xlsx", rows))
    assert [(entry.position, entry.meaning) for entry in read.taxonomy.labels] == [
        ((1,), "Группа"),
        ((1, 1), "Машина"),
        ((1, 1, 1), "Такси"),
    ]
    assert told(read) == [("wrong_numbering", "Лист1!A3", "1."), ("wrong_numbering", "Лист1!A4", "1.1.")]


def test_rows_without_a_number_a_dot_or_a_meaning_are_told_and_read_as_far_as_they_can(tmp_path):
    read = read_tables(put_text(tmp_path / "labels.csv", label_rows(["1 Машина", "car"], ["Человек", "person"], ["", "tram"])))
    assert make_chain(read.taxonomy).asdict() == {"car": "Машина", "person": "Человек"}
    assert told(read) == [("wrong_numbering", "A2", "1. Машина"), ("wrong_numbering", "A3", None), ("missing_meaning", "A4", None)]


def test_numbers_of_superlabels_may_be_decimals(tmp_path):
    rows = [SUPERLABELS[0], [1.0, "A", "a", "Нет"], ["2.0", "B", "b", "Нет"], [-1.0, "C", "c", "Нет"]]
    superlabels = read_tables(put_book(tmp_path / "superlabels.xlsx", rows)).taxonomy.superlabels
    assert [entry.index for entry in superlabels] == [0, 1, -2]


def test_rows_below_a_superlabel_add_a_meaning_each_whether_cells_are_merged_or_repeated(tmp_path):
    head = SUPERLABELS[0]
    blank = [head, ["1", "A", "a", "Нет"], ["", "", "b", ""], ["2", "B", "c", ""]]
    repeated = [head, ["1", "A", "a", "Нет"], ["1", "A", "b", "Нет"], ["2", "B", "c", "Нет"]]
    wanted = [("A", ["a", "b"], 1, "Нет"), ("B", ["c"], 2, "Нет")]
    for number, (rows, merged) in enumerate([(blank, ("A2:A3", "D2:D4")), (blank, ("D2:D4",)), (repeated, ())]):
        read = read_tables(put_book(tmp_path / f"{number}.xlsx", rows, merged=merged))
        found = [(e.name, [m.meaning for m in e.members], e.number, e.priority) for e in read.taxonomy.superlabels]
        assert found == wanted
        assert told(read) == []


def test_half_filled_rows_and_wrong_numbers_are_all_told_with_their_cells(tmp_path):
    rows = [SUPERLABELS[0], ["", "", "z", ""], ["1", "A", "a", ""], ["", "B", "b", "Нет"], ["3", "", "c", "Нет"], ["x", "D", "d", "Нет"]]
    read = read_tables(put_text(tmp_path / "superlabels.csv", [*rows, ["-2", "E", "e", "Нет"]]))
    problems = read.findings.filter(read.findings["kind"].is_in(["half_filled_row", "wrong_number"]))
    assert problems.select("kind", "position").rows() == [
        ("half_filled_row", "B2"),
        ("half_filled_row", "D3"),
        ("half_filled_row", "A4"),
        ("half_filled_row", "B5"),
        ("wrong_number", "A6"),
        ("wrong_number", "A7"),
    ]


def test_columns_that_are_not_known_or_stand_twice_are_told(tmp_path):
    rows = [["Класс объекта", "Метка в CVAT", "Примечания", "Цвет", "Метка в CVAT"], ["1. Машина", "car", "", "", "auto"]]
    read = read_tables(put_text(tmp_path / "labels.csv", rows))
    assert read.findings.select("kind", "position", "suggestion", "is_issue").rows() == [
        ("unknown_column", "C1", "Примечание", True),
        ("unknown_column", "D1", None, False),
        ("repeated_column", "E1", None, True),
    ]
    assert make_chain(read.taxonomy)("car") == "Машина"


def test_headings_may_stand_below_a_title(tmp_path):
    read = read_tables(put_text(tmp_path / "labels.csv", [["Список классов"], *LABELS]))
    assert read.taxonomy.labels[1].place.cell("label") == "B4"


def test_the_letters_of_columns_go_on_behind_z():
    assert [column_letter(number) for number in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]


# Writing.

words = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters='"'), min_size=1, max_size=8).map(tidy).filter(bool)
names = st.lists(words, min_size=1, max_size=3).map(" ".join).filter(lambda text: text[0] != ".")
texts = st.lists(st.just("") | names, max_size=3).map("\n".join).map(tidy)
positions = st.integers(0, 3999).flatmap(
    lambda group: st.lists(st.integers(0, 99), min_size=0 if group else 1, max_size=4).map(lambda below: (group, *below))
)


@st.composite
def label_entries(draw):
    entries, group = [], 0
    for position in draw(st.lists(positions, max_size=5)):
        # A number without a group belongs to the group above it.
        group = position[0] if len(position) == 1 else group
        placed = position if len(position) == 1 else (group, *position[1:])
        entry = LabelEntry(draw(names), draw(st.just("") | names), draw(texts), placed, draw(texts), draw(texts), draw(texts))
        entries.append(entry)
    return tuple(entries)


@st.composite
def superlabel_entries(draw):
    held = draw(st.lists(names, max_size=4, unique=True))
    members = st.lists(names.map(Member), max_size=4).map(tuple)
    return tuple(Superlabel(name, draw(members), draw(st.none() | st.integers(-1, 99)), draw(st.just("") | names)) for name in held)


taxonomies = st.builds(Taxonomy, st.none() | label_entries(), st.none() | superlabel_entries()).filter(
    lambda tables: tables.labels is not None or tables.superlabels is not None
)


@pytest.mark.parametrize("kind", FILE_KINDS)
def test_tables_are_read_back_equal(kind):
    @settings(max_examples=30, deadline=None)
    @given(taxonomies)
    def read_back(taxonomy):
        with fresh_folders() as (_, folder):
            assert read_tables(*write_tables(taxonomy, folder / "tables", kind=kind)).taxonomy == taxonomy

    read_back()


def test_written_spreadsheets_merge_what_superlabels_share_and_hold_no_formulas(tmp_path):
    import python_calamine  # noqa: PLC0415

    taxonomy = Taxonomy(superlabels=(Superlabel("=A1", (Member("a"), Member("http://b")), 1, "Нет"), Superlabel("B", (Member("c"),), 0)))
    (path,) = write_tables(taxonomy, tmp_path)
    sheet = python_calamine.load_workbook(str(path)).get_sheet_by_index(0)
    assert sorted(sheet.merged_cell_ranges) == [((1, 0), (2, 0)), ((1, 1), (2, 1)), ((1, 3), (2, 3))]
    assert read_tables(path).taxonomy == taxonomy


def test_nothing_is_written_over_a_table_unless_forced(tmp_path):
    taxonomy = Taxonomy((LabelEntry("A", "a", position=(1,)),))
    write_tables(taxonomy, tmp_path)
    with pytest.raises(DataError, match=r"labels\.xlsx would be replaced"):
        write_tables(taxonomy, tmp_path)
    assert write_tables(taxonomy, tmp_path, force=True)


def test_a_text_that_a_spreadsheet_would_cut_is_refused_and_nothing_written(tmp_path):
    long = Taxonomy((LabelEntry("A", "a", note="x" * 40_000),))
    with pytest.raises(DataError, match="D2: the text has 40,000 characters"):
        write_tables(long, tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert read_tables(*write_tables(long, tmp_path, kind="csv")).taxonomy == long


def test_positions_are_written_as_people_write_them(tmp_path):
    entries = [LabelEntry("A", position=(2,)), LabelEntry("B", position=(2, 1)), LabelEntry("C", position=(2, 1, 10))]
    (path,) = write_tables(Taxonomy(tuple(entries)), tmp_path, kind="csv")
    assert [line.split(",")[0] for line in path.read_text().splitlines()[1:]] == ["II. A", "1. B", "1.10. C"]
    assert position_text(()) == ""


# Names of a CVAT project.


@pytest.mark.parametrize(
    "content",
    [
        ["car", "person"],
        [{"name": "car", "color": "#ff0000", "attributes": []}, {"name": "person"}],
        {"name": "street", "labels": [{"name": "car"}, {"name": "person"}, {"name": "car"}]},
        {
            "count": 2,
            "next": None,
            "results": [{"name": "car", "sublabels": []}, {"name": " person"}, {"name": "nose", "has_parent": True}],
        },
    ],
)
def test_names_are_taken_from_every_form_in_which_cvat_gives_labels(content, tmp_path):
    (tmp_path / "labels.json").write_text(json.dumps(content))
    assert read_names(tmp_path / "labels.json") == ["car", "person"]


def test_the_labels_of_a_real_server_are_read(shared_data):
    names = read_names(shared_data / "formats/cvat_server_api/labels.json")
    assert {"car", "person", "skele1"} <= set(names)


def test_a_page_of_many_labels_is_refused(tmp_path):
    page = {"count": 41, "next": "page=2", "results": [{"name": "car"}]}
    (tmp_path / "labels.json").write_text(json.dumps(page))
    with pytest.raises(FormatError, match="one page of 41 labels"):
        read_names(tmp_path / "labels.json")


def test_names_may_stand_in_a_text_file_and_other_json_is_refused(tmp_path):
    (tmp_path / "names.txt").write_text("car\n\nperson \n")
    assert read_names(tmp_path / "names.txt") == ["car", "person"]
    for text, message in [('{"a": 1}', "No labels are here"), ("[1]", "No labels"), ("{", "line 1: This is no valid JSON")]:
        (tmp_path / "bad.json").write_text(text)
        with pytest.raises(FormatError, match=message):
            read_names(tmp_path / "bad.json")
