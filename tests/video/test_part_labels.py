"""Labels of a task of CVAT go to the parts of its video and back; what every frame shows stays."""

import polars as pl
import pytest
from video_builders import write_clip

from burnish.data.dataset import Dataset, same_content
from burnish.data.invariants import broken_invariants
from burnish.data.schema import JOBS
from burnish.data.tables import from_rows
from burnish.data.tracks import interpolate
from burnish.formats.cvat import backup
from burnish.testing.interpolation import case_dataset
from burnish.video.cut import cut
from burnish.video.part_labels import labels_to_parts, labels_to_whole
from burnish.video.settings import CutConfig

CAR, LINE, MAN, HEAD, FOOT = 1, 2, 3, 4, 5
COLOUR, HURRY = 11, 12
LABELS = [
    {
        "id": CAR,
        "name": "car",
        "color": "#ff0000",
        "type": "any",
        "attributes": [
            {"id": COLOUR, "name": "colour", "mutable": False, "input_type": "text", "default_value": "", "values": [""]},
            {"id": HURRY, "name": "hurry", "mutable": True, "input_type": "text", "default_value": "no", "values": ["no"]},
        ],
    },
    {"id": LINE, "name": "lane", "color": "#00ff00", "type": "any", "attributes": []},
    {
        "id": MAN,
        "name": "man",
        "color": "#0000ff",
        "type": "skeleton",
        "attributes": [],
        "svg": "",
        "sublabels": [
            {"id": HEAD, "name": "head", "color": "#0000ff", "type": "points", "attributes": []},
            {"id": FOOT, "name": "foot", "color": "#0000ff", "type": "points", "attributes": []},
        ],
    },
]


def view(frame, points=(), kind="rectangle", **more):
    """One key frame as the server tells it."""
    usual = {"outside": False, "occluded": False, "z_order": 0, "rotation": 0.0, "attributes": []}
    return {"frame": frame, "type": kind, "points": list(points), **usual, **more}


def track(label, *shapes, **more):
    """One track as the server tells it."""
    return {
        "label_id": label,
        "frame": shapes[0]["frame"],
        "group": 0,
        "source": "manual",
        "shapes": list(shapes),
        "attributes": [],
        **more,
    }


def hurry(value):
    return [{"spec_id": HURRY, "value": value}]


TRACKS = [
    track(
        CAR,
        view(2, [0, 0, 100, 50], attributes=hurry("no")),
        view(52, [310, 90, 420, 190], rotation=77.0, attributes=hurry("yes")),
        attributes=[{"spec_id": COLOUR, "value": "red"}],
    ),
    track(CAR, view(5, [10, 10, 30, 30]), view(11, [12, 10, 30, 30], outside=True), view(44, [90, 9, 130, 50], attributes=hurry("yes"))),
    track(
        CAR, view(19, [1, 1, 9, 9]), view(20, [2, 1, 9, 9], occluded=True), view(39, [7, 1, 99, 9]), view(40, [7, 1, 99, 9], outside=True)
    ),
    track(
        LINE,
        view(0, [10, 10, 60, 12, 64, 70], kind="polygon"),
        view(33, [100, 10, 160, 9, 170, 80, 90, 77, 80, 40], kind="polygon"),
        view(57, [200, 10, 260, 9, 270, 80, 190, 77], kind="polygon"),
    ),
    track(LINE, view(12, [1, 2, 30, 40, 70, 20], kind="polyline"), view(48, [100, 20, 130, 60], kind="polyline")),
    track(
        MAN,
        view(3, kind="skeleton"),
        view(50, kind="skeleton", outside=True),
        elements=[
            track(HEAD, view(3, [50, 20], kind="points"), view(45, [140, 30], kind="points", occluded=True)),
            track(
                FOOT, view(3, [55, 90], kind="points"), view(25, [80, 95], kind="points", outside=True), view(41, [99, 95], kind="points")
            ),
        ],
    ),
]
SHAPES = [{"label_id": CAR, "group": 0, "source": "manual", **view(n, [n, n, n + 9, n + 9])} for n in (0, 19, 20, 59)]


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("whole") / "street.mp4", 60, options={"x264-params": "keyint=10:min-keyint=10:scenecut=0"})


@pytest.fixture(params=[(), (19, 40)], ids=["all frames", "deleted frames at the cuts"])
def whole(clip, request) -> Dataset:
    """A task of a video with two jobs that share frames."""
    task = {"size": 60, "labels": LABELS, "deleted_frames": list(request.param)}
    found = case_dataset(task, {"tags": [], "shapes": SHAPES, "tracks": TRACKS})
    media = found.media.with_columns(path=pl.lit(clip.name), kind=pl.lit("video").cast(found.media["kind"].dtype), frame_count=pl.lit(60))
    jobs = [{"task": 0, "number": 0, "start_frame": 0, "stop_frame": 59}]
    annotations = found.annotations.with_columns(jobs=pl.lit([0], pl.List(pl.Int32)))
    made = found.with_tables(media=media, jobs=from_rows(JOBS, jobs), annotations=annotations)
    return Dataset(**{**{name: getattr(made, name) for name in made.__dataclass_fields__}, "root": clip.parent})


@pytest.fixture
def parts(clip):
    return cut(clip, CutConfig(at=("20", "40"))).maps[0]


def shown(dataset: Dataset, images: pl.DataFrame) -> list[tuple]:
    """What every frame of the whole shows, whatever objects are numbered; `images`: id, number in the whole."""
    seen = interpolate(dataset)
    names = seen.class_names()
    told: dict[int, list[str]] = {}
    for row in seen.attributes.to_dicts():
        told.setdefault(row["annotation"], []).append(f"{row['name']}={row['value']}")
    number = dict(images.iter_rows())
    columns = ("x1", "y1", "x2", "y2", "rotation")
    return sorted(
        (
            number[row["image"]],
            names[row["class"]],
            row["kind"],
            *(round(row[name] or 0, 6) for name in columns),
            *(row["outside"], row["occluded"], row["parent"] is not None, sorted(told.get(row["id"], []))),
            [round(value, 6) for value in row["points"] or ()],
        )
        for row in seen.annotations.to_dicts()
    )


def test_parts_show_what_the_whole_shows(whole, parts):
    numbers = whole.images.select("id", "true_frame")
    pieces = labels_to_parts(whole, parts)
    # A piece that only tells that its object is gone is told as such.
    assert broken_invariants(pieces).filter(pl.col("kind") != "track_hidden").is_empty()
    assert shown(pieces, numbers) == shown(whole, numbers)


def test_the_way_back_restores_every_table(whole, parts):
    assert same_content(labels_to_whole(labels_to_parts(whole, parts), parts), whole)


def test_each_part_is_a_task_with_its_jobs(whole, parts):
    pieces = labels_to_parts(whole, parts)
    assert pieces.tasks.select("name", "start_frame", "stop_frame").rows() == [("case-1", 0, 19), ("case-2", 0, 19), ("case-3", 0, 19)]
    assert pieces.jobs.select("number", "start_frame", "stop_frame").rows() == [(0, 0, 19)] * 3
    assert pieces.images["frame"].to_list() == [*range(20)] * 3


def test_key_frames_stand_at_the_cuts_where_an_object_moves_across(whole, parts):
    numbers = whole.images.select(image="id", at="true_frame")
    first = labels_to_parts(whole, parts).annotations.join(numbers, on="image").filter(pl.col("kind") == "box", pl.col("x2") > 100)
    red = first.filter(pl.col("jobs").is_not_null(), pl.col("at").is_in([18, 19, 20, 39, 40, 41]), pl.col("keyframe"))
    expected = {18, 20, 39, 41} if whole.images["deleted"].any() else {19, 20, 39, 40}
    assert set(red["at"]) == expected


def test_what_was_moved_in_a_part_stays_moved(whole, parts):
    pieces = labels_to_parts(whole, parts)
    made = pieces.annotations.filter(pl.col("id") > whole.annotations["id"].max(), pl.col("kind") == "box")["id"][0]
    moved = pieces.annotations.with_columns(x1=pl.when(pl.col("id") == made).then(pl.col("x1") - 5).otherwise("x1"))
    back = labels_to_whole(pieces.with_tables(annotations=moved), parts)
    assert made in back.annotations["id"].to_list()
    assert len(back.annotations) > len(whole.annotations)


def test_labels_that_were_in_cvat_come_back_as_whole_tracks(whole, clip, parts, tmp_path):
    cut(clip, CutConfig(at=("20", "40"))).save(tmp_path / "parts")
    pieces = labels_to_parts(whole, parts)
    placed = Dataset(**{**{name: getattr(pieces, name) for name in pieces.__dataclass_fields__}, "root": tmp_path / "parts"})
    backup.write(placed, tmp_path / "backup")
    returned = backup.read(tmp_path / "backup")
    assert "burnish.cut" not in returned.extras["format"].to_list()
    back = labels_to_whole(returned, parts)
    assert shown(back, back.images.select("id", "true_frame")) == shown(whole, whole.images.select("id", "true_frame"))
    assert back.tasks.height == 1
    tops = [one.filter(pl.col("parent").is_null())["track"].n_unique() for one in (back.annotations, whole.annotations)]
    # Two objects were away at a cut, and of one a single moving point was left: nobody can tell then that what comes is the same.
    assert tops[0] == tops[1] + 3
