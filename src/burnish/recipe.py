"""A YAML list of steps, run in order and resumable: the only place that knows what follows what.

```yaml
dataset: data/street
out: runs/street
steps:
  - check
  - audit: {folds: 5}
  - apply: {min_score: 0.9}
  - split: {val: 0.2}
  - convert: {to: yolo}
```
"""

from __future__ import annotations

import inspect
import json
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from burnish.config import Config, nearest, read_text, read_yaml, validated
from burnish.engine.files import write_text
from burnish.engine.map import Engine
from burnish.engine.pieces import fingerprint
from burnish.engine.progress import Progress, silent
from burnish.errors import ConfigError
from burnish.operations import OPERATIONS, Operation

if TYPE_CHECKING:
    from collections.abc import Mapping

_NOT_IN_RECIPES = ("run", "history", "undo", "diff")


class RunConfig(Config):
    """How a recipe is run."""

    restart: bool = False
    """Run every step again, also those that were finished before."""


class Recipe(Config):
    """What a recipe file holds."""

    dataset: str
    """The dataset to begin with, in any format; a relative path counts from the recipe file."""
    out: str = "runs/recipe"
    """Folder for the results, one numbered folder a step; a relative path counts from the working folder."""
    steps: tuple[str | dict[str, Any], ...] = Field(min_length=1)
    """Verbs in order, each alone or with its settings."""


@dataclass(frozen=True, slots=True)
class Step:
    """One verb with its settings resolved."""

    number: int
    verb: str
    settings: Config

    @property
    def name(self) -> str:
        """Number and verb, as the step's folder is called."""
        return f"{self.number:02d}-{self.verb}"


@dataclass(frozen=True, slots=True)
class Running:
    """What a verb is given at run time, beside its inputs and settings."""

    engine: Engine = field(default_factory=Engine)
    progress: Progress = silent
    work: Path | None = None
    force: bool = False


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a recipe did: one line a step."""

    lines: tuple[tuple[str, str], ...]
    out: Path

    def summary(self) -> dict[str, Any]:
        """The steps and what each said."""
        return {"out": str(self.out), "steps": dict(self.lines)}

    def __str__(self) -> str:
        return "\n".join(f"{name}: {text.splitlines()[0] if text else 'done'}" for name, text in self.lines) + f"\nResults: {self.out}"


def run(recipe: Path | str, config: RunConfig | None = None, *, engine: Engine | None = None, progress: Progress = silent) -> RunResult:
    """Run the steps of a recipe file, continuing where it stopped.

    A finished step is skipped when neither its settings nor anything before it changed.

    Raises:
        ConfigError: The recipe names an unknown verb or setting; nothing is run then.
    """
    chosen = config or RunConfig()
    path = Path(recipe)
    text = read_text(path)
    plan = validated(Recipe, read_yaml(text, path), path=path, text=text)
    steps = [_step(number, entry, path) for number, entry in enumerate(plan.steps, 1)]
    out = Path(plan.out)
    lines: list[tuple[str, str]] = []
    state = _State(source=_place(plan.dataset, path), findings=None, mark=fingerprint(str(_place(plan.dataset, path))))
    for step in steps:
        running = Running(engine=engine or Engine(), progress=progress, work=out / step.name / "work", force=True)
        state, said = _do(step, state, out / step.name, running, restart=chosen.restart)
        lines.append((step.name, said))
    return RunResult(tuple(lines), out)


def perform(verb: str, inputs: tuple[Any, ...], settings: Config, running: Running) -> Any:
    """Call a verb with what its signature asks for.

    Raises:
        ConfigError: There is no such verb.
    """
    function = _resolve(operation_of(verb).target)
    offered = {"engine": running.engine, "progress": running.progress, "work": running.work, "force": running.force}
    wanted = {name: value for name, value in offered.items() if name in inspect.signature(function).parameters}
    return function(*inputs, settings, **wanted)


def operation_of(verb: str) -> Operation:
    """The catalogue's entry of a verb.

    Raises:
        ConfigError: There is no such verb.
    """
    if verb not in OPERATIONS:
        raise ConfigError(f"There is no verb '{verb}'. {nearest(verb, OPERATIONS)}")
    return OPERATIONS[verb]


@dataclass(frozen=True, slots=True)
class _State:
    source: Path
    findings: Path | None
    mark: str


def _step(number: int, entry: str | dict[str, Any], path: Path) -> Step:
    if isinstance(entry, dict) and len(entry) != 1:
        raise ConfigError(f"{path}: step {number} has {len(entry)} keys ({', '.join(entry)}); expected one verb with its settings.")
    verb, values = (entry, {}) if isinstance(entry, str) else next(iter(entry.items()))
    if verb in _NOT_IN_RECIPES:
        raise ConfigError(f"{path}: step {number}: '{verb}' makes no sense in a recipe. Use it on the results.")
    config: type[Config] = _resolve(operation_of(verb).config)
    return Step(number, verb, validated(config, values or {}, path=f"{path}, step {number} ({verb})"))


def _do(step: Step, state: _State, folder: Path, running: Running, *, restart: bool) -> tuple[_State, str]:
    mark = fingerprint(state.mark, step.verb, step.settings.model_dump_json())
    record = folder / "step.json"
    if not restart and record.is_file():
        done = json.loads(record.read_text(encoding="utf-8"))
        if done.get("mark") == mark:
            running.progress.say(f"{step.name}: finished before")
            return _after(done, state, mark), done["said"]
    running.progress.say(f"{step.name} ...")
    result = perform(step.verb, _inputs(step, state), step.settings, running)
    written = [str(p) for p in result.save(folder / "result", force=True)]
    done = {
        "mark": mark,
        "said": str(result),
        "dataset": _made(result, folder / "result"),
        "findings": _found(folder / "result"),
        "files": written,
    }
    write_text(record, json.dumps(done, indent=2, ensure_ascii=False))
    return _after(done, state, mark), done["said"]


def _inputs(step: Step, state: _State) -> tuple[Any, ...]:
    """The dataset as it stands, or the findings made before."""
    from burnish.formats.findings import read_findings  # noqa: PLC0415 - the formats load Polars
    from burnish.formats.recognise import open_dataset  # noqa: PLC0415

    if operation_of(step.verb).inputs[0] != "findings":
        return (open_dataset(state.source),)
    if state.findings is None:
        raise ConfigError(f"Step {step.number} ({step.verb}) needs findings; put an audit, check or dedupe before it.")
    return (read_findings(state.findings),)


def _after(done: Mapping[str, Any], state: _State, mark: str) -> _State:
    source = Path(done["dataset"]) if done["dataset"] else state.source
    findings = Path(done["findings"]) if done["findings"] else state.findings
    return _State(source, findings, mark)


def _made(result: Any, folder: Path) -> str | None:
    return str(folder) if getattr(result, "dataset", None) is not None and getattr(result, "derives", False) else None


def _found(folder: Path) -> str | None:
    path = folder / "findings.parquet"
    return str(path) if path.is_file() else None


def _place(text: str, recipe: Path) -> Path:
    path = Path(text)
    return path if path.is_absolute() else recipe.parent / path


def _resolve(target: str) -> Any:
    module, _, name = target.partition(":")
    return getattr(import_module(module), name)
