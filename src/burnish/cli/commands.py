"""One command for each verb of the catalogue, made when it is called for: inputs opened, settings resolved, result saved and told."""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Group, Parameter

from burnish.cli.options import given_values, option_parameters
from burnish.config import Config, apply_overrides, merged, read_text, read_yaml, validated
from burnish.operations import OPERATIONS, Operation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_INPUTS = Group("Inputs", sort_key=0)
_RUNNING = Group("Running", sort_key=2)

_HELP = {
    "dataset": "A dataset in any format: a file or folder; NAME@2 takes version 2 of a burnish dataset.",
    "samples": "The labelled samples: a dataset in any format, with samples.csv beside it.",
    "original": "The dataset, in any format, that the samples were made of.",
    "findings": "findings.parquet or .csv of an audit, check or dedupe, or the folder that holds it.",
    "folder": "A burnish dataset folder.",
    "source": "A dataset in any format, or the findings of an audit, check or dedupe.",
    "url": "Address on a CVAT server as the browser shows it, for instance https://app.cvat.ai/tasks/12.",
    "recipe": "A YAML file with a dataset and a list of steps.",
    "sets": "What burnish prepare wrote: the folder of the sets, or FOLDER/NAME where it holds several.",
    "table": "A table of labels or of superlabels (xlsx, csv, tsv); in either order.",
    "video": "A video file, or a folder: then all videos below it.",
}


def __getattr__(verb: str) -> Callable[..., int]:
    if verb not in OPERATIONS:
        raise AttributeError(verb)
    return make_command(verb, OPERATIONS[verb])


def make_command(verb: str, operation: Operation) -> Callable[..., int]:
    """The function behind one command; its signature is what the parser reads."""
    config = resolve(operation.config)
    names = _input_names(operation)

    def command(*paths: Any, **arguments: Any) -> int:
        from burnish.cli.execution import Request, execute  # noqa: PLC0415 - help must not load what work needs

        inputs = [*paths, *([None] * (len(names) - len(paths)))]
        running = {name: arguments.pop(name, parameter.default) for name, parameter in _RUNNING_PARAMETERS.items()}
        file = arguments.pop("config", None)
        out = arguments.pop("out", None)
        settings = resolve_settings(config, file, given_values(config, arguments), arguments.pop("override", ()) or (), running.get("seed"))
        return execute(
            Request(verb=verb, operation=operation, inputs=tuple(inputs), settings=settings, out=out, config_file=file, **running)
        )

    command.__name__ = verb
    command.__doc__ = operation.summary + _explanation(config)
    command.__signature__ = inspect.Signature(_parameters(operation, config), return_annotation=int)  # pyright: ignore[reportFunctionMemberAccess]
    command.__annotations__ = {p.name: p.annotation for p in _parameters(operation, config)}
    return command


def resolve(target: str) -> Any:
    """What a "module:name" string names."""
    module, _, name = target.partition(":")
    return getattr(import_module(module), name)


def resolve_settings(
    config: type[Config], file: Path | None, given: Mapping[str, Any], overrides: tuple[str, ...], seed: int | None
) -> Config:
    """Settings from the file, then overrides, then options; a seed is passed on where the verb draws at random.

    Raises:
        ConfigError: A key is unknown or a value does not fit.
    """
    text = read_text(file) if file else ""
    values = apply_overrides(read_yaml(text, file), overrides)
    adapt = getattr(config, "adapt", None)
    if adapt is not None:
        values = adapt(values, text)
    values = merged(values, given)
    if seed is not None and "seed" in config.model_fields:
        values["seed"] = seed
    return validated(config, values, path=file, text=text)


def _parameters(operation: Operation, config: type[Config]) -> list[inspect.Parameter]:
    inputs = [_input_parameter(name, text, optional=optional) for name, text, optional in _inputs(operation)]
    ordered = [p for p in inputs if p.default is inspect.Parameter.empty] + [p for p in inputs if p.default is not inspect.Parameter.empty]
    taken = {"seed", *_input_names(operation)}
    options = [p for p in option_parameters(config) if p.name not in taken]
    return [*ordered, *_file_parameters(operation), *options, *_RUNNING_PARAMETERS.values()]


def _inputs(operation: Operation) -> list[tuple[str, str, bool]]:
    names = [name.rstrip("?") for name in operation.inputs]
    numbered = [f"{name}{names[:i].count(name) + 1}" if names.count(name) > 1 else name for i, name in enumerate(names)]
    found = [(n, _HELP[name.rstrip("?")], name.endswith("?")) for n, name in zip(numbered, operation.inputs, strict=True)]
    return [*found, ("destination", "Where to write; it must not exist, or be empty.", False)] if operation.out == "argument" else found


def _input_names(operation: Operation) -> list[str]:
    return [name for name, _, _ in _inputs(operation)]


def _input_parameter(name: str, text: str, *, optional: bool) -> inspect.Parameter:
    annotation = Annotated[str | None if optional else str, Parameter(help=text, group=_INPUTS, show_default=False)]
    return inspect.Parameter(
        name, inspect.Parameter.POSITIONAL_ONLY, default=None if optional else inspect.Parameter.empty, annotation=annotation
    )


def _file_parameters(operation: Operation) -> list[inspect.Parameter]:
    shown = {
        "config": Annotated[
            Path | None, Parameter(name=["--config", "-c"], help="YAML file with settings; options override it.", group=_RUNNING)
        ],
        "override": Annotated[
            tuple[str, ...] | None,
            Parameter(name="--set", help="Any setting as key=value, nested keys with dots.", group=_RUNNING, negative=()),
        ],
    }
    if operation.out in {"option", "run", "asked"}:
        text = "Folder for the results." + ("" if operation.out == "asked" else " [default: runs/COMMAND/NAME]")
        shown["out"] = Annotated[Path | None, Parameter(name=["--out", "-o"], help=text, group=_RUNNING)]
    return [_keyword(name, annotation, None) for name, annotation in shown.items()]


def _keyword(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _flag(text: str, *names: str) -> Any:
    return Annotated[bool, Parameter(name=list(names), help=text, group=_RUNNING, negative=(), show_default=False)]


_RUNNING_PARAMETERS = {
    "force": _keyword("force", _flag("Replace results that are there already.", "--force"), default=False),
    "dry_run": _keyword("dry_run", _flag("Show what would be done and write nothing.", "--dry-run"), default=False),
    "as_json": _keyword("as_json", _flag("Print the summary as JSON on standard output.", "--json"), default=False),
    "seed": _keyword(
        "seed",
        Annotated[int | None, Parameter(help="Seed of everything random; the same seed gives the same result.", group=_RUNNING)],
        default=None,
    ),
    "jobs": _keyword(
        "jobs", Annotated[int, Parameter(name=["--jobs", "-j"], help="Workers; 0 takes one for each core.", group=_RUNNING)], default=0
    ),
    "quiet": _keyword("quiet", _flag("No progress and no summary.", "--quiet", "-q"), default=False),
    "log_file": _keyword(
        "log_file", Annotated[Path | None, Parameter(help="Also write a log to this file.", group=_RUNNING)], default=None
    ),
    "debug": _keyword("debug", _flag("Show the traceback of an error.", "--debug"), default=False),
}


def _explanation(config: type[Config]) -> str:
    text = inspect.getdoc(config) or ""
    return f"\n\n{text}" if text else ""
