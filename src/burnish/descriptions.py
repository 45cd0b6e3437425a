"""From a name to a description to the thing itself: one mechanism for losses, metrics and whatever else is chosen by name.

A description is a frozen `Config` whose `name` says which one it is. A kind (losses, say) lists its names as strings, so that listing and
checking a config file load nothing heavy; the function that makes the thing is imported when it is made.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from pydantic_core import PydanticCustomError, core_schema

from burnish.config import Config, apply_overrides, nearest, read_text, read_yaml, validated
from burnish.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue


@dataclass(frozen=True, slots=True)
class Entry:
    """One name of a kind.

    Attributes:
        config: The description, "module:class"; its module loads nothing heavy.
        make: What makes the thing of a description, "module:function".
        summary: One line.
    """

    config: str
    make: str
    summary: str


@dataclass(frozen=True, slots=True)
class Alias:
    """Another name for an entry.

    Attributes:
        name: The entry's own name.
        values: Settings that the other name implies; what the user gives wins.
        read: Turns the settings as they are written under the other name into ours, "module:function"; None takes them as they stand.
    """

    name: str
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])
    read: str | None = None


@dataclass(frozen=True)
class Kind:
    """All that can be chosen of one sort.

    Attributes:
        noun: What one is called in messages, for instance "loss".
        entries: By name.
        aliases: Names that others know them by.
        elsewhere: What tells of a name that is none of these what it is instead, and how that is written, "module:function"; it gives None
            where it does not know the name either.
    """

    noun: str
    entries: Mapping[str, Entry]
    aliases: Mapping[str, Alias] = field(default_factory=dict[str, Alias])
    elsewhere: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """Makes a field of a settings class a description of some kind: `loss: Annotated[Config, Chosen(LOSSES)]`.

    A name, a mapping or a description is taken, and complaints about what stands inside name its keys and their line.

    Attributes:
        kind: What is chosen from.
        usual: The name that a mapping without one has, so that one setting of what is usual can be changed alone.
    """

    kind: Kind
    usual: str | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        """Read by name; written with all fields of the description that it is."""
        del source, handler
        told = core_schema.plain_serializer_function_ser_schema(_as_values, info_arg=True)
        return core_schema.no_info_plain_validator_function(self._read, serialization=told)

    def __get_pydantic_json_schema__(self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """A name, or a mapping with one; what else it holds stands in the schema of the kind, which may hold this very field again."""
        del schema, handler
        name = {"type": "string", "enum": sorted([*self.kind.entries, *self.kind.aliases])}
        return {"title": self.kind.noun, "anyOf": [name, {"type": "object", "properties": {"name": name}, "required": ["name"]}]}

    def class_of(self, given: Mapping[str, Any] | str) -> type[Config] | None:
        """The class of the description that is meant; None where there is none of its name."""
        try:
            return selected(self.kind, self._named(given))[0]
        except ConfigError:
            return None

    def _named(self, given: Any) -> Any:
        return {"name": self.usual, **given} if self.usual and isinstance(given, dict) else given

    def _read(self, given: Any) -> Config:
        if not isinstance(given, Config | dict | str):
            raise PydanticCustomError("choice", "expected the name of a {noun}, or a mapping with it", {"noun": self.kind.noun})
        try:
            cls, values = selected(self.kind, self._named(given))
        except ConfigError as error:
            raise PydanticCustomError("choice", "{told}", {"told": str(error)}) from error
        return given if isinstance(given, Config) else cls.model_validate(values)


def load(kind: Kind, path: Path | str, overrides: Iterable[str] = ()) -> Config:
    """Read a description from a YAML file, with overrides such as `gamma=3` or `parts.region.weight=0.5`.

    Raises:
        ConfigError: As `describe`, with the file and the line.
    """
    text = read_text(path)
    return describe(kind, apply_overrides(read_yaml(text, path), overrides), path=path, text=text)


def describe(kind: Kind, given: Config | Mapping[str, Any] | str, *, path: Path | str | None = None, text: str = "") -> Config:
    """The typed description of what a name, a mapping or a description says.

    Args:
        kind: What is chosen from.
        given: A name; or a mapping with the key `name` and settings, which may also stand below a key `args`; or a description.
        path: The file that it comes from, for messages.
        text: Its text, for the line.

    Raises:
        ConfigError: The name or a key is unknown, with the nearest known one, or a value does not fit.
    """
    if isinstance(given, Config):
        return given
    cls, values = selected(kind, given, where=f"{path}: there" if path else "There")
    below = ("args",) if isinstance(given, dict) and "args" in given else ()
    return validated(cls, values, path=path, text=text, below=below)


def selected(kind: Kind, given: Config | Mapping[str, Any] | str, *, where: str = "There") -> tuple[type[Config], dict[str, Any]]:
    """The class of the description that is meant, and the values for it, not yet looked at.

    Raises:
        ConfigError: The name is unknown, with the nearest known one.
    """
    if isinstance(given, Config):
        _entry_of(kind, given)
        return type(given), given.model_dump()
    name, values = _named(kind, given)
    alias = kind.aliases.get(name)
    if alias is not None:
        values = cast("Callable[[Mapping[str, Any]], dict[str, Any]]", _found(alias.read))(values) if alias.read else values
        name, values = alias.name, {**alias.values, **values}
    if name not in kind.entries:
        hint = (_found(kind.elsewhere)(name) if kind.elsewhere else None) or nearest(name, [*kind.entries, *kind.aliases])
        raise ConfigError(f"{where} is no {kind.noun} '{name}'. {hint}")
    return config_class(kind, name), {**values, "name": name}


def build(kind: Kind, given: Config | Mapping[str, Any] | str) -> Any:
    """Make the thing that a name, a mapping or a description says.

    Raises:
        ConfigError: As `describe`.
        MissingExtra: It needs a library that is not installed.
    """
    description = describe(kind, given)
    return maker(kind, description)(description)


def maker(kind: Kind, description: Config) -> Callable[..., Any]:
    """The function that an entry names for its description.

    Raises:
        ConfigError: It is no description of this kind.
    """
    return _found(_entry_of(kind, description).make)


def config_class(kind: Kind, name: str) -> type[Config]:
    """The class of an entry's description."""
    return cast("type[Config]", _found(kind.entries[name].config))


def schema(kind: Kind) -> dict[str, Any]:
    """The JSON Schema of everything that can be chosen; one of the entries' descriptions."""
    return {"title": kind.noun, "oneOf": [config_class(kind, name).model_json_schema() for name in sorted(kind.entries)]}


def _as_values(description: Config, info: core_schema.SerializationInfo) -> dict[str, Any]:
    values = description.model_dump(mode=info.mode)
    return {"name": values.pop("name"), **values}


def _named(kind: Kind, given: Mapping[str, Any] | str) -> tuple[str, dict[str, Any]]:
    """The name and the settings, those below `args` among them."""
    if isinstance(given, str):
        return given, {}
    values = dict(given)
    name, args = values.pop("name", None), values.pop("args", None)
    if not isinstance(name, str):
        raise ConfigError(
            f"{_article(kind.noun)} {kind.noun} is chosen by its name, but 'name' is {name!r}. Known: {', '.join(sorted(kind.entries))}."
        )
    if args is not None and not isinstance(args, dict):
        raise ConfigError(f"'args' of the {kind.noun} '{name}' is {args!r}; expected settings as key: value.")
    return name, {**(args or {}), **values}


def _entry_of(kind: Kind, description: Config) -> Entry:
    name: str = getattr(description, "name", "")
    if name not in kind.entries or type(description) is not config_class(kind, name):
        raise ConfigError(f"A {type(description).__name__} describes no {kind.noun}; expected a mapping with the key 'name'.")
    return kind.entries[name]


def _article(noun: str) -> str:
    return "An" if noun[0] in "aeiou" else "A"


@cache
def _found(target: str) -> Any:
    module, _, attribute = target.partition(":")
    return getattr(import_module(module), attribute)
