import polars as pl
import pytest
from builders import boxes_dataset, tags_dataset

import burnish
from burnish.config import validated
from burnish.data.dataset import same_content
from burnish.errors import ConfigError, DataError
from burnish.formats import versioned
from burnish.inspect.settings import SplitConfig


def _sizes(made):
    return dict(made.dataset.images.group_by("split").len().iter_rows())


def test_each_part_gets_its_share(tmp_path):
    made = burnish.split(boxes_dataset(tmp_path, pictures=10), SplitConfig(val=0.2, test=0.1))
    assert _sizes(made) == {"train": 7, "val": 2, "test": 1}
    assert str(made) == "train 7, val 2, test 1 of 10 pictures"


def test_a_number_of_pictures_can_be_asked_for(tmp_path):
    assert _sizes(burnish.split(boxes_dataset(tmp_path, pictures=10), SplitConfig(val=3, test=1))) == {"train": 6, "val": 3, "test": 1}


def test_each_part_gets_its_share_of_a_rare_class(tmp_path):
    made = burnish.split(tags_dataset(tmp_path, ["cat"] * 16 + ["dog"] * 4), SplitConfig(val=0.25))
    tags = made.dataset.annotations.join(made.dataset.images, left_on="image", right_on="id")
    held = dict(tags.filter(pl.col("split") == "val").group_by("class").len().iter_rows())
    assert held == {0: 4, 1: 1}


def test_pictures_of_one_scene_stay_together(tmp_path):
    dataset = boxes_dataset(tmp_path, pictures=12)
    scenes = dataset.with_tables(images=dataset.images.with_columns(pl.Series("scene", [f"s{n // 3}" for n in range(12)])))
    made = burnish.split(scenes, SplitConfig(val=0.25))
    assert made.dataset.images.group_by("scene").agg(pl.col("split").n_unique())["split"].to_list() == [1] * 4
    assert _sizes(made) == {"train": 9, "val": 3}
    assert str(made).endswith("4 groups, none of them cut")


def test_copies_of_a_picture_stay_together(tmp_path):
    dataset = boxes_dataset(tmp_path, pictures=6)
    for number in (1, 2):
        (tmp_path / f"images/{number}.jpg").write_bytes((tmp_path / "images/0.jpg").read_bytes())
    for seed in range(5):
        made = burnish.split(dataset, SplitConfig(val=0.5, copies=True, seed=seed))
        assert made.dataset.images.filter(pl.col("id") <= 3)["split"].n_unique() == 1


def test_the_same_seed_divides_alike_and_nothing_but_the_split_changes(tmp_path):
    dataset = boxes_dataset(tmp_path, pictures=10)
    first, again = (burnish.split(dataset, SplitConfig(seed=3)).dataset for _ in range(2))
    assert same_content(first, again)
    undivided = first.with_tables(images=first.images.with_columns(pl.lit(None, dtype=pl.String).alias("split")))
    assert same_content(undivided, dataset)


def test_more_pictures_than_there_are_is_refused(tmp_path):
    with pytest.raises(DataError, match="leave none of the 4 pictures for training"):
        burnish.split(boxes_dataset(tmp_path), SplitConfig(val=3, test=1))


def test_shares_that_leave_nothing_for_training_are_refused():
    with pytest.raises(ConfigError, match="leave some for training"):
        validated(SplitConfig, {"val": 0.6, "test": 0.4})


def test_an_empty_dataset_cannot_be_divided(tmp_path):
    dataset = boxes_dataset(tmp_path)
    with pytest.raises(DataError, match="no pictures"):
        burnish.split(dataset.with_tables(images=dataset.images.clear()))


def test_in_place_it_becomes_the_next_version(tmp_path):
    versioned.add_version(boxes_dataset(tmp_path / "pictures", pictures=10), tmp_path / "data", verb="convert")
    burnish.split(burnish.open(tmp_path / "data")).save_in_place()
    newest = versioned.current(tmp_path / "data")
    assert (newest.number, newest.verb, newest.config["val"]) == (2, "split", 0.2)
    assert burnish.open(tmp_path / "data").images["split"].value_counts().sort("split").rows() == [("train", 8), ("val", 2)]


def test_a_division_written_with_its_pictures_tells_what_made_it(tmp_path):
    burnish.split(boxes_dataset(tmp_path / "data"), SplitConfig(val=1, media="copy")).save(tmp_path / "out")
    (version,) = versioned.ancestry(tmp_path / "out")
    assert (version.verb, version.config["val"]) == ("split", 1.0)
    assert len(list((tmp_path / "out/media").rglob("*.jpg"))) == 4


def test_a_division_can_be_written_as_another_format(tmp_path):
    made = burnish.split(boxes_dataset(tmp_path / "data", pictures=10), SplitConfig(to="yolo", media="copy"))
    made.save(tmp_path / "out")
    again = burnish.open(tmp_path / "out")
    assert again.images["split"].value_counts().sort("split").rows() == [("train", 8), ("val", 2)]
