"""The chain label -> meaning -> superlabel -> index, with the words of the tables that came before."""

import pytest

from burnish.data.chains import CHAINS, make_chain
from burnish.data.taxonomy import LabelEntry, Member, Superlabel, Taxonomy, taxonomy_of
from burnish.errors import BurnishError, ChainError, LabelError

MEANINGS = {"domain": "Домен", "kingdom": "Царство", "phylum": "Отдел", "class": "Класс", "order": "Порядок (отряд)", "genus": "Род"}
SUPERLABELS = {
    "Род": "Виды и рода",
    "Класс": "Классы, отряды и семейства",
    "Порядок (отряд)": "Классы, отряды и семейства",
    "Отдел": "Неиспользуемые объекты",
    "Домен": "Исключаемые объекты",
    "Царство": "Другая категория",
}
FULL = Taxonomy(
    tuple(LabelEntry(meaning, label) for label, meaning in MEANINGS.items()),
    (
        Superlabel("Виды и рода", (Member("Род"),), 1, "Обычный"),
        Superlabel("Классы, отряды и семейства", (Member("Класс"), Member("Порядок (отряд)")), 2, "Высокий"),
        Superlabel("Неиспользуемые объекты", (Member("Отдел"),), 0, "Нет"),
        Superlabel("Исключаемые объекты", (Member("Домен"),), -1, "Нет"),
    ),
)


def test_both_tables_lead_from_the_label_to_the_index():
    chain = make_chain(FULL)
    assert chain.name == "label2superind"
    assert chain.asdict() == {"domain": -2, "phylum": -1, "class": 1, "order": 1, "genus": 0}


def test_asking_for_a_forbidden_or_unused_label_is_no_error():
    chain = make_chain(FULL)
    assert [chain.status(chain(label)) for label in ("domain", "phylum", "class")] == ["forbidden", "unused", "used"]


@pytest.mark.parametrize(
    ("taxonomy", "name"),
    [
        (taxonomy_of(MEANINGS), "label2meaning"),
        (taxonomy_of(MEANINGS, SUPERLABELS), "label2superlabel"),
        (taxonomy_of(superlabels=SUPERLABELS), "meaning2superlabel"),
        (Taxonomy(superlabels=FULL.superlabels), "meaning2superind"),
        (FULL, "label2superind"),
    ],
)
def test_the_longest_chain_that_there_is_is_taken(taxonomy, name):
    assert make_chain(taxonomy).name == name


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("label2superind", "class", 1),
        ("label2superlabel", "class", "Классы, отряды и семейства"),
        ("meaning2superind", "Класс", 1),
        ("label2meaning", "kingdom", "Царство"),
        ("meaning2superlabel", "Класс", "Классы, отряды и семейства"),
        ("superlabel2superind", "Виды и рода", 0),
    ],
)
def test_every_chain_can_be_chosen(name, given, value):
    assert make_chain(FULL, name)(given) == value


def test_every_chain_has_a_test_above():
    assert len(CHAINS) == 6


def test_an_unknown_label_is_a_key_error_with_the_nearest_one():
    with pytest.raises(KeyError, match="Did you mean 'kingdom'") as caught:
        make_chain(taxonomy_of(MEANINGS))("kingdon")
    assert isinstance(caught.value, BurnishError)
    assert str(caught.value) == "The label tables do not know 'kingdon'. Did you mean 'kingdom'?"


def test_a_chain_that_the_tables_do_not_have_is_not_implemented():
    with pytest.raises(NotImplementedError, match="needs a table that was not given"):
        make_chain(taxonomy_of(MEANINGS, SUPERLABELS), "label2superind")


@pytest.mark.parametrize("taxonomy", [FULL, Taxonomy()])
def test_a_chain_of_another_name_or_without_tables_is_refused(taxonomy):
    with pytest.raises(ChainError):
        make_chain(taxonomy, "auto" if taxonomy.labels is None else "label2number")


def test_unknown_labels_are_a_set_and_are_refused_together():
    chain = make_chain(FULL)
    assert chain.unknown(["class", "kingdom", "car"]) == {"kingdom", "car"}
    with pytest.raises(LabelError, match=r"do not know 2 of the labels:\n  'car'.*\n  'kingdom'"):
        chain.refuse_unknown(["car", "kingdom", "class"])


def test_values_can_be_given_in_place_of_those_of_the_tables():
    chain = make_chain(taxonomy_of(MEANINGS), unused={"Домен"}, forbidden={"Род"})
    assert [chain.status(chain(label)) for label in ("domain", "genus", "class")] == ["unused", "forbidden", "used"]
    assert make_chain(FULL, unused=[], forbidden=[]).status(-2) == "used"


def test_superlabels_and_meanings_are_marked_as_the_numbers_say():
    assert make_chain(FULL, "label2superlabel").unused == {"Неиспользуемые объекты"}
    assert make_chain(FULL, "label2superlabel").forbidden == {"Исключаемые объекты"}
    assert make_chain(FULL, "label2meaning").forbidden == {"Домен"}


def test_synonyms_are_understood_in_any_letter_case_and_labels_only_as_written():
    chain = make_chain(Taxonomy((LabelEntry("Машина", "car", "8F2A-UUID, Автомобиль"),)))
    assert {chain("8f2a-uuid"), chain("автомобиль"), chain("8F2A-UUID, Автомобиль"), chain(" car ")} == {"Машина"}
    assert chain.unknown(["Car", "Машина"]) == {"Car", "Машина"}


def test_the_loose_way_takes_any_letter_case_and_a_meaning_for_its_label():
    chain = make_chain(FULL, loose=True)
    assert (chain("CLASS"), chain("Класс"), chain("класс"), chain("class")) == (1, 1, 1, 1)
    assert make_chain(FULL, "meaning2superind", loose=True)("КЛАСС") == 1
    assert make_chain(FULL, "label2meaning", loose=True)("домен") == "Домен"


def test_of_a_label_with_two_meanings_the_first_counts_and_a_label_comes_before_a_synonym():
    taxonomy = Taxonomy((LabelEntry("A", "a", "b"), LabelEntry("B", "b"), LabelEntry("C", "a")))
    assert make_chain(taxonomy).asdict() == {"a": "A", "b": "B"}
