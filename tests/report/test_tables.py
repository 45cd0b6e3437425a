from xml.etree import ElementTree as ET

import polars as pl
import pytest

from burnish.errors import DataError
from burnish.report.tables import html_table, text_table

FRAME = pl.DataFrame(
    {"class": ["кот", '<b>"x"</b>', None], "pictures": [12345, 7, None], "share": [0.125, float("nan"), 1.5], "kept": [True, False, True]}
)


def _rows(markup):
    return [["".join(cell.itertext()) for cell in row.iter("td")] for row in ET.fromstring(markup).find(".//tbody").iter("tr")]


def test_cells_are_written_in_the_form_of_their_column():
    markup = html_table(FRAME, formats={"share": "percent"}, meters=("share",))
    assert _rows(markup) == [
        ["кот", "12,345", "12.5 %", "True"],
        ['<b>"x"</b>', "7", "–", "False"],
        ["–", "–", "150.0 %", "True"],
    ]


def test_numbers_stand_at_the_right_and_carry_their_value_for_sorting():
    cells = list(ET.fromstring(html_table(FRAME)).iter("td"))
    assert [cell.get("class") for cell in cells[:4]] == [None, "number", "number", None]
    assert cells[1].get("data-value") == "12345"


def test_a_meter_shows_shares_and_stays_inside_of_its_frame():
    markup = html_table(FRAME, meters=("share",))
    assert "width:12.5%" in markup
    assert "width:100.0%" in markup
    assert markup.count('class="meter"') == 2


def test_headings_are_readable():
    markup = html_table(FRAME.rename({"pictures": "mean_self_confidence"}), headings={"class": "Класс"})
    assert [button.text for button in ET.fromstring(markup).iter("button")] == ["Класс", "Mean self confidence", "Share", "Kept"]


def test_rows_lead_to_their_places():
    markup = html_table(FRAME, links=["#a", "#b&c", "#d"])
    assert [link.get("href") for link in ET.fromstring(markup).iter("a")] == ["#a", "#b&c", "#d"]


def test_links_that_do_not_fit_the_rows_are_refused():
    with pytest.raises(DataError, match="3 rows got 1 links"):
        html_table(FRAME, links=["#a"])


def test_an_empty_table_says_so():
    assert "Nothing to list" in html_table(FRAME.clear(), caption="Classes")


def test_a_plain_text_table_is_aligned_also_with_wide_letters():
    table = text_table(pl.DataFrame({"class": ["кот", "日本", "a"], "count": [5, 1200, None]}))
    assert table.splitlines() == ["Class  Count", "─────  ─────", "кот        5", "日本   1,200", "a          –"]


def test_a_plain_text_table_cuts_long_cells_and_counts_what_it_leaves_out():
    lines = text_table(pl.DataFrame({"name": ["x" * 99] * 60}), widest=10, most=50).splitlines()
    assert lines[2] == "x" * 9 + "…"
    assert lines[-1] == "… and 10 more"


def test_an_empty_plain_text_table_has_its_headings():
    assert text_table(FRAME.clear()).splitlines()[0] == "Class  Pictures  Share  Kept"
