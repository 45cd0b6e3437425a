"""Command-line options made from a settings class: one for each field, one level deep; what is not given stays with the file or default."""

from __future__ import annotations

import inspect
import types
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from cyclopts import Group, Parameter
from pydantic import BaseModel

from burnish.config import read_yaml
from burnish.descriptions import Chosen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic.fields import FieldInfo

    from burnish.config import Config

_SIMPLE = (str, int, float, bool)
_SETTINGS = Group("Settings", sort_key=1)


def option_parameters(config: type[Config]) -> list[inspect.Parameter]:
    """Keyword parameters of a command, one for each field of its settings class; None stands for not given."""
    return [
        inspect.Parameter(_python_name(path), inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_annotation(path, field))
        for path, field in _leaves(config)
    ]


def given_values(config: type[Config], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The nested settings that were given on the command line."""
    values: dict[str, Any] = {}
    for path, field in _leaves(config):
        value = arguments.get(_python_name(path))
        if value is None:
            continue
        place = values
        for key in path[:-1]:
            place = place.setdefault(key, {})
        place[path[-1]] = _description(value) if _is_chosen(field) else value
    return values


def _description(value: Any) -> Any:
    """A name, or a mapping as YAML writes it: {name: per_box, limit: 0.4}; several of them where several may be named."""
    if isinstance(value, tuple):
        return tuple(map(_description, value))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    if not isinstance(value, str):
        return value
    return read_yaml(value) if value.lstrip().startswith("{") else {"name": value}


def _leaves(config: type[BaseModel], above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], FieldInfo]]:
    for name, field in config.model_fields.items():
        inner = None if _is_chosen(field) else _group(field.annotation)
        if inner is not None and not above:
            yield from _leaves(inner, (name,))
        elif inner is None and (_is_chosen(field) or _is_simple(field.annotation)):
            yield (*above, name), field


def _is_chosen(field: FieldInfo) -> bool:
    """Whether one description is chosen by its name, which the option takes; its settings are for the file and --set."""
    return any(isinstance(mark, Chosen) for mark in (*field.metadata, *(m for a in get_args(field.annotation) for m in get_args(a)[1:])))


def _group(annotation: Any) -> type[BaseModel] | None:
    return next((a for a in (annotation, *get_args(annotation)) if isinstance(a, type) and issubclass(a, BaseModel)), None)


def _is_simple(annotation: Any) -> bool:
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        return all(a is type(None) or _is_simple(a) for a in get_args(annotation))
    if origin in (tuple, list):
        return all(a is Ellipsis or _is_simple(a) for a in get_args(annotation))
    if origin is Annotated:
        return _is_simple(get_args(annotation)[0])
    return origin is Literal or annotation in _SIMPLE or (isinstance(annotation, type) and issubclass(annotation, _SIMPLE))


def _annotation(path: tuple[str, ...], field: FieldInfo) -> Any:
    parameter = Parameter(
        name="--" + ".".join(part.replace("_", "-") for part in path),
        help=_help(field),
        group=_SETTINGS,
        show_default=False,
        negative_none=(),
        negative_iterable=(),
    )
    return Annotated[_option_type(field) | None, parameter]


def _option_type(field: FieldInfo) -> Any:
    if _is_chosen(field):
        return tuple[str, ...] if get_origin(field.annotation) is tuple else str
    return _plain(field.annotation)


def _plain(annotation: Any) -> Any:
    """The type without its bounds: the settings class checks those, and names the key when it complains."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _plain(inner[0])
    if origin in (Union, types.UnionType):
        return reduce(or_, map(_plain, inner))
    return annotation


def _help(field: FieldInfo) -> str:
    text = " ".join((field.description or "").split())
    if field.is_required():
        return f"{text} [required]"
    default = field.get_default(call_default_factory=True)
    return text if default in (None, "", ()) else f"{text} [default: {_default_text(default)}]"


def _default_text(default: Any) -> str:
    if isinstance(default, BaseModel):
        return str(getattr(default, "name", ""))
    if isinstance(default, bool):
        return "yes" if default else "no"
    return ", ".join(map(str, default)) if isinstance(default, tuple | list) else str(default)


def _python_name(path: tuple[str, ...]) -> str:
    return "__".join(path)
