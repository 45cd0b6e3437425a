import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from burnish.report.page import Fact, Section, page

EVIL = """<b>"x"</b>'</script></style><img src=x>"""
VOID = {"meta", "link", "input", "img", "br"}


class _Outline(HTMLParser):
    """Follows the tags of a page and complains where one is closed that is not open."""

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.addresses = [], [], []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)
        values = dict(attrs)
        self.ids += [values["id"]] if "id" in values else []
        self.addresses += [values[name] for name in ("src", "href", "action", "data", "poster", "srcset") if name in values]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def _outline(markup):
    outline = _Outline()
    outline.feed(markup)
    outline.close()
    assert outline.open == []
    return outline


def _page(**changes):
    sections = [Section("one", "One", "<p>first</p>", "lead"), Section("two", "Two", "<p>second</p>")]
    return page("Cells", sections, facts=[Fact("Pictures", "3,000", link="#one")], origin=[("Dataset", "data")], settings="a: 1", **changes)


def test_the_page_is_whole_and_its_contents_lead_to_its_sections():
    outline = _outline(_page())
    assert {"one", "two"} <= set(outline.ids)
    assert {"#one", "#two"} <= set(outline.addresses)


def test_the_page_needs_nothing_from_anywhere():
    markup = _page()
    assert all(address.startswith(("#", "data:")) for address in _outline(markup).addresses)
    assert not re.search(r"https?:|//[a-z0-9-]+\.[a-z]|url\(|@import", markup)


def test_only_the_pages_own_script_may_run():
    markup = _page()
    (script,) = re.findall(r"<script>(.*?)</script>", markup, re.DOTALL)
    digest = b64encode(sha256(script.encode()).digest()).decode()
    assert f"script-src &#x27;sha256-{digest}&#x27;" in markup


def test_every_text_is_escaped():
    markup = page(
        EVIL,
        [Section("one", EVIL, "", EVIL)],
        subtitle=EVIL,
        facts=[Fact(EVIL, EVIL, EVIL)],
        origin=[(EVIL, EVIL)],
        settings=EVIL,
        kind=EVIL,
    )
    _outline(markup)
    assert "<b>&quot;" not in markup
    assert "<img" not in markup
    assert markup.count("</script>") == 1


def test_a_page_of_nothing_is_a_page():
    _outline(page("", []))


@pytest.mark.parametrize("name", ["report.css", "report.js"])
def test_static_files_are_plain_and_cannot_end_their_block(name):
    text = files("burnish.report").joinpath("static", name).read_text("utf-8")
    assert "\r" not in text
    assert "</s" not in text


def test_the_script_never_turns_text_into_markup():
    script = files("burnish.report").joinpath("static", "report.js").read_text("utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", script)
