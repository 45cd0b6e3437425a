from pathlib import Path

import numpy as np
import polars as pl
import pytest
from format_builders import HEIGHT, WIDTH, differing, fresh_folders, label_pictures, mask, pictured, pointed, put_picture
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from burnish.errors import FormatError
from burnish.formats import masks
from burnish.formats.indexed import read_indexed
from burnish.geometry import rle


def put_mask(path: Path, values: np.ndarray, **options: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path, **options)


def halves(left: int, right: int, kind: type = np.uint8) -> np.ndarray:
    return np.repeat(np.array([[left] * (WIDTH // 2) + [right] * (WIDTH // 2)], dtype=kind), HEIGHT, axis=0)


def found(dataset) -> list[tuple[str | None, float]]:
    """Class and number of pixels of each mask."""
    names = {None: None, **dataset.class_names()}
    return [(names[n], rle.area(rle.decompress(m))) for n, m in dataset.annotations.select("class", "mask").iter_rows()]


HALF = WIDTH * HEIGHT // 2


@pytest.mark.parametrize("white", [1, 255])
def test_masks_of_two_values_are_binary(tmp_path, white):
    put_picture(tmp_path / "images/a.png")
    put_mask(tmp_path / "masks/a.png", halves(0, white))
    assert found(masks.read(tmp_path)) == [("object", HALF)]
    assert found(masks.read(tmp_path, names=["crack"])) == [("crack", HALF)]


@pytest.mark.parametrize("values", [(76, 255), (40, 130)])
def test_soft_masks_of_one_named_class_are_cut_at_the_half(tmp_path, values):
    put_picture(tmp_path / "images/a.png")
    put_mask(tmp_path / "masks/a.png", halves(*values))
    (tmp_path / "classes.txt").write_text("background\ncrack\n", encoding="utf-8")
    dataset = masks.read(tmp_path)
    assert found(dataset) == [("crack", HALF)]
    assert dataset.notes.select("kind", "is_issue").rows() == [("soft_masks", False)]


WAYS = {
    "0 and 1": halves(0, 1),
    "0 and 255": halves(0, 255),
    "one bit": halves(0, 1).astype(bool),
    "16 bits": halves(0, 65535, np.uint16),
    "three equal channels": np.repeat(halves(0, 255)[..., None], 3, axis=2),
    "four channels": np.concatenate([np.repeat(halves(0, 255)[..., None], 3, axis=2), halves(255, 255)[..., None]], axis=2),
}
"""How tools write the same mask of one class."""


@pytest.mark.parametrize("names", [[], ["crack"]])
@pytest.mark.parametrize("odd", WAYS)
@pytest.mark.parametrize("usual", ["0 and 1", "0 and 255", "16 bits"])
def test_masks_of_two_values_are_binary_each_in_its_own_way(tmp_path, usual, odd, names):
    for name in "abc":
        put_picture(tmp_path / f"images/{name}.png")
        put_mask(tmp_path / f"masks/{name}.png", WAYS[odd if name == "b" else usual])
    dataset = masks.read(tmp_path, names=names or None)
    assert found(dataset) == [(name, HALF) for name in (names or ["object"]) * 3]
    given = {"one bit": "0 and 1", "three equal channels": "0 and 255", "four channels": "0 and 255"}
    told = [("mixed_values", False, "masks/b.png")] if given.get(odd, odd) != usual else []
    assert dataset.notes.select("kind", "is_issue", "path").rows() == told


def test_one_class_in_any_colour_is_that_class(tmp_path):
    put_picture(tmp_path / "images/a.png")
    put_mask(tmp_path / "masks/a.png", halves(0, 1)[..., None] * np.array([250, 0, 20], np.uint8))
    assert found(masks.read(tmp_path, names=["nucleus"])) == [("nucleus", HALF)]


def test_one_class_and_ignored_borders_stay_apart(tmp_path):
    for name, values in (("a", halves(1, 255)), ("b", halves(0, 1))):
        put_picture(tmp_path / f"images/{name}.png")
        put_mask(tmp_path / f"masks/{name}.png", values)
    assert found(masks.read(tmp_path, names=["crack"])) == [("crack", HALF), (None, HALF), ("crack", HALF)]


def test_a_coloured_jpeg_of_a_grey_mask_is_that_mask(tmp_path):
    put_picture(tmp_path / "images/a.png", (64, 64))
    noise = (np.arange(64) % 9)[:, None, None] + np.array([0, 2, 4])
    coloured = np.where(np.arange(64)[None, :, None] < 32, noise, 255 - noise).astype(np.uint8)
    put_mask(tmp_path / "masks/a.jpg", coloured, quality=95)
    assert np.ptp(np.asarray(Image.open(tmp_path / "masks/a.jpg")).astype(int), axis=2).max() > 0
    assert found(masks.read(tmp_path)) == [("object", 64 * 32)]


def test_grey_masks_among_coloured_ones_are_greys(tmp_path):
    for name, values in (("a", halves(0, 255)), ("b", np.stack([halves(0, 255), halves(0, 0), halves(0, 0)], axis=2))):
        put_picture(tmp_path / f"images/{name}.png")
        put_mask(tmp_path / f"masks/{name}.png", values)
    assert found(masks.read(tmp_path)) == [("#ffffff", HALF), ("#ff0000", HALF)]


def test_masks_with_the_noise_of_jpeg_are_binary_and_told(tmp_path):
    put_picture(tmp_path / "images/a.png", (64, 64))
    noisy = np.where(np.arange(64)[None, :] < 32, np.arange(64)[:, None] % 9, 255 - np.arange(64)[:, None] % 9).astype(np.uint8)
    put_mask(tmp_path / "masks/a.png", noisy)
    dataset = masks.read(tmp_path)
    assert found(dataset) == [("object", 64 * 32)]
    assert dataset.notes["kind"].to_list() == ["noisy_masks"]


def test_values_are_classes_by_their_place_and_255_counts_for_nothing(tmp_path):
    put_picture(tmp_path / "images/a.png")
    put_mask(tmp_path / "masks/a.png", halves(2, 255))
    (tmp_path / "classes.txt").write_text("background\ncat\ndog\n")
    dataset = masks.read(tmp_path)
    assert found(dataset) == [("dog", HALF), (None, HALF)]
    assert dataset.class_names() == {0: "cat", 1: "dog"}


def test_without_a_background_value_0_is_the_first_class(tmp_path):
    put_picture(tmp_path / "images/a.png")
    put_mask(tmp_path / "masks/a.png", halves(0, 255))
    assert found(masks.read(tmp_path, names=["road", "car"], background=False)) == [("road", HALF), (None, HALF)]


def test_values_without_names_are_called_by_their_numbers_and_told(tmp_path):
    put_picture(tmp_path / "images/a.png")
    put_mask(tmp_path / "masks/a.png", halves(1, 3))
    dataset = masks.read(tmp_path)
    assert found(dataset) == [("1", HALF), ("3", HALF)]
    assert dataset.notes["kind"].to_list() == ["no_names"]


def test_a_value_beyond_the_names_is_kept_and_told(tmp_path):
    put_picture(tmp_path / "images/a.png")
    put_mask(tmp_path / "masks/a.png", halves(1, 7))
    dataset = masks.read(tmp_path, names=["cat", "dog"])
    assert found(dataset) == [("cat", HALF), ("7", HALF)]
    assert set(dataset.notes["kind"]) == {"unknown_value", "unknown_label"}


def test_instances_of_16_bits_have_the_class_of_their_pixels(tmp_path):
    put_picture(tmp_path / "images/a.png")
    put_mask(tmp_path / "masks/a.png", halves(1, 2))
    put_mask(tmp_path / "instances/a.png", halves(300, 7, np.uint16))
    assert found(masks.read(tmp_path, names=["cat", "dog"])) == [("dog", HALF), ("cat", HALF)]


def test_pixels_of_a_class_outside_all_instances_are_kept(tmp_path):
    put_picture(tmp_path / "images/a.png")
    put_mask(tmp_path / "masks/a.png", halves(1, 2))
    put_mask(tmp_path / "instances/a.png", halves(5, 0, np.uint16))
    assert found(masks.read(tmp_path, names=["cat", "sky"])) == [("cat", HALF), ("sky", HALF)]


@pytest.mark.parametrize(
    ("picture", "where"),
    [
        ("images/a.jpg", "masks/a.png"),
        ("images/a.jpg", "masks/a.jpg.png"),
        ("images/a.jpg", "masks/a_mask.png"),
        ("train/images/a.jpg", "train/masks/a.png"),
        ("images/train/a.jpg", "masks/train/a.png"),
        ("train/a.jpg", "trainannot/a.png"),
        ("inp/00000001.jpg", "out/00000001.png"),
        ("a.jpg", "a_mask.png"),
        ("b/a.jpg", "b/a-seg.png"),
    ],
)
def test_pictures_and_masks_find_each_other_by_name(tmp_path, picture, where):
    put_picture(tmp_path / picture)
    put_mask(tmp_path / where, halves(0, 255))
    dataset = masks.read(tmp_path)
    assert masks.recognise(tmp_path)
    assert dataset.image_files()["path"].to_list() == [picture]
    assert dataset.images["split"].to_list() == ["train" if "train" in picture else None]
    assert found(dataset) == [("object", HALF)]
    assert dataset.notes.is_empty()


def test_pairs_do_not_shift_when_a_mask_is_missing(tmp_path):
    for name in "abc":
        put_picture(tmp_path / f"images/{name}.png")
    put_mask(tmp_path / "masks/c.png", halves(0, 255))
    put_mask(tmp_path / "masks/z.png", halves(0, 255))
    dataset = masks.read(tmp_path)
    assert dataset.annotations["image"].to_list() == [3]
    assert dataset.notes.select("kind", "path").sort("path").rows() == [
        ("missing_mask", "images/a.png"),
        ("missing_mask", "images/b.png"),
        ("mask_without_picture", "masks/z.png"),
    ]


def test_a_mask_of_another_size_or_without_pixels_to_read_is_told(tmp_path):
    for name in "abc":
        put_picture(tmp_path / f"images/{name}.png")
    put_mask(tmp_path / "masks/a.png", halves(0, 255).T.copy())
    (tmp_path / "masks/b.png").write_bytes(b"")
    put_mask(tmp_path / "masks/c.png", halves(0, 255))
    dataset = masks.read(tmp_path)
    assert dataset.annotations["image"].to_list() == [3]
    assert dataset.notes.select("kind", "image").rows() == [("size_differs", 1), ("unreadable_mask", 2)]


def test_colours_are_classes_by_camvid_s_table(tmp_path):
    put_picture(tmp_path / "images/a.png")
    pixels = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
    pixels[:3], pixels[3] = (64, 128, 64), (1, 2, 3)
    put_mask(tmp_path / "masks/a.png", pixels)
    (tmp_path / "label_colors.txt").write_text("0 0 0\tVoid\n64 128 64\tAnimal\n192 0 128\tArchway\n")
    dataset = masks.read(tmp_path)
    assert found(dataset) == [("Animal", 3 * WIDTH), ("#010203", WIDTH)]
    assert dataset.classes.select("name", "colour").row(0) == ("Animal", "#408040")
    assert set(dataset.notes["kind"]) == {"unknown_colour", "unknown_label"}


def test_grey_pictures_stored_as_colours_are_values(tmp_path):
    put_picture(tmp_path / "images/a.png")
    put_mask(tmp_path / "masks/a.png", np.repeat(halves(0, 2)[..., None], 3, axis=2))
    assert found(masks.read(tmp_path, names=["cat", "dog"])) == [("dog", HALF)]


def test_a_folder_without_pictures_is_an_error(tmp_path):
    with pytest.raises(FormatError, match=r"Expected images/ and masks/"):
        masks.read(tmp_path)


def test_lower_classes_lie_on_top_unless_priorities_say_otherwise(tmp_path):
    whole = np.ones((HEIGHT, WIDTH), dtype=bool)
    dataset = pictured(tmp_path / "in", ["a.png"], [mask(1, 0, halves(0, 1) > 0), mask(1, 1, whole)], ["cat", "road"])
    findings = masks.write(dataset, tmp_path / "out")
    assert findings.select("annotation", "kind").rows() == [(2, "not_carried")]
    assert np.array_equal(read_indexed(tmp_path / "out/masks/a.png").values, halves(2, 1))
    raised = dataset.with_tables(classes=dataset.classes.with_columns(priority=pl.Series([0, 5])))
    masks.write(raised, tmp_path / "raised")
    assert (read_indexed(tmp_path / "raised/masks/a.png").values == 2).all()


def test_polygons_are_painted_and_told(tmp_path):
    rows = [pointed(1, 0, "polygon", [0, 0, 4, 0, 4, 3, 0, 3])]
    findings = masks.write(pictured(tmp_path / "in", ["a.png"], rows, ["cat"]), tmp_path / "out")
    assert findings.select("kind", "is_issue").rows() == [("rasterised", False)]
    assert read_indexed(tmp_path / "out/masks/a.png").values.sum() == 12


def test_objects_that_become_one_and_classes_that_a_binary_mask_merges_are_told(tmp_path):
    rows = [mask(1, 0, halves(0, 1) > 0), mask(1, 0, halves(1, 0) > 0)]
    dataset = pictured(tmp_path / "in", ["a.png"], [*rows], ["cat", "dog"])
    assert masks.write(dataset, tmp_path / "index")["annotation"].to_list() == [2]
    assert masks.write(dataset, tmp_path / "instances", style="instances").is_empty()
    two = pictured(tmp_path / "two", ["a.png"], [rows[0], {**rows[1], "class": 1}], ["cat", "dog"])
    reasons = masks.write(two, tmp_path / "binary", style="binary")["reason"].to_list()
    assert reasons == ["A binary mask does not tell classes apart; 2 classes become one."]


def test_more_than_254_classes_need_16_bits(tmp_path):
    names = [f"c{n}" for n in range(300)]
    dataset = pictured(tmp_path / "in", ["a.png"], [mask(1, 299, halves(0, 1) > 0), mask(1, None, halves(1, 0) > 0)], names)
    masks.write(dataset, tmp_path / "out")
    assert np.array_equal(read_indexed(tmp_path / "out/masks/a.png").values, halves(65535, 300, np.int32))
    assert differing(dataset, masks.read(tmp_path / "out")) == []


def test_colours_of_classes_are_the_palette(tmp_path):
    dataset = pictured(tmp_path / "in", ["a.png"], [mask(1, 1, halves(0, 1) > 0)], ["cat", "dog"])
    dataset = dataset.with_tables(classes=dataset.classes.with_columns(colour=pl.Series(["#102030", "#ff0000"])))
    assert masks.write(dataset, tmp_path / "out", style="palette").is_empty()
    assert differing(dataset, masks.read(tmp_path / "out")) == []


def _rows(values: np.ndarray, classes: dict[int, int | None]) -> list[dict]:
    made = [mask(1, number, values == value) for value, number in classes.items() if number is not None and (values == value).any()]
    nothing = np.isin(values, [value for value, number in classes.items() if number is None])
    return [*made, *([mask(1, None, nothing)] if nothing.any() else [])]


@given(label_pictures(3), st.sampled_from(["index", "palette", "instances"]), st.sampled_from([None, "train", "val"]))
@settings(max_examples=40, deadline=None)
def test_masks_of_different_classes_come_back(values, style, split):
    with fresh_folders() as (source, target):
        dataset = pictured(source, ["a.png", "b.png"], _rows(values, {1: 0, 2: 1, 3: None}), ["cat", "dog"], split=[split, split])
        assert masks.write(dataset, target, style=style).is_empty()
        assert differing(dataset, masks.read(target)) == []


@given(label_pictures(5), st.lists(st.integers(0, 1), min_size=5, max_size=5))
@settings(max_examples=25, deadline=None)
def test_objects_come_back_as_instances(values, classes):
    rows = _rows(values, dict(enumerate(classes, start=1)))
    with fresh_folders() as (source, target):
        dataset = pictured(source, ["a.png"], rows, ["cat", "dog"])
        assert masks.write(dataset, target, style="instances").is_empty()
        assert differing(dataset, masks.read(target)) == []


def test_nuclei_come_back_one_by_one(shared_data, tmp_path):
    dataset = masks.read(shared_data / "nuclei", names=["nucleus"])
    assert masks.recognise(shared_data / "nuclei")
    assert dataset.annotations.height == 1761 + 795
    assert dict(dataset.images["split"].value_counts().iter_rows()) == {"train": 60, "test": 20}
    assert dataset.notes.is_empty()
    masks.write(dataset, tmp_path, media="link", style="instances")
    assert differing(dataset, masks.read(tmp_path)) == []


def test_defects_of_magnetic_tiles_come_back(shared_data, tmp_path):
    dataset = masks.read(shared_data / "magtile")
    assert list(dataset.class_names().values()) == ["blowhole", "break", "crack", "fray", "uneven"]
    assert (len(dataset), dataset.notes.height) == (99, 0)
    masks.write(dataset, tmp_path, media="link")
    assert differing(dataset, masks.read(tmp_path)) == []


def test_another_tool_s_description_names_the_colours(shared_data):
    dataset = masks.read(shared_data / "formats/datumaro_fixtures/common_semantic_segmentation_dataset/dataset")
    assert list(dataset.class_names().values()) == ["Animal", "Archway", "Bicyclist", "Child", "Road"]
    assert dataset.notes.is_empty()


def test_camvid_without_its_table_keeps_the_colours_apart(shared_data):
    dataset = masks.read(shared_data / "formats/datumaro_fixtures/camvid_dataset")
    assert dataset.images["split"].sort().to_list() == ["test", "test", "train", "val"]
    assert set(dataset.notes["kind"]) == {"unknown_colour"}
    assert dataset.classes["name"].to_list() == dataset.classes["colour"].to_list()


@pytest.mark.parametrize("other", ["bccd", "cifar10n", "badimages", "formats/edge_made_here/yolo"])
def test_other_formats_are_not_taken_for_masks(shared_data, other):
    assert not masks.recognise(shared_data / other)


def test_a_part_of_a_dataset_finds_its_names_above_it_and_no_other_folder_does(tmp_path):
    (tmp_path / "classes.txt").write_text("background\ncat\ndog\n", encoding="utf-8")
    for folder in ("train", "pets"):
        put_picture(tmp_path / folder / "images/a.png")
        put_mask(tmp_path / folder / "masks/a.png", halves(1, 2))
    assert [name for name, _ in found(masks.read(tmp_path / "train"))] == ["cat", "dog"]
    assert [name for name, _ in found(masks.read(tmp_path / "pets"))] == ["1", "2"]
    (tmp_path / "train/classes.txt").write_text("background\nhen\ncow\n", encoding="utf-8")
    assert [name for name, _ in found(masks.read(tmp_path / "train"))] == ["hen", "cow"]
