"""What every format that is written must do: bring back what it says it carries, and tell the rest."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from format_builders import HEIGHT, WIDTH, box, fresh_folders, mask, pictured, pointed
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from burnish.data.dataset import Dataset
from burnish.errors import DataError
from burnish.formats.recognise import FORMATS, load_format, open_dataset, write_dataset

WRITTEN = [name for name in FORMATS if hasattr(load_format(name), "write") and hasattr(load_format(name), "CARRIES")]
GEOMETRIES = ("tag", "box", "polygon", "mask", "skeleton", "polyline", "ellipse")
BARE_KINDS = {"voc": {"mask"}}  # kinds that carry a class alone
OPTIONS = {"masks": {"style": "instances"}}  # the style that keeps objects of one class apart
NOT_NUMBERED = {"cvat"}  # formats with tracks that have no numbers of their own
RENAMED = {"mot": "img1/00000{}.png"}  # formats that name pictures by their numbers
ONE_TAG_EACH = {"folders", "jsonl", "labelme"}
NAMES = ["car", "traffic light", "дефект"]
SKELETON = json.dumps({"points": ["a", "b", "c"], "edges": [[0, 1], [1, 2]]})
CELL = 4
quarters = st.integers(0, 40).map(lambda n: n / 4)


@st.composite
def shapes(draw: st.DrawFn, kind: str, image: int, at: int) -> dict:
    """One annotation in its own column of cells, so that masks never meet."""
    number = draw(st.integers(0, len(NAMES) - 1))
    if kind == "tag":
        return {"image": image, "class": number, "kind": "tag"}
    if kind == "mask":
        pixels = np.zeros((HEIGHT, WIDTH), dtype=bool)
        cell = draw(st.lists(st.booleans(), min_size=CELL * CELL, max_size=CELL * CELL).filter(any))
        pixels[:CELL, at * CELL : (at + 1) * CELL] = np.array(cell).reshape(CELL, CELL)
        return mask(image, number, pixels)
    x, y, w, h = (draw(quarters) for _ in range(4))
    if kind in {"box", "ellipse"}:  # circles, for a format may have no other ellipses
        return {**box(image, number, (x, y, x + w + 1, y + (w if kind == "ellipse" else h) + 1)), "kind": kind}
    if kind == "polyline":
        return pointed(image, number, kind, [x, y, x + w + 1, y + 1])
    visible = draw(st.lists(st.integers(1, 2), min_size=3, max_size=3)) if kind == "skeleton" else None
    return {**pointed(image, number, kind, [x, y, x + w + 1, y, x, y + h + 1]), "visibility": visible}


@st.composite
def carried(draw: st.DrawFn, form: str) -> dict:
    """Rows and columns of a small dataset that a format says it carries."""
    carries = load_format(form).CARRIES
    kind = draw(st.sampled_from([kind for kind in GEOMETRIES if kind in carries]))
    count = draw(st.integers(1, 3))
    rows: list[dict] = []
    for image in range(1, count + 1):
        fewest = 1 if form == "folders" else 0
        number = draw(st.integers(fewest, 1 if kind == "tag" and form in ONE_TAG_EACH else 3))
        rows += [draw(shapes(kind, image, at)) for at in range(number)]
    if kind == "tag":
        rows = list({(row["image"], row["class"]): row for row in rows}.values())
    for row in rows:
        for name, values in COLUMNS.items():
            if name in carries and kind not in BARE_KINDS.get(form, {"tag"}) and not (name == "track" and form in NOT_NUMBERED):
                row[name] = draw(values)
    split = draw(st.booleans()) and "split" in carries
    columns = {"split": [draw(st.sampled_from(["train", "val", "test"])) for _ in range(count)]} if split else {}
    return {"rows": rows, "count": count, "columns": columns, "attributed": "attributes" in carries and kind not in {"tag", "mask"}}


COLUMNS = {
    "score": st.none() | st.integers(0, 8).map(lambda n: n / 8),
    "crowd": st.booleans(),
    "occluded": st.booleans(),
    "track": st.none() | st.integers(1, 9),
    "z_order": st.integers(0, 3),
    "source": st.sampled_from([None, "manual", "auto"]),
}


def built(root: Path, given: dict) -> Dataset:
    paths = [f"images/picture_{number}.png" for number in range(given["count"])]
    dataset = pictured(root, paths, given["rows"], NAMES, **given["columns"])
    skeletons = any(row["kind"] == "skeleton" for row in given["rows"])
    classes = dataset.classes.with_columns(skeleton=pl.lit(SKELETON if skeletons else None, dtype=pl.String))
    ids = dataset.annotations["id"].to_list() if given["attributed"] else []
    attributes = pl.DataFrame({"annotation": ids, "name": "colour", "value": "red"}, schema_overrides={"annotation": pl.Int64})
    return (
        dataset.with_tables(classes=classes, attributes=attributes.with_columns(mutable=False))
        if ids
        else dataset.with_tables(classes=classes)
    )


def meaning(dataset: Dataset, carries: frozenset[str]) -> dict:
    """What a dataset says, whatever its ids and folders: by picture, its split and its annotations."""
    names, splits = dataset.class_names(), dict(dataset.images.select("id", "split").iter_rows())
    attributes = dict(dataset.attributes.group_by("annotation").agg(pl.struct("name", "value").sort()).iter_rows())
    said = {i: (path.rpartition("/")[2], splits[i], []) for i, path in dataset.image_files().select("image", "path").iter_rows()}
    for row in dataset.annotations.iter_rows(named=True):
        told = {name: row[name] for name in COLUMNS if name in carries}
        if "jobs" in carries:  # CVAT has a source and a score for everything, and these for what says nothing
            told |= {"source": row["source"] or "manual", "score": 1.0 if row["score"] is None else row["score"]}
        corners = [None if row[side] is None else round(row[side], 6) for side in ("x1", "y1", "x2", "y2")]
        points = None if row["points"] is None else [round(number, 6) for number in row["points"]]
        shape = (names[row["class"]], row["kind"], corners, points, row["visibility"], row["mask"], attributes.get(row["id"]))
        said[row["image"]][2].append((shape, told))
    return {name: (split, sorted(rows, key=repr)) for name, split, rows in said.values()}


@pytest.mark.parametrize("form", WRITTEN)
def test_what_a_format_carries_is_read_back(form):
    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
    @given(carried(form))
    def read_back(given):
        with fresh_folders() as (source, target):
            dataset = built(source, given)
            findings = write_dataset(dataset, target / "out", form, **OPTIONS.get(form, {}))
            again = open_dataset(target / "out", form)
            carries = load_format(form).CARRIES
            told, expected = meaning(again, carries), meaning(dataset, carries)
            assert told == expected or (form in RENAMED and list(told.values()) == list(expected.values()))
            assert findings.filter("is_issue").is_empty()

    read_back()


@pytest.mark.parametrize("form", WRITTEN)
def test_a_written_folder_is_recognised_as_its_format(form, tmp_path):
    kind = next(kind for kind in GEOMETRIES if kind in load_format(form).CARRIES)
    write_dataset(built(tmp_path / "source", _plain(kind)), tmp_path / "out", form)
    assert open_dataset(tmp_path / "out").origin["format"] == form


@pytest.mark.parametrize("form", WRITTEN)
def test_pictures_are_copied_byte_for_byte(form, tmp_path):
    kind = next(kind for kind in GEOMETRIES if kind in load_format(form).CARRIES)
    source = built(tmp_path / "source", _plain(kind))
    write_dataset(source, tmp_path / "out", form)
    name = RENAMED.get(form, "*picture_{}.png").format(1 if form in RENAMED else 0)
    copied = [path.read_bytes() for path in (tmp_path / "out").rglob(name)]
    assert (tmp_path / "source/images/picture_0.png").read_bytes() in copied


@pytest.mark.parametrize("form", WRITTEN)
def test_a_kind_that_a_format_does_not_carry_is_told(form, tmp_path):
    foreign = next((kind for kind in ("cuboid", "points", "polyline", "tag") if kind not in load_format(form).CARRIES), None)
    if foreign is None:
        pytest.skip(f"{form} carries every kind")
    row = {"image": 1, "class": 0, "kind": foreign} if foreign == "tag" else pointed(1, 0, foreign, [1, 1, 5, 1, 5, 5])
    dataset = built(tmp_path / "source", {**_plain("box"), "rows": [row]})
    findings = write_dataset(dataset, tmp_path / "out", form, **({"task": "detect"} if form == "yolo" else {}))
    told = findings.filter(pl.col("annotation") == 1)
    assert set(told["kind"]) & {"not_carried", "approximated"}


@pytest.mark.parametrize("form", WRITTEN)
def test_nothing_is_written_over_a_folder_that_holds_something(form, tmp_path):
    kind = next(kind for kind in GEOMETRIES if kind in load_format(form).CARRIES)
    (tmp_path / "out").mkdir()
    (tmp_path / "out/precious.txt").write_text("mine")
    with pytest.raises(DataError, match="not empty"):
        write_dataset(built(tmp_path / "source", _plain(kind)), tmp_path / "out", form)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["precious.txt"]


@pytest.mark.parametrize("form", [form for form in WRITTEN if not FORMATS[form].keeps])
def test_unused_classes_lose_their_objects_and_forbidden_ones_their_pictures(form, tmp_path):
    kind = next(kind for kind in GEOMETRIES if kind in load_format(form).CARRIES)
    row = _plain(kind)["rows"][0]
    held = [(1, 0), (2, 1), (3, 2)] if kind == "tag" else [(1, 0), (1, 1), (2, 1), (3, 0), (3, 2)]
    rows = [{**row, "image": image, "class": number} for image, number in held]
    dataset = built(tmp_path / "source", {**_plain(kind), "rows": rows, "count": 3})
    statuses = pl.Series("status", ["used", "unused", "forbidden"])
    findings = write_dataset(dataset.with_tables(classes=dataset.classes.with_columns(statuses)), tmp_path / "out", form)
    again = open_dataset(tmp_path / "out", form)
    names = again.class_names()
    assert [names[number] for number in again.annotations["class"]] == ["car"]
    assert not any("picture_2" in path.name for path in (tmp_path / "out").rglob("*"))
    assert form == "folders" or again.images.height == 2
    told = findings.filter(pl.col("kind").is_in(["unused_class", "forbidden_class"]))
    assert told["kind"].to_list() == ["unused_class"] * (len(held) // 2) + ["forbidden_class"]


def _plain(kind: str) -> dict:
    pixels = np.zeros((HEIGHT, WIDTH), dtype=bool)
    pixels[2:5, 3:7] = True
    row = {
        "tag": {"image": 1, "class": 0, "kind": "tag"},
        "box": box(1, 0, (1, 2, 5, 6)),
        "polygon": pointed(1, 0, "polygon", [1, 1, 5, 1, 5, 5]),
        "mask": mask(1, 0, pixels),
    }[kind]
    return {"rows": [row], "count": 1, "columns": {}, "attributed": False}
