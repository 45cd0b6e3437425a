"""What users read when something is wrong: what was found, what was expected, what to do; the exit code says the kind."""

import json
import shutil
import unicodedata

import pytest
from builders import labels_folder, write_class_picture, write_lines

from burnish.engine.archives import pack
from burnish.formats.findings import read_findings
from burnish.formats.recognise import FORMATS

USAGE, DATA, SERVICE = 2, 3, 5


@pytest.fixture
def cells(tmp_path):
    return labels_folder(tmp_path / "cells", ["red", "blue"] * 4)


def rows(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def findings_of(burnish_cli, dataset):
    """What `check` finds: kind, path, position, reason."""
    assert burnish_cli("check", dataset, "--out", "found").code == 0
    return read_findings("found").table.select("kind", "path", "position", "reason").rows()


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("cels", "cels: There is nothing at this path. Near names in .: cells."),
        ("cells/labels.json", "cells/labels.json: There is nothing at this path. Near names in cells: labels.jsonl."),
        ("cells@2", "cells@2: There is nothing at this path. Near names in .: cells."),
    ],
)
@pytest.mark.usefixtures("cells")
def test_a_missing_dataset_is_told_with_near_names(burnish_cli, path, text):
    said = burnish_cli("check", path)
    assert (said.code, said.out, said.err) == (DATA, "", f"Data (FormatError): {text}\n")


def test_a_path_far_from_anything_is_told_with_the_nearest_folder(burnish_cli, tmp_path):
    said = burnish_cli("check", "nowhere/near")
    assert said.err == f"Data (FormatError): nowhere/near: There is nothing at this path. The nearest folder that exists is {tmp_path}.\n"


def test_an_empty_folder_is_told_with_every_known_format(burnish_cli, tmp_path):
    (tmp_path / "empty").mkdir()
    said = burnish_cli("audit", "empty")
    assert said.code == DATA
    assert said.err.startswith("Data (FormatError): empty: No known format is recognised here. Seen: an empty folder. Known formats")
    assert "  jsonl: labels.jsonl\n" in said.err


@pytest.mark.parametrize(
    ("verb", "text"),
    [
        ("audit", "The dataset bare has no pictures. Expected a folder with pictures and their labels."),
        ("split", "The dataset has no pictures; there is nothing to divide."),
    ],
)
def test_a_labels_file_without_lines_has_nothing_to_work_on(burnish_cli, tmp_path, verb, text):
    write_lines(tmp_path / "bare/labels.jsonl", [])
    assert (burnish_cli(verb, "bare").code, burnish_cli(verb, "bare").err) == (DATA, f"Data (DataError): {text}\n")


@pytest.mark.parametrize("tokens", [["check"], ["stats"], ["dedupe"], ["preview"]])
def test_a_labels_file_without_lines_can_be_looked_at(burnish_cli, tmp_path, tokens):
    write_lines(tmp_path / "bare/labels.jsonl", [])
    assert burnish_cli(*tokens, "bare").code == 0


def test_unreadable_pictures_are_each_told_once_with_the_reason(burnish_cli, cells):
    (cells / "images/000.jpg").write_bytes(b"")
    (cells / "images/001.jpg").write_text("a text")
    (cells / "images/002.jpg").unlink()
    unreadable = "The picture cannot be read"
    assert findings_of(burnish_cli, "cells") == [
        ("missing_file", "images/002.jpg", None, "There is no such file."),
        (
            "unreadable_picture",
            "images/000.jpg",
            None,
            f"{unreadable}: the file is empty (0 bytes); copy or download it again.",
        ),
        ("unreadable_picture", "images/001.jpg", None, f"{unreadable}: it holds text, not a picture."),
    ]


def test_a_strict_check_fails_where_there_are_issues(burnish_cli, cells):
    assert burnish_cli("check", "cells", "--strict").code == 0
    (cells / "images/000.jpg").write_bytes(b"")
    said = burnish_cli("check", "cells", "--strict", "--json")
    assert (said.code, said.json["issues"]) == (DATA, {"unreadable_picture": 1})


def test_blank_lines_a_mark_and_windows_line_ends_are_no_issue(burnish_cli, cells):
    lines = (cells / "labels.jsonl").read_text().splitlines()
    (cells / "labels.jsonl").write_bytes(b"\xef\xbb\xbf" + "\r\n\r\n".join(lines).encode() + b"\r\n  \r\n")
    assert burnish_cli("check", "cells", "--json").json["issues"] == {}
    assert burnish_cli("stats", "cells", "--json").json["pictures"] == 8


def test_bad_lines_are_gathered_with_their_numbers_and_the_rest_is_read(burnish_cli, cells):
    good = rows(cells / "labels.jsonl")
    text = "\n".join(
        ["{broken", "[1]", '{"label": "red"}', *(json.dumps(row) for row in good), '{"image": "images/000.jpg", "label": {"a": 1}}']
    )
    (cells / "labels.jsonl").write_text(text)
    found = findings_of(burnish_cli, "cells")
    assert sorted((kind, path, position) for kind, path, position, _ in found if position) == [
        ("broken_line", "labels.jsonl", "line 1"),
        ("broken_line", "labels.jsonl", "line 2"),
        ("broken_line", "labels.jsonl", "line 3"),
        ("label_type", "images/000.jpg", "line 12"),
    ]
    assert burnish_cli("stats", "cells", "--json").json["pictures"] == 9


def test_a_file_without_one_readable_line_is_refused_with_an_example(burnish_cli, cells):
    (cells / "labels.jsonl").write_text("image,label\na.jpg,red\n")
    said = burnish_cli("check", "cells")
    assert said.code == DATA
    assert "none of its 2 lines can be read; line 1:" in said.err
    assert 'Expected lines such as {"image": "images/1.jpg", "label": "cat"}.' in said.err


def test_a_label_of_another_type_is_told_and_kept(burnish_cli, cells):
    lines = rows(cells / "labels.jsonl")
    lines[0]["label"] = 7
    write_lines(cells / "labels.jsonl", lines)
    assert findings_of(burnish_cli, "cells") == [
        ("label_type", "images/000.jpg", "line 1", "The label is 7 and not a text; it is read as '7'."),
    ]


def test_a_label_that_is_not_among_the_names_is_told_with_the_nearest(burnish_cli, cells):
    said = burnish_cli("audit", "cells", "--names", "red", "--names", "bleu")
    assert said.code == DATA
    assert said.err == (
        "Data (DataError): 4 labels are not among the 2 names: 'blue' (4); the first is on images/001.jpg. "
        "Did you mean 'bleu'? Add them to names, or correct the labels.\n"
    )
    assert not (cells / "corrected_labels.jsonl").exists()


def test_a_duplicate_path_and_one_outside_the_dataset_are_told(burnish_cli, cells, tmp_path):
    write_class_picture(tmp_path / "elsewhere.jpg", "red", 99)
    lines = rows(cells / "labels.jsonl")
    write_lines(cells / "labels.jsonl", [*lines, lines[0], {"image": "../elsewhere.jpg", "label": "red"}])
    kinds = {(kind, path) for kind, path, *_ in findings_of(burnish_cli, "cells")}
    assert {("duplicate_path", "images/000.jpg"), ("outside_path", "../elsewhere.jpg")} <= kinds


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_names_with_accents_and_blanks_are_found_in_either_unicode_form(burnish_cli, tmp_path, form):
    name = "лёд и café.jpg"
    write_class_picture(tmp_path / "cells/images" / unicodedata.normalize("NFC", name), "red")
    write_lines(tmp_path / "cells/labels.jsonl", [{"image": "images/" + unicodedata.normalize(form, name), "label": "красный"}])
    said = burnish_cli("check", "cells", "--decode", "--json")
    assert "missing_file" not in said.json["issues"]
    assert burnish_cli("convert", "cells", "out", "--to", "coco").code == 0
    assert len(list((tmp_path / "out").rglob("*.jpg"))) == 1


def test_a_single_class_has_nothing_to_compare_with(burnish_cli, tmp_path):
    labels_folder(tmp_path / "one", ["red"] * 5)
    said = burnish_cli("audit", "one")
    assert said.code == DATA
    assert said.err == (
        "Data (DataError): All 5 labels are 'red'; a wrong label can be found only where there are two classes or more. "
        "Copies are found by: burnish dedupe\n"
    )


def test_a_dataset_without_labels_has_nothing_to_judge(burnish_cli, cells):
    write_lines(cells / "labels.jsonl", [{**row, "label": None} for row in rows(cells / "labels.jsonl")])
    said = burnish_cli("audit", "cells")
    expected = "None of the 8 pictures has a label or box with a class; there is nothing to judge."
    assert (said.code, said.err) == (DATA, f"Data (DataError): {expected}\n")


@pytest.mark.usefixtures("cells")
def test_every_wrong_setting_is_told_with_its_line_and_the_nearest_right_one(burnish_cli, tmp_path):
    (tmp_path / "c.yaml").write_text("folds: 3\nmodle: small\ntrain:\n  epochs: many\n  lrr: 2\nsize: 4\n")
    said = burnish_cli("audit", "cells", "-c", "c.yaml")
    assert said.code == USAGE
    assert said.err.splitlines() == [
        "Settings (ConfigError): c.yaml:",
        "- line 2: unknown key 'modle'. Did you mean 'model'?",
        "- line 4: 'train.epochs' is 'many': input should be a valid integer, unable to parse string as an integer.",
        "- line 5: unknown key 'train.lrr'. Did you mean 'lr'?",
        "- line 6: 'size' is 4: input should be greater than or equal to 8.",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("folds: [3\n", "c.yaml: line 2, column 1: this is no valid YAML: expected ',' or ']', but got '<stream end>'."),
        ("- folds\n", "c.yaml: expected 'key: value' pairs at the top level, found a list."),
        ("names: [red, red]\n", "c.yaml: names lists red twice."),
        ("Model: {class_name: x}\nTraning: {epochs: 3}\n", "line 2: unknown key 'Traning'. Did you mean 'Training'?"),
    ],
)
@pytest.mark.usefixtures("cells")
def test_a_config_file_that_cannot_be_used_is_told(burnish_cli, tmp_path, text, expected):
    (tmp_path / "c.yaml").write_text(text)
    said = burnish_cli("audit", "cells", "-c", "c.yaml")
    assert (said.code, said.err) == (USAGE, f"Settings (ConfigError): {expected}\n")


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        (["audit", "cells", "-c", "d.yaml"], "There is no config file d.yaml."),
        (["audit", "cells", "--folds", "1"], "'folds' is 1: input should be greater than or equal to 2."),
        (["audit", "cells", "--set", "train.epoch=3"], "unknown key 'train.epoch'. Did you mean 'epochs'?"),
        (["audit", "cells", "--set", "folds"], "'folds' is no override; expected key=value, for instance folds=3."),
        (["audit"], "No dataset was named. Write: burnish audit DATASET"),
        (["check", "cells", "--jobs", "-2"], "jobs is -2; expected the number of workers, or 0 for one a core."),
        (["preview", "cells", "--classes", "redd"], "The dataset has no class 'redd'. Did you mean 'red'?"),
        (["split", "cells", "--val", "0.7", "--test", "0.5"], "val and test together take 120% of the pictures; leave some for training."),
        (["convert", "cells", "out"], "'to' is missing and must be given."),
        (
            ["convert", "cells", "out", "--to", "yolo", "--task", "detekt"],
            "'task' is 'detekt'; the format yolo has these variants: detect, segment, obb, pose, classify.",
        ),
        (["diff", "cells"], "Name two datasets to compare; only a burnish dataset can be compared with its own parent version."),
    ],
)
@pytest.mark.usefixtures("cells")
def test_a_setting_that_cannot_be_used_is_told(burnish_cli, tokens, text):
    said = burnish_cli(*tokens)
    assert (said.code, said.out, said.err) == (USAGE, "", f"Settings (ConfigError): {text}\n")


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        (
            ["convert", "cells", "out", "--to", "yollo"],
            "There is no format 'yollo'. Did you mean 'yolo'? Known formats: " + ", ".join(FORMATS) + ".",
        ),
        (
            ["convert", "cells", "cells", "--to", "coco"],
            "The folder cells is not empty, and nothing in it shall be lost. Name another one, or add --force to replace it.",
        ),
        (
            ["convert", "cells", "cells", "--to", "coco", "--force"],
            "cells holds the pictures that are to be written (cells); choose another folder.",
        ),
        (["split", "cells", "--val", "20"], "20 for val and 0 for test leave none of the 8 pictures for training. Ask for fewer."),
    ],
)
@pytest.mark.usefixtures("cells")
def test_a_dataset_that_cannot_be_written_so_is_told_and_left_alone(burnish_cli, cells, tokens, text):
    before = {path: path.read_bytes() for path in cells.rglob("*") if path.is_file()}
    said = burnish_cli(*tokens)
    assert (said.code, said.out, said.err) == (DATA, "", f"Data (DataError): {text}\n")
    assert {path: path.read_bytes() for path in cells.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("verb", ["history", "undo"])
@pytest.mark.usefixtures("cells")
def test_a_folder_without_versions_is_told(burnish_cli, verb):
    said = burnish_cli(verb, "cells")
    assert said.code == DATA
    assert "no dataset of burnish: it has no manifest.json and versions/." in said.err


@pytest.mark.parametrize("tokens", [["apply", "cells"], ["apply", "nothing.parquet"]])
@pytest.mark.usefixtures("cells")
def test_missing_findings_are_told_with_what_makes_them(burnish_cli, tokens):
    said = burnish_cli(*tokens)
    assert said.code == DATA
    assert "there are no findings here. Expected findings.parquet or .csv, as audit, check and dedupe write them." in said.err


def test_findings_whose_dataset_has_moved_ask_for_it(burnish_cli, cells, tmp_path):
    assert burnish_cli("dedupe", "cells", "--out", "found").code == 0
    shutil.move(cells, tmp_path / "moved")
    said = burnish_cli("apply", "found")
    assert said.code == USAGE
    found = f"The findings were made from cells/labels.jsonl, which is not there, seen from {tmp_path}."
    assert said.err == f"Settings (ConfigError): {found} Name it with --dataset.\n"
    assert burnish_cli("apply", "found", "--dataset", "moved").code == 0


def test_an_existing_result_of_an_audit_is_refused_before_any_work(burnish_cli, cells, tmp_path):
    (cells / "corrected_labels.jsonl").write_text("precious\n")
    said = burnish_cli("audit", "cells")
    assert said.code == DATA
    assert said.err == (
        "Data (DataError): cells/corrected_labels.jsonl is there already. "
        "Move it away, add --force to replace it, or --no-correct to write none.\n"
    )
    assert (cells / "corrected_labels.jsonl").read_text() == "precious\n"
    assert [path.name for path in tmp_path.iterdir()] == ["cells"]


@pytest.mark.usefixtures("cells")
def test_an_unknown_network_is_told_before_any_work(burnish_cli, tmp_path):
    pytest.importorskip("torchvision")
    said = burnish_cli("audit", "cells", "--model", "EfficientNetV2_z")
    assert said.code == USAGE
    assert said.err.startswith("Settings (ConfigError): There is no network 'EfficientNetV2_z'. Did you mean efficientnet_v2_s")
    assert [path.name for path in tmp_path.iterdir()] == ["cells"]


@pytest.mark.parametrize("verb", ["audit", "stats", "dedupe", "preview", "check"])
def test_a_place_that_cannot_be_written_is_told_before_any_work(burnish_cli, cells, verb, tmp_path):
    said = burnish_cli(verb, "cells", "--out", "cells/labels.jsonl/out")
    assert (said.code, said.out) == (DATA, "")
    file = tmp_path / "cells/labels.jsonl"
    assert said.err == f"Data (DataError): cells/labels.jsonl/out cannot be made, for {file} is a file. Choose another folder.\n"
    assert len(rows(cells / "labels.jsonl")) == 8


def test_debug_shows_where_an_error_arose(burnish_cli):
    said = burnish_cli("check", "nothing", "--debug")
    assert said.code == DATA
    assert "Traceback (most recent call last)" in said.err
    assert "Data (FormatError): nothing: There is nothing at this path." in said.err


def test_a_bound_of_a_setting_that_may_be_left_out_is_told_like_any_other(burnish_cli, cells):
    said = burnish_cli("preview", cells, "--seconds", "-1")
    assert said.code == USAGE
    assert "seconds" in said.err
    assert "greater than 0" in said.err
    assert "://" not in said.err


def test_an_archive_that_is_cut_off_is_told_as_such(burnish_cli, tmp_path):
    (tmp_path / "whole").mkdir()
    (tmp_path / "whole/a.txt").write_text("a" * 1000)
    pack(tmp_path / "whole", tmp_path / "backup.zip")
    (tmp_path / "backup.zip").write_bytes((tmp_path / "backup.zip").read_bytes()[:60])
    said = burnish_cli("check", tmp_path / "backup.zip")
    assert said.code == DATA
    assert "this is no zip archive, or it is damaged or cut off" in said.err
    assert said.err.count("\n") == 1


def test_each_input_of_a_command_has_a_name_of_its_own(burnish_cli):
    said = burnish_cli("home", "--help")
    assert all(name in said.out for name in ("SAMPLES", "ORIGINAL"))


def test_a_server_that_does_not_answer_is_told_in_one_sentence(burnish_cli, monkeypatch):
    pytest.importorskip("cvat_sdk")
    monkeypatch.setenv("CVAT_TOKEN", "0" * 40)
    said = burnish_cli("pull", "http://127.0.0.1:9/tasks/1", "there")
    assert said.code == SERVICE
    assert "http://127.0.0.1:9 does not answer (Connection refused). Check the address" in said.err
    assert "MaxRetryError" not in said.err
