"""MOTChallenge sequences: read as the benchmark and CVAT write them, and written again."""

import zipfile

import polars as pl
import pytest
from format_builders import box, pictured, put_picture
from moving import moving

from burnish.errors import FormatError
from burnish.formats.recognise import open_dataset, recognise_format, write_dataset

INFO = "[Sequence]\nname=MOT-02\nimDir=img1\nframeRate=30\nseqLength=4\nimWidth=16\nimHeight=12\nimExt=.png\n"


def sequence(folder, truth="", found="", *, info=INFO, labels=""):
    for name, text in {"gt/gt.txt": truth, "det/det.txt": found, "seqinfo.ini": info, "gt/labels.txt": labels}.items():
        if text:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
    for number in range(1, 5):
        put_picture(folder / f"img1/{number:06d}.png")
    return folder


def test_lines_become_views_of_tracks_with_their_ids(tmp_path):
    dataset = open_dataset(sequence(tmp_path, "1,7,1.5,2,4,5,1,1,0.5\n3,7,2,2,4,5,1,1,1\n"))
    rows = dataset.annotations.select("image", "track", "x1", "y1", "x2", "y2", "keyframe").rows()
    frames = dict(dataset.images.select("id", "frame").iter_rows())
    assert [(frames[image], *rest) for image, *rest in rows] == [(0, 7, 1.5, 2.0, 5.5, 7.0, None), (2, 7, 2.0, 2.0, 6.0, 7.0, None)]
    assert dataset.class_names()[dataset.annotations["class"][0]] == "pedestrian"
    assert dataset.tasks["name"].to_list() == ["MOT-02"]


def test_visibility_and_the_flag_are_attributes(tmp_path):
    dataset = open_dataset(sequence(tmp_path, "1,7,1,2,4,5,0,3,0.25\n"))
    assert dataset.attributes.select("name", "value").rows() == [("ignored", "true"), ("visibility", "0.25")]


def test_detections_have_scores_and_no_track(tmp_path):
    dataset = open_dataset(sequence(tmp_path, found="2,-1,1,2,4,5,0.875,-1,-1,-1\n"))
    assert dataset.annotations.select("track", "class", "score").row(0) == (None, None, 0.875)


def test_classes_are_those_of_labels_txt(tmp_path):
    dataset = open_dataset(sequence(tmp_path, "1,1,1,2,4,5,1,2,1\n", labels="car\nгрузовик\n"))
    assert dataset.classes["name"].to_list() == ["car", "грузовик"]
    assert dataset.annotations["class"].to_list() == [1]


@pytest.mark.parametrize("line", ["1,1,1,2,4\n", "0,1,1,2,4,5,1,1,1\n", "x,1,1,2,4,5,1,1,1\n", "1,1,1,2,nan,5,1,1,1\n"])
def test_a_bad_line_is_told_with_its_number_and_the_others_stay(tmp_path, line):
    dataset = open_dataset(sequence(tmp_path, "1,1,1,2,4,5,1,1,1\n" + line))
    assert dataset.annotations.height == 1
    assert dataset.notes.filter(pl.col("kind") == "unreadable_line")["position"].to_list() == ["line 2"]


def test_ids_of_two_sequences_do_not_meet(tmp_path):
    for name in ("a", "b"):
        sequence(tmp_path / name, "1,1,1,2,4,5,1,1,1\n", info="")
    dataset = open_dataset(tmp_path)
    assert dataset.tasks["name"].to_list() == ["a", "b"]
    assert dataset.annotations["track"].n_unique() == 2


def test_what_was_read_is_written_again_line_by_line(tmp_path):
    truth = "1,7,1.5,2,4,5,1,1,0.5\n2,9,0.1,0.2,0.3,0.4,0,2,1\n3,7,2,2,4,5,1,1,1\n"
    dataset = open_dataset(sequence(tmp_path / "in", truth, "2,-1,1,2,4,5,0.875,-1,-1,-1\n", labels="car\nbus\n"))
    write_dataset(dataset, tmp_path / "out", "mot")
    assert (tmp_path / "out/gt/gt.txt").read_text() == truth
    assert (tmp_path / "out/det/det.txt").read_text() == "2,-1,1,2,4,5,0.875,-1,-1,-1\n"
    assert (tmp_path / "out/seqinfo.ini").read_text() == INFO
    assert (tmp_path / "out/img1/000004.png").is_file()


def test_tracks_of_key_frames_are_written_on_every_frame_on_which_they_are_seen(tmp_path):
    rows = [{"frame": 0, "at": (0, 0), "track": 3, "keyframe": True}, {"frame": 2, "at": (4, 2), "track": 3, "keyframe": True}]
    rows.append({"frame": 3, "at": (4, 2), "track": 3, "keyframe": True, "outside": True})
    findings = write_dataset(moving(5, rows), tmp_path / "out", "mot")
    assert [line.split(",")[:4] for line in (tmp_path / "out/gt/gt.txt").read_text().splitlines()] == [
        ["1", "3", "0", "0"],
        ["2", "3", "2", "1"],
        ["3", "3", "4", "2"],
    ]
    assert findings.filter(pl.col("reason").str.contains("none of its 5 frames"))["path"].to_list() == ["clip.mp4"]
    assert "renamed" not in set(findings["kind"])


def test_an_archive_of_a_sequence_is_read(tmp_path, monkeypatch):
    monkeypatch.setenv("BURNISH_CACHE", str(tmp_path / "cache"))
    with zipfile.ZipFile(tmp_path / "mot.zip", "w") as archive:
        archive.writestr("gt/gt.txt", "1,1,1,2,4,5,1,1,1\n")
        archive.writestr("gt/labels.txt", "car\n")
    assert recognise_format(tmp_path / "mot.zip") == "mot"
    assert open_dataset(tmp_path / "mot.zip").annotations["track"].to_list() == [1]


def test_frames_without_end_are_refused(tmp_path):
    with pytest.raises(FormatError, match="frames go up to"):
        open_dataset(sequence(tmp_path, "99999999999,1,1,2,4,5,1,1,1\n"))


def test_a_number_in_seqinfo_that_is_none_is_refused(tmp_path):
    with pytest.raises(FormatError, match="seqlength is 'many'"):
        open_dataset(sequence(tmp_path, "1,1,1,2,4,5,1,1,1\n", info=INFO.replace("seqLength=4", "seqLength=many")))


def test_a_polygon_has_no_place(tmp_path):
    row = {**box(1, 0, (1, 1, 5, 5)), "kind": "polygon", "points": [1.0, 1.0, 5.0, 1.0, 5.0, 5.0]}
    findings = write_dataset(pictured(tmp_path / "in", ["a.png"], [row], ["car"]), tmp_path / "out", "mot")
    assert findings.filter("is_issue")["annotation"].to_list() == [1]
