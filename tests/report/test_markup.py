import json
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burnish.report.markup import attributes, escape, json_block


class _Reader(HTMLParser):
    """Gathers what a browser would make of a piece of HTML."""

    def __init__(self):
        super().__init__()
        self.text, self.tags, self.values = "", [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.values += [value for _, value in attrs]

    def handle_data(self, data):
        self.text += data


def _read(markup):
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    return reader


printable = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"))


@given(printable)
def test_escaped_text_is_read_as_itself_between_tags_and_in_attributes(text):
    read = _read(f"<p{attributes({'title': text})}>{escape(text)}</p>")
    assert read.tags == ["p"]
    assert read.text == text
    assert read.values == [text]


@given(st.text(st.characters(exclude_categories=[])))
def test_escaped_text_can_always_be_written_as_utf_8(text):
    escape(text).encode("utf-8")


@settings(max_examples=40)
@given(st.recursive(st.text() | st.integers(), lambda part: st.lists(part) | st.dictionaries(st.text(), part), max_leaves=8))
def test_a_block_of_data_comes_back_whole_and_no_text_in_it_ends_the_block(data):
    block = json_block("cards", data)
    inner = block.removeprefix('<script type="application/json" id="cards">').removesuffix("</script>")
    assert "<" not in inner
    assert json.loads(inner) == data


def test_a_number_that_json_cannot_hold_is_refused():
    with pytest.raises(ValueError, match="JSON"):
        json_block("cards", [float("nan")])


def test_an_attribute_without_a_value_is_left_out_and_a_true_one_is_bare():
    assert attributes({"hidden": True, "title": None, "disabled": False, "id": 3}) == ' hidden id="3"'
