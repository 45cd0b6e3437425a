"""CVAT XML in both flavours, against what a real server wrote and against made-up tasks."""

import zipfile
from dataclasses import replace
from xml.etree import ElementTree as ET

import polars as pl
import pytest
from cvat_builders import RECORDED, backups, label, meaning, task, write_backup
from format_builders import box, fresh_folders, pictured, put_picture
from hypothesis import HealthCheck, given, settings

from burnish.data.shown import shown
from burnish.data.tracks import interpolate
from burnish.errors import DataError, FormatError
from burnish.formats.cvat.xml import annotations_xml
from burnish.formats.cvat.xml.meta import Server, read_meta
from burnish.formats.recognise import open_dataset, recognise_format, write_dataset

BODIES = RECORDED / "bodies"
recorded = pytest.mark.skipif(not BODIES.is_dir(), reason="the recordings of a CVAT server are not here")
EXPORTS = sorted(path.name for path in BODIES.glob("*.CVAT_for_*.zip"))
often = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("BURNISH_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


def exported(name: str) -> bytes:
    return zipfile.ZipFile(BODIES / name).read("annotations.xml")


def flavour_of(name: str) -> str:
    return "images" if "for_images" in name else "video"


def served(raw: bytes) -> Server:
    """What only the server knew of the one task of an export."""
    return next(iter(read_meta(ET.fromstring(raw), BODIES)[2].values())).server


# Tasks of backups and the exports of the same state of the task.
SAME = [
    ("13_backup.008", 0, "10_exports_video.006.CVAT_for_video_1.1"),
    ("13_backup.008", 0, "10_exports_video.013.CVAT_for_video_1.1"),
    ("13_backup.012", 1, "10_exports_video.006.CVAT_for_video_1.1"),
    ("13_backup.012", 2, "10_exports_video.037.CVAT_for_video_1.1"),
    ("13_backup.012", 3, "10_exports_video.043.CVAT_for_video_1.1"),
    ("13_backup.012", 3, "10_exports_video.049.CVAT_for_images_1.1"),
]


@recorded
@pytest.mark.parametrize(("backup", "number", "export"), SAME)
def test_a_backup_gives_the_bytes_of_the_servers_export(backup, number, export):
    raw = exported(f"{export}.zip")
    dataset = open_dataset(BODIES / f"{backup}.zip")
    assert annotations_xml(dataset, number, flavour_of(export), decimals=2, server=served(raw)) == raw


@recorded
@pytest.mark.parametrize("flavour", ["images", "video"])
def test_a_backup_of_pictures_gives_the_servers_export_but_for_the_cuboid_that_was_deleted_between(flavour):
    export = {"images": "09_exports_task.006.CVAT_for_images_1.1.zip", "video": "09_exports_task.018.CVAT_for_video_1.1.zip"}[flavour]
    raw = exported(export)
    found = ET.fromstring(annotations_xml(open_dataset(BODIES / "13_backup.004.zip"), 0, flavour, decimals=2, server=served(raw)))
    expected = ET.fromstring(raw)
    # The last of two that lie on each other.
    holders = [image for image in expected.iterfind("image") if image.find("cuboid") is not None] or [expected]
    holders[-1].remove([child for child in holders[-1] if child.tag == "cuboid" or child.find("cuboid") is not None][-1])
    for place, track in enumerate(expected.findall("track")):
        track.set("id", str(place))
    for root in (found, expected):
        for element in root.iter():
            element.text = element.tail = (element.text or "").strip()
    assert ET.tostring(found) == ET.tostring(expected)


@recorded
@pytest.mark.parametrize("name", [name for name in EXPORTS if "for_images" in name])
def test_an_export_for_images_is_written_again_byte_for_byte(name):
    raw = exported(name)
    dataset = open_dataset(BODIES / name, "cvat_xml")
    number = None if b"<project>" in raw else 0
    assert annotations_xml(dataset, number, "images", decimals=2) == raw


@recorded
@pytest.mark.parametrize("name", [name for name in EXPORTS if "for_video" in name])
def test_an_export_for_video_means_the_same_when_it_was_written_again(name, tmp_path):
    dataset = open_dataset(BODIES / name, "cvat_xml")
    (tmp_path / "annotations.xml").write_bytes(annotations_xml(dataset, 0, "video", decimals=2))
    again = open_dataset(tmp_path)
    assert meaning(again) == meaning(dataset)
    assert again.images.drop("media", "true_frame").equals(dataset.images.drop("media", "true_frame"))
    assert again.tasks.equals(dataset.tasks)
    assert again.jobs.equals(dataset.jobs)
    assert again.classes.equals(dataset.classes)


@recorded
@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_is_recognised(name):
    assert recognise_format(BODIES / name) == "cvat_xml"


@recorded
@pytest.mark.parametrize("name", [name for name in EXPORTS if "for_video" in name])
def test_views_between_key_frames_are_those_that_the_server_wrote(name):
    """Key frames are read with two decimals, so the views between may differ by as much."""
    dataset = open_dataset(BODIES / name, "cvat_xml")
    start, step = dataset.tasks.row(0, named=True)["start_frame"], dataset.tasks.row(0, named=True)["step"]
    views = interpolate(dataset).annotations.filter(pl.col("track").is_not_null() & (pl.col("kind") == "box"))
    frames = dict(dataset.images.select("id", "frame").iter_rows())
    ours = sorted(
        (frames[i] * step + start, x1, y1, x2, y2) for i, x1, y1, x2, y2 in views.select("image", "x1", "y1", "x2", "y2").iter_rows()
    )
    told = [view for view in ET.fromstring(exported(name)).iterfind("track/box") if view.get("outside") == "0"]
    theirs = sorted((int(view.get("frame")), *(float(view.get(side)) for side in ("xtl", "ytl", "xbr", "ybr"))) for view in told)
    assert len(ours) == len(theirs)
    assert all(row == pytest.approx(other, abs=0.0151) for row, other in zip(ours, theirs, strict=True))


@often
@given(backups())
def test_for_video_every_object_comes_back_with_its_key_frames(found):
    found["task"]["data"]["deleted_frames"] = []  # of a task of pictures, XML for video does not tell them
    with fresh_folders() as (source, target):
        dataset = open_dataset(write_backup(source, found))
        tracks = dataset.with_tables(annotations=dataset.annotations.filter(pl.col("track").is_not_null()))
        write_dataset(tracks, target / "out", "cvat_xml", flavour="video")
        assert shown_meaning(open_dataset(target / "out")) == shown_meaning(tracks)


def shown_meaning(dataset):
    """All views by track; which of them are key frames is told where an object is visible."""
    return {place: rows for place, rows in meaning(interpolate(dataset)).items() if rows}


@often
@given(backups())
def test_for_images_every_view_comes_back_as_a_shape(found):
    with fresh_folders() as (source, target):
        dataset = open_dataset(write_backup(source, found))
        write_dataset(dataset, target / "out", "cvat_xml", flavour="images")
        assert meaning(shown(open_dataset(target / "out")), tracked=False) == meaning(shown(dataset), tracked=False)


@often
@given(backups())
def test_shapes_become_tracks_of_one_frame_for_video(found):
    found["annotations"][0] |= {"tracks": [], "tags": []}
    found["task"]["data"]["deleted_frames"] = []
    with fresh_folders() as (source, target):
        dataset = open_dataset(write_backup(source, found))
        findings = write_dataset(dataset, target / "out", "cvat_xml", flavour="video")
        again = open_dataset(target / "out")
        views = again.annotations.filter(pl.col("parent").is_null() & ~pl.col("outside"))
        assert views["track"].n_unique() == dataset.annotations.filter(pl.col("parent").is_null()).height
        assert findings.filter(pl.col("reason").str.contains("tag")).is_empty()


def one_task(folder, annotations, **more):
    found = {"version": 0, "tags": [], "shapes": [], "tracks": []} | annotations
    return open_dataset(write_backup(folder, {"task": task(5, **more), "annotations": [found], "frames": 5}))


def key(frame, **more):
    return {
        "type": "rectangle", "occluded": False, "outside": False, "z_order": 0, "rotation": 0.0,
        "points": [1.0, 1.0, 5.5, 6.25], "attributes": [], "frame": frame, **more,
    }  # fmt: skip


def track(*keys, **more):
    return {
        "frame": keys[0]["frame"],
        "group": 0,
        "source": "manual",
        "attributes": [],
        "shapes": list(keys),
        "elements": [],
        "label": "car",
    } | more


def test_a_track_for_images_is_told_as_dissolved(tmp_path):
    dataset = one_task(tmp_path / "in", {"tracks": [track(key(0), key(3, outside=True))]})
    findings = write_dataset(dataset, tmp_path / "out", "cvat_xml", flavour="images")
    assert findings.filter(pl.col("reason").str.contains("no tracks"))["annotation"].to_list() == [1]
    assert open_dataset(tmp_path / "out").annotations["image"].n_unique() == 3


def test_deleted_frames_have_no_place_for_video(tmp_path):
    findings = write_dataset(one_task(tmp_path / "in", {}, deleted=[1]), tmp_path / "out", "cvat_xml", flavour="video")
    assert findings.filter(pl.col("reason").str.contains("'deleted'")).height == 1


def test_a_tag_has_no_place_for_video(tmp_path):
    tag = {"group": 0, "source": "manual", "frame": 2, "attributes": [], "label": "rain"}
    findings = write_dataset(one_task(tmp_path / "in", {"tags": [tag]}), tmp_path / "out", "cvat_xml", flavour="video")
    assert findings.filter(pl.col("annotation") == 1)["kind"].to_list() == ["not_carried"]


def test_all_digits_are_written_unless_two_decimals_are_asked(tmp_path):
    dataset = one_task(tmp_path, {"shapes": [{**key(0), "points": [0.1, 1 / 3, 2.675, 9.0], "label": "car"}]})
    assert b'ytl="0.3333333333333333" xbr="2.675"' in annotations_xml(dataset, 0, "images")
    # 2.675 is a little less in binary, and CVAT rounds that.
    assert b'ytl="0.33" xbr="2.67"' in annotations_xml(dataset, 0, "images", decimals=2)


def test_numbers_of_pictures_are_those_of_the_source(tmp_path):
    dataset = one_task(tmp_path / "in", {"shapes": [{**key(2), "label": "car"}]}, start=4, step=3)
    write_dataset(dataset, tmp_path / "out", "cvat_xml", flavour="images")
    tree = ET.parse(tmp_path / "out/annotations.xml").getroot()
    assert [image.get("id") for image in tree.iterfind("image")] == ["4", "7", "10", "13", "16"]
    again = open_dataset(tmp_path / "out")
    assert again.tasks.select("start_frame", "stop_frame", "step").row(0) == (4, 16, 3)
    assert again.images.filter(pl.col("id").is_in(again.annotations["image"].implode()))["frame"].to_list() == [2]


def test_deleted_frames_are_left_out_and_stay_deleted_where_the_task_is_a_video(tmp_path):
    dataset = one_task(tmp_path / "in", {}, deleted=[1])
    write_dataset(dataset, tmp_path / "out", "cvat_xml", flavour="images")
    assert open_dataset(tmp_path / "out").images["frame"].to_list() == [0, 2, 3, 4]


def test_attributes_are_changeable_where_their_label_says_so(tmp_path):
    changing = [key(0, attributes=[{"name": "speed", "value": "5"}]), key(2, attributes=[{"name": "speed", "value": "7"}])]
    dataset = one_task(tmp_path / "in", {"tracks": [track(*changing, attributes=[{"name": "model", "value": "volvo"}])]})
    write_dataset(dataset, tmp_path / "out", "cvat_xml", flavour="video")
    rows = open_dataset(tmp_path / "out").attributes.sort("annotation", "name").rows()
    assert rows == [(1, "model", "volvo", False), (1, "speed", "5", True), (2, "speed", "7", True)]


def test_several_tasks_get_a_folder_each_and_come_back(tmp_path):
    rows = [box(1, 0, (1, 1, 5, 5)), box(2, 0, (2, 2, 6, 6))]
    dataset = pictured(tmp_path / "in", ["a.png", "b.png"], rows, ["car"], split=["train", "val"])
    write_dataset(dataset, tmp_path / "out", "cvat_xml")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["task_0", "task_1"]
    again = open_dataset(tmp_path / "out")
    assert again.tasks["subset"].to_list() == ["Train", "Validation"]
    assert again.images["split"].to_list() == ["train", "val"]


def test_all_tasks_can_be_one_file_as_a_project_is(tmp_path):
    dataset = pictured(
        tmp_path / "in", ["a.png", "b.png"], [box(1, 0, (1, 1, 5, 5)), box(2, 0, (2, 2, 6, 6))], ["car"], split=["train", "val"]
    )
    write_dataset(dataset, tmp_path / "between", "cvat_xml")
    tasks = open_dataset(tmp_path / "between")
    told = {number: Server(id=str(number + 10), mode="annotation") for number in tasks.tasks["id"]}
    (tmp_path / "out").mkdir()
    (tmp_path / "out/annotations.xml").write_bytes(annotations_xml(tasks, None, "images", server={**told, None: Server("project", id="3")}))
    again = open_dataset(tmp_path / "out")
    assert again.tasks["project"].n_unique() == 1
    assert meaning(again) == meaning(tasks)


def test_a_dataset_of_another_format_is_written_and_its_attributes_are_declared(tmp_path):
    dataset = pictured(tmp_path / "in", ["a.png"], [box(1, 0, (1, 1, 5, 5))], ["car"])
    attributes = pl.DataFrame({"annotation": [1], "name": ["colour"], "value": ["красный"], "mutable": [False]})
    write_dataset(dataset.with_tables(attributes=attributes), tmp_path / "out", "cvat_xml")
    tree = ET.parse(tmp_path / "out/annotations.xml").getroot()
    assert tree.findtext("meta/task/labels/label/attributes/attribute/name") == "colour"
    assert tree.findtext("image/box/attribute") == "красный"
    assert (tmp_path / "out/images/a.png").read_bytes() == (tmp_path / "in/a.png").read_bytes()


def test_a_file_alone_is_read_without_its_pictures(tmp_path):
    file = tmp_path / "job 5.xml"
    file.write_bytes(annotations_xml(one_task(tmp_path / "in", {"shapes": [{**key(1), "label": "car", "source": "manual"}]}), 0, "images"))
    dataset = open_dataset(file)
    assert dataset.annotations.height == 1
    assert dataset.images.select("width", "height").unique().rows() == [(16, 12)]


def test_an_archive_is_read_as_its_folder(tmp_path):
    dataset = one_task(tmp_path / "in", {"shapes": [{**key(1), "label": "car", "source": "manual"}]})
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.writestr("annotations.xml", annotations_xml(dataset, 0, "images"))
    assert meaning(open_dataset(tmp_path / "export.zip")) == meaning(dataset)


def xml(tmp_path, body, meta="", head=""):
    text = f'<?xml version="1.0" encoding="utf-8"?>\n{head}<annotations><version>1.1</version>{meta}{body}</annotations>'
    (tmp_path / "annotations.xml").write_text(text, encoding="utf-8")
    return tmp_path / "annotations.xml"


IMAGE = '<image id="0" name="a.png" width="16" height="12">'


def test_a_file_without_meta_is_read_as_the_server_does(tmp_path):
    dataset = open_dataset(xml(tmp_path, IMAGE + '<box label="car" xtl="1" ytl="2" xbr="3" ybr="4" occluded="0"/></image>'))
    assert dataset.annotations.select("x1", "y1", "x2", "y2").row(0) == (1.0, 2.0, 3.0, 4.0)
    assert dataset.classes["name"].to_list() == ["car"]


def test_entities_are_refused(tmp_path):
    path = xml(tmp_path, IMAGE + "</image>", head='<!DOCTYPE annotations [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n')
    with pytest.raises(FormatError, match="entity"):
        open_dataset(path)


def test_a_cut_file_is_refused_with_its_line(tmp_path):
    path = xml(tmp_path, IMAGE + "</image>")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(FormatError, match="well-formed"):
        open_dataset(path, "cvat_xml")


@pytest.mark.parametrize(
    "shape",
    [
        '<box label="car" xtl="a" ytl="2" xbr="3" ybr="4"/>',
        '<box label="car" xtl="1" ytl="2" xbr="3"/>',
        '<polygon label="car" points="1,2;3"/>',
        '<mask label="car" rle="3, 4" left="0" top="0" width="2" height="2"/>',
        '<blob label="car"/>',
    ],
)
def test_a_shape_that_cannot_be_read_is_told_with_its_picture_and_the_others_stay(tmp_path, shape):
    good = '<box label="car" xtl="1" ytl="2" xbr="3" ybr="4"/>'
    dataset = open_dataset(xml(tmp_path, IMAGE + shape + good + "</image>"))
    assert dataset.annotations.height == 1
    told = dataset.notes.filter(pl.col("kind") == "unreadable_shape")
    assert told["position"].to_list() == ["image 0"]


def test_a_number_that_is_none_is_refused_with_its_element(tmp_path):
    with pytest.raises(FormatError, match="'id' of a <image> is 'x'"):
        open_dataset(xml(tmp_path, '<image id="x" name="a.png"/>'), "cvat_xml")


def test_frames_without_end_are_refused(tmp_path):
    with pytest.raises(FormatError, match="frames go up to"):
        open_dataset(
            xml(tmp_path, '<track id="0" label="car"><box frame="99999999999" xtl="1" ytl="1" xbr="2" ybr="2"/></track>'), "cvat_xml"
        )


def test_two_files_with_different_labels_of_one_name_are_told(tmp_path):
    for number, colour in enumerate(("#000000", "#ffffff")):
        found = {"task": task(1, labels=[label("car") | {"color": colour}], name=f"t{number}"), "annotations": [{}], "frames": 1}
        home = tmp_path / f"out/task_{number}"
        home.mkdir(parents=True)
        (home / "annotations.xml").write_bytes(annotations_xml(open_dataset(write_backup(tmp_path / f"in{number}", found)), 0, "images"))
    assert open_dataset(tmp_path / "out").notes["kind"].to_list().count("label_differs") == 1


def test_pictures_are_found_with_or_without_their_ending(tmp_path):
    put_picture(tmp_path / "images/frame_000003.png")
    dataset = open_dataset(xml(tmp_path, '<image id="3" name="frame_000003" width="16" height="12"/>'))
    assert dataset.image_files()["path"].to_list() == ["images/frame_000003.png"]


def test_names_that_lead_out_of_the_folder_are_not_followed(tmp_path):
    put_picture(tmp_path / "secret.png")
    (tmp_path / "in").mkdir()
    dataset = open_dataset(xml(tmp_path / "in", '<image id="0" name="../secret.png"/>'))
    assert dataset.images["width"].to_list() == [None]


def test_a_missing_task_is_told_with_those_that_are_there(tmp_path):
    with pytest.raises(DataError, match="There is no task 7"):
        annotations_xml(one_task(tmp_path, {}), 7)


def test_characters_that_xml_cannot_hold_are_told(tmp_path):
    dataset = pictured(tmp_path / "in", ["a.png"], [box(1, 0, (1, 1, 5, 5))], ["ca\x01r"])
    findings = write_dataset(dataset, tmp_path / "out", "cvat_xml")
    assert findings.filter(pl.col("reason").str.contains("control character")).height == 1
    assert open_dataset(tmp_path / "out").classes["name"].to_list() == ["ca\ufffdr"]


def test_views_of_a_track_without_key_frames_are_ended_where_it_is_not_seen(tmp_path):
    rows = [box(1, 0, (1, 1, 5, 5), track=1), box(4, 0, (2, 2, 6, 6), track=1)]
    dataset = pictured(tmp_path / "in", [f"{n}.png" for n in range(5)], rows, ["car"])
    write_dataset(dataset, tmp_path / "out", "cvat_xml", flavour="video")
    again = interpolate(open_dataset(tmp_path / "out"))
    assert again.annotations.filter(~pl.col("outside"))["image"].n_unique() == 2


def test_decimals_do_not_change_a_server_told_by_the_caller(tmp_path):
    dataset = one_task(tmp_path, {})
    server = replace(Server(), id="7", owner=("anna", "anna@example.org"), segments=(("3", "http://cvat.local/api/jobs/3"),))
    root = ET.fromstring(annotations_xml(dataset, 0, "images", 2, server))
    assert root.findtext("meta/task/id") == "7"
    assert root.findtext("meta/task/owner/email") == "anna@example.org"
    assert root.findtext("meta/task/segments/segment/url") == "http://cvat.local/api/jobs/3"
