"""Tracks cut at the borders of jobs and put together again, and the XML of every frame, against a real server's."""

import copy
import json
import tarfile
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from burnish.testing.cvat import storing
from burnish.testing.cvat.answers import RefusalError
from burnish.testing.cvat.calls import Call
from burnish.testing.cvat.checking import checked
from burnish.testing.cvat.records import Attribute, Data, Frame, Job, Label, Task, User
from burnish.testing.cvat.state import State
from burnish.testing.cvat.xml_writing import export_xml

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def cases(recordings):
    paths = sorted(path for path in (recordings / "interpolation").glob("*.json") if path.name != "INDEX.json")
    return {path.stem: json.loads(path.read_text("utf-8")) for path in paths}


@pytest.fixture(scope="module")
def exported(recordings):
    with tarfile.open(recordings / "interpolation" / "raw_xml.tar.xz") as archive:
        return {Path(member.name).name: archive.extractfile(member).read() for member in archive if member.isfile()}


def _label(found, parent=None):
    names = ("id", "name", "mutable", "input_type", "default_value", "values")
    attributes = [Attribute(**{name: each[name] for name in names}) for each in found.get("attributes", [])]
    label = Label(id=found["id"], name=found["name"], color="#000000", type=found["type"], attributes=attributes, parent=parent)
    label.sublabels = [_label(each, label) for each in found.get("sublabels", [])]
    return label


def _stored(case):
    """A state in which a case's task holds what was put; the status of putting."""
    state, about = State(folder=Path()), case["task"]
    owner = User(id=1, username="admin", email="", password="", joined=NOW, is_superuser=True)
    task = Task(id=1, name="case", owner=owner, overlap=about["overlap"] or 0, mode=about["mode"], created=NOW, updated=NOW)
    task.own_labels = [_label(each) for each in about["labels"]]
    kind = "video" if about["mode"] == "interpolation" else "imageset"
    task.data = Data(
        id=1, folder=Path(), updated=NOW, ready=True, size=about["size"], start_frame=about["start_frame"], original_chunk_type=kind
    )
    task.data.frame_filter, task.data.deleted_frames = about["frame_filter"] or "", about["deleted_frames"] or []
    task.data.frames = [Frame(name=f"{number}.png", width=4096, height=4096) for number in range(about["size"])]
    state.tasks[1] = task
    for number, (start, stop) in enumerate(about["jobs"], 1):
        state.jobs[number] = Job(id=number, task=task, start_frame=start, stop_frame=stop, created=NOW, updated=NOW)
    try:
        if case["put"] is not None:
            storing.put_task(state, task, checked(copy.deepcopy(case["put"]), with_ids=False))
        for number, found in enumerate(case.get("put_jobs") or [], 1):
            storing.put_job(state, state.jobs[number], checked(copy.deepcopy(found), with_ids=False))
    except RefusalError as refusal:
        return state, task, refusal.answer.status
    return state, task, 200


def _plain(value):
    """Without numbers of the server, attributes in order."""
    if isinstance(value, dict):
        plain = {key: _plain(each) for key, each in value.items() if key != "id"}
        return {**plain, **({"attributes": sorted(plain["attributes"], key=lambda each: each["spec_id"])} if "attributes" in plain else {})}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return round(float(value), 6) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def _sorted(found):
    return {kind: sorted(json.dumps(_plain(each), sort_keys=True) for each in found[kind]) for kind in ("tags", "shapes", "tracks")}


def test_what_is_put_comes_back_as_from_a_real_server(cases):
    assert len(cases) > 80
    wrong = []
    for name, case in cases.items():
        state, task, status = _stored(case)
        expected = case["put_status"] if isinstance(case["put_status"], int) else 200
        if status != expected or (status == 200 and _sorted(storing.as_json(storing.read_task(state, task))) != _sorted(case["get"])):
            wrong.append(name)
    assert not wrong


def _elements(root):
    def plain(element):
        kept = {key: value for key, value in element.attrib.items() if element.tag != "image" or key == "id"}
        values = sorted((each.attrib["name"], each.text or "") for each in element if each.tag == "attribute")
        return element.tag, kept, values, [plain(each) for each in element if each.tag != "attribute"]

    return [plain(each) for each in root if each.tag in {"image", "track"}]


@pytest.mark.parametrize(("flavour", "suffix"), [("CVAT for images 1.1", "images"), ("CVAT for video 1.1", "video")])
def test_every_frame_is_exported_as_from_a_real_server(cases, exported, flavour, suffix):
    wrong, compared = [], 0
    for name, case in cases.items():
        recorded = exported.get(f"{name}.{suffix}.xml")
        if recorded is None:
            continue
        state, task, _ = _stored(case)
        call = Call(state=state, method="POST", path="/api", base="http://cvat.local", query=[], headers={}, cookies={}, client="")
        compared += 1
        if _elements(ET.fromstring(export_xml(call, task, flavour))) != _elements(ET.fromstring(recorded)):
            wrong.append(name)
    assert compared > 75
    assert not wrong
