import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from burnish.engine.names import natural_key, original_name, safe_name


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_every_text_comes_back_from_its_safe_name(text):
    assert original_name(safe_name(text)) == text


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_a_safe_name_is_one_path_part_in_composed_form(text):
    name = safe_name(text)
    assert name not in {"", ".", ".."}
    assert not set(name) & set('<>:"/\\|?*')
    assert unicodedata.normalize("NFC", name) == name


def test_plain_names_stay_as_they_are():
    assert safe_name("имя с пробелом (1).jpg") == "имя с пробелом (1).jpg"


def test_numbers_in_names_sort_by_value():
    assert sorted(["image_10.jpg", "image_2.jpg", "image_1.jpg"], key=natural_key) == ["image_1.jpg", "image_2.jpg", "image_10.jpg"]
