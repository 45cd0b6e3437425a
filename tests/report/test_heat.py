from xml.etree import ElementTree as ET

import numpy as np
import pytest

from burnish.errors import DataError
from burnish.report.heat import heat_map
from burnish.report.lettering import shortened, text_width


def _cells(figure):
    return [text.text for text in ET.fromstring(figure).iter("text") if text.get("class") is None]


@pytest.mark.parametrize("count", [1, 2, 11, 30])
def test_every_number_of_a_matrix_up_to_thirty_classes_stands_in_its_cell(count):
    values = np.arange(1, count * count + 1).reshape(count, count) % 900 + 1
    assert _cells(heat_map(values, [f"класс {index}" for index in range(count)], title="Noise")) == [str(v) for v in values.ravel()]


def test_fifty_classes_become_their_largest_pairs():
    values = np.zeros((50, 50), int)
    values[3, 7], values[7, 3], values[5, 5] = 9, 4, 1000
    figure = heat_map(values, [f"c{index}" for index in range(50)], title="Noise", mute_diagonal=True)
    names = [div.text for div in ET.fromstring(figure).iter("div")]
    assert names == ["c3 → c7", "c7 → c3"]


def test_an_empty_matrix_says_so():
    assert "Nothing to draw" in heat_map(np.zeros((0, 0)), [], title="Noise")


def test_the_diagonal_is_told_but_has_no_colour():
    figure = heat_map(np.array([[500, 3], [0, 400]]), ["a", "b"], title="Noise", mute_diagonal=True)
    groups = {group.find("title").text: group.get("class") for group in ET.fromstring(figure).iter("g")}
    assert groups == {"a → a: 500": "muted", "a → b: 3": "strong", "b → a: 0": "weak", "b → b: 400": "muted"}


def test_a_cell_of_mistakes_leads_to_its_place_and_the_diagonal_nowhere():
    figure = heat_map(
        np.array([[5, 3], [0, 4]]), ["a", "b"], title="Noise", mute_diagonal=True, link=lambda row, column: f"#{row}-{column}"
    )
    assert [link.get("href") for link in ET.fromstring(figure).iter("a")] == ["#0-1"]


def test_drawn_names_stay_inside_of_the_drawing():
    figure = heat_map(np.ones((2, 3)), ["очень длинное имя класса без конца и края", "b"], ["x", "y", "日本語" * 20], title="Noise")
    drawing = ET.fromstring(figure).find(".//svg")
    for text in drawing.iter("text"):
        if (text.get("class") or "").startswith("name"):
            reach = text_width(text.text, 12)
            slanted = text.get("transform") is not None
            x = float(text.get("x"))
            assert (x + 0.7071 * reach <= float(drawing.get("width")) + 0.5) if slanted else (x - reach >= 0)


def test_names_are_escaped():
    figure = heat_map(np.ones((1, 1)), ['<b>"x"</b>'], title="<i>", row_title="<u>", column_title="<u>")
    assert ET.fromstring(figure).find("figcaption").text == "<i>"
    assert "<b>" not in figure


def test_values_of_another_shape_are_refused():
    with pytest.raises(DataError, match=r"shape \(2, 3\); expected \(2, 2\)"):
        heat_map(np.ones((2, 3)), ["a", "b"], title="Noise")


def test_a_long_name_is_shortened_to_its_width():
    assert shortened("airplane", 12, 100) == "airplane"
    assert shortened("airplane" * 9, 12, 100).endswith("…")
    assert text_width(shortened("日本語" * 9, 12, 100), 12) <= 100


def test_a_large_number_is_short_in_its_cell_and_whole_in_its_tooltip():
    figure = heat_map(np.array([[12345.0, np.nan]]), ["a"], ["a", "b"], title="Noise")
    assert _cells(figure) == ["12k"]
    assert "a → a: 12,345" in figure
