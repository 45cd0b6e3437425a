import polars as pl
from python_calamine import CalamineWorkbook

import burnish
from burnish.data.dataset import make_dataset


def two_tasks():
    """A task with a track over three of four frames, stored as key frames, and one with two untracked shapes in another split."""
    return make_dataset(
        "/nowhere",
        media=pl.DataFrame({"id": [0, 1], "path": ["a.mp4", "b.mp4"], "kind": "video"}),
        tasks=pl.DataFrame({"id": [0, 1], "name": ["day", "night"]}),
        images=pl.DataFrame(
            {"id": range(6), "media": [0, 0, 0, 0, 1, 1], "task": [0, 0, 0, 0, 1, 1], "frame": [0, 1, 2, 3, 0, 1]}
        ).with_columns(true_frame="frame", split=pl.Series(["train"] * 4 + ["val"] * 2)),
        annotations=pl.DataFrame(
            {
                "id": [1, 2, 3, 4],
                "image": [0, 3, 4, 5],
                "class": [0, 0, 0, 1],
                "kind": "box",
                "track": [9, 9, None, None],
                "keyframe": [True, True, None, None],
                "outside": [False, True, False, False],
                "x1": 1.0,
                "y1": 1.0,
                "x2": 5.0,
                "y2": 5.0,
            }
        ),
        classes=pl.DataFrame({"id": [0, 1, 2], "name": ["car", "bus", "dog"], "superclass": ["vehicle", "vehicle", "animal"]}),
    )


def test_shapes_are_counted_on_every_frame_and_tracks_once():
    counted = burnish.stats(two_tasks()).table
    assert dict(counted.select("class", "shapes").iter_rows()) == {"car": 4, "bus": 1, "dog": 0}
    assert dict(counted.select("class", "tracks").iter_rows()) == {"car": 2, "bus": 1, "dog": 0}


def test_every_source_names_every_class():
    rows = burnish.stats(two_tasks()).sources
    assert rows.select("source", "split", "class", "pictures", "shapes", "tracks").rows() == [
        ("day", "train", "car", 3, 3, 1),
        ("day", "train", "bus", 0, 0, 0),
        ("day", "train", "dog", 0, 0, 0),
        ("night", "val", "car", 1, 1, 1),
        ("night", "val", "bus", 1, 1, 1),
        ("night", "val", "dog", 0, 0, 0),
    ]


def test_superclasses_add_up_their_classes_in_all_and_in_each_split():
    rows = burnish.stats(two_tasks()).superclasses
    columns = ["superclass", "classes", *(f"{part}{name}" for part in ("", "train ", "val ") for name in ("pictures", "shapes", "tracks"))]
    assert rows.columns == columns
    assert rows.rows() == [("vehicle", 2, 5, 5, 3, 3, 3, 1, 2, 2, 2), ("animal", 1, *[0] * 9)]


def test_tables_are_sheets_of_one_workbook_and_charts_of_the_page(tmp_path):
    written = burnish.stats(two_tasks()).save(tmp_path)
    assert [path.name for path in written] == ["stats.csv", "stats.xlsx", "stats.html", "superclasses.csv", "sources.csv"]
    book = CalamineWorkbook.from_path(tmp_path / "stats.xlsx")
    assert book.sheet_names == ["classes", "superclasses", "sources"]
    assert book.get_sheet_by_name("sources").to_python()[1] == ["day", "train", "car", 3.0, 3.0, 1.0]
    text = (tmp_path / "stats.html").read_text()
    assert all(part in text for part in ("Superclasses", "Tracks of each source", "<svg"))


def test_a_recorded_project_is_counted(backups):
    counted = burnish.stats(burnish.open(backups / "13_backup.012.zip"))
    by_source = counted.sources.group_by("source", maintain_order=True).agg(pl.col("shapes").sum())
    assert by_source["source"].to_list() == ["frames A", "clip", "clip step 3", "clip one job"]
    assert counted.sources["shapes"].sum() == counted.table["shapes"].sum() > 100
