"""Parallel coordinates: a line for each item across all axes, the best one strongest."""

import re

import pytest

from burnish.errors import DataError
from burnish.report.coordinates import Axis, parallel_coordinates


def paths(html):
    found = re.findall(r'opacity:([\d.]+)">(?:<title>(.*?)</title>)?<path d="(.*?)"/>', html)
    return [(float(opacity), name, [float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", path)]) for opacity, name, path in found]


def test_each_item_is_a_line_and_the_best_is_the_last_and_strongest():
    html = parallel_coordinates({"lr": Axis([1.0, 2.0, 3.0])}, [0.1, 0.9, 0.5], title="Search", names=["a", "b", "c"])
    assert [(name, opacity) for opacity, name, _ in paths(html)] == [("a", 0.25), ("c", 0.62), ("b", 1.0)]
    assert "stroke-accent" in html


def test_logarithms_place_equal_factors_equally_far_apart():
    (_, _, one), (_, _, two), (_, _, three) = paths(
        parallel_coordinates({"lr": Axis([1e-4, 1e-3, 1e-2], log=True)}, [1, 2, 3], title="Search")
    )
    assert [one[0], two[0], three[0]] == pytest.approx([100, 50, 0])


def test_texts_stand_at_even_distances_with_their_names():
    html = parallel_coordinates({"loss": Axis(["dice", "focal", "dice"])}, [1, 2, 3], title="Search")
    assert sorted(heights[0] for _, _, heights in paths(html)) == pytest.approx([25, 75, 75])
    assert ">focal</text>" in html


def test_a_missing_value_interrupts_the_line():
    html = parallel_coordinates({"a": Axis([1, 2]), "b": Axis([None, 1]), "c": Axis([1, 2])}, [1, 2], title="Search")
    assert 'd="M8.00 100.00M92.00 100.00"' in html


def test_names_are_escaped():
    html = parallel_coordinates({"<b>": Axis(["<i>", "x"])}, [1, 2], title="<u>", names=["<s>", "t"])
    assert not any(tag in html for tag in ("<b>", "<i>", "<u>", "<s>"))


def test_nothing_is_drawn_of_nothing():
    assert "Nothing to draw." in parallel_coordinates({}, [], title="Search")


def test_an_axis_must_have_a_value_for_each_item():
    with pytest.raises(DataError):
        parallel_coordinates({"a": Axis([1.0])}, [1, 2], title="Search")
