import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from burnish.errors import DataError
from burnish.report.plots import histogram, line_chart


def _counts(figure):
    return [int(told.rsplit(": ", 1)[1].replace(",", "")) for told in re.findall("<g><title>([^<]*)</title>", figure)]


def _bars_of(figure, tone):
    return [float(rect.get("height")) for rect in ET.fromstring(figure).iter("rect") if rect.get("class") == f"tone-{tone}"]


def test_every_finite_value_is_in_one_bar_of_a_histogram():
    values = np.r_[np.linspace(0, 1, 1001), np.nan, -3, 7]
    assert sum(_counts(histogram(values, title="Scores"))) == 1003


def test_values_from_the_cut_off_on_have_the_colour_of_issues():
    figure = histogram([0.1, 0.2, 0.605, 0.61, 0.9], title="Scores", cutoff=0.6)
    assert len(_bars_of(figure, "plain")) == 2
    assert len(_bars_of(figure, "bad")) == 2
    assert "3 of them at or above the cut-off 0.60" in figure
    assert "cut-off 0.60</text>" in figure


def test_a_bar_that_the_cut_off_divides_has_both_colours():
    figure = histogram([0.50, 0.51, 0.52, 0.53], title="Scores", cutoff=0.515, bins=1)
    (plain,), (bad,) = _bars_of(figure, "plain"), _bars_of(figure, "bad")
    assert plain == bad


def test_a_cut_off_outside_of_the_range_draws_no_line():
    assert "cut-off 1.50</text>" not in histogram([0.5], title="Scores", cutoff=1.5)


def test_a_square_root_scale_is_told():
    assert "square-root scale" in histogram([0.5], title="Scores", root=True)
    assert "square-root" not in histogram([0.5], title="Scores")


@pytest.mark.parametrize("values", [[], [np.nan]])
def test_a_histogram_without_values_says_so(values):
    assert "Nothing to draw" in histogram(values, title="Scores")


def test_a_missing_value_interrupts_a_line():
    figure = line_chart({"loss": [3, float("nan"), 1, 0.5]}, [1, 2, 3, 4], title="Loss")
    path = ET.fromstring(figure).find(".//path").get("d")
    assert path.count("M") == 2
    assert path.count("L") == 1


def test_a_line_chart_survives_one_value_and_none():
    ET.fromstring(line_chart({"": [0.5]}, [1], title="Loss"))
    assert "Nothing to draw" in line_chart({"loss": []}, [], title="Loss")


def test_lines_have_their_names_in_a_legend_escaped():
    figure = line_chart({"<i>": [1, 2], "b": [2, 1]}, [1, 2], title="Loss", axis="epoch")
    assert [item.find("i").tail for item in ET.fromstring(figure).iter("li")] == ["<i>", "b"]


@pytest.mark.parametrize(
    ("across", "named"), [([0, 1], ["0", "1"]), ([1, 2, 3, 4], ["1", "2", "4"]), ([0, 0.5], ["0", "0.25", "0.5"]), ([3], ["3"])]
)
def test_whole_places_have_whole_numbers_below(across, named):
    figure = line_chart({"IoU": [1.0] * len(across)}, across, title="IoU of each round")
    below = [one.text for one in ET.fromstring(figure).iter("text") if one.get("text-anchor")]
    assert below == named


def test_five_lines_have_five_colours_and_none_of_them_is_grey():
    figure = line_chart({str(number): [1, number] for number in range(5)}, [1, 2], title="Curves")
    found = re.findall('class="stroke-([a-z]+)"', figure)
    assert len(set(found)) == 5
    assert not {"plain", "soft"} & set(found)


def test_a_line_with_too_few_values_is_refused():
    with pytest.raises(DataError, match="1 values"):
        line_chart({"loss": [1]}, [1, 2], title="Loss")


def test_a_marked_place_has_an_upright_line_and_its_words_escaped():
    figure = line_chart({"loss": [3, 1]}, [1, 2], title="Loss", marked=(2, "<best>"))
    assert figure.count('class="cutoff"') == 1
    assert "&lt;best&gt;</text>" in figure
    assert 'class="cutoff"' not in line_chart({"loss": [3, 1]}, [1, 2], title="Loss", marked=(3, "beyond"))


def test_a_line_without_dots_is_the_same_line():
    with_dots, without = (line_chart({"loss": [3, 1]}, [1, 2], title="Loss", dots=dots) for dots in (True, False))
    assert 'class="dot" d=""' in without
    assert without.replace('class="dot" d=""', "") != with_dots
    assert next(part for part in with_dots.split('"') if part.startswith("M")) in without
