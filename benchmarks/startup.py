"""`burnish --help` against a bare app of the same command-line library with as many lazy commands.

python benchmarks/startup.py [ROUNDS]

All are whole processes with warm byte code, run in turns so that a busy machine hits them alike. Their help shows the same summaries. The
bare app is run as the library has it, with help read as Markdown, and once more with plain help, as burnish has it. Told are the median and
the least of the wall time, and the median of the processor time, which a busy machine changes least.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from burnish.operations import OPERATIONS

_LIMIT = 1.2

_BARE = """
from cyclopts import App

app = App(name="bare", help="A bare app.", version="0.1.0", help_format={format!r})
{commands}
if __name__ == "__main__":
    app()
"""


def bare_app(folder: Path, name: str, form: str | None) -> list[str]:
    """A program with the same lazy commands and nothing else, and how it is started: through a module, as an installed script is."""
    commands = "\n".join(f'app.command("bare_commands:{verb}", name="{verb}", help="{op.summary}")' for verb, op in OPERATIONS.items())
    (folder / "bare_commands.py").write_text("".join(f"def {verb}(dataset: str) -> None: ...\n" for verb in OPERATIONS))
    (folder / f"{name}.py").write_text(_BARE.format(commands=commands, format=form))
    return [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(folder)!r}); from {name} import app; app(['--help'])"]


def once(command: list[str]) -> tuple[float, float]:
    """Wall and processor time of one run, in seconds."""
    before, began = os.times(), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "COLUMNS": "100"})
    wall, after = time.perf_counter() - began, os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return wall, spent


def main(rounds: int) -> int:
    """Print the table; 1 when the limit is passed."""
    with tempfile.TemporaryDirectory() as folder:
        programs = {
            "bare app": bare_app(Path(folder), "bare", None),
            "bare app, plain help": bare_app(Path(folder), "plain", "plaintext"),
            "burnish": [sys.executable, "-c", "from burnish.cli.app import main; main(['--help'])"],
        }
        runs: dict[str, list[tuple[float, float]]] = {name: [] for name in programs}
        for command in programs.values():
            once(command)
        for _ in range(rounds):
            for name, command in programs.items():
                runs[name].append(once(command))
    return report(runs)


def report(runs: dict[str, list[tuple[float, float]]]) -> int:
    """Print medians and least values side by side."""
    print("| `--help` | " + " | ".join(runs) + " | ratio | ratio, plain |\n| --- | --- | --- | --- | --- | --- |")
    kinds = {"wall, median": (0, statistics.median), "wall, least": (0, min), "processor, median": (1, statistics.median)}
    for kind, (index, of) in kinds.items():
        bare, plain, ours = (of([run[index] for run in runs[name]]) for name in runs)
        print(f"| {kind} | {bare * 1000:.0f} ms | {plain * 1000:.0f} ms | {ours * 1000:.0f} ms | {ours / bare:.2f} | {ours / plain:.2f} |")
    print(f"\n{len(runs['burnish'])} runs each, in turns; must stay below {_LIMIT}.")
    return int(ours / bare > _LIMIT)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20))
