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
from dataclasses import dataclass, field, fields
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from burnish.config import Config, key_line, nearest, read_text, read_yaml, validated
from burnish.engine.files import write_text
from burnish.engine.fingerprint import fingerprint
from burnish.engine.map import Engine
from burnish.engine.progress import Progress, silent
from burnish.errors import ConfigError, DataError
from burnish.operations import OPERATIONS, Operation

if TYPE_CHECKING:
    from collections.abc import Mapping

_NOT_IN_RECIPES = ("run", "history", "undo", "diff", "labels", "cut", "extract", "filters", "pull", "push")
_FINDING = ("audit", "check", "dedupe")


class RunConfig(Config):
    """How a recipe is run."""

    restart: bool = False
    """Run every step again, also those that were finished before."""
    seed: int | None = None
    """Seed of every step that draws at random and sets none itself."""


class Recipe(Config):
    """What a recipe file holds."""

    dataset: str
    """The dataset to begin with, in any format; a relative path counts from the recipe file."""
    out: str = "runs/recipe"
    """Folder for the results, one numbered folder a step; a relative path counts from the working folder."""
    steps: tuple[Any, ...] = Field(min_length=1)
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
    """What a verb is given at run time, beside its inputs and settings; `dry_run` reaches the verbs that write while they work."""

    engine: Engine = field(default_factory=Engine)
    progress: Progress = silent
    work: Path | None = None
    force: bool = False
    dry_run: bool = False


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


def run(
    recipe: Path | str,
    config: RunConfig | None = None,
    *,
    engine: Engine | None = None,
    progress: Progress = silent,
    force: bool = False,
    dry_run: bool = False,
) -> RunResult:
    """Run the steps of a recipe file, continuing where it stopped.

    A finished step is skipped when neither its settings, nor the dataset, nor anything before it changed.

    Args:
        recipe: The YAML file.
        config: The settings.
        engine: Where the steps work.
        progress: Where to report.
        force: Let a step replace what it would otherwise refuse to, such as a corrected_labels.jsonl in the dataset.
        dry_run: Only say which steps would be run.

    Raises:
        ConfigError: The recipe names an unknown verb or setting; nothing is run then.
    """
    chosen, path = config or RunConfig(), Path(recipe)
    plan, steps = _planned(path, chosen)
    out = Path(plan.out)
    source = _place(plan.dataset, path)
    state = _State(source, findings=(), mark=_content_mark(source))
    lines: list[tuple[str, str]] = []
    for step in steps:
        running = Running(engine or Engine(), progress, out / step.name / "work", force, dry_run)
        state, said = _do(step, state, out / step.name, running, restart=chosen.restart)
        lines.append((step.name, said))
    return RunResult(tuple(lines), out)


def perform(verb: str, inputs: tuple[Any, ...], settings: Config, running: Running) -> Any:
    """Call a verb with what its signature asks for.

    Raises:
        ConfigError: There is no such verb.
    """
    function = _resolve(operation_of(verb).target)
    offered = {f.name: getattr(running, f.name) for f in fields(running)}
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
    findings: tuple[Path, ...]
    mark: str


def _planned(path: Path, config: RunConfig) -> tuple[Recipe, list[Step]]:
    text = read_text(path)
    plan = validated(Recipe, read_yaml(text, path), path=path, text=text)
    steps = [_step(number, entry, path, text, config.seed) for number, entry in enumerate(plan.steps, 1)]
    _refuse_missing_findings(steps, path)
    return plan, steps


def _refuse_missing_findings(steps: list[Step], path: Path) -> None:
    made = False
    for step in steps:
        if operation_of(step.verb).inputs[0] == "findings" and not made:
            raise ConfigError(f"{path}: step {step.number} ({step.verb}) needs findings; put an audit, check or dedupe before it.")
        made = made or step.verb in _FINDING


def _step(number: int, entry: Any, path: Path, text: str, seed: int | None) -> Step:
    where = f"{path}, line {key_line(text, ['steps', number - 1])}, step {number}"
    verb, values = _verb_and_values(entry, where)
    if verb in _NOT_IN_RECIPES:
        raise ConfigError(f"{where}: '{verb}' makes no sense in a recipe. Use it on the results.")
    if verb not in OPERATIONS:
        raise ConfigError(f"{where}: there is no verb '{verb}'. {nearest(verb, OPERATIONS)}")
    config: type[Config] = _resolve(OPERATIONS[verb].config)
    given = {"seed": seed} if seed is not None and "seed" in config.model_fields else {}
    below = ["steps", number - 1, verb]
    return Step(number, verb, validated(config, given | values, path=f"{path}, step {number} ({verb})", text=text, below=below))


def _verb_and_values(entry: Any, where: str) -> tuple[str, dict[str, Any]]:
    if isinstance(entry, str):
        return entry, {}
    if not isinstance(entry, dict) or len(entry) != 1:  # pyright: ignore[reportUnknownArgumentType]
        raise ConfigError(f"{where}: found {entry!r}; expected one verb, alone or with its settings, such as audit: {{folds: 5}}.")
    verb, values = next(iter(entry.items()))  # pyright: ignore[reportUnknownArgumentType]
    if not isinstance(values, dict | None):
        raise ConfigError(f"{where}: the settings of '{verb}' are {values!r}; expected key: value pairs.")
    return str(verb), values or {}  # pyright: ignore[reportUnknownVariableType]


def _content_mark(source: Path) -> str:
    """What a dataset holds now: its tables, and the time and size of each of its files."""
    from burnish.data.schema import TABLES  # noqa: PLC0415 - loads Polars
    from burnish.formats.recognise import open_dataset  # noqa: PLC0415

    dataset = open_dataset(source)
    rows = [dataset.table(name).hash_rows(seed=0).to_numpy().tobytes() for name in TABLES]
    return fingerprint(str(dataset.root.absolute()), *rows, *(_stamp(dataset.root / path) for path in dataset.media["path"]))


def _stamp(path: Path) -> str:
    try:
        status = path.stat()
    except OSError:
        return f"{path} is missing"
    return f"{path} {status.st_mtime_ns} {status.st_size}"


def _do(step: Step, state: _State, folder: Path, running: Running, *, restart: bool) -> tuple[_State, str]:
    named = (_stamp(Path(path)) for path in step.settings.named_files)
    mark = fingerprint(state.mark, step.verb, step.settings.model_dump_json(), *named)
    record = folder / "step.json"
    done = None if restart else _finished(record, mark)
    if done is not None:
        running.progress.say(f"{step.name}: finished before")
        return _after(done, state, mark), done["said"]
    if running.dry_run:
        return _State(state.source, state.findings, mark), "would be run"
    running.progress.say(f"{step.name} ...")
    result = perform(step.verb, _inputs(step, state), _settings(step, state), running)
    written = [str(p) for p in result.save(folder / "result", force=True)]
    if getattr(result, "exit_code", 0):
        raise DataError(f"Step {step.name} ends the recipe: {result}\nIts results: {folder / 'result'}")
    told = {
        "mark": mark,
        "said": str(result),
        "dataset": _made(result, folder / "result"),
        "findings": _found(folder / "result"),
        "files": written,
    }
    write_text(record, json.dumps(told, indent=2, ensure_ascii=False))
    return _after(told, state, mark), str(result)


def _finished(record: Path, mark: str) -> dict[str, Any] | None:
    """What a step left, when it was finished on exactly this input and its results are still there."""
    if not record.is_file():
        return None
    done: dict[str, Any] = json.loads(record.read_text(encoding="utf-8"))
    there = all(Path(done[key]).exists() for key in ("dataset", "findings") if done[key])
    return done if done["mark"] == mark and there else None


def _inputs(step: Step, state: _State) -> tuple[Any, ...]:
    """The dataset as it stands, or all findings made before."""
    from burnish.data.findings import join_findings  # noqa: PLC0415 - loads Polars
    from burnish.formats.findings import Findings, read_findings  # noqa: PLC0415
    from burnish.formats.recognise import open_dataset  # noqa: PLC0415

    if operation_of(step.verb).inputs[0] != "findings":
        return (open_dataset(state.source),)
    if not state.findings:
        raise ConfigError(f"Step {step.number} ({step.verb}) needs findings; put an audit, check or dedupe before it.")
    made = [read_findings(path) for path in state.findings]
    return (Findings(join_findings(*(findings.table for findings in made)), made[-1].about),)


def _settings(step: Step, state: _State) -> Config:
    """Findings are applied to the dataset as the steps before left it, which need not be the one that they were made from."""
    takes_findings = operation_of(step.verb).inputs[0] == "findings"
    if not takes_findings or getattr(step.settings, "dataset", None):
        return step.settings
    return step.settings.model_copy(update={"dataset": str(state.source)})


def _after(done: Mapping[str, Any], state: _State, mark: str) -> _State:
    findings = (*state.findings, Path(done["findings"])) if done["findings"] else state.findings
    if not done["dataset"]:
        return _State(state.source, findings, mark)
    source = Path(done["dataset"])
    # Other formats number pictures and annotations anew, so that earlier findings would hit the wrong ones.
    return _State(source, findings if (source / "manifest.json").is_file() else (), mark)


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
