"""The recorded exchanges with a real CVAT, answered by the test server."""

import re
import shutil
from dataclasses import replace
from itertools import groupby

import pytest

from burnish.errors import FormatError
from burnish.testing.cvat.contract.__main__ import main
from burnish.testing.cvat.contract.recordings import load
from burnish.testing.cvat.contract.replay import replay

CLIENT_SHARE = 0.975
WHOLE_SHARE = 0.96
RENAMED = {
    "road survey": "Umfrage",
    "frames A": "Bilder Ä",
    "frames B via TUS": "кадры Б",
    '"clip': '"Film',
    "scratch": "Rest & Co",
    '"crack"': '"Riss im Belag"',
    '"weather"': '"Wetter"',
}
STATEFUL = re.compile(r"/(requests|dataset|backup|auth|schema)|/annotations/?$|/labels/\d+$")
"""What a poll moves on, what is downloaded, who is logged in, and what must wait for a number."""


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
    for path in sorted(recordings.glob("0[2-8]_*.json")):
        words = path.read_text("utf-8")
        for name, other in RENAMED.items():
            words = words.replace(name, other)
        (folder / path.name).write_text(words, "utf-8")
    differing = [(outcome.exchange.name, outcome.differences) for outcome in replay(load(folder), first_id=77) if not outcome.matches]
    assert not differing


def test_calls_that_do_not_need_one_another_are_answered_alike_in_another_order(recordings, outcomes):
    loaded = load(recordings)
    scenarios = {name: _turned(exchanges) for name, exchanges in loaded.scenarios.items()}
    moved = sum(one is not two for name, turned in scenarios.items() for one, two in zip(turned, loaded.scenarios[name], strict=True))
    assert moved > 80
    found = replay(replace(loaded, scenarios=scenarios), first_id=5000)
    assert {one.exchange.name for one in found if one.matches} == {one.exchange.name for one in outcomes if one.matches}


def _turned(exchanges):
    """Runs of questions that change nothing, the last one first; of labels, a question may have its number from the one before."""
    runs = [(quiet, list(run)) for quiet, run in groupby(exchanges, lambda each: each.method == "GET" and not STATEFUL.search(each.path))]
    return [each for quiet, run in runs for each in (reversed(run) if quiet else run)]


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
