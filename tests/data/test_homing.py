import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burnish.data.dataset import make_dataset
from burnish.data.homing import carried_home
from burnish.data.sampled import sampled
from burnish.data.samples import Sampling, plan_samples
from burnish.data.scales import parse_scales
from burnish.data.tile_size import TileSize
from burnish.errors import DataError

BOX = ("x1", "y1", "x2", "y2")


def pictures(boxes, classes=("car", "person"), size=(100, 80)):
    """One frame of a video and one picture with the same boxes: x1, y1, x2, y2, class."""
    rows = [dict(zip((*BOX, "class"), box, strict=True)) | {"image": image} for image in (3, 4) for box in boxes]
    schema = {**dict.fromkeys(BOX, pl.Float64), "class": pl.Int32, "image": pl.Int64}
    table = pl.DataFrame(rows, schema=schema).with_columns(id=pl.int_range(pl.len()), kind=pl.lit("box"))
    return make_dataset(
        "/nowhere",
        media=pl.DataFrame({"id": [0, 1], "path": ["a/clip.mp4", "b/one.png"], "kind": ["video", "image"]}),
        images=pl.DataFrame({"id": [3, 4], "media": [0, 1], "true_frame": [7, 0], "width": size[0], "height": size[1]}),
        annotations=table,
        classes=pl.DataFrame({"id": list(range(len(classes))), "name": list(classes)}),
    )


def home_of(dataset, sampling, **options):
    made = sampled(dataset, plan_samples(dataset, sampling), sampling, "/made")
    return carried_home(made.dataset, made.plan, dataset, **options)


def boxes_of(dataset):
    return dataset.annotations.select("image", "class", *BOX).sort(pl.all()).to_numpy()


SAMPLINGS = [
    Sampling(),
    Sampling(scales=parse_scales(0.37)),
    Sampling(scales=parse_scales([1, 2.5])),
    Sampling(tile=TileSize(50, 60, 20), min_visible=0.0),
    Sampling(scales=parse_scales("any:0.6..1.9"), tile=TileSize(50, 60, 25), min_visible=0.0),
]


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_labels_of_samples_come_home_to_where_they_were(sampling):
    dataset = pictures([(3, 5, 20, 30, 0), (40.5, 10, 70, 33.25, 1), (60, 55, 99, 80, 0), (44, 11, 48, 20, 1)])
    home, findings = home_of(dataset, sampling)
    assert findings.is_empty()
    assert boxes_of(home) == pytest.approx(boxes_of(dataset), abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(*[st.floats(0, 1)] * 4, st.integers(0, 1)), min_size=1, max_size=4),
    st.floats(0.3, 2.5),
)
def test_what_is_seen_whole_comes_home_exactly(shares, scale):
    boxes = [(min(a, c) * 98, min(b, d) * 78, max(a, c) * 98 + 2, max(b, d) * 78 + 2, label) for a, b, c, d, label in shares]
    dataset = pictures(boxes)
    home, _ = home_of(dataset, Sampling(scales=parse_scales(scale)), merge=None)
    assert boxes_of(home) == pytest.approx(boxes_of(dataset), abs=1e-6)


def test_without_merging_every_view_comes_home():
    dataset = pictures([(40, 10, 70, 30, 0)])
    home, _ = home_of(dataset, Sampling(scales=parse_scales([1, 2])), merge=None)
    assert len(boxes_of(home)) == 4


def test_the_surest_view_wins_and_neighbours_in_one_sample_stay_two():
    dataset = pictures([(10, 10, 30, 30, 0), (11, 10, 31, 30, 0)])
    made = sampled(dataset, plan_samples(dataset, Sampling()), Sampling(), "/made")
    home, _ = carried_home(made.dataset, made.plan, dataset)
    assert len(boxes_of(home)) == 4
    both = Sampling(scales=parse_scales([1, 2]))
    made = sampled(dataset, plan_samples(dataset, both), both, "/made")
    scores = made.dataset.annotations.with_columns(score=pl.int_range(pl.len()) / 10)
    home, _ = carried_home(made.dataset.with_tables(annotations=scores), made.plan, dataset)
    assert len(boxes_of(home)) == 4
    assert home.annotations["score"].min() >= 0.2


def test_classes_come_home_by_name_and_new_ones_are_added():
    dataset = pictures([(10, 10, 30, 30, 0)])
    made = sampled(dataset, plan_samples(dataset, Sampling()), Sampling(), "/made")
    told = made.dataset.with_tables(classes=pl.DataFrame({"id": [0, 1], "name": ["person", "bus"]}))
    rows = pl.concat([told.annotations, told.annotations.with_columns(pl.lit(1, dtype=pl.Int32).alias("class"), id=pl.col("id") + 50)])
    home, _ = carried_home(told.with_tables(annotations=rows), made.plan, dataset)
    assert home.classes["name"].to_list() == ["car", "person", "bus"]
    assert sorted(home.annotations["class"].unique().to_list()) == [1, 2]


def test_pictures_are_known_by_the_ends_of_their_paths_and_strangers_are_told():
    dataset = pictures([(10, 10, 30, 30, 0)])
    made = sampled(dataset, plan_samples(dataset, Sampling()), Sampling(), "/made")
    moved = made.dataset.with_tables(media=made.dataset.media.with_columns(path=pl.Series(["images/train/clip_000007.jpg", "other.jpg"])))
    home, findings = carried_home(moved, made.plan, dataset)
    assert home.annotations["image"].to_list() == [3]
    assert findings["kind"].to_list() == ["unknown_sample"]
    lone = moved.with_tables(media=moved.media.with_columns(path=pl.lit("x.jpg")))
    with pytest.raises(DataError, match="None of the 2 pictures"):
        carried_home(lone, made.plan, dataset)


def test_a_sample_whose_source_is_gone_is_told():
    dataset = pictures([(10, 10, 30, 30, 0)])
    made = sampled(dataset, plan_samples(dataset, Sampling()), Sampling(), "/made")
    _, findings = carried_home(made.dataset, made.plan, dataset.with_tables(images=dataset.images.head(1)))
    assert findings["kind"].to_list() == ["unknown_source"]
    assert np.isfinite(boxes_of(dataset)).all()
