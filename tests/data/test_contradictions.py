import pytest

from burnish.data.contradictions import contradictions
from burnish.data.taxonomy import LabelEntry, Member, Place, Superlabel, Taxonomy

LETTERS = {"meaning": "A", "label": "C", "synonym": "E"}
SUPER_LETTERS = {"number": "A", "name": "B", "meaning": "C", "priority": "D"}


def labels(*rows):
    return tuple(
        LabelEntry(*row[:3], position=row[3] if len(row) > 3 else (), place=Place("labels.xlsx", "Лист1", number, LETTERS))
        for number, row in enumerate(rows, 2)
    )


def superlabels(*rows):
    found, line = [], 2
    for number, name, meanings, *priority in rows:
        places = [Place("superlabels.xlsx", "Sheet1", line + i, SUPER_LETTERS) for i in range(max(len(meanings), 1))]
        members = tuple(Member(meaning, place) for meaning, place in zip(meanings, places, strict=False))
        found.append(Superlabel(name, members, number, *priority, place=places[0]))
        line += len(places)
    return tuple(found)


def told(taxonomy):
    return [(row["kind"], row["position"], row.get("suggestion")) for row in contradictions(taxonomy)]


def test_tables_in_order_say_nothing():
    entries = labels(("Транспорт", "", "", (1,)), ("Машина", "car", "", (1, 1)), ("Люди", "", "", (2,)), ("Человек", "person", "", (2, 1)))
    assert told(Taxonomy(entries, superlabels((1, "Человек", ["Человек"]), (2, "Транспорт", ["Машина"])))) == []


def test_one_letter_in_another_case_is_told_with_both_cells_and_what_it_should_be():
    taxonomy = Taxonomy(labels(("Порядок (отряд)", "order", "")), superlabels((1, "Отряды", ["Порядок (Отряд)"])))
    (problem,) = contradictions(taxonomy)
    assert (problem["kind"], problem["path"], problem["position"]) == ("letter_case", "superlabels.xlsx", "Sheet1!C2")
    assert problem["suggestion"] == "Порядок (отряд)"
    assert "Лист1!A2" in problem["reason"]


def test_a_meaning_that_is_referenced_but_absent_is_told_with_the_nearest_and_so_is_the_one_that_nothing_takes():
    taxonomy = Taxonomy(labels(("Пожарный гидрант", "fire hydrant", "")), superlabels((1, "Улица", ["Гидрант"])))
    assert told(taxonomy) == [("absent_meaning", "Sheet1!C2", "Пожарный гидрант"), ("unmapped_meaning", "Лист1!A2", None)]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("A", "a", ""), ("B", "a", "")], ("repeated_label", "Лист1!C3", None)),
        ([("A", "a", ""), ("A", "a", "")], ("repeated_label", "Лист1!C3", None)),
        ([("A", "a", ""), ("B", "A", "")], ("letter_case", "Лист1!C3", "a")),
        ([("A", "a", ""), ("B", "b", "A; c")], ("repeated_label", "Лист1!E3", None)),
        ([("A", "a", "x"), ("B", "b", "X")], ("repeated_label", "Лист1!E3", None)),
    ],
)
def test_labels_and_synonyms_that_stand_twice_are_told(rows, expected):
    assert told(Taxonomy(labels(*rows))) == [expected]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([(1, "X", ["a"]), (2, "Y", ["a"])], ("repeated_meaning", "Sheet1!C3", "X")),
        ([(1, "X", ["a", "b", "A"])], ("repeated_meaning", "Sheet1!C4", None)),
        ([(1, "X", ["a"]), (2, "X", ["b"])], ("repeated_superclass", "Sheet1!B3", "1")),
        ([(1, "X", ["a"]), (1, "X", ["b"])], ("repeated_superclass", "Sheet1!B3", None)),
        ([(1, "X", ["a"]), (2, "x", ["b"])], ("letter_case", "Sheet1!B3", "X")),
        ([(1, "X", ["a"]), (1, "Y", ["b"])], ("repeated_number", "Sheet1!A3", "2")),
        ([(1, "X", ["a"]), (4, "Y", ["b"])], ("number_gap", "Sheet1!A3", "2")),
        ([(2, "X", ["a"])], ("number_gap", "Sheet1!A2", "1")),
        ([(1, "X", [])], ("empty_superclass", "Sheet1!C2", None)),
        ([(1, "X", ["a"], "Очень")], ("unknown_priority", "Sheet1!D2", None)),
    ],
)
def test_what_is_wrong_with_superlabels_is_told(rows, expected):
    assert told(Taxonomy(superlabels=superlabels(*rows))) == [expected]


def test_several_superclasses_may_be_unused_or_forbidden():
    rows = [(1, "X", ["a"]), (0, "Y", ["b"]), (0, "Z", ["c"]), (-1, "U", ["d"]), (-1, "V", ["e"])]
    assert told(Taxonomy(superlabels=superlabels(*rows))) == []


@pytest.mark.parametrize(
    ("positions", "row", "suggestion"),
    [
        ([(1,), (1, 1), (1, 3)], 4, "2."),
        ([(1,), (1, 2)], 3, "1."),
        ([(1,), (1, 1), (1, 1, 1), (1, 3, 1)], 5, "1.2."),
        ([(1,), (1, 1), (1, 1)], 4, "2."),
        ([(0, 1), (0, 1, 1), (0, 3)], 4, "2."),
        ([(1,), *[(1, n) for n in range(1, 10)], (1, 1)], 12, "10."),
        ([(2,)], 2, "I."),
    ],
)
def test_a_number_that_does_not_follow_the_row_above_is_told_with_the_one_that_does(positions, row, suggestion):
    entries = labels(*[(f"m{n}", "", "", position) for n, position in enumerate(positions)])
    assert told(Taxonomy(entries)) == [("wrong_numbering", f"Лист1!A{row}", suggestion)]


def test_each_group_counts_from_one_again_and_ten_follows_nine():
    positions = [(1,), (1, 1), (2,), *[(2, n) for n in range(1, 12)], (3,)]
    assert told(Taxonomy(labels(*[(f"m{n}", "", "", position) for n, position in enumerate(positions)]))) == []


def test_all_problems_come_together():
    taxonomy = Taxonomy(
        labels(("A", "a", "", (1,)), ("B", "a", "", (1, 2)), ("C", "c", "", (1, 3))),
        superlabels((1, "X", ["A", "Q"], "?"), (3, "Y", ["A", "b"])),
    )
    kinds = [kind for kind, _, _ in told(taxonomy)]
    assert sorted(kinds) == [
        *("absent_meaning", "letter_case", "number_gap", "repeated_label", "repeated_meaning", "unknown_priority"),
        *("unmapped_meaning", "wrong_numbering"),
    ]


def test_priorities_are_words_or_numbers():
    words = ["", "Нет", "низкий", "Обычный", "Высокий", "High", "7", "-2", "?"]
    assert [Superlabel("x", priority=word).rank for word in words] == [0, 0, 1, 2, 3, 3, 7, -2, None]
