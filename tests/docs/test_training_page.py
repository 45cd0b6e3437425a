"""The commands of the page on training data, run on a recorded backup of a CVAT project."""

import re
import shlex
import shutil
from pathlib import Path

import burnish
from burnish.cli.app import run
from burnish.formats.sample_manifest import read_manifest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "training-data.md"
BLOCK = re.compile(r"^<!-- not run: wants street\.zip[^\n]*-->\n```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_commands_run_on_a_recorded_project(backups, tmp_path, monkeypatch):
    shutil.copyfile(backups / "13_backup.012.zip", tmp_path / "street.zip")
    monkeypatch.chdir(tmp_path)
    commands = [line for block in BLOCK.findall(PAGE.read_text("utf-8")) for line in block.splitlines()]
    assert len(commands) == 12
    for command in commands:
        assert run(shlex.split(command)[1:]) == 0, command
    assert len(burnish.open("yolo")) == 72
    assert read_manifest("tiles")["tile"].max() > 0
    assert set(burnish.open("by-name").images["split"]) == {"train", "val"}
    assert len(burnish.open("predictions")) == 72
    assert burnish.open("panoptic").annotations.height > 50
