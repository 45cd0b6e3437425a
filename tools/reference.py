"""Write docs/reference/*.md from the code: verbs and settings, table columns, errors, formats. A test fails when they are stale.

python tools/reference.py
"""

from __future__ import annotations

import inspect
import re
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel

from burnish import errors
from burnish.data.schema import FINDINGS, TABLES, Column
from burnish.descriptions import Kind, config_class
from burnish.formats.recognise import FORMATS, load_format
from burnish.metrics.names import METRICS
from burnish.operations import OPERATIONS
from burnish.refine.modes.names import MODES
from burnish.train.augs.names import AUGS
from burnish.train.losses.names import LOSSES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "reference"
_NOTE = "<!-- Made by tools/reference.py; change the code, not this page. -->\n\n"


def pages() -> dict[str, str]:
    """Each page's file name and text."""
    rest = {
        "losses-and-metrics.md": choices("Losses and metrics", {"Losses": LOSSES, "Metrics": METRICS}),
        "augmentations.md": choices("Augmentations", {"Augmentations": AUGS}),
        "merging-modes.md": choices("Merging modes", {"Modes": MODES}),
    }
    return {"verbs.md": verbs(), "tables.md": tables(), "formats.md": formats(), "errors.md": error_page(), **rest}


def verbs() -> str:
    """Every verb with the table of its settings."""
    parts = ["# Verbs and settings\n", "Each verb is a command, a function and a step of a recipe. Settings come from a YAML file (`-c`), "]
    parts.append("from `--set key=value`, or from an option of the same name.\n")
    for name, operation in OPERATIONS.items():
        config = _resolve(operation.config)
        parts.append(f"\n## {name}\n\n{operation.summary}\n\n```python\nburnish.{name}{_signature(operation.target)}\n```\n")
        parts.append(_settings_table(config))
    return _NOTE + "".join(parts)


def tables() -> str:
    """Every column of every table."""
    parts = ["# Tables\n\nA dataset is a few tables; every column is declared once. Columns that a dataset does not use are not stored.\n"]
    parts += [f"\n## {name}\n\n{_columns(columns)}" for name, columns in {**TABLES, "findings": FINDINGS}.items()]
    return _NOTE + "".join(parts)


def formats() -> str:
    """Every format, what it needs to be recognised, and what it carries."""
    rows = ["| format | what | recognised by | written | carries |\n| --- | --- | --- | --- | --- |\n"]
    for name, form in FORMATS.items():
        module = load_format(name)
        carries = getattr(module, "CARRIES", None)
        told = "everything" if name == "burnish" else ", ".join(sorted(map(str, carries))) if carries else "pictures"
        rows.append(f"| {name} | {form.summary} | {form.needs} | {'yes' if hasattr(module, 'write') else 'no'} | {told} |\n")
    lead = "# Formats\n\nEvery verb takes any of them; `burnish convert SRC DST --to FORMAT` writes them. "
    return _NOTE + lead + "What a format cannot carry is reported as a finding of kind `not_carried`.\n\n" + "".join(rows)


def error_page() -> str:
    """The tree of errors."""
    return _NOTE + "# Errors\n\n" + inspect.cleandoc(errors.__doc__ or "") + "\n"


def choices(heading: str, kinds: Mapping[str, Kind]) -> str:
    """Everything that can be chosen by name, with the table of its settings."""
    parts = [f"# {heading}\n\nWhat can be chosen by name, and its settings. Each is given as `name: ...` with these keys beside it.\n"]
    for title, kind in kinds.items():
        parts.append(f"\n## {title}\n")
        for name, entry in kind.entries.items():
            config = config_class(kind, name)
            others = ", ".join(f"`{alias}`" for alias, target in kind.aliases.items() if target.name == name)
            known = f" Also known as {others}." if others else ""
            table = "".join(line for line in _settings_table(config).splitlines(keepends=True) if not line.startswith("| `name` |"))
            parts.append(f"\n### {name}\n\n{entry.summary}{known}\n\n{inspect.cleandoc(config.__doc__ or '')}\n{table}")
    return _NOTE + "".join(parts)


def _resolve(target: str) -> Any:
    module, _, name = target.partition(":")
    return getattr(import_module(module), name)


def _signature(target: str) -> str:
    text = str(inspect.signature(_resolve(target))).replace("'", "")
    return re.sub(r"<[\w.]*\.(\w+) object at 0x[0-9a-f]+>", lambda found: found[1].lower(), text)


def _settings_table(config: type[BaseModel]) -> str:
    rows = [f"| `{key}` | {_type(annotation)} | {default} | {text} |\n" for key, annotation, default, text in _fields(config)]
    return "\n| key | type | default | meaning |\n| --- | --- | --- | --- |\n" + "".join(rows) if rows else ""


def _fields(config: type[BaseModel], above: str = "") -> Iterable[tuple[str, Any, str, str]]:
    for name, field in config.model_fields.items():
        inner = next((a for a in (field.annotation, *get_args(field.annotation)) if isinstance(a, type) and issubclass(a, BaseModel)), None)
        default = "required" if field.is_required() else _default(field.get_default(call_default_factory=True))
        text = " ".join((field.description or "").split()).replace("|", "\\|")
        if inner is None:
            yield f"{above}{name}", field.annotation, default, text
        else:
            yield from _fields(inner, f"{above}{name}.")


def _default(value: Any) -> str:
    return "" if value is None else f"`{value}`"


def _type(annotation: Any) -> str:
    text = inspect.formatannotation(annotation).replace("typing.", "").replace("|", "\\|")
    return f"`{text}`" if len(text) < 60 else "see text"


def _columns(columns: tuple[Column, ...]) -> str:
    head = "| column | type | unit | default | meaning |\n| --- | --- | --- | --- | --- |\n"
    rows = (f"| `{c.name}` | {_dtype(c)} | {c.unit} | {_column_default(c)} | {c.meaning} |\n" for c in columns)
    return head + "".join(rows)


def _column_default(column: Column) -> str:
    return "required" if column.required else "" if column.default is None else f"`{column.default}`"


def _dtype(column: Column) -> str:
    text = str(column.dtype)
    return "one of a few words" if text.startswith("Enum") else text


def main(check: bool) -> int:  # noqa: FBT001 - one switch of a script
    """Write the pages, or say which are stale."""
    stale = [name for name, text in pages().items() if not (FOLDER / name).is_file() or (FOLDER / name).read_text("utf-8") != text]
    if check:
        print("\n".join(f"docs/reference/{name} is stale; run: python tools/reference.py" for name in stale))
        return len(stale)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv))
