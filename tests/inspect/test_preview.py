import numpy as np
import polars as pl
import pytest
from builders import boxes_dataset
from PIL import Image

import burnish
from burnish.errors import ConfigError
from burnish.inspect.settings import PreviewConfig


def _pixels(path, size=(320, 240)):
    """The picture at one size: small ones are drawn enlarged, so that captions can be read."""
    return np.asarray(Image.open(path).convert("RGB").resize(size)).astype(int)


def test_each_picture_is_drawn_under_its_own_path(tmp_path):
    made = burnish.preview(boxes_dataset(tmp_path / "data"))
    paths = made.save(tmp_path / "out")
    assert [path.relative_to(tmp_path / "out").as_posix() for path in paths] == [f"images/{n}.jpg.jpg" for n in range(4)]
    assert str(made) == "4 of 4 pictures drawn"


def test_the_drawing_changes_the_picture_and_leaves_the_original(tmp_path):
    dataset = boxes_dataset(tmp_path / "data", pictures=1)
    before = (tmp_path / "data/images/0.jpg").read_bytes()
    (drawn,) = burnish.preview(dataset, PreviewConfig(captions=False)).save(tmp_path / "out")
    assert (tmp_path / "data/images/0.jpg").read_bytes() == before
    assert np.abs(_pixels(drawn) - _pixels(tmp_path / "data/images/0.jpg")).max() > 60


def test_only_the_chosen_classes_are_drawn(tmp_path):
    dataset = boxes_dataset(tmp_path / "data", pictures=1)
    (both,) = burnish.preview(dataset, PreviewConfig(captions=False)).save(tmp_path / "both")
    (cars,) = burnish.preview(dataset, PreviewConfig(classes=("car",), captions=False)).save(tmp_path / "cars")
    apart = np.abs(_pixels(both) - _pixels(cars)).max(axis=2)
    assert apart[30:120, :70].max() < 40, "the car's box is the same in both"
    assert apart[60:180, 295:310].max() > 80, "the right edge of the person's box is drawn only once"


def test_a_class_that_there_is_not_is_answered_with_the_nearest(tmp_path):
    with pytest.raises(ConfigError, match="person"):
        burnish.preview(boxes_dataset(tmp_path), PreviewConfig(classes=("persn",)))


def test_the_first_pictures_are_taken_or_random_ones(tmp_path):
    dataset = boxes_dataset(tmp_path, pictures=30)
    assert burnish.preview(dataset, PreviewConfig(count=3)).images == (1, 2, 3)
    chosen = [burnish.preview(dataset, PreviewConfig(count=3, shuffle=True, seed=seed)).images for seed in (1, 1, 2)]
    assert chosen[0] == chosen[1] != chosen[2]
    assert len(set(chosen[0])) == 3


def test_an_unreadable_picture_is_told_and_the_others_are_drawn(tmp_path):
    dataset = boxes_dataset(tmp_path / "data")
    (tmp_path / "data/images/1.jpg").write_text("no picture")
    paths = burnish.preview(dataset).save(tmp_path / "out")
    assert [path.name for path in paths] == ["0.jpg.jpg", "2.jpg.jpg", "3.jpg.jpg", "findings.csv"]
    assert "images/1.jpg" in paths[-1].read_text(encoding="utf-8")


def test_a_picture_without_annotations_is_drawn_as_it_is(tmp_path):
    dataset = boxes_dataset(tmp_path / "data", pictures=1)
    bare = dataset.with_tables(annotations=dataset.annotations.clear())
    (drawn,) = burnish.preview(bare).save(tmp_path / "out")
    assert np.abs(_pixels(drawn) - _pixels(tmp_path / "data/images/0.jpg")).mean() < 6


def test_a_path_that_leads_out_of_the_dataset_is_drawn_inside_the_folder(tmp_path):
    dataset = boxes_dataset(tmp_path / "data", pictures=1)
    moved = dataset.with_tables(media=dataset.media.with_columns(pl.lit("../data/images/0.jpg").alias("path")))
    (drawn,) = burnish.preview(moved).save(tmp_path / "out")
    assert drawn == tmp_path / "out/data/images/0.jpg.jpg"
