"""The program `burnish`: its commands from the catalogue, its errors as one panel and an exit code."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cyclopts import App, CycloptsError, Group

from burnish import __version__
from burnish.errors import BurnishError, DataError
from burnish.operations import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

_INTERRUPTED = 130
_USAGE = 2
_BUG = 1


def build_app() -> App:
    """The program with every command of the catalogue, none of them loaded yet."""
    app = App(
        name="burnish",
        help="Polish vision data until models shine.",
        version=f"burnish {__version__}",
        help_format="plaintext",
        suppress_keyboard_interrupt=False,
        group_commands=Group("Commands", sort_key=0),
        help_epilogue="More: burnish COMMAND --help. Exit codes: 0 done, 2 settings, 3 data, 4 model, 5 service, 130 stopped.",
    )
    for verb, operation in OPERATIONS.items():
        app.command(f"burnish.cli.commands:{verb}", name=verb, help=operation.summary)
    return app


def main(tokens: Sequence[str] | None = None) -> None:
    """Run the program and leave with its exit code."""
    sys.exit(run(sys.argv[1:] if tokens is None else tokens))


def run(tokens: Sequence[str]) -> int:
    """Run one command line; the exit code says what kind of error ended it."""
    try:
        code = build_app()(list(tokens), exit_on_error=False, print_error=False, result_action="return_value") or 0
        sys.stdout.flush()
    except BrokenPipeError:
        return _leave_the_pipe()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last place that can turn a defect into words
        code, title, text = _words(error)
        _tell(title, text, debug="--debug" in tokens)
    return code


def _words(error: BaseException) -> tuple[int, str, str]:
    """Exit code, title and text of what ended a command."""
    match error:
        case CycloptsError():
            return _USAGE, "Usage", str(error)
        case KeyboardInterrupt():
            return _INTERRUPTED, "Stopped", "What was finished is kept. The same command continues from there."
        case BurnishError():
            return error.exit_code, _title(error), str(error)
        case OSError():
            return DataError.exit_code, "Data", _system_text(error)
        case _:
            text = f"{type(error).__name__}: {error}\nRun again with --debug for the place, and report it, please."
            return _BUG, "A defect in burnish", text


def _leave_the_pipe() -> int:
    """The reader of our output has left, as `head` does: that ends the command well, and nothing shall be written at exit any more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _system_text(error: OSError) -> str:
    from burnish.engine.files import refusal_text  # noqa: PLC0415 - loaded only when there is something to say

    where = Path(str(error.filename)) if error.filename else Path()
    return refusal_text(error, where) or f"{where}: {error.strerror or error}. Add --debug for the place."


def _title(error: BurnishError) -> str:
    names = {2: "Settings", 3: "Data", 4: "Model", 5: "Service"}
    return f"{names.get(error.exit_code, 'Error')} ({type(error).__name__})"


def _tell(title: str, text: str, *, debug: bool = False) -> None:
    """One panel on standard error; with --debug the traceback above it."""
    from rich.console import Console  # noqa: PLC0415 - loaded only when there is something to say

    if debug:
        traceback.print_exc()
    Console(stderr=True, soft_wrap=not sys.stderr.isatty()).print(_shown(title, text))


def _shown(title: str, text: str) -> Any:
    """A panel on a terminal; plain lines in a file or pipe, where a frame would break paths apart."""
    from rich.panel import Panel  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    if not sys.stderr.isatty():
        return Text(f"{title}: {text}")
    return Panel(Text(text), title=title, title_align="left", border_style="red", expand=False)
