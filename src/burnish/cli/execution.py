"""What happens behind every command: open the inputs, do the verb, save and tell the result."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from burnish.cli.noticed import noticed
from burnish.cli.progress import terminal_progress
from burnish.config import dump
from burnish.engine.files import refuse_filled_folder, refuse_impossible_folder, write_text
from burnish.engine.logs import start_logging
from burnish.engine.map import Engine
from burnish.errors import BurnishError, ConfigError
from burnish.formats.findings import read_findings
from burnish.formats.recognise import open_dataset
from burnish.recipe import Running, perform

if TYPE_CHECKING:
    from burnish.config import Config
    from burnish.operations import Operation


_LISTED = 5


@dataclass(frozen=True, slots=True)
class Request:
    """One command line, parsed."""

    verb: str
    operation: Operation
    inputs: tuple[str | None, ...]
    settings: Config
    out: Path | None
    config_file: Path | None
    force: bool
    dry_run: bool
    as_json: bool
    seed: int | None
    jobs: int
    quiet: bool
    log_file: Path | None
    debug: bool


def execute(request: Request) -> int:
    """Do what was asked; the exit code is 0 unless the result itself says otherwise.

    Raises:
        BurnishError: Whatever went wrong, in our own words.
    """
    logger = start_logging("DEBUG" if request.debug else "WARNING", request.log_file)
    logger.info("burnish %s: %s", request.verb, request.inputs)
    out = _out(request)
    if out is not None and request.operation.out == "argument":
        refuse_filled_folder(out, force=request.force)
    if out is not None and not request.dry_run:
        refuse_impossible_folder(out)
    progress = terminal_progress(quiet=request.quiet)
    running = Running(Engine(request.jobs), progress, _work(out, request), request.force, request.dry_run)
    result = perform(request.verb, _opened(request), request.settings, running)
    try:
        written = _save(result, out, request)
    except BurnishError:
        if request.operation.out == "run":  # hours may lie behind it: what was found is told, though not all of it could be written
            sys.stderr.write(f"{str(result).rstrip()}\n")
        raise
    _tell(result, written, request)
    return int(getattr(result, "exit_code", 0))


def _opened(request: Request) -> tuple[Any, ...]:
    kinds = [kind.rstrip("?") for kind in request.operation.inputs]
    texts = [
        text or (getattr(request.settings, "dataset", None) if kind == "dataset" else None)
        for kind, text in zip(kinds, request.inputs, strict=False)
    ]
    if texts and texts[0] is None and kinds[0] == "dataset" and getattr(request.settings, "needs_dataset", True):
        raise ConfigError(f"No dataset was named. Write: burnish {request.verb} DATASET")
    openers: dict[str, Any] = dict.fromkeys(("dataset", "samples", "original"), open_dataset)
    openers |= {"findings": read_findings, "source": _open_source, "url": str}
    openers |= dict.fromkeys(("folder", "recipe", "sets", "table", "video"), Path)
    return tuple(None if text is None else openers[kind](text) for kind, text in zip(kinds, texts, strict=True))


def _out(request: Request) -> Path | None:
    if request.operation.out == "argument":
        return Path(str(request.inputs[-1]))
    if request.out is not None or request.operation.out not in {"option", "run"}:
        return request.out
    source = request.inputs[0] or getattr(request.settings, "dataset", None) or "dataset"
    return Path("runs") / request.verb / (Path(source).resolve().stem or "dataset")


def _work(out: Path | None, request: Request) -> Path | None:
    """Unfinished pieces lie beside the results, so that the same command finds them."""
    if out is None or request.dry_run:
        return None
    if request.operation.out == "argument":
        return out.with_name(f".{out.name}.part")
    return out if request.operation.out == "run" else out / "work"


def _open_source(text: str) -> Any:
    """A dataset, or the findings that a verb left in a file or folder."""
    path = Path(text)
    is_findings = path.suffix in {".parquet", ".csv"} and path.stem == "findings"
    return read_findings(path) if is_findings or (path / "findings.parquet").is_file() else open_dataset(path)


def _save(result: Any, out: Path | None, request: Request) -> list[Path]:
    if request.dry_run or out is None:
        return list(getattr(result, "save_in_place", list)()) if not request.dry_run else []
    written = list(result.save(out, force=request.force))
    if request.operation.out == "option":
        write_text(out / "settings.yaml", dump(request.settings))
    return written


def _listed(written: list[Path]) -> list[str]:
    """The files, where many lie in one folder with one ending (drawn pages) as a single line."""
    alike = Counter((path.parent, path.suffix) for path in written)
    lines = [
        str(path)
        if alike[path.parent, path.suffix] <= _LISTED
        else f"{path.parent}/*{path.suffix} ({alike[path.parent, path.suffix]:,} files)"
        for path in written
    ]
    return list(dict.fromkeys(lines))


def _tell(result: Any, written: list[Path], request: Request) -> None:
    if request.as_json:
        summary = {"verb": request.verb, **result.summary(), "files": [str(path) for path in written]}
        sys.stdout.write(json.dumps(summary, ensure_ascii=False, indent=2, default=str) + "\n")
        return
    if request.quiet:
        return
    sys.stdout.write(str(result).rstrip() + "\n")
    if lines := noticed(written):
        sys.stdout.write("\nNoticed:\n" + "".join(f"  {line}\n" for line in lines))
    if written:
        sys.stdout.write("\nWritten:\n" + "".join(f"  {line}\n" for line in _listed(written)))
    if request.dry_run:
        sys.stdout.write("Nothing was written (--dry-run).\n")
