"""Settings: the Config base class, YAML in and out, overrides such as `folds=3`, errors that name the key and line."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from burnish.errors import ConfigError
from burnish.places import fields_at, placed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from burnish.places import Placed

C = TypeVar("C", bound="Config")

_OWN_WORDS: Final = ("value_error", "choice")
"""Kinds of complaints that our own checks make."""


class Config(BaseModel):
    """Choices of one verb: frozen, typed, every field with a docstring, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, validate_default=True)

    @property
    def named_files(self) -> tuple[str, ...]:
        """The files that the settings name, whose content counts as a part of them."""
        return ()

    @classmethod
    def make(cls, **values: Any) -> Self:
        """Build from values, with errors in our own words.

        Raises:
            ConfigError: A key is unknown or a value does not fit.
        """
        return validated(cls, values)


def load(cls: type[C], path: Path | str, overrides: Iterable[str] = ()) -> C:
    """Read a YAML file into a config class, then apply overrides `a.b=c`.

    Raises:
        ConfigError: The file is missing, is no YAML mapping, or a key or value is wrong; the message names the line.
    """
    text = read_text(path)
    values = apply_overrides(read_yaml(text, path), overrides)
    return validated(cls, values, path=path, text=text)


def read_text(path: Path | str) -> str:
    """The text of a settings file, whatever mark it begins with.

    Raises:
        ConfigError: The file is missing or is no UTF-8 text.
    """
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        near = difflib.get_close_matches(Path(path).name, [p.name for p in Path(path).parent.glob("*.y*ml")], n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise ConfigError(f"There is no config file {path}.{hint}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The config file {path} cannot be read: {error}. Save it as UTF-8 text.") from error


def read_yaml(text: str, path: Path | str | None = None) -> dict[str, Any]:
    """Parse a YAML mapping.

    Raises:
        ConfigError: The text is no YAML, or its top level is no mapping.
    """
    where = f"{path}: " if path else ""
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise ConfigError(f"{where}{line}this is no valid YAML: {getattr(error, 'problem', error)}.") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigError(f"{where}expected 'key: value' pairs at the top level, found a {type(values).__name__}.")
    return values  # pyright: ignore[reportUnknownVariableType]


def apply_overrides(values: Mapping[str, Any], overrides: Iterable[str]) -> dict[str, Any]:
    """Set nested keys from texts such as `folds=3` or `train.lr=0.001`; values are read as YAML.

    Raises:
        ConfigError: An override has no '='.
    """
    changed: dict[str, Any] = {**values}
    for override in overrides:
        key, equals, value = override.partition("=")
        if not equals:
            raise ConfigError(f"'{override}' is no override; expected key=value, for instance folds=3.")
        changed = _set_nested(changed, key.strip().split("."), yaml.safe_load(value))
    return changed


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Nested settings laid over others: what `above` says wins, the rest of `below` stays."""
    result = dict(below)
    for key, value in above.items():
        under = result.get(key)
        result[key] = merged(under, value) if isinstance(under, dict) and isinstance(value, dict) else value  # pyright: ignore[reportUnknownArgumentType]
    return result


def dump(config: Config) -> str:
    """The resolved settings as YAML, in the order of the fields."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def validated(
    cls: type[C], values: Mapping[str, Any], *, path: Path | str | None = None, text: str = "", below: Sequence[str | int] = ()
) -> C:
    """Build a config from raw values, turning every complaint into one message.

    Args:
        cls: The class.
        values: What it is built from.
        path: The file that they come from, for the message.
        text: Its text, for the line.
        below: The keys under which the values stand in that text.

    Raises:
        ConfigError: A key is unknown or a value does not fit; all complaints are listed.
    """
    try:
        return cls.model_validate(values)
    except ValidationError as error:
        found = (_complaint(cls, one, values, text, below) for one in placed(cls, error.errors(include_url=False), values))
        by_line = sorted(found, key=lambda complaint: complaint[0])
        complaints = [f"line {line}: {complaint}" if line else complaint for line, complaint in by_line]
        head = f"{path}:" if path else ""
        lines = [f" {complaints[0]}"] if len(complaints) == 1 else [f"\n- {complaint}" for complaint in complaints]
        raise ConfigError((head + "".join(lines)).strip()) from None


def key_line(text: str, keys: Sequence[str | int]) -> int | None:
    """The line (from 1) on which a nested key stands in a YAML text, or None."""
    if not text:
        return None
    node = yaml.compose(text)
    line = None
    for key in keys:
        found = _child(node, key)
        if found is None:
            break
        mark, node = found
        line = mark
    return line


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint `Did you mean 'x'?` or the list of what is known."""
    options = sorted(known)
    near = difflib.get_close_matches(name.lower(), [o.lower() for o in options], n=1, cutoff=0.6)
    if near:
        return f"Did you mean '{next(o for o in options if o.lower() == near[0])}'?"
    return f"Known: {', '.join(options)}."


def _complaint(cls: type[Config], found: Placed, values: Mapping[str, Any], text: str, below: Sequence[str | int]) -> tuple[int, str]:
    """The line of a complaint, 0 where it has none, and what it says."""
    keys, message = found.keys, found.message
    dotted = ".".join(str(key) for key in keys)
    line = key_line(text, [*below, *keys]) or 0
    if found.kind == "extra_forbidden":
        return line, f"unknown key '{dotted}'. {nearest(str(keys[-1]), fields_at(cls, keys[:-1], values))}"
    if found.kind == "missing":
        return line, f"'{dotted}' is missing and must be given."
    message = message if message.endswith((".", "?")) else f"{message}."
    if not keys:
        return line, message
    # What is wrong with settings as a whole says which of them it means.
    is_whole = found.kind in _OWN_WORDS and isinstance(found.given, dict | Config)
    return line, f"'{dotted}'{'' if is_whole else f' is {found.given!r}'}: {message[:1].lower()}{message[1:]}"


def _set_nested(values: Mapping[str, Any], keys: Sequence[str], value: Any) -> dict[str, Any]:
    first, rest = keys[0], keys[1:]
    inner = values.get(first)
    below = value if not rest else _set_nested(inner if isinstance(inner, dict) else {}, rest, value)
    return {**values, first: below}


def _child(node: Any, key: str | int) -> tuple[int, Any] | None:
    if isinstance(node, yaml.MappingNode):
        pairs: list[tuple[Any, Any]] = node.value
        return next(((k.start_mark.line + 1, v) for k, v in pairs if k.value == str(key)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
        item: Any = node.value[key]
        return item.start_mark.line + 1, item
    return None
