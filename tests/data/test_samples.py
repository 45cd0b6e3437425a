from types import MappingProxyType

import polars as pl
import pytest

from burnish.data.dataset import make_dataset
from burnish.data.sampled import sampled
from burnish.data.samples import Sampling, plan_samples
from burnish.data.scales import parse_scales
from burnish.data.tile_size import TileSize
from burnish.errors import DataError


def clip(frames=4, boxes=((0, 10, 10, 20, 20),), width=40, height=30):
    """A video with boxes: frame, x1, y1, x2, y2."""
    numbers = list(range(frames))
    return make_dataset(
        "/nowhere",
        media=pl.DataFrame({"id": [5, 6], "path": ["a/clip.mp4", "b/one.png"], "kind": ["video", "image"]}),
        tasks=pl.DataFrame({"id": [0], "name": ["street"]}),
        images=pl.DataFrame(
            {
                "id": [*(n + 100 for n in numbers), 200],
                "media": [*[5] * frames, 6],
                "task": [*[0] * frames, None],
                "frame": [*numbers, 0],
                "true_frame": [*(3 * n + 1 for n in numbers), 0],
                "width": width,
                "height": height,
            }
        ),
        annotations=pl.DataFrame(
            [
                {
                    "id": n + 7,
                    "image": f + 100,
                    "class": n % 2,
                    "kind": "box",
                    "x1": float(a),
                    "y1": float(b),
                    "x2": float(c),
                    "y2": float(d),
                }
                for n, (f, a, b, c, d) in enumerate(boxes)
            ]
        ),
        classes=pl.DataFrame({"id": [0, 1], "name": ["car", "person"]}),
        attributes=pl.DataFrame({"annotation": [7], "name": ["colour"], "value": ["red"]}),
    )


def test_frames_are_named_after_their_video_and_number_and_pictures_keep_their_names():
    plan = plan_samples(clip(), Sampling())
    assert plan["sample"].to_list() == [f"a/clip_{n:06d}.jpg" for n in (1, 4, 7, 10)] + ["b/one.png"]
    assert plan["task"].to_list() == ["street"] * 4 + [None]
    assert plan["image"].to_list() == [100, 101, 102, 103, 200]


def test_scales_and_tiles_are_told_in_the_names():
    plan = plan_samples(clip(1), Sampling(scales=parse_scales([1, 0.5]), tile=TileSize(20, 20)))
    assert plan.filter(pl.col("kind") == "video")["sample"].to_list() == [
        *(f"a/clip_000001_tile={n}.jpg" for n in range(4)),
        "a/clip_000001_scale=0.5.jpg",
    ]
    assert plan.filter(pl.col("scale") == 0.5)["scaled_width"].unique().to_list() == [20]


def test_what_is_drawn_hangs_on_the_seed_and_the_picture_alone():
    sampling = Sampling(scales=parse_scales("any:0.5..2"), seed=3)
    few, many = plan_samples(clip(2), sampling), plan_samples(clip(9), sampling)
    assert many.filter(pl.col("image").is_in(few["image"].implode())).drop("image").equals(few.drop("image"))
    assert few["scale"].n_unique() == 3
    assert plan_samples(clip(2), Sampling(scales=sampling.scales, seed=4))["scale"].to_list() != few["scale"].to_list()


def test_each_second_frame_of_videos_is_taken_and_every_picture():
    assert plan_samples(clip(5), Sampling(stride=2))["frame"].to_list() == [0, 2, 4, 0]


def test_a_share_of_the_pictures_without_objects_is_kept():
    plan = plan_samples(clip(21), Sampling(negatives=0.5))
    assert plan.height == 1 + round(21 * 0.5)
    assert 100 in plan["image"].to_list()


def test_pictures_of_unknown_size_cannot_be_cut():
    with pytest.raises(DataError, match="size of 5 pictures is not known"):
        plan_samples(clip(width=None), Sampling(tile=TileSize(10, 10)))
    assert plan_samples(clip(width=None), Sampling()).height == 5


def made(dataset, sampling):
    return sampled(dataset, plan_samples(dataset, sampling), sampling, "/made")


def test_samples_taken_once_keep_their_ids_and_attributes():
    result = made(clip(), Sampling())
    assert result.dataset.images["id"].to_list() == [100, 101, 102, 103, 200]
    assert result.dataset.annotations["id"].to_list() == [7]
    assert result.dataset.attributes["value"].to_list() == ["red"]
    assert result.dataset.media["path"][0] == "a/clip_000001.jpg"
    assert result.dataset.images["scene"].to_list() == ["a/clip.mp4"] * 4 + [None]


def test_tiles_hold_what_they_show_with_its_attributes():
    result = made(clip(1, boxes=[(0, 10, 10, 20, 20), (0, 16, 2, 26, 8)]), Sampling(tile=TileSize(20, 20)))
    table = result.dataset.annotations.join(result.plan.select("image", "tile", "sample"), on="image").sort("tile", "class")
    assert table.select("tile", "class", "x1", "y1", "x2", "y2").rows() == [
        (0, 0, 10.0, 10.0, 20.0, 20.0),
        (1, 1, 0.0, 2.0, 6.0, 8.0),
        (2, 0, 10.0, 0.0, 20.0, 10.0),
    ]
    assert result.dataset.annotations["id"].n_unique() == 3
    assert result.dataset.attributes.height == 2
    assert result.dataset.media.select("width", "height").unique().rows() == [(20, 20)]


def test_a_class_may_ask_for_more_to_be_seen():
    boxes = [(0, 16, 2, 26, 8), (0, 16, 2, 26, 8)]
    sampling = Sampling(tile=TileSize(20, 20), min_visible_of=MappingProxyType({"person": 0.7}))
    assert made(clip(1, boxes=boxes), sampling).dataset.annotations["class"].to_list() == [0]


def test_background_tiles_are_kept_up_to_their_quota_and_negatives_are_left_alone():
    dataset = clip(3, boxes=[(0, 2, 2, 8, 8), (1, 2, 2, 8, 8)])
    everything, some, none = (made(dataset, Sampling(tile=TileSize(10, 10), background=quota)).plan for quota in (None, 2, 0))
    assert everything.height == 5 * 12 - 12
    assert some.height == 2 + 4 + 24
    assert none.height == 2 + 24
    assert some["sample"].is_in(everything["sample"].implode()).all()


def test_a_turned_box_is_seen_in_tiles_that_its_upright_box_does_not_touch():
    dataset = clip(1, boxes=[(0, 2, 12, 38, 15)])
    turned = dataset.with_tables(annotations=dataset.annotations.with_columns(rotation=pl.lit(90.0)))
    sampling = Sampling(tile=TileSize(10, 40), min_visible=0.1)
    tiles = [made(d, sampling).plan.join(made(d, sampling).dataset.annotations, on="image")["tile"].to_list() for d in (dataset, turned)]
    assert tiles == [[1], [0, 1, 2]]
