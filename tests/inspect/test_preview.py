import numpy as np
import polars as pl
import pytest
from builders import boxes_dataset, write_picture
from PIL import Image

import burnish
from burnish.data.dataset import make_dataset
from burnish.errors import ConfigError
from burnish.inspect.settings import PreviewConfig
from burnish.media.video import open_video
from burnish.media.video.writing import write_video


def _pixels(path, size=(320, 240)):
    """The picture at one size: small ones are drawn enlarged, so that captions can be read."""
    return np.asarray(Image.open(path).convert("RGB").resize(size)).astype(int)


def test_each_picture_is_drawn_under_its_own_path(tmp_path):
    made = burnish.preview(boxes_dataset(tmp_path / "data"))
    paths = made.save(tmp_path / "out")
    assert [path.relative_to(tmp_path / "out").as_posix() for path in paths] == [f"images/{n}.jpg" for n in range(4)]
    assert str(made) == "4 of 4 pictures drawn"


def test_the_drawing_changes_the_picture_and_leaves_the_original(tmp_path):
    dataset = boxes_dataset(tmp_path / "data", pictures=1)
    before = (tmp_path / "data/images/0.jpg").read_bytes()
    (drawn,) = burnish.preview(dataset, PreviewConfig(captions=False)).save(tmp_path / "out")
    assert (tmp_path / "data/images/0.jpg").read_bytes() == before
    assert np.abs(_pixels(drawn) - _pixels(tmp_path / "data/images/0.jpg")).max() > 60


def test_a_drawing_takes_the_place_of_no_other_and_of_no_original(tmp_path):
    for name in ("a/0.png", "a/0.jpg", "a/1.png", "b/0.png"):
        write_picture(tmp_path / "data" / name)
    paths = burnish.preview(burnish.open(tmp_path / "data")).save(tmp_path / "out")
    names = [path.relative_to(tmp_path / "out").as_posix() for path in paths]
    assert sorted(names) == ["a/0.jpg.jpg", "a/0.png.jpg", "a/1.jpg", "b/0.jpg"]
    boxes = boxes_dataset(tmp_path / "boxes", pictures=1)
    before = (tmp_path / "boxes/images/0.jpg").read_bytes()
    (drawn,) = burnish.preview(boxes).save(tmp_path / "boxes")
    assert drawn.name == "0.jpg.jpg"
    assert (tmp_path / "boxes/images/0.jpg").read_bytes() == before


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
    assert [path.name for path in paths] == ["0.jpg", "2.jpg", "3.jpg", "findings.csv"]
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
    assert drawn == tmp_path / "out/data/images/0.jpg"


def test_videos_are_drawn_with_their_tracks_on_every_frame(tmp_path):
    pytest.importorskip("av")
    dataset = moving_box(tmp_path / "data")
    made = burnish.preview(dataset)
    (drawn,) = made.save(tmp_path / "out")
    assert drawn == tmp_path / "out/one.mp4"
    assert str(made) == "1 video drawn"
    with open_video(drawn) as seen, open_video(tmp_path / "data/one.mp4") as plain:
        assert len(seen) == 12
        between = np.abs(_sized(seen.read(6)) - _sized(plain.read(6)))
        away = np.abs(_sized(seen.read(11)) - _sized(plain.read(11)))
    assert between.max() > 60, "drawn between its key frames too"
    assert away.max() < 40, "and not where it has left"


def test_only_the_first_seconds_of_videos_are_drawn_on_demand(tmp_path):
    pytest.importorskip("av")
    (drawn,) = burnish.preview(moving_box(tmp_path / "data"), PreviewConfig(seconds=0.4)).save(tmp_path / "out")
    with open_video(drawn) as seen:
        assert len(seen) == 4


def test_a_video_that_cannot_be_read_is_told_and_stops_nothing(tmp_path):
    pytest.importorskip("av")
    dataset = moving_box(tmp_path / "data")
    (tmp_path / "data/one.mp4").write_bytes(b"no video")
    (told,) = burnish.preview(dataset).save(tmp_path / "out")
    assert pl.read_csv(told).select("kind", "path").rows() == [("unreadable_video", "one.mp4")]


def moving_box(folder):
    """A box that moves over the frames 0 to 10 of 12 at 10 frames a second, and is outside on the last."""
    folder.mkdir(parents=True)
    write_video(folder / "one.mp4", (np.full((96, 128, 3), 90 + 5 * n, dtype=np.uint8) for n in range(12)), fps=10)
    keys = {"id": [0, 1, 2], "image": [0, 10, 11], "class": 0, "kind": "box", "track": 0, "keyframe": True, "outside": [False, False, True]}
    frames = list(range(12))
    return make_dataset(
        folder,
        media=pl.DataFrame({"id": [0], "path": ["one.mp4"], "kind": ["video"]}),
        images=pl.DataFrame({"id": frames, "media": 0, "frame": frames, "true_frame": frames, "width": 128, "height": 96}),
        annotations=pl.DataFrame(keys | {"x1": [10.0, 60.0, 60.0], "y1": 20.0, "x2": [40.0, 90.0, 90.0], "y2": 60.0}),
        classes=pl.DataFrame({"id": [0], "name": ["car"]}),
    )


def _sized(pixels):
    return np.asarray(Image.fromarray(pixels).resize((128, 96))).astype(int)
