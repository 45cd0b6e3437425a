"""Tracks beside what a real CVAT server wrote for every frame."""

import json
import shutil
from pathlib import Path

import pytest

from burnish.errors import FormatError
from burnish.testing.interpolation import compare_case, compare_folder, main

CASES = Path(__file__).parents[3] / "shared/cvat-recordings/interpolation"
NAMES = sorted(path.stem for path in CASES.glob("*.json") if path.name != "INDEX.json")
recorded = pytest.mark.skipif(not CASES.is_dir(), reason="the recordings of a CVAT server are not here")


@recorded
@pytest.mark.parametrize("name", NAMES)
def test_a_recorded_case_is_equal(name):
    assert compare_case(CASES / f"{name}.json").differences == ()


def changed_case(folder: Path) -> tuple[Path, str]:
    """A copy of a case in which the server's first ellipse on some frame lies elsewhere, and the frame's number."""
    case = json.loads((CASES / "ellipse_rotation.json").read_text(encoding="utf-8"))
    frame = next(number for number, shapes in case["frames"].items() if shapes)
    case["frames"][frame][0]["cx"] += 5
    (folder / "changed.json").write_text(json.dumps(case), encoding="utf-8")
    return folder / "changed.json", frame


@recorded
def test_a_changed_case_is_reported_with_its_frame_and_number(tmp_path):
    path, frame = changed_case(tmp_path)
    outcome = compare_case(path)
    assert len(outcome.differences) == 1
    assert outcome.differences[0].startswith(f"frame {frame}, shape 0")
    assert "cx is" in outcome.differences[0]


@recorded
def test_the_program_ends_with_1_where_a_case_differs(tmp_path, capsys):
    changed_case(tmp_path)
    shutil.copy(CASES / "cuboid_linear.json", tmp_path)
    assert main([str(tmp_path)]) == 1
    assert "1 of 2 cases equal" in capsys.readouterr().out


@recorded
def test_the_program_ends_with_0_where_all_are_equal(tmp_path, capsys):
    shutil.copy(CASES / "cuboid_linear.json", tmp_path)
    assert main([str(tmp_path)]) == 0
    assert "1 of 1 cases equal" in capsys.readouterr().out


def test_a_folder_without_cases_is_refused(tmp_path):
    with pytest.raises(FormatError, match="no cases here"):
        compare_folder(tmp_path)


def test_a_file_that_is_no_case_is_refused(tmp_path):
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(FormatError, match="no case of interpolation"):
        compare_folder(tmp_path)
    assert main([str(tmp_path)]) == 2


def test_the_program_needs_a_folder(capsys):
    assert main([]) == 2
    assert "usage" in capsys.readouterr().err
