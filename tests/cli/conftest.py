"""Command lines as users type them: in this process where that is enough, in a process of their own where it is not."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from burnish.cli.app import run

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1", "COLUMNS": "100"}


class Said(NamedTuple):
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def burnish_cli(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Said]:
    """Run a command line in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def call(*tokens: object) -> Said:
        capsys.readouterr()
        code = run([str(token) for token in tokens])
        out, err = capsys.readouterr()
        return Said(code, out, err)

    return call


@pytest.fixture
def burnish_process(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Start a command line in a process of its own, in an empty folder."""

    def start(*tokens: object, **options: Any) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "burnish", *map(str, tokens)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(command, cwd=tmp_path, env=ENVIRONMENT, **{**pipes, **options})

    return start
