"""The recorded exchanges with a real CVAT, answered by the test server."""

import shutil

import pytest

from burnish.errors import FormatError
from burnish.testing.cvat.contract.__main__ import main
from burnish.testing.cvat.contract.recordings import load
from burnish.testing.cvat.contract.replay import replay

CLIENT_SHARE = 0.975
WHOLE_SHARE = 0.96


def _share(outcomes):
    return sum(outcome.matches for outcome in outcomes) / len(outcomes)


@pytest.fixture(scope="module", params=[1, 5000])
def outcomes(request, recordings):
    """All scenarios in order; the second time the server counts from another number, so that nothing can be known by heart."""
    return replay(load(recordings), first_id=request.param)


def test_what_a_client_needs_is_answered_as_recorded(outcomes):
    wanted = [outcome for outcome in outcomes if outcome.exchange.is_clients]
    differing = [f"{outcome.exchange.name}: {outcome.differences[0]}" for outcome in wanted if not outcome.matches]
    assert len(wanted) > 550
    assert _share(wanted) >= CLIENT_SHARE, differing


def test_nearly_all_of_the_rest_is_answered_as_recorded(outcomes):
    assert len(outcomes) == 745
    assert _share(outcomes) >= WHOLE_SHARE


@pytest.mark.parametrize(
    "scenario",
    [
        "01_auth",
        "02_projects_labels",
        "03_task_images",
        "04_task_images_tus",
        "05_task_errors",
        "06_task_video",
        "07_annotations_images",
        "08_annotations_video",
        "13_backup",
        "15_jobs_assignment_roles",
        "21_delete",
    ],
)
def test_these_scenarios_are_answered_without_a_difference(outcomes, scenario):
    differing = [
        f"{outcome.exchange.name}: {outcome.differences}"
        for outcome in outcomes
        if outcome.exchange.scenario == scenario and not outcome.matches
    ]
    assert not differing


def test_a_wrong_answer_is_found(recordings, tmp_path):
    folder = tmp_path / "recordings"
    folder.mkdir()
    recorded = (recordings / "02_projects_labels.json").read_text("utf-8")
    (folder / "02_projects_labels.json").write_text(recorded.replace("All label names must be unique", "Names must differ"), "utf-8")
    differing = [outcome for outcome in replay(load(folder)) if not outcome.matches]
    assert [outcome.exchange.number for outcome in differing] == [5]
    assert "Names must differ" in differing[0].differences[0]


def test_renamed_objects_are_answered_alike(recordings, tmp_path):
    folder = tmp_path / "recordings"
    folder.mkdir()
    shutil.copytree(recordings / "bodies", folder / "bodies")
    for name in ("02_projects_labels", "03_task_images"):
        recorded = (recordings / f"{name}.json").read_text("utf-8")
        (folder / f"{name}.json").write_text(recorded.replace("road survey", "Umfrage").replace("frames A", "Bilder Ä"), "utf-8")
    assert all(outcome.matches for outcome in replay(load(folder), first_id=77))


def test_the_command_prints_the_shares_and_what_differs(recordings, tmp_path, monkeypatch, capsys):
    recorded = (recordings / "02_projects_labels.json").read_text("utf-8")
    (tmp_path / "02_projects_labels.json").write_text(recorded.replace("All label names must be unique", "Names must differ"), "utf-8")
    monkeypatch.setattr("sys.argv", ["contract", str(tmp_path)])
    assert main() == 1
    said = capsys.readouterr().out
    assert "what a client needs                27 of   28 (96.4%)" in said
    assert "02_projects_labels #5 POST /api/projects\n    [0]: " in said


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(FormatError, match=r"00_server\.json"):
        load(tmp_path)
