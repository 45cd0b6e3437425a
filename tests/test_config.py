from typing import Annotated

import pytest
from pydantic import Field

from burnish.config import Config, apply_overrides, dump, load, merged
from burnish.errors import ConfigError


class Train(Config):
    """Training."""

    lr: Annotated[float, Field(gt=0)] = 0.1
    """Learning rate."""


class Settings(Config):
    """Settings."""

    folds: Annotated[int, Field(ge=2)] = 5
    """Folds."""
    train: Train = Train()
    """Training."""


def _file(tmp_path, text):
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_misspelt_key_is_named_with_its_line_and_the_nearest_one(tmp_path):
    with pytest.raises(ConfigError, match=r"line 3: unknown key 'train.lrr'. Did you mean 'lr'\?"):
        load(Settings, _file(tmp_path, "folds: 3\ntrain:\n  lrr: 1\n"))


def test_a_value_out_of_bounds_is_named_with_its_line(tmp_path):
    with pytest.raises(ConfigError, match=r"line 1: 'folds' is 1: input should be greater than or equal to 2"):
        load(Settings, _file(tmp_path, "folds: 1\n"))


def test_all_complaints_come_at_once(tmp_path):
    with pytest.raises(ConfigError) as caught:
        load(Settings, _file(tmp_path, "folds: x\ntrain: {lr: -1}\n"))
    assert str(caught.value).count("\n- ") == 2


def test_broken_yaml_says_where(tmp_path):
    with pytest.raises(ConfigError, match="line 2, column 9"):
        load(Settings, _file(tmp_path, "folds: 3\ntrain: a: b\n"))


def test_a_missing_file_suggests_the_near_one(tmp_path):
    _file(tmp_path, "")
    with pytest.raises(ConfigError, match=r"Did you mean config.yaml\?"):
        load(Settings, tmp_path / "confg.yaml")


def test_a_byte_order_mark_does_not_matter(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_bytes(b"\xef\xbb\xbffolds: 4\n")
    assert load(Settings, path).folds == 4


def test_overrides_reach_nested_keys(tmp_path):
    assert load(Settings, _file(tmp_path, "folds: 3\n"), ["train.lr=0.5"]).train.lr == 0.5


def test_an_override_without_a_value_is_refused():
    with pytest.raises(ConfigError, match="key=value"):
        apply_overrides({}, ["folds"])


def test_what_lies_above_wins_and_the_rest_stays():
    assert merged({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}}) == {"a": {"b": 3, "c": 2}}


def test_the_resolved_settings_read_back_equal(tmp_path):
    settings = Settings.make(folds=7)
    assert load(Settings, _file(tmp_path, dump(settings))) == settings
