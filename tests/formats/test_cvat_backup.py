"""CVAT's backups: read into tables and written again without losing a key."""

import json
import stat
import zipfile
from pathlib import Path

import polars as pl
import pytest
from cvat_builders import RECORDED, backups, task, write_backup
from format_builders import box, fresh_folders, pictured, put_picture
from hypothesis import HealthCheck, given, settings
from moving import boxes_of, moving

from burnish.data.tracks import interpolate
from burnish.engine.archives import pack, unpack
from burnish.errors import DataError, FormatError
from burnish.formats.recognise import open_dataset, write_dataset

BODIES = RECORDED / "bodies"
recorded = pytest.mark.skipif(not BODIES.is_dir(), reason="the recordings of a CVAT server are not here")
often = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("BURNISH_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


def contents(folder: Path) -> dict[str, object]:
    """Every file below a folder: JSON as what it says, the order of a job's objects left aside, the others as bytes."""
    found: dict[str, object] = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        if path.name == "annotations.json":
            jobs = json.loads(path.read_text("utf-8"))
            found[name] = [{key: _unordered(value) for key, value in job.items()} for job in jobs]
        elif path.suffix == ".json":
            found[name] = json.loads(path.read_text("utf-8"))
        elif path.suffix == ".jsonl":
            found[name] = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        else:
            found[name] = path.read_bytes()
    return found


def _unordered(value: object) -> object:
    return sorted(value, key=lambda item: json.dumps(item, sort_keys=True)) if isinstance(value, list) else value


@recorded
@pytest.mark.parametrize("name", ["13_backup.004", "13_backup.008", "13_backup.012", "20_sdk_2_80_flow.032"])
def test_a_recorded_backup_comes_back_with_every_key(name, tmp_path):
    unpack(BODIES / f"{name}.zip", tmp_path / "in")
    write_dataset(open_dataset(BODIES / f"{name}.zip"), tmp_path / "out", "cvat")
    assert contents(tmp_path / "out") == contents(tmp_path / "in")


@often
@given(backups())
def test_a_made_up_backup_comes_back_with_every_key(found):
    with fresh_folders() as (source, target):
        write_dataset(open_dataset(write_backup(source, found)), target / "out", "cvat")
        assert contents(target / "out") == contents(source)


def plain(folder: Path, annotations: object = None, **more: object) -> Path:
    empty = [{"version": 0, "tags": [], "shapes": [], "tracks": []}]
    return write_backup(folder, {"task": task(4, **more), "annotations": empty if annotations is None else annotations, "frames": 4})


def shape(frame: int, **more: object) -> dict[str, object]:
    usual = {"type": "rectangle", "occluded": False, "outside": False, "z_order": 0, "rotation": 0.0, "points": [1.0, 1.0, 5.0, 5.0]}
    shared = {"group": 0, "source": "manual", "frame": frame, "attributes": [], "score": 1.0, "elements": [], "label": "car"}
    return {**usual, **shared, **more}


def holding(*shapes: dict[str, object]) -> dict[str, object]:
    return {"version": 0, "tags": [], "shapes": list(shapes), "tracks": []}


def test_a_folder_and_its_archive_are_read_alike(tmp_path):
    plain(tmp_path / "in", [holding(shape(1))])
    pack(tmp_path / "in", tmp_path / "backup.zip")
    assert open_dataset(tmp_path / "backup.zip").annotations.equals(open_dataset(tmp_path / "in").annotations)


def test_keys_that_nobody_knows_are_kept(tmp_path):
    odd = shape(1, mood="blue", id=7)
    plain(tmp_path / "in", [{**holding(odd), "intervals": [1]}], weather={"rain": [1, 2]})
    write_dataset(open_dataset(tmp_path / "in"), tmp_path / "out", "cvat")
    assert contents(tmp_path / "out") == contents(tmp_path / "in")


def test_annotations_on_frames_that_are_not_there_are_told_and_kept(tmp_path):
    plain(tmp_path / "in", [holding(shape(1), shape(99))])
    dataset = open_dataset(tmp_path / "in")
    assert dataset.annotations.height == 1
    assert dataset.notes["kind"].to_list() == ["frame_outside"]
    write_dataset(dataset, tmp_path / "out", "cvat")
    assert contents(tmp_path / "out") == contents(tmp_path / "in")


def test_a_type_that_nobody_knows_is_told_and_kept(tmp_path):
    plain(tmp_path / "in", [holding(shape(1, type="blob"), shape(2))])
    dataset = open_dataset(tmp_path / "in")
    assert (dataset.annotations.height, dataset.notes["kind"].to_list()) == (1, ["unreadable_shape"])
    write_dataset(dataset, tmp_path / "out", "cvat")
    assert contents(tmp_path / "out") == contents(tmp_path / "in")


def test_a_shape_in_the_overlap_of_two_jobs_is_one_row_and_goes_back_to_both(tmp_path):
    spans = [{"status": "annotation", "type": "annotation", "start_frame": a, "stop_frame": b} for a, b in ((0, 2), (2, 3))]
    plain(tmp_path / "in", [holding(shape(0), shape(2)), holding(shape(2), shape(3))], jobs=spans)
    dataset = open_dataset(tmp_path / "in")
    assert dataset.annotations["jobs"].to_list() == [[0], [0, 1], [1]]
    write_dataset(dataset, tmp_path / "out", "cvat")
    assert contents(tmp_path / "out") == contents(tmp_path / "in")


def test_a_ground_truth_job_keeps_its_frames_and_its_objects(tmp_path):
    spans = [{"status": "annotation", "type": "annotation", "start_frame": 0, "stop_frame": 3}]
    spans.append({"status": "annotation", "type": "ground_truth", "start_frame": 0, "stop_frame": 3, "frames": [1, 3]})
    plain(tmp_path / "in", [holding(shape(0)), holding(shape(3))], jobs=spans)
    dataset = open_dataset(tmp_path / "in")
    assert dataset.jobs["kind"].cast(pl.String).to_list() == ["annotation", "ground_truth"]
    write_dataset(dataset, tmp_path / "out", "cvat")
    assert contents(tmp_path / "out") == contents(tmp_path / "in")


def test_empty_annotations_are_read_as_none(tmp_path):
    plain(tmp_path / "in", [])
    assert open_dataset(tmp_path / "in").annotations.is_empty()


def test_related_pictures_and_the_guide_are_copied(tmp_path):
    home = plain(tmp_path / "in")
    put_picture(home / "data/related_images/кадр_000_png/depth.png")
    (home / "annotation_guide.md").write_text("# Дорога\n", encoding="utf-8")
    write_dataset(open_dataset(home), tmp_path / "out", "cvat")
    assert contents(tmp_path / "out") == contents(home)


def damaged(tmp_path: Path) -> Path:
    plain(tmp_path / "in", [holding(shape(1))])
    pack(tmp_path / "in", tmp_path / "backup.zip")
    return tmp_path / "backup.zip"


def test_an_archive_that_is_cut_off_is_refused(tmp_path):
    path = damaged(tmp_path)
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(FormatError):
        open_dataset(path, "cvat")


@pytest.mark.parametrize("name", ["../evil.txt", "/evil.txt", "a\\..\\..\\evil.txt", "C:/evil.txt"])
def test_a_member_that_leads_out_is_refused(tmp_path, name):
    path = damaged(tmp_path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, "evil")
    with pytest.raises(FormatError, match="leads out"):
        open_dataset(path, "cvat")
    assert not (tmp_path / "evil.txt").exists()


def test_a_member_that_is_a_link_is_refused(tmp_path):
    path = damaged(tmp_path)
    info = zipfile.ZipInfo("data/link.png")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(FormatError, match="link"):
        open_dataset(path, "cvat")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_comes_twice_is_refused(tmp_path):
    path = damaged(tmp_path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("task.json", "{}")
    with pytest.raises(FormatError, match="twice"):
        open_dataset(path, "cvat")


def test_a_bomb_is_refused(tmp_path):
    path = damaged(tmp_path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("data/zeros.bin", "w") as stream:
        for _ in range(80):
            stream.write(bytes(2**20))
    with pytest.raises(FormatError, match="unpacks from"):
        open_dataset(path, "cvat")


@pytest.mark.parametrize("name", ["task.json", "annotations.json", "data/manifest.jsonl"])
def test_a_cut_file_is_refused_with_its_name(tmp_path, name):
    path = plain(tmp_path / "in") / name
    path.write_text(path.read_text("utf-8")[:-9], encoding="utf-8")
    with pytest.raises(FormatError) as caught:
        open_dataset(tmp_path / "in", "cvat")
    assert Path(name).name in str(caught.value)


@pytest.mark.parametrize("step", ["step=0", "step=x", "every=2"])
def test_a_step_that_is_none_is_refused(tmp_path, step):
    home = plain(tmp_path / "in")
    told = json.loads((home / "task.json").read_text("utf-8"))
    told["data"]["frame_filter"] = step
    (home / "task.json").write_text(json.dumps(told))
    with pytest.raises(FormatError, match="step"):
        open_dataset(home, "cvat")


def test_a_task_without_jobs_keeps_its_objects_and_is_written_with_one_job(tmp_path):
    home = plain(tmp_path / "in", [holding(shape(1))])
    told = json.loads((home / "task.json").read_text("utf-8"))
    (home / "task.json").write_text(json.dumps({**told, "jobs": []}))
    dataset = open_dataset(home)
    assert dataset.annotations.height == 1
    write_dataset(dataset, tmp_path / "out", "cvat")
    written = contents(tmp_path / "out")
    assert written["task.json"]["jobs"][0]["stop_frame"] == 3
    assert [len(job["shapes"]) for job in written["annotations.json"]] == [1]


def test_pictures_of_another_format_become_a_task_for_each_split(tmp_path):
    rows = [box(1, 0, (1, 1, 5, 5)), box(2, 0, (2, 2, 6, 6))]
    dataset = pictured(tmp_path / "in", ["a.png", "b.png"], rows, ["car"], split=["train", "val"])
    write_dataset(dataset, tmp_path / "out", "cvat")
    again = open_dataset(tmp_path / "out")
    assert again.tasks["subset"].to_list() == ["Train", "Validation"]
    assert again.annotations.select("x1", "y1", "x2", "y2").equals(dataset.annotations.select("x1", "y1", "x2", "y2"))
    assert (tmp_path / "out/project.json").is_file()


def test_a_yolo_folder_becomes_a_backup(tmp_path):
    put_picture(tmp_path / "in/images/a.png")
    (tmp_path / "in/labels").mkdir()
    (tmp_path / "in/labels/a.txt").write_text("0 0.5 0.5 0.25 0.5\n")
    (tmp_path / "in/data.yaml").write_text("names: [car]\ntrain: images\n")
    write_dataset(open_dataset(tmp_path / "in"), tmp_path / "out", "cvat")
    written = json.loads((tmp_path / "out/annotations.json").read_text())
    assert written[0]["shapes"][0]["points"] == [6.0, 3.0, 10.0, 9.0]


def test_nothing_is_left_behind_where_writing_fails(tmp_path):
    dataset = open_dataset(plain(tmp_path / "in"))
    (tmp_path / "in/data/кадр_000.png").unlink()
    findings = write_dataset(dataset, tmp_path / "out", "cvat")
    assert not findings.is_empty()
    assert not [path for path in tmp_path.iterdir() if path.name not in {"in", "out"}]


def test_a_track_that_names_no_job_is_cut_where_jobs_end_and_shows_the_same(tmp_path):
    rows = [
        {"frame": 1, "at": (0, 0), "track": 4, "keyframe": True},
        {"frame": 9, "at": (16, 8), "track": 4, "keyframe": True},
        {"frame": 11, "at": (16, 8), "track": 4, "keyframe": True, "outside": True},
    ]
    dataset = moving(14, rows, jobs=[(0, 4, "annotation"), (4, 9, "annotation"), (10, 13, "annotation")])
    write_dataset(dataset, tmp_path / "task", "cvat")
    held = json.loads((tmp_path / "task/annotations.json").read_text())
    assert [[shape["frame"] for track in job["tracks"] for shape in track["shapes"]] for job in held] == [[1, 4], [4, 9], [10, 11]]
    before, after = (boxes_of(interpolate(found)) for found in (dataset, open_dataset(tmp_path / "task")))
    assert [(frame, place) for (_, frame), place in after.items() if frame != 4] == [
        (frame, place) for (_, frame), place in before.items() if frame != 4
    ]
    assert {place for (_, frame), place in after.items() if frame == 4} == {(6.0, 3.0)}, "both jobs hold the frame that they share"


def test_a_target_that_ends_with_zip_becomes_an_archive_which_a_server_takes(tmp_path):
    dataset = open_dataset(plain(tmp_path / "task", [holding(shape(0))]))
    write_dataset(dataset, tmp_path / "again.zip", "cvat")
    with zipfile.ZipFile(tmp_path / "again.zip") as archive:
        assert {"task.json", "annotations.json", "data/manifest.jsonl"} <= set(archive.namelist())
    assert open_dataset(tmp_path / "again.zip").annotations.height == dataset.annotations.height == 1
    before = (tmp_path / "again.zip").read_bytes()
    with pytest.raises(DataError, match=r"archive .* is there already"):
        write_dataset(dataset, tmp_path / "again.zip", "cvat")
    write_dataset(dataset, tmp_path / "again.zip", "cvat", force=True)
    assert (tmp_path / "again.zip").read_bytes() == before, "equal datasets give equal archives"
