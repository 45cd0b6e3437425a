"""Complaints about settings of several classes: only what the class that fits best says, in the keys that the user wrote."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self

import pytest
from pydantic import Field, field_validator, model_validator

from burnish.config import Config, load
from burnish.errors import ConfigError


class Span(Config):
    """From low to high."""

    low: int | float
    """The least."""
    high: int | float
    """The greatest."""

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"low is {self.low:g} and high {self.high:g}")
        return self


class Choices(Config):
    """One of several."""

    choices: Annotated[tuple[int, ...], Field(min_length=1)]
    """The values."""


class Inner(Config):
    """Below."""

    goal: str = "max a"
    """What for."""
    many: Literal["all"] | int = 1
    """How many."""

    @field_validator("goal")
    @classmethod
    def _known(cls, goal: str) -> str:
        if not goal.startswith(("max", "min")):
            raise ValueError(f"the goal '{goal}' begins with neither max nor min")
        return goal


class Search(Config):
    """What is searched."""

    space: Mapping[str, Span | Choices] = Field(default_factory=dict[str, Span | Choices])
    """Ranges."""
    inner: Inner = Inner()
    """Below."""


def told(values):
    with pytest.raises(ConfigError) as caught:
        Search.make(**values)
    return str(caught.value).splitlines()


def test_only_the_class_that_fits_the_given_keys_best_complains():
    assert told({"space": {"optimizer.lr": {"low": 5, "high": 0.1}}}) == ["'space.optimizer.lr': low is 5 and high 0.1."]
    assert told({"space": {"a": {"choices": []}}})[0].startswith("'space.a.choices' is []: ")


def test_a_misspelt_key_is_compared_with_those_of_the_class_that_is_meant():
    assert told({"space": {"a": {"low": 1, "high": 2, "lgo": 3}}}) == ["unknown key 'space.a.lgo'. Did you mean 'low'?"]
    assert "unknown key 'space.a.hihg'. Did you mean 'high'?" in "".join(told({"space": {"a": {"low": 1, "hihg": 2}}}))


def test_a_missing_key_is_told_without_the_name_of_a_class():
    assert told({"space": {"a": {"low": 1}}}) == ["'space.a.high' is missing and must be given."]


def test_what_is_none_of_several_is_told_in_one_complaint():
    (line,) = told({"space": {"a": 5}})
    assert line == "'space.a' is 5: expected settings as key: value."
    (line,) = told({"inner": {"many": "none"}})
    assert line.startswith("'inner.many' is 'none': input should be 'all', or input should be a valid integer")
    (line,) = told({"space": {"a": {"low": "x", "high": 2}}})
    assert line.startswith("'space.a.low' is 'x': input should be a valid integer")


def test_each_of_several_places_has_its_own_complaint():
    lines = told({"space": {"a": {"low": 5, "high": 1}, "b": {"choices": ["x", 1]}, "c": {"low": 1}}})
    assert [re.findall("'space[^']*'", line) for line in lines] == [["'space.a'"], ["'space.b.choices.0'"], ["'space.c.high'"]]


def test_the_line_of_a_key_inside_of_one_of_several_classes_is_told(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text("space:\n  a:\n    low: 5\n    high: [1]\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"line 4: 'space.a.high' is \[1\]: "):
        load(Search, path)


def test_a_field_that_does_not_fit_is_named_not_the_settings_around_it():
    assert told({"inner": {"goal": "more"}}) == ["'inner.goal' is 'more': the goal 'more' begins with neither max nor min."]
