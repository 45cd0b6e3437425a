"""Sheets show what augmentations make of a dataset's pictures, with the annotations as they are then."""

import json

import numpy as np
import polars as pl
import pytest
from builders import boxes_dataset, tags_dataset
from PIL import Image

import burnish
from burnish.data.dataset import make_dataset
from burnish.errors import DataError
from burnish.inspect.settings import PreviewConfig
from burnish.inspect.task_samples import NOT_COUNTED, mirrored_points, task_samples
from burnish.media.images import read_image
from burnish.train.samples import IGNORED

pytest.importorskip("cv2")


def written(dataset, folder, **settings):
    return burnish.preview(dataset, PreviewConfig.make(**settings)).save(folder)


def skeletons(folder):
    folder.mkdir(parents=True)
    Image.fromarray(np.full((60, 80, 3), 120, np.uint8)).save(folder / "one.png")
    row = {"id": 0, "image": 0, "class": 0, "kind": "skeleton", "x1": 10.0, "y1": 10.0, "x2": 50.0, "y2": 40.0}
    points = {"points": [[10.0, 10.0, 50.0, 40.0, 0.0, 0.0]], "visibility": [[2, 1, 0]]}
    return make_dataset(
        folder,
        media=pl.DataFrame({"id": [0], "path": ["one.png"], "kind": ["image"], "width": [80], "height": [60]}),
        images=pl.DataFrame({"id": [0], "media": [0], "width": [80], "height": [60]}),
        annotations=pl.DataFrame({name: [value] for name, value in row.items()} | points),
        classes=pl.DataFrame({"id": [0], "name": ["hand"], "skeleton": [json.dumps({"points": ["left", "right", "root"], "edges": []})]}),
    )


@pytest.mark.parametrize("strength", ["none", "light", "medium", "strong"])
def test_each_picture_has_a_sheet_under_its_own_path(tmp_path, strength):
    paths = written(boxes_dataset(tmp_path / "data", pictures=2), tmp_path / "out", augs="detection", strength=strength, versions=3)
    assert [path.relative_to(tmp_path / "out").as_posix() for path in paths] == ["images/0.jpg", "images/1.jpg"]
    assert read_image(paths[0]).shape[1] > 4 * 360


def test_the_seed_decides_the_sheet(tmp_path):
    dataset = boxes_dataset(tmp_path / "data", pictures=2)
    sheets = [
        written(dataset, tmp_path / f"out{n}", augs="detection", strength="strong", seed=seed, versions=2, count=1)[0].read_bytes()
        for n, seed in enumerate((1, 1, 2))
    ]
    assert sheets[0] == sheets[1] != sheets[2]


def test_a_version_differs_from_the_picture_and_carries_its_boxes(tmp_path):
    dataset = boxes_dataset(tmp_path / "data", pictures=1)
    (drawn,) = written(dataset, tmp_path / "out", augs="detection", strength="none", versions=1, captions=False)
    page = read_image(drawn).astype(int)
    first, second = page[:, 20:378], page[:, 20 + 378 : 2 * 378]
    below = slice(100, None)
    assert np.abs(first[below] - second[below]).max() < 40, "nothing is changed at strength none"
    (bare,) = written(dataset.with_tables(annotations=dataset.annotations.with_columns(x2=pl.col("x1") + 1)), tmp_path / "bare",
                      augs="detection", strength="none", versions=1, captions=False)  # fmt: skip
    assert np.abs(page - read_image(bare)).max() > 60, "the boxes are drawn"


@pytest.mark.parametrize("task", ["detection", "segmentation"])
def test_what_a_sample_knows_is_drawn_as_it_was_annotated(tmp_path, task):
    dataset = boxes_dataset(tmp_path, pictures=1)
    samples = task_samples(dataset, task)
    labels = samples.labels(samples.sample(samples.images[0]))
    rows = dataset.annotations
    assert set(labels.classes) <= set(rows["class"])
    if task == "detection":
        assert np.allclose(labels.boxes, rows.select("x1", "y1", "x2", "y2").to_numpy())


def test_ignored_pixels_have_their_own_look(tmp_path):
    samples = task_samples(boxes_dataset(tmp_path, pictures=1), "segmentation")
    sample = samples.sample(samples.images[0])
    sample.mask[:2] = IGNORED
    assert NOT_COUNTED in samples.labels(sample).classes


def test_labels_of_pictures_are_drawn_with_their_shares(tmp_path):
    samples = task_samples(tags_dataset(tmp_path, ["cat", "dog"]), "classification")
    sample = samples.sample(samples.images[0])
    assert samples.labels(sample).kinds == ("tag",)
    sample.label[:2] = [0.25, 0.75]
    assert samples.labels(sample).scores[:2].tolist() == [0.25, 0.75]


def test_skeletons_keep_points_and_visibility_and_know_their_mirror(tmp_path):
    dataset = skeletons(tmp_path / "data")
    samples = task_samples(dataset, "keypoints")
    labels = samples.labels(samples.sample(0))
    assert labels.points[0].tolist() == [[10, 10], [50, 40], [0, 0]]
    assert labels.visibilities[0].tolist() == [2, 1, 0]
    assert mirrored_points(dataset) == ((0, 1),)
    assert len(written(dataset, tmp_path / "out", augs="keypoints", strength="strong")) == 1


def test_a_task_that_the_labels_are_not_for_is_told(tmp_path):
    with pytest.raises(DataError, match="augmentations of keypoints cannot be shown: the dataset has no annotations of kind skeleton"):
        written(boxes_dataset(tmp_path / "data"), tmp_path / "out", augs="keypoints")


def test_an_unreadable_picture_is_told_and_the_others_are_drawn(tmp_path):
    dataset = boxes_dataset(tmp_path / "data", pictures=2)
    (tmp_path / "data/images/1.jpg").write_text("no picture")
    paths = written(dataset, tmp_path / "out", augs="detection", strength="none", versions=1)
    assert [path.name for path in paths] == ["0.jpg", "findings.csv"]


def test_pictures_that_are_mixed_in_are_readable_ones(tmp_path):
    dataset = boxes_dataset(tmp_path / "data", pictures=3)
    (tmp_path / "data/images/1.jpg").write_text("no picture")
    paths = written(dataset, tmp_path / "out", augs="detection", strength="strong", versions=12, count=1)
    assert [path.name for path in paths] == ["0.jpg"]


def test_masks_that_lie_beside_boxes_are_shown_as_training_reads_them(tmp_path, shared_data):
    dataset = burnish.open(shared_data / "deepcrack/train")
    made = burnish.preview(dataset, PreviewConfig.make(augs="segmentation", count=1, versions=1))
    assert set(made.dataset.annotations["kind"].cast(pl.String)) == {"mask"}
    assert len(made.save(tmp_path)) == 1
