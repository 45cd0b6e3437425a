"""Refined masks as shapes, and the way back of a review, without a server."""

import numpy as np
import polars as pl
import pytest
from refine_builders import BOX, mask_of, names_in, provenance, refined_sets

import burnish
from burnish.data.dataset import Dataset
from burnish.engine.map import Engine
from burnish.errors import ConfigError, DataError
from burnish.formats.derived import Derived
from burnish.geometry import rle
from burnish.refine.hybrid_set import make_hybrid_set
from burnish.refine.merging import Improver
from burnish.refine.reviewing import read_reviews
from burnish.refine.settings import HybridSetConfig, RefineConfig, ShapesConfig
from burnish.refine.shapes import find_shapes, shapes_of

X1, Y1, X2, Y2 = BOX


@pytest.fixture
def refined(tmp_path):
    """Sets N with 8 hand-drawn and 6 refined pictures: two stripes in each box are sure."""
    return refined_sets(tmp_path)


def weak_names(sets, dataset: Dataset):
    """Image ids of the weakly labelled pictures by name."""
    files = dataset.image_files()
    stems = [path.rpartition("/")[2].rpartition(".")[0] for path in files["path"]]
    return {name: image for name, image in zip(stems, files["image"], strict=True) if name in sets.weak}


def saved(dataset, folder):
    Derived(dataset, "review", {}, "").save(folder)
    return folder


def again(sets, reviews):
    config = HybridSetConfig(number=2, copies=0)
    return make_hybrid_set(sets, Improver(_nothing, "m2"), config, reviews=reviews, engine=Engine(jobs=1))


def _nothing(pictures):
    return [np.full((1, *picture.shape[:2]), 0.05, np.float32) for picture in pictures]


def origins(made):
    rows = [row for folder in (made.train, made.val) for row in provenance(folder)["pictures"]]
    return {row["name"]: (row["origin"], row.get("review")) for row in rows}


def mask(made, name):
    folder = next(folder for folder in (made.train, made.val) if name in names_in(folder))
    return mask_of(folder / f"masks/{name}.png")


def test_each_connected_part_is_a_shape_with_its_mean_belief():
    beliefs = np.zeros((1, 4, 8), np.uint8)
    beliefs[0, :2, :2] = [[255, 128], [153, 100]]
    beliefs[0, 2, 5:7] = 204
    first, second = find_shapes(beliefs, ShapesConfig())
    assert first.pixels.sum() == 3
    assert first.score == pytest.approx((255 + 128 + 153) / 3 / 255)
    assert second.score == pytest.approx(0.8)
    assert [shape.pixels.sum() for shape in find_shapes(beliefs, ShapesConfig(least=3))] == [3]
    assert [shape.pixels.sum() for shape in find_shapes(beliefs, ShapesConfig(threshold=0.9))] == [1]


def test_refined_masks_are_auto_and_those_by_hand_manual(refined):
    sets, made = refined
    dataset = shapes_of([made.train, made.val], ShapesConfig())
    weak = set(weak_names(sets, dataset).values())
    rows = dataset.annotations.with_columns(is_weak=pl.col("image").is_in(list(weak)))
    auto, manual = rows.filter(pl.col("is_weak")), rows.filter(~pl.col("is_weak"))
    assert auto.select(pl.col("source").cast(str), "produced_by").unique().rows() == [("auto", "stripes, version 1")]
    assert set(auto["score"]) == {1.0}
    assert auto.height == 2 * 6
    assert manual.select(pl.col("source").cast(str), "produced_by", "score").unique().rows() == [("manual", None, None)]
    assert not [path for path in dataset.media["path"] if "_aug" in path]
    assert all((dataset.root / path).is_file() for path in dataset.media["path"])


def test_shapes_keep_their_pixels_on_disk(refined, tmp_path):
    sets, made = refined
    dataset = burnish.open(saved(shapes_of([made.train, made.val], ShapesConfig()), tmp_path / "shapes"))
    name, image = next(iter(weak_names(sets, dataset).items()))
    found = dataset.annotations.filter(pl.col("image") == image)
    union = np.any([rle.decode(rle.decompress(one), 24, 32) for one in found["mask"]], axis=0)
    assert np.array_equal(union, mask(made, name) > 127)
    assert dataset.image_files()["path"].map_elements(lambda path: (dataset.root / path).is_file(), return_dtype=pl.Boolean).all()


def test_refused_pictures_of_a_list_keep_their_weak_masks_and_others_are_predicted(refined, tmp_path):
    sets, _ = refined
    first, second, *others = sorted(sets.weak)
    (tmp_path / "refused.txt").write_text(f"{first}.jpg\nimages/{second}\n\n")
    made = again(sets, read_reviews(tmp_path / "refused.txt", sets, 2, 0.4))
    expected = np.zeros((24, 32), np.uint8)
    expected[Y1:Y2, X1:X2] = 102
    assert np.array_equal(mask(made, first), expected)
    found = origins(made)
    assert (found[first], found[second]) == (("weak", "refused"), ("weak", "refused"))
    assert {found[name] for name in others} == {("hybrid", None)}
    assert provenance(made.train)["reviewed"] == {"path": str(tmp_path / "refused.txt")}


def test_a_list_of_unknown_pictures_is_told(refined, tmp_path):
    (tmp_path / "refused.txt").write_text("99.jpg\n")
    with pytest.raises(ConfigError, match=r"names 1 pictures that are not weakly labelled in N, such as 99\.jpg"):
        read_reviews(tmp_path / "refused.txt", refined[0], 2, 0.3)


def test_each_picture_gets_what_people_left_or_drew(refined, tmp_path):
    sets, made = refined
    dataset = shapes_of([made.train, made.val], ShapesConfig())
    places = weak_names(sets, dataset)
    untouched, refused, partly, moved, drawn, missing = sorted(places)
    rows = dataset.annotations
    first_of = {name: rows.filter(pl.col("image") == places[name])["id"][0] for name in places}
    rows = rows.filter((pl.col("image") != places[refused]) & (pl.col("id") != first_of[partly]))
    square = np.zeros((24, 32), bool)
    square[5:9, 11:15] = True
    code = rle.compress(rle.encode(square))
    changed = pl.col("id") == first_of[moved]
    rows = rows.with_columns(
        mask=pl.when(changed).then(pl.lit(code)).otherwise("mask"),
        source=pl.when(pl.col("id") == first_of[drawn]).then(pl.lit("manual")).otherwise(pl.col("source").cast(str)),
    )
    images = dataset.images.filter(pl.col("id") != places[missing])
    rows = rows.filter(pl.col("image") != places[missing])
    reviews = read_reviews(saved(dataset.with_tables(annotations=rows, images=images), tmp_path / "back"), sets, 2, 0.3)
    assert {name: one.verdict for name, one in reviews.pictures.items()} == {
        untouched: "accepted",
        refused: "refused",
        partly: "partly refused",
        moved: "redrawn",
        drawn: "redrawn",
    }
    assert set(reviews.ignored) == {name for folder in (made.train, made.val) for name in names_in(folder) if "_aug" not in name} - set(
        places
    )
    fresh = again(sets, reviews)
    before, weak = mask(made, untouched), np.zeros((24, 32), np.uint8)
    weak[Y1:Y2, X1:X2] = 76
    assert np.array_equal(mask(fresh, untouched), before)
    assert np.array_equal(mask(fresh, refused), weak)
    stripe = np.zeros((24, 32), bool)
    stripe[Y1:Y2, 10:12] = True
    assert np.array_equal(mask(fresh, partly), np.where(stripe, weak, before))
    other = (before == 255) & ~stripe
    assert np.array_equal(mask(fresh, moved), np.where(square | other, 255, 0))
    assert np.array_equal(mask(fresh, drawn), np.where(before == 255, 255, 0))
    found = origins(fresh)
    assert [found[name][0] for name in (untouched, refused, partly, moved, drawn, missing)] == [
        "reviewed",
        "weak",
        "reviewed",
        "manual",
        "manual",
        "hybrid",
    ]
    assert provenance(fresh.train)["reviewed"]["of"] == "N_H1"
    assert fresh.summary()["pictures"]["reviewed"] == 2


def test_a_picture_that_was_taken_out_of_its_task_is_refused(refined, tmp_path):
    sets, made = refined
    dataset = shapes_of([made.train, made.val], ShapesConfig())
    name, image = next(iter(weak_names(sets, dataset).items()))
    images = dataset.images.with_columns(deleted=pl.col("id") == image)
    reviews = read_reviews(saved(dataset.with_tables(images=images), tmp_path / "back"), sets, 2, 0.3)
    assert [one for one, review in reviews.pictures.items() if review.verdict == "refused"] == [name]


def test_shapes_of_another_threshold_are_compared_by_it(tmp_path):
    sets, made = refined_sets(tmp_path, shapes={"threshold": 0.2})
    dataset = shapes_of([made.train, made.val], ShapesConfig(threshold=0.2))
    reviews = read_reviews(saved(dataset, tmp_path / "back"), sets, 2, 0.3)
    assert {one.verdict for one in reviews.pictures.values()} == {"accepted"}


def test_a_review_without_an_earlier_set_is_told(refined, tmp_path):
    sets, made = refined
    back = saved(shapes_of([made.train, made.val], ShapesConfig()), tmp_path / "back")
    with pytest.raises(DataError, match="There is no refined set of N before number 1"):
        read_reviews(back, sets, 1, 0.3)


def test_a_loop_takes_no_review():
    with pytest.raises(ConfigError, match="a review is of one set"):
        RefineConfig.make(loop=True, reviewed="back")
