"""Pages, order, search and filters of lists."""

import json
from urllib.parse import quote

import pytest

from burnish.testing.cvat.filters import FilterError, matches, parse


@pytest.fixture
def pages(api):
    for number in range(5):
        api("POST", "tasks", {"name": f"page {number}", "subset": "odd" if number % 2 else "even"})
    return api


def _names(answer):
    return [task["name"] for task in answer[1]["results"]]


def test_the_newest_come_first_and_pages_are_linked(pages):
    first = pages("GET", "tasks?page_size=2&search=page")
    assert _names(first) == ["page 4", "page 3"]
    assert first[1]["next"].endswith("/api/tasks?page=2&page_size=2&search=page")
    last = pages("GET", "tasks?page_size=2&search=page&page=3")
    assert (_names(last), last[1]["next"]) == (["page 0"], None)
    assert pages("GET", "tasks?page_size=2&page=9")[:2] == (404, {"detail": "Invalid page."})


def test_lists_are_sorted_and_filtered_by_fields(pages):
    assert _names(pages("GET", "tasks?sort=name&subset=odd")) == ["page 1", "page 3"]
    assert _names(pages("GET", "tasks?sort=subset,-name"))[:2] == ["page 4", "page 2"]


def test_a_filter_in_json_is_applied(pages):
    rule = {"and": [{"==": [{"var": "subset"}, "even"]}, {"!": {"in": ["4", {"var": "name"}]}}]}
    assert sorted(_names(pages("GET", "tasks?filter=" + quote(json.dumps(rule))))) == ["page 0", "page 2"]
    assert pages("GET", 'tasks?filter={"==":[{"var":"nope"},1]}')[:2] == (400, ["filter: term 'nope' is not supported"])


def test_rules_of_a_filter():
    value = {"size": 3, "name": None}.get
    assert matches(parse('{"<=": [1, {"var": "size"}, 3]}', {"size"}), value)
    assert matches(parse('{"or": [{"==": [{"var": "size"}, 4]}, {"==": [{"var": "name"}, null]}]}', {"size", "name"}), value)
    assert not matches(parse('{">": [{"var": "name"}, 1]}', {"name"}), value)
    assert not matches(parse('{"!!": [{"var": "name"}]}', {"name"}), value)
    assert matches(parse("{}", set()), value)
    with pytest.raises(FilterError, match="not supported"):
        matches(parse('{"xor": [1, 2]}', set()), value)
