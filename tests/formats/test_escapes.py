from hypothesis import given
from hypothesis import strategies as st

from burnish.formats.escapes import escaped, read_names, unescaped, write_names

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@given(texts)
def test_any_name_comes_back(name):
    assert unescaped(escaped(name)) == name
    assert unescaped(escaped(name, also=":#")) == name


def test_ordinary_names_stay_as_they_are():
    assert [escaped(name) for name in ("cat", "a b", "100%", "кот №1")] == ["cat", "a b", "100%", "кот №1"]


def test_names_that_break_lines_are_written_on_one(tmp_path):
    names = ["a\nb", " x ", "", "%41;", "c"]
    write_names(tmp_path / "classes.txt", names)
    assert len((tmp_path / "classes.txt").read_text().splitlines()) == 5
    assert read_names(tmp_path / "classes.txt") == names


def test_no_file_holds_no_names(tmp_path):
    assert read_names(tmp_path / "classes.txt") == []
