"""Whole loops on small real pictures, as a user goes through them."""

import json
from io import BytesIO
from pathlib import Path

import polars as pl
import pytest
from builders import boxes_dataset, labels_folder, write_lines
from PIL import Image, ImageOps

import burnish
from burnish.audit.settings import AuditConfig
from burnish.formats.recognise import write_dataset
from burnish.inspect.settings import SplitConfig

QUICK = ("--model", "patches", "--folds", "3", "--repeats", "1", "--size", "24")
WRONG = {3: "blue", 7: "red", 20: "red"}


@pytest.fixture
def cells(tmp_path):
    """36 pictures in three colours, three of them with a wrong label."""
    return labels_folder(tmp_path / "cells", ["red", "blue", "green"] * 12, wrong=WRONG)


@pytest.fixture
def street(tmp_path):
    """Six pictures with two boxes each, as Pascal VOC."""
    write_dataset(boxes_dataset(tmp_path / "made", 6), tmp_path / "street", "voc")
    return tmp_path / "street"


def ended_well(said):
    assert said.code == 0, said.err
    return said


def files_below(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def labels_in(path):
    return [json.loads(line)["label"] for line in path.read_text().splitlines()]


def test_wrong_labels_are_found_put_right_looked_back_at_and_taken_back(burnish_cli, cells, tmp_path):
    assert ended_well(burnish_cli("check", "cells", "--json")).json["issues"] == {}
    audited = ended_well(burnish_cli("audit", "cells", *QUICK, "--out", "found", "--json")).json
    assert audited["issues"]["label"] == len(WRONG)
    right = [["red", "blue", "green"][index % 3] for index in range(36)]
    assert labels_in(cells / "corrected_labels.jsonl") == right

    applied = ended_well(burnish_cli("apply", "found", "--json")).json
    assert applied["files"] == ["cells.burnish"]
    past = ended_well(burnish_cli("history", "cells.burnish", "--json")).json
    assert [(row["version"], row["verb"]) for row in past["versions"]] == [(2, "apply"), (1, "convert")]
    assert ended_well(burnish_cli("diff", "cells.burnish", "--json")).json["changes"] == {"annotation relabelled": len(WRONG)}
    assert ended_well(burnish_cli("diff", "cells.burnish@1", "cells.burnish@2", "--json")).json["changes"] == {"annotation relabelled": 3}
    ended_well(burnish_cli("convert", "cells.burnish", "right", "--to", "jsonl"))
    assert labels_in(tmp_path / "right/labels.jsonl") == right

    ended_well(burnish_cli("undo", "cells.burnish"))
    assert ended_well(burnish_cli("diff", "cells", "cells.burnish")).out.endswith("No difference.\n")
    ended_well(burnish_cli("undo", "cells.burnish", "--to", "2"))
    assert ended_well(burnish_cli("diff", "right", "cells.burnish@2", "--json")).json["changes"] == {}


def test_findings_of_two_verbs_add_up_on_one_dataset(burnish_cli, cells):
    (cells / "images/035.jpg").write_bytes((cells / "images/034.jpg").read_bytes())
    ended_well(burnish_cli("audit", "cells", *QUICK, "--out", "labels", "--no-correct"))
    ended_well(burnish_cli("dedupe", "cells", "--out", "copies"))
    ended_well(burnish_cli("apply", "labels"))
    ended_well(burnish_cli("apply", "copies"))
    changes = ended_well(burnish_cli("diff", "cells", "cells.burnish", "--json")).json["changes"]
    assert changes["picture removed"] == 1
    assert changes["annotation relabelled"] >= len(WRONG) - 1


@pytest.mark.usefixtures("cells")
def test_a_dataset_named_outright_is_not_joined_with_its_earlier_changes(burnish_cli):
    ended_well(burnish_cli("audit", "cells", *QUICK, "--out", "labels", "--no-correct"))
    ended_well(burnish_cli("apply", "labels"))
    said = burnish_cli("apply", "labels", "--dataset", "cells")
    assert said.code == 3
    assert "cells.burnish holds changes of cells/labels.jsonl already, and these were not made on top of them." in said.err
    ended_well(burnish_cli("apply", "labels", "--dataset", "cells", "--out", "elsewhere"))
    ended_well(burnish_cli("apply", "labels", "--dataset", "cells.burnish"))
    assert len(ended_well(burnish_cli("history", "cells.burnish", "--json")).json["versions"]) == 3


def test_a_dataset_that_changed_after_its_versions_is_not_mixed_up_with_them(burnish_cli, cells):
    (cells / "images/035.jpg").write_bytes((cells / "images/034.jpg").read_bytes())
    ended_well(burnish_cli("dedupe", "cells", "--out", "copies"))
    ended_well(burnish_cli("apply", "copies"))
    lines = (cells / "labels.jsonl").read_text().splitlines(keepends=True)
    (cells / "labels.jsonl").write_text("".join(reversed(lines)))
    said = burnish_cli("apply", "copies")
    assert said.code == 3
    assert "cells/labels.jsonl was changed after cells.burnish was made from it" in said.err


@pytest.mark.usefixtures("street")
def test_boxes_go_through_every_verb_and_three_formats(burnish_cli, tmp_path):
    ended_well(burnish_cli("convert", "street", "yolo", "--to", "yolo"))
    ended_well(burnish_cli("split", "yolo", "--val", "2", "--test", "1", "--out", "parts", "--seed", "3"))
    told = ended_well(burnish_cli("stats", "parts", "--out", "numbers", "--json")).json
    assert (told["pictures"], told["annotations"], told["classes"][0]["train pictures"]) == (6, 12, 3)
    assert {"stats.csv", "stats.xlsx", "stats.html"} <= {path.name for path in (tmp_path / "numbers").iterdir()}
    ended_well(burnish_cli("convert", "parts", "coco", "--to", "coco"))
    assert ended_well(burnish_cli("check", "coco", "--decode", "--json")).json["issues"] == {}
    assert ended_well(burnish_cli("diff", "parts", "coco", "--by", "id", "--json")).json["changes"].keys() <= {
        "picture added",
        "picture removed",
        "annotation changed",
    }
    drawn = ended_well(burnish_cli("preview", "coco", "--out", "drawn", "--json")).json["files"]
    assert len(drawn) == 6
    for path in drawn:
        with Image.open(tmp_path / path) as picture:
            assert picture.size[0] >= 32


@pytest.mark.usefixtures("street")
def test_a_split_written_as_yolo_is_read_back_with_its_parts(burnish_cli):
    ended_well(burnish_cli("split", "street", "--val", "2", "--to", "yolo", "--media", "copy", "--out", "parts"))
    dataset = burnish.open("parts")
    assert dataset.origin["format"] == "yolo"
    assert sorted(dataset.images["split"]) == ["train"] * 4 + ["val"] * 2


def test_real_copies_are_found_and_taken_out_of_the_dataset_but_not_off_the_disk(burnish_cli, tmp_path):
    real = Path(__file__).parents[2] / "examples/bccd_cells"
    cells = tmp_path / "cells"
    (cells / "images").mkdir(parents=True)
    lines = [json.loads(line) for line in (real / "labels.jsonl").read_text().splitlines()[:30]]
    for line in lines:
        (cells / line["image"]).write_bytes((real / line["image"]).read_bytes())
    for number, change in enumerate((_as_webp, ImageOps.mirror, lambda picture: picture.resize((96, 96)))):
        with Image.open(cells / lines[number]["image"]) as picture:
            change(picture.convert("RGB")).save(cells / f"images/copy{number}.jpg", quality=80)
        lines.append({**lines[number], "image": f"images/copy{number}.jpg"})
    write_lines(cells / "labels.jsonl", lines)
    told = ended_well(burnish_cli("dedupe", "cells", "--out", "copies", "--json")).json
    assert (told["groups"], told["issues"]) == (3, {"near_duplicate": 3})
    ended_well(burnish_cli("apply", "copies"))
    assert len(burnish.open("cells.burnish")) == 30
    assert len(list((cells / "images").iterdir())) == 33
    assert (tmp_path / "copies/report.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def _as_webp(picture):
    buffer = BytesIO()
    picture.save(buffer, "WEBP", quality=60)
    return Image.open(buffer).convert("RGB")


@pytest.mark.parametrize(
    "tokens",
    [
        ["audit", "cells", *QUICK],
        ["check", "cells"],
        ["convert", "cells", "other", "--to", "coco"],
        ["dedupe", "cells"],
        ["preview", "cells"],
        ["split", "cells"],
        ["stats", "cells", "--out", "numbers"],
        ["apply", "../found"],
        ["undo", "../kept"],
        ["run", "r.yaml"],
    ],
)
def test_a_dry_run_writes_nothing(burnish_cli, tokens, tmp_path, monkeypatch):
    work = tmp_path / "work"
    cells = labels_folder(work / "cells", ["red", "blue", "green"] * 12, wrong=WRONG)
    (cells / "images/035.jpg").write_bytes((cells / "images/034.jpg").read_bytes())
    monkeypatch.chdir(work)
    if tokens[0] in {"apply", "undo"}:
        ended_well(burnish_cli("dedupe", "cells", "--out", "../found"))
        ended_well(burnish_cli("convert", "cells", "../kept", "--to", "burnish"))
        ended_well(burnish_cli("apply", "../found", "--dataset", "../kept"))
    (work / "r.yaml").write_text("dataset: cells\nout: results\nsteps: [check, split, {convert: {to: yolo, task: classify}}]\n")
    before = files_below(tmp_path)
    ended_well(burnish_cli(*tokens, "--dry-run"))
    assert files_below(tmp_path) == before
    assert {path.name for path in work.iterdir()} == {"cells", "r.yaml"}


@pytest.mark.usefixtures("cells")
def test_json_is_printed_alone_and_progress_elsewhere(burnish_cli):
    said = ended_well(burnish_cli("audit", "cells", *QUICK, "--json"))
    assert said.json["verb"] == "audit"
    assert "Predicting with patches" in said.err
    assert ended_well(burnish_cli("check", "cells", "--json", "--quiet")).err == ""


@pytest.mark.usefixtures("cells")
def test_the_same_seed_gives_the_same_result_with_any_number_of_workers(burnish_cli):
    tables = []
    for number, jobs in enumerate((1, 2, 1)):
        ended_well(burnish_cli("audit", "cells", *QUICK, "--no-correct", "--seed", 4, "--jobs", jobs, "--out", f"out{number}"))
        tables.append(pl.read_parquet(f"out{number}/labels.parquet"))
    assert tables[0].equals(tables[1])
    assert tables[0].equals(tables[2])


@pytest.mark.usefixtures("cells")
def test_another_seed_gives_another_division_and_the_same_seed_the_same(burnish_cli):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        ended_well(burnish_cli("split", "cells", "--seed", seed, "--out", name))
    a, b, c = (burnish.open(name).images["split"].to_list() for name in "abc")
    assert a == b != c


def test_the_command_line_and_python_make_the_same_tables(burnish_cli, cells):
    ended_well(burnish_cli("audit", "cells", *QUICK, "--no-correct", "--out", "found"))
    ended_well(burnish_cli("split", "cells", "--val", "0.25", "--out", "parts"))
    ended_well(burnish_cli("stats", "parts", "--out", "numbers"))
    dataset = burnish.open(cells)
    audited = burnish.audit(dataset, AuditConfig(model="patches", folds=3, repeats=1, size=24, correct=False))
    assert pl.read_parquet("found/labels.parquet").equals(audited.labels)
    assert pl.read_parquet("found/findings.parquet").equals(audited.table)
    parts = burnish.split(dataset, SplitConfig(val=0.25))
    assert burnish.open("parts").images["split"].equals(parts.dataset.images["split"])
    assert pl.read_csv("numbers/stats.csv").rows() == burnish.stats(parts.dataset).table.rows()


@pytest.mark.usefixtures("cells")
def test_settings_come_from_the_file_then_overrides_then_options(burnish_cli, tmp_path):
    (tmp_path / "c.yaml").write_text("model: patches\nfolds: 2\nrepeats: 1\nsize: 16\nseed: 5\ncorrect: false\n")
    ended_well(burnish_cli("audit", "cells", "-c", "c.yaml", "--set", "folds=3", "--set", "draw=0", "--draw", 7, "--out", "found"))
    used = (tmp_path / "found/settings.yaml").read_text()
    assert {"folds: 3", "draw: 7", "seed: 5", "size: 16"} <= set(used.splitlines())
    ended_well(burnish_cli("audit", "cells", "-c", "found/settings.yaml", "--out", "again"))
    assert pl.read_parquet("again/labels.parquet").equals(pl.read_parquet("found/labels.parquet"))


def test_label_tables_are_begun_checked_and_applied(burnish_cli, street, tmp_path):
    ended_well(burnish_cli("labels", "--template", "tables"))
    assert "would be replaced" in burnish_cli("labels", "--template", "tables").err
    ended_well(burnish_cli("labels", "--template", "tables", "--force"))
    said = ended_well(burnish_cli("labels", "tables/superlabels.xlsx", "tables/labels.xlsx", "--json")).json
    assert said["issues"] == {}
    assert {row["name"]: row["becomes"] for row in said["mapping"]}["class"] == "1"

    labels = "Class,Label\n1. Car,car\n2. Human,person\n"
    (tmp_path / "l.csv").write_text(labels)
    (tmp_path / "s.csv").write_text("No.,Superclass,Classes\n1,vehicle,Car\n-1,private,human\n")
    spoilt = burnish_cli("labels", "l.csv", "s.csv", "--strict")
    assert spoilt.code == 3
    assert "s.csv, C3: 'human' is written 'Human' in the table of labels (A3)" in spoilt.out
    refused = burnish_cli("convert", street, "out", "--to", "coco", "--labels", "l.csv", "--superlabels", "s.csv")
    assert refused.code == 3
    assert "'person'" in refused.err
    (tmp_path / "s.csv").write_text("No.,Superclass,Classes\n1,vehicle,Car\n0,unused,Human\n")
    ended_well(burnish_cli("convert", street, "out", "--to", "coco", "--labels", "l.csv", "--superlabels", "s.csv"))
    made = burnish.open(tmp_path / "out")
    assert (made.classes["name"].to_list(), len(made), made.counts()["annotations"]) == (["vehicle"], 6, 6)


def test_a_forbidden_class_keeps_its_pictures_out_of_a_split_too(burnish_cli, street, tmp_path):
    (tmp_path / "s.csv").write_text("No.,Superclass,Classes\n1,vehicle,car\n-1,private,person\n")
    ended_well(burnish_cli("convert", street, "marked", "--to", "burnish", "--superlabels", "s.csv", "--chain", "mark"))
    ended_well(burnish_cli("split", "marked", "--val", "0.5", "--to", "coco", "--media", "copy", "--out", "parts"))
    assert len(burnish.open(tmp_path / "marked")) == 6
    assert list((tmp_path / "parts").rglob("*.jpg")) == []


def test_what_a_format_cannot_carry_is_told_on_the_terminal(burnish_cli, street):
    said = ended_well(burnish_cli("convert", street, street.with_name("out"), "--to", "jsonl"))
    assert "Noticed:\n  jsonl has no place for a box; 12 are not written." in said.out
