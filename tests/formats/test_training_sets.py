"""Recorded backups of a CVAT server as training sets of every kind."""

import numpy as np
import polars as pl
import pytest
import yaml

import burnish
from burnish.data.findings import counts_by_kind
from burnish.data.shown import shown
from burnish.formats.recognise import FORMATS, load_format, write_dataset
from burnish.formats.sample_manifest import read_manifest
from burnish.geometry import rle

PICTURED = sorted(name for name in FORMATS if hasattr(load_format(name), "write") and not FORMATS[name].keeps)


@pytest.fixture(scope="module")
def project(backups):
    """Four tasks: pictures with every kind of shape, and three videos."""
    return burnish.open(backups / "13_backup.012.zip")


def lines_of(folder):
    return [line.split() for path in sorted((folder / "labels").rglob("*.txt")) for line in path.read_text().splitlines()]


@pytest.mark.parametrize(("task", "numbers"), [("detect", {5}), ("obb", {9}), ("pose", {11})])
def test_label_files_hold_as_many_numbers_as_their_task_asks_for(project, tmp_path, task, numbers):
    write_dataset(project, tmp_path / "out", "yolo", task=task)
    lines = lines_of(tmp_path / "out")
    assert {len(line) for line in lines} <= numbers
    assert all(0 <= float(value) <= 1 for line in lines for value in line[1:5])
    assert len(lines) > 100


def test_polygons_and_masks_are_written_as_outlines_within_the_picture(project, tmp_path):
    write_dataset(project, tmp_path / "out", "yolo", task="segment")
    lines = lines_of(tmp_path / "out")
    assert all(len(line) >= 7 and len(line) % 2 for line in lines)
    assert all(-1e-9 <= float(value) <= 1 + 1e-9 for line in lines for value in line[1:])


def test_numbers_of_classes_have_no_gaps_and_name_what_is_used(project, tmp_path):
    status = pl.when(pl.col("name") == "road").then(pl.lit("unused")).otherwise("status").cast(project.classes.schema["status"])
    told = project.with_tables(classes=project.classes.with_columns(status.alias("status")))
    write_dataset(told, tmp_path / "out", "yolo", task="detect")
    names = yaml.safe_load((tmp_path / "out/data.yaml").read_text())["names"]
    assert list(names) == list(range(len(names)))
    assert "road" not in names.values()
    assert not [name for name in names.values() if "/" in name]
    assert {int(line[0]) for line in lines_of(tmp_path / "out")} <= set(names)


def test_pictures_without_a_split_are_told_where_others_have_one(project, tmp_path):
    findings = write_dataset(project, tmp_path / "out", "yolo", task="detect")
    assert counts_by_kind(findings)["no_split"] == 1
    assert not counts_by_kind(
        write_dataset(project.with_tables(images=project.images.with_columns(split=None)), tmp_path / "no", "yolo")
    ).get("no_split")


@pytest.mark.parametrize("form", PICTURED)
@pytest.mark.parametrize("status", ["unused", "forbidden"])
def test_no_exporter_writes_unused_objects_or_forbidden_pictures(project, tmp_path, form, status):
    marked = pl.when(pl.col("name") == "car").then(pl.lit(status)).otherwise("status").cast(project.classes.schema["status"])
    told = project.with_tables(classes=project.classes.with_columns(marked.alias("status")))
    views = shown(project)
    number = next(n for n, name in project.class_names().items() if name == "car")
    with_cars = views.annotations.filter((pl.col("class") == number) & ~pl.col("outside"))["image"].unique()
    findings = write_dataset(told, tmp_path / "out", form)
    manifest = read_manifest(tmp_path / "out")
    kinds = findings["kind"].to_list()
    if status == "unused":
        assert kinds.count("unused_class") >= with_cars.len()
    else:
        assert kinds.count("forbidden_class") >= with_cars.len()
        lost = views.images.filter(pl.col("id").is_in(with_cars.implode())).height
        assert manifest.height <= len(views) - lost
        written = {path.name for path in (tmp_path / "out").rglob("*.jpg")}
        frames = views.images.join(views.media.select("path", media="id"), on="media").filter(pl.col("id").is_in(with_cars.implode()))
        kept = views.images.join(views.media.select("path", media="id"), on="media").filter(~pl.col("id").is_in(with_cars.implode()))
        names = [f"{p.rpartition('/')[2][:-4]}_{n:06d}.jpg" for p, n in frames.select("path", "true_frame").iter_rows()]
        others = {f"{p.rpartition('/')[2][:-4]}_{n:06d}.jpg" for p, n in kept.select("path", "true_frame").iter_rows()}
        assert not written & (set(names) - others)
    if manifest.is_empty():  # the only pictures with a label of the whole were left out
        return
    again = burnish.open(tmp_path / "out")
    assert "car" not in again.classes["name"].to_list()


def test_semantic_masks_of_a_video_are_what_is_shown(project, tmp_path):
    write_dataset(project, tmp_path / "out", "masks")
    again = burnish.open(tmp_path / "out")
    views = shown(project)
    roads = views.annotations.filter((pl.col("kind") == "polygon") & ~pl.col("outside"))
    assert roads.height > 50
    painted = {path.rpartition("/")[2] for path in again.media["path"]}
    assert "clip_000020.jpg" in painted
    areas = [rle.area(rle.decompress(m)) for m in again.annotations["mask"]]
    assert np.min(areas) > 0
