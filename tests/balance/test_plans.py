"""Plans on disk, in use, and when they are too old."""

import numpy as np
import polars as pl
import pytest
from builders import boxes_dataset

import burnish
from burnish.balance.incidence import incidence_of
from burnish.balance.plans import (
    mark_of,
    picture_list,
    reasons,
    refuse_outdated,
    repeated,
    sampler_weights,
)
from burnish.data.dataset import same_content
from burnish.errors import DataError, FormatError
from burnish.formats.plans import Plan, read_plan, write_plan
from burnish.formats.recognise import write_dataset


@pytest.fixture
def dataset(tmp_path):
    return boxes_dataset(tmp_path / "data", pictures=3)


def plan_of(dataset, copies):
    incidence = incidence_of(dataset)
    table = incidence.pictures.with_columns(copies=pl.Series(copies), why=pl.lit(""))
    return Plan(table, {"mark": mark_of(incidence)})


def test_a_plan_comes_back_as_it_was(dataset, tmp_path):
    plan = plan_of(dataset, [1, 3, 0])
    write_plan(plan, tmp_path)
    for path in (tmp_path, tmp_path / "plan.parquet"):
        again = read_plan(path)
        assert again.table.equals(plan.table)
        assert again.about == plan.about
    assert read_plan(tmp_path / "plan.csv").copies.tolist() == [1, 3, 0]
    assert str(plan) == "Plan of 4 samples of 3 pictures: 1 repeated, 1 left out"


def test_a_file_that_is_no_plan_is_told(tmp_path):
    with pytest.raises(FormatError, match="there is no plan here"):
        read_plan(tmp_path)
    (tmp_path / "plan.csv").write_text("path,copies\na.jpg,2\nb.jpg,-1\n", encoding="utf-8")
    with pytest.raises(FormatError, match="row 2: expected a path and a whole number of copies"):
        read_plan(tmp_path / "plan.csv")
    (tmp_path / "plan.csv").write_text("path,copies\na.jpg,many\n", encoding="utf-8")
    with pytest.raises(FormatError, match="this is no plan"):
        read_plan(tmp_path / "plan.csv")


def test_the_list_names_each_picture_as_often_as_it_comes(dataset):
    lines = picture_list(plan_of(dataset, [1, 3, 0]), dataset.root).splitlines()
    root = dataset.root.absolute()
    assert lines == [f"{root}/images/0.jpg"] + [f"{root}/images/1.jpg"] * 3


def test_sampler_weights_are_relative_to_the_mean(dataset):
    assert sampler_weights(plan_of(dataset, [1, 3, 2]))["weight"].to_list() == [0.5, 1.5, 1.0]


def test_repeats_have_ids_and_objects_of_their_own(dataset):
    made = repeated(dataset, plan_of(dataset, [1, 3, 0]))
    assert len(made) == 4
    assert made.images["id"].n_unique() == 4
    assert made.annotations.height == 8
    assert made.annotations["id"].n_unique() == 8
    assert made.image_files()["path"].to_list() == ["images/0.jpg"] + ["images/1.jpg"] * 3
    boxes = [labels.boxes for labels in made.iter_labels()]
    assert all((boxes[1] == other).all() for other in boxes[2:])


def test_one_copy_of_each_is_the_dataset_itself(dataset):
    assert same_content(repeated(dataset, plan_of(dataset, [1, 1, 1])), dataset)


def test_elements_of_a_skeleton_go_with_its_repeats(dataset):
    parents = pl.Series([None, 1, None, None, None, None], dtype=pl.Int64)
    made = repeated(dataset.with_tables(annotations=dataset.annotations.with_columns(parent=parents)), plan_of(dataset, [2, 1, 1]))
    elements = made.annotations.filter(pl.col("parent").is_not_null())
    images = dict(made.annotations.select("id", "image").iter_rows())
    assert elements.height == 2
    assert elements["parent"].n_unique() == 2
    assert all(images[parent] == image for parent, image in elements.select("parent", "image").iter_rows())


def test_repeats_are_read_back_from_coco(dataset, tmp_path):
    write_dataset(repeated(dataset, plan_of(dataset, [1, 3, 1])), tmp_path / "coco", "coco", media="none")
    again = burnish.open(tmp_path / "coco")
    assert len(again) == 5
    assert incidence_of(again).counts.sum() == 10


def test_a_plan_older_than_its_dataset_is_refused(dataset, tmp_path):
    plan = plan_of(dataset, [1, 2, 1])
    refuse_outdated(plan, incidence_of(dataset))
    changed = dataset.with_tables(annotations=dataset.annotations[1:])
    with pytest.raises(DataError, match="older than its dataset: the pictures are the same, their labels are not"):
        refuse_outdated(plan, incidence_of(changed))
    larger = boxes_dataset(tmp_path / "larger", pictures=4)
    with pytest.raises(DataError, match="1 pictures are new, 0 are gone"):
        refuse_outdated(plan, incidence_of(larger))
    with pytest.raises(DataError, match=r"1 of the 4 pictures of the plan are not in the dataset: images/3.jpg"):
        repeated(dataset, plan_of(larger, [1, 1, 1, 2]))


def test_the_reason_names_what_is_rare(dataset):
    told = reasons(incidence_of(dataset), np.array([2, 1, 0]), np.array([0.1, 1.9]))
    assert told[1] == ""
    assert told[0] == "shows 1 person beside 1 of frequent classes"
    assert told[2].startswith("left out: mostly ")


def test_frames_of_a_video_are_told_apart_by_their_numbers(dataset):
    media = dataset.media[:1].with_columns(kind=pl.lit("video"), path=pl.lit("clip.mp4"))
    images = dataset.images.with_columns(media=pl.lit(media["id"][0]), true_frame=pl.int_range(pl.len()) * 10)
    film = dataset.with_tables(media=media, images=images)
    plan = plan_of(film, [1, 3, 0])
    assert repeated(film, plan).images["true_frame"].to_list() == [0, 10, 10, 10]
    with pytest.raises(DataError, match="3 of the 3 pictures are frames of videos"):
        picture_list(plan, film.root)
