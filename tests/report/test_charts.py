import re
from xml.etree import ElementTree as ET

import pytest

from burnish.errors import DataError
from burnish.report.charts import bars, stacked_bars

EVIL = """<b>"x"</b> & 'y' </svg><script>"""


def _tree(figure):
    return ET.fromstring(figure)


def _ends(figure):
    """Right end of every bar, in percent of the width."""
    return [float(rect.get("x")[:-1]) + float(rect.get("width")[:-1]) for rect in _tree(figure).iter("rect") if rect.get("x")]


def _values(figure):
    return [text.text for text in _tree(figure).iter("text") if text.get("class") == "value"]


@pytest.mark.parametrize("count", [1, 2, 40, 50])
def test_bars_of_any_number_are_well_formed_and_stay_inside(count):
    figure = bars([f"очень длинное имя класса {index} " * 4 for index in range(count)], range(count), title="Pictures")
    assert max(_ends(figure), default=0) <= 90
    assert len(_values(figure)) == min(count, 40)


def test_bars_without_names_say_that_there_is_nothing():
    assert "Nothing to draw" in bars([], [], title="Pictures")
    assert "Nothing to draw" in stacked_bars(["a"], {}, title="Pictures")


def test_more_bars_than_are_drawn_are_counted():
    assert "10 more are not drawn" in bars([str(index) for index in range(50)], range(50), title="Pictures")


def test_values_stand_beside_their_bars_and_lengths_are_in_proportion():
    figure = bars(["a", "b", "c"], [100, 50, 0], title="Pictures")
    assert _values(figure) == ["100", "50", "0"]
    widths = [float(rect.get("width")[:-1]) for rect in _tree(figure).iter("rect") if rect.get("x")]
    assert widths[0] == pytest.approx(2 * widths[1], abs=0.02)


def test_a_missing_value_is_a_dash_without_a_bar():
    figure = bars(["a", "b"], [float("nan"), 2], title="Pictures")
    assert _values(figure) == ["–", "2"]
    assert len(_ends(figure)) == 1


def test_a_stacked_bar_tells_its_sum_and_its_parts():
    figure = stacked_bars(["cat"], {"right": [3], "wrong": [1]}, title="Pictures")
    assert _values(figure) == ["4"]
    assert "cat: right 3, wrong 1" in figure


def test_more_parts_than_colours_are_drawn_fainter():
    figure = stacked_bars(["cat"], {f"part {index}": [1] for index in range(8)}, title="Pictures")
    assert len(_ends(figure)) == 8
    assert "opacity:0.60" in figure


def test_names_titles_and_notes_are_escaped():
    figure = stacked_bars([EVIL], {EVIL: [1]}, title=EVIL, note=EVIL)
    assert _tree(figure).find("figcaption").text == EVIL
    assert not re.search("<b>|<script>", figure)


def test_values_that_do_not_fit_the_names_are_refused():
    with pytest.raises(DataError, match="1 values for its part 'wrong' and 2 places"):
        stacked_bars(["a", "b"], {"wrong": [1]}, title="Pictures")
