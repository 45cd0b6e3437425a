"""Handlers act in one order, whatever order they are given in."""

from itertools import permutations

import pytest

from burnish.descriptions import config_class
from burnish.errors import ConfigError
from burnish.train.handlers.names import HANDLERS
from burnish.train.handlers.order import ORDER, build_handlers

NEEDS = {"freezing": {"stages": [{"glob": "*", "until": 1}]}}


class Own:
    """A handler of one's own."""

    def __init__(self, name, after=None):
        self.name = name
        if after:
            self.after = after


def names(handlers):
    return [member.name for member in handlers.members]


def test_every_handler_has_its_place():
    assert set(ORDER) == set(HANDLERS.entries)


def test_all_handlers_stand_in_order():
    given = [{"name": name, **NEEDS.get(name, {})} for name in reversed(ORDER)]
    assert names(build_handlers(given)) == list(ORDER)


@pytest.mark.parametrize("given", list(permutations(["saving", "clipping", "skipping", "averaging"])))
def test_the_order_given_does_not_matter(given):
    handlers = build_handlers(given)
    assert names(handlers) == ["precision", "accumulation", "skipping", "clipping", "averaging", "saving"]
    ready = [method.__self__.name for method in handlers.listening["gradients_ready"]]
    assert ready == ["skipping", "clipping"]


def test_accumulation_and_precision_are_always_there():
    assert names(build_handlers()) == ["precision", "accumulation"]


def test_handlers_of_ones_own_have_their_place():
    more = [Own("first", after="skipping"), Own("second", after="skipping"), Own("third")]
    assert names(build_handlers(["saving", "stopping", "skipping", "clipping"], more)) == [
        "precision",
        "accumulation",
        "skipping",
        "first",
        "second",
        "clipping",
        "third",
        "stopping",
        "saving",
    ]


def test_two_of_one_name_are_refused():
    with pytest.raises(ConfigError, match="two handlers 'clipping'"):
        build_handlers(["clipping", {"name": "clip", "norm": 2}])


def test_unknown_names_keys_and_places_are_told_with_the_nearest():
    with pytest.raises(ConfigError, match=r"no handler 'cliping'. Did you mean 'clipping'"):
        build_handlers(["cliping"])
    with pytest.raises(ConfigError, match=r"unknown key 'nrm'. Did you mean 'norm'"):
        build_handlers([{"name": "clipping", "nrm": 2}])
    with pytest.raises(ConfigError, match=r"follows 'cliping', which is none. Did you mean 'clipping'"):
        build_handlers([], [Own("own", after="cliping")])


@pytest.mark.parametrize("name", ORDER)
def test_a_description_survives_a_round_trip(name):
    config = config_class(HANDLERS, name).make(name=name, **NEEDS.get(name, {}))
    assert type(config).make(**config.model_dump(mode="json")) == config
