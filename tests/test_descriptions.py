"""Settings that hold descriptions: what is chosen by name inside a file is checked there, down to its keys and lines."""

from typing import Annotated

import pytest

from burnish.config import Config, dump, load
from burnish.descriptions import Chosen
from burnish.errors import ConfigError
from burnish.train.handlers.names import HANDLERS
from burnish.train.losses.names import LOSSES
from burnish.train.losses.settings.region import DiceConfig
from burnish.train.optim.names import OPTIMIZERS
from burnish.train.optim.settings import AdamWConfig


class Plan(Config):
    """A loss and some handlers."""

    loss: Annotated[Config, Chosen(LOSSES)]
    """What costs."""
    handlers: tuple[Annotated[Config, Chosen(HANDLERS)], ...] = ()
    """What happens."""


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "plan.yaml"
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize("given", ["dice", {"name": "dice"}, {"name": "DiceLoss", "args": {}}, DiceConfig()])
def test_a_name_a_mapping_and_a_description_are_the_same(given):
    assert Plan.make(loss=given).loss == DiceConfig()


def test_keys_inside_are_checked_with_their_line_and_the_nearest_key(file):
    path = file("loss:\n  name: dice\n  per_imag: true\nhandlers:\n  - saving\n  - name: clipping\n    nrom: 2\n")
    with pytest.raises(ConfigError) as told:
        load(Plan, path)
    assert "line 3: unknown key 'loss.per_imag'. Did you mean 'per_image'?" in str(told.value)
    assert "line 7: unknown key 'handlers.1.nrom'. Did you mean 'norm'?" in str(told.value)


def test_unknown_names_inside_are_told_with_their_line_and_the_nearest_name(file):
    with pytest.raises(ConfigError, match=r"line 1: 'loss' is 'dyce': there is no loss 'dyce'\. Did you mean 'dice'\?"):
        load(Plan, file("loss: dyce\n"))


def test_what_is_no_description_is_refused():
    with pytest.raises(ConfigError, match="'loss' is 3: expected the name of a loss, or a mapping with it"):
        Plan.make(loss=3)
    with pytest.raises(ConfigError, match="describes no handler"):
        Plan.make(loss="dice", handlers=[DiceConfig()])


def test_overrides_reach_inside(file):
    path = file("loss: {name: tversky, fp_weight: 0.3}\n")
    assert load(Plan, path, ["loss.fp_weight=0.7"]).loss.model_dump()["fp_weight"] == 0.7


def test_written_settings_hold_every_key_and_read_back_the_same(file):
    plan = Plan.make(loss={"name": "dice", "smooth": 1}, handlers=["saving", {"name": "clipping", "norm": 3}])
    text = dump(plan)
    assert "name: dice" in text
    assert "norm: 3.0" in text
    assert load(Plan, file(text)) == plan


def test_the_schema_names_what_can_be_chosen():
    names = Plan.model_json_schema()["properties"]["loss"]["anyOf"][0]["enum"]
    assert {"dice", "DiceLoss", "focal"} <= set(names)


class Usual(Config):
    """An optimiser that has a usual kind."""

    optimizer: Annotated[Config, Chosen(OPTIMIZERS, usual="adamw")] = AdamWConfig(name="adamw")
    """What steps."""


def test_one_setting_of_the_usual_choice_can_be_changed_alone(file):
    assert load(Usual, file("{}"), ["optimizer.lr=0.5"]).optimizer.model_dump()["lr"] == 0.5
    with pytest.raises(ConfigError, match="Did you mean 'eps'"):
        Usual.make(optimizer={"epss": 1})
