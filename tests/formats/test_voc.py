import json
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from format_builders import HEIGHT, WIDTH, box, boxes, class_names, differing, fresh_folders, label_pictures, mask, pictured, put_picture
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from burnish.data.dataset import extra_fields, same_content
from burnish.errors import FormatError
from burnish.formats import voc
from burnish.formats.indexed import read_indexed, voc_colour
from burnish.formats.recognise import open_dataset

OBJECT = "<object><name>{name}</name><bndbox><xmin>{0}</xmin><ymin>{1}</ymin><xmax>{2}</xmax><ymax>{3}</ymax></bndbox>{more}</object>"


def xml(folder: Path, stem: str, *objects: str, picture: bool = True, head: str = "") -> None:
    if picture:
        put_picture(folder / f"JPEGImages/{stem}.png")
    (folder / "Annotations").mkdir(parents=True, exist_ok=True)
    text = f"<annotation>{head}<filename>{stem}.png</filename>{''.join(objects)}</annotation>"
    (folder / f"Annotations/{stem}.xml").write_text(text, encoding="utf-8")


def thing(*corners: object, name: str = "car", more: str = "") -> str:
    return OBJECT.format(*corners, name=name, more=more)


def corners(dataset) -> list[tuple[float, ...]]:
    return dataset.annotations.select("x1", "y1", "x2", "y2").rows()


@pytest.fixture(scope="module")
def edge(shared_data):
    return voc.read(shared_data / "formats/edge_made_here/voc")


def of_file(dataset, stem: str) -> pl.DataFrame:
    image = dataset.image_files().filter(pl.col("path").str.ends_with(f"/{stem}.png"))["image"]
    return dataset.annotations.filter(pl.col("image").is_in(image.to_list()))


CASES = {
    "normal": (10, 10, 30, 30),
    "float_coords": (10.5, 10.25, 30.75, 30),
    "swapped": (10, 10, 30, 30),
    "full_image": (0, 0, 100, 80),
    "zero_size": (0, 0, 20, 20),
    "other_filename": (0, 0, 20, 20),
    "parts": (4, 4, 40, 60),
    "unicode": (4, 4, 20, 20),
    "difficult": (4, 4, 20, 20),
}


@pytest.mark.parametrize("stem", CASES)
def test_edge_cases_have_the_box_that_their_file_says(edge, stem):
    rows = of_file(edge, stem).select("x1", "y1", "x2", "y2").rows()
    assert rows[-1] == CASES[stem]


def test_every_edge_case_is_read_or_told(edge, shared_data):
    lines = (shared_data / "formats/edge_made_here/cases.jsonl").read_text(encoding="utf-8").splitlines()
    files = [case["file"].removeprefix("voc/") for case in map(json.loads, lines) if case["format"] == "voc"]
    told = set(edge.notes["path"]) | {f"Annotations/{Path(p).stem}.xml" for p in edge.image_files()["path"]}
    assert len(files) == 12
    assert set(files) - told == {"Annotations/cp1251.xml"}  # its <filename> is normal.png, which is told as duplicate


def test_edge_cases_are_told_for_what_they_are(edge):
    found = set(edge.notes.select("kind", "path").iter_rows())
    assert found == {
        ("broken_file", "Annotations/broken.xml"),
        ("missing_file", "JPEGImages/broken.jpg"),
        ("other_filename", "Annotations/other_filename.xml"),
        ("swapped_corners", "Annotations/swapped.xml"),
        ("duplicate_path", "JPEGImages/normal.png"),
    }


def test_a_size_of_zero_is_read_from_the_picture(edge):
    sizes = edge.images.join(edge.image_files().rename({"image": "id"}), on="id").filter(pl.col("path").str.contains("zero_size"))
    assert sizes.select("width", "height").row(0) == (100, 80)


def test_windows_1251_and_unicode_names_are_read(edge):
    assert {"труба", "дефект"} <= set(edge.class_names().values())


def test_a_part_is_kept_with_its_object_and_is_no_object(edge):
    rows = of_file(edge, "parts")
    assert rows.height == 1
    assert "<name>head</name>" in extra_fields(edge, "voc", "annotations")[rows["id"][0]]["elements"][0]


def test_difficult_is_an_attribute(edge):
    assert edge.attributes.filter(pl.col("annotation") == of_file(edge, "difficult")["id"][0]).select("name", "value").rows() == [
        ("difficult", "1")
    ]


def test_a_file_without_objects_is_a_background_picture(edge):
    assert of_file(edge, "no_objects").is_empty()
    assert any("no_objects" in path for path in edge.image_files()["path"])


def test_plain_corners_can_be_read_as_they_are(tmp_path):
    xml(tmp_path, "a", thing(0, 0, 10.5, 12))
    assert corners(voc.read(tmp_path, count_from=0)) == [(0, 0, 10.5, 12)]
    told = voc.read(tmp_path).notes.filter(pl.col("kind") == "counts_from_zero")
    assert told.height == 1


@pytest.mark.parametrize("bad", ["", "abc", "nan", "inf"])
def test_an_object_without_a_readable_box_is_told_and_written_back(tmp_path, bad):
    xml(tmp_path / "in", "a", thing(bad, 1, 2, 3), thing(1, 1, 5, 5))
    dataset = voc.read(tmp_path / "in")
    assert dataset.annotations.height == 1
    assert dataset.notes.select("kind", "position").rows() == [("no_box", "object 1")]
    voc.write(dataset, tmp_path / "out")
    assert same_content(dataset, voc.read(tmp_path / "out"))


def test_an_object_without_a_name_is_kept_without_a_class(tmp_path):
    xml(tmp_path, "a", thing(1, 1, 5, 5, name=""))
    dataset = voc.read(tmp_path)
    assert dataset.annotations["class"].to_list() == [None]
    assert dataset.notes["kind"].to_list() == ["no_label"]


def test_what_the_model_does_not_know_comes_back(tmp_path):
    more = "<pose>Left</pose><truncated>1</truncated><occluded>1</occluded><actions><walking>1</walking></actions>"
    given_attributes = "<attributes><attribute><name>colour</name><value>red</value></attribute></attributes>"
    xml(
        tmp_path / "in", "a", thing(1, 1, 5, 5, more=more + given_attributes), head="<folder>VOC2007</folder><owner><name>me</name></owner>"
    )
    dataset = voc.read(tmp_path / "in")
    assert dataset.annotations["occluded"].to_list() == [True]
    assert dataset.attributes.select("name", "value").rows() == [("pose", "Left"), ("truncated", "1"), ("colour", "red")]
    assert voc.write(dataset, tmp_path / "out").is_empty()
    written = (tmp_path / "out/Annotations/a.xml").read_text()
    assert "<folder>VOC2007</folder>" in written
    assert "<owner>" in written
    assert same_content(dataset, voc.read(tmp_path / "out"))


def test_entities_are_refused_and_the_other_files_are_read(tmp_path):
    xml(tmp_path, "a", thing(1, 1, 5, 5))
    xml(tmp_path, "b")
    bomb = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotation><owner>&x;</owner></annotation>'
    (tmp_path / "Annotations/b.xml").write_text(bomb)
    dataset = voc.read(tmp_path)
    assert dataset.annotations.height == 1
    assert "entity 'x'" in dataset.notes["reason"][0]


def test_a_dataset_of_broken_files_only_is_an_error(tmp_path):
    xml(tmp_path, "a")
    (tmp_path / "Annotations/a.xml").write_text("<annotation>")
    with pytest.raises(FormatError, match="none of the 1 XML files"):
        voc.read(tmp_path)


def test_lists_give_the_splits_also_of_pictures_without_xml(tmp_path):
    for stem in "ab":
        xml(tmp_path, stem, thing(1, 1, 5, 5))
    put_picture(tmp_path / "JPEGImages/c d.png")
    lists = tmp_path / "ImageSets/Main"
    lists.mkdir(parents=True)
    for name, text in {"train": "a\n", "val": "b\n\na\n", "test": '"c d"\n', "trainval": "a\nb\n", "car_train": "a  1\nb -1\n"}.items():
        (lists / f"{name}.txt").write_text(text)
    dataset = voc.read(tmp_path)
    assert dataset.images["split"].to_list() == ["train", "val", "test"]
    assert sorted(dataset.notes.filter("is_issue")["kind"]) == ["two_splits"]


def test_pictures_beside_their_xml_are_found(tmp_path):
    for path in ("train/a", "valid/b"):
        put_picture(tmp_path / f"{path}.png")
        (tmp_path / f"{path}.xml").write_text(f"<annotation>{thing(1, 1, 5, 5)}</annotation>")
    dataset = voc.read(tmp_path)
    assert voc.recognise(tmp_path)
    assert dataset.images["split"].to_list() == ["train", "val"]
    assert dataset.notes.is_empty()


def test_two_pictures_of_one_stem_are_both_kept(tmp_path):
    xml(tmp_path, "a", thing(1, 1, 5, 5))
    put_picture(tmp_path / "JPEGImages/a.jpg")
    dataset = voc.read(tmp_path)
    assert sorted(dataset.image_files()["path"]) == ["JPEGImages/a.jpg", "JPEGImages/a.png"]


def test_a_devkit_with_one_year_is_read_and_with_two_must_be_named(tmp_path):
    xml(tmp_path / "VOC2007", "a", thing(1, 1, 5, 5))
    assert voc.recognise(tmp_path)
    assert len(voc.read(tmp_path)) == 1
    xml(tmp_path / "VOC2012", "a", thing(1, 1, 5, 5))
    with pytest.raises(FormatError, match="VOC2007, VOC2012"):
        voc.read(tmp_path)


def test_overlapping_masks_are_painted_by_priority_and_what_is_covered_is_told(tmp_path):
    left, right = np.zeros((HEIGHT, WIDTH), dtype=bool), np.zeros((HEIGHT, WIDTH), dtype=bool)
    left[:, :8], right[:, 6:] = True, True
    dataset = pictured(tmp_path / "in", ["a.png"], [mask(1, 0, left), mask(1, 1, right)], ["top", "below"])
    dataset = dataset.with_tables(classes=dataset.classes.with_columns(priority=pl.Series([1, 0])))
    findings = voc.write(dataset, tmp_path / "out")
    assert findings.filter(pl.col("annotation") == 2)["reason"][0].startswith(f"{2 * HEIGHT} of its pixels")
    values = read_indexed(tmp_path / "out/SegmentationClass/a.png").values
    assert values[0].tolist() == [1] * 8 + [2] * 8


def test_colour_pictures_of_the_segmentation_are_read_by_voc_s_colours(tmp_path):
    xml(tmp_path, "a")
    for folder, number in (("SegmentationClass", 15), ("SegmentationObject", 1)):
        (tmp_path / folder).mkdir()
        pixels = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
        pixels[:4], pixels[4] = voc_colour(number), voc_colour(255)
        Image.fromarray(pixels).save(tmp_path / folder / "a.png")
    dataset = voc.read(tmp_path)
    assert dataset.annotations.select("kind", "y1", "y2").rows() == [("mask", 0, 4), ("mask", 4, 5)]
    assert dataset.class_names() == {0: "person"}
    assert dataset.annotations["class"].to_list() == [0, None]


def test_corners_of_a_file_that_cvat_exported_are_plain_and_stay_where_they_are(tmp_path):
    source = "<source><database>Unknown</database><annotation>Unknown</annotation><image>Unknown</image></source>"
    xml(tmp_path / "in", "a", thing(1.5, 2, 5, 6), head=source)
    dataset = voc.read(tmp_path / "in")
    assert corners(dataset) == [(1.5, 2, 5, 6)]
    assert dataset.notes.select("kind", "is_issue").rows() == [("plain_corners", False)]
    voc.write(dataset, tmp_path / "out")
    assert corners(voc.read(tmp_path / "out")) == [(1.5, 2, 5, 6)]
    assert corners(voc.read(tmp_path / "in", count_from=1)) == [(0.5, 1, 5, 6)]


def test_an_attribute_rotation_is_the_turn_of_the_box_and_comes_back(tmp_path):
    attribute = "<attributes><attribute><name>rotation</name><value>{}</value></attribute></attributes>"
    xml(tmp_path / "in", "a", thing(1, 2, 5, 6, more=attribute.format("30.5")), thing(1, 2, 5, 6, more=attribute.format("0.0")))
    dataset = voc.read(tmp_path / "in")
    assert dataset.annotations["rotation"].to_list() == [30.5, 0]
    assert dataset.attributes.is_empty()
    assert voc.write(dataset, tmp_path / "out").is_empty()
    assert voc.read(tmp_path / "out").annotations["rotation"].to_list() == [30.5, 0]


def test_boxes_and_masks_that_cvat_exported_as_voc_are_read(backups):
    dataset = open_dataset(backups / "09_exports_task.058.PASCAL_VOC_1.1.zip")
    assert corners(dataset)[0] == (30.25, 40.5, 110.75, 90.0999984741211)
    assert dataset.annotations["kind"].to_list() == ["box"] * 3 + ["mask"] * 3
    assert dataset.annotations["rotation"].to_list() == [0, 30, 0, 0, 0, 0]


def colours(*rows: tuple[int, int, int]) -> np.ndarray:
    """A picture of four rows of pixels, the rest black."""
    pixels = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
    for row, colour in enumerate(rows):
        pixels[row] = colour
    return pixels


def segmented(root: Path, stem: str, classes: np.ndarray, objects: np.ndarray | None = None, palette: list[int] | None = None) -> None:
    for folder, pixels in (("SegmentationClass", classes), ("SegmentationObject", objects)):
        if pixels is not None:
            picture = Image.fromarray(pixels)
            if palette is not None:
                picture.putpalette(palette)
            (root / folder).mkdir(parents=True, exist_ok=True)
            picture.save(root / folder / f"{stem}.png")


def masks_of(dataset) -> list[tuple[str | None, float, float]]:
    names = dataset.class_names()
    return [(names.get(number), y1, y2) for number, y1, y2 in dataset.annotations.select("class", "y1", "y2").iter_rows()]


LABEL_MAP = "# label:color_rgb:parts:actions\nanything:9,8,7::\nbackground:0,0,0::\ncar:128,128,0::\nroad:0,170,0:a,b:\n"


def test_a_segmentation_without_xml_is_read_by_the_colours_of_its_label_map(tmp_path):
    put_picture(tmp_path / "JPEGImages/a.png")
    put_picture(tmp_path / "JPEGImages/b.png")
    car, road, first, second, third = (128, 128, 0), (0, 170, 0), voc_colour(1), voc_colour(3), voc_colour(2)
    rest = [(9, 8, 7)] * (HEIGHT - 3)
    segmented(tmp_path, "a", colours(car, car, road, *rest), colours(first, second, third))
    (tmp_path / "labelmap.txt").write_text(LABEL_MAP)
    (tmp_path / "ImageSets/Segmentation").mkdir(parents=True)
    (tmp_path / "ImageSets/Segmentation/Validation.txt").write_text("a\n")
    dataset = open_dataset(tmp_path)
    assert dataset.origin["format"] == "voc"
    assert masks_of(dataset) == [("car", 0, 1), ("road", 2, 3), ("car", 1, 2)]
    assert list(dataset.class_names().values()) == ["anything", "car", "road"]
    assert dataset.images.select("split", "subset").rows() == [("val", "Validation"), (None, None)]
    told = sorted(dataset.notes.select("kind", "is_issue").rows())
    assert told == [("no_annotation_file", False), ("pixels_without_object", False)]


def test_palettes_that_show_the_colours_of_the_label_map_are_read_by_colour(tmp_path):
    put_picture(tmp_path / "JPEGImages/a.png")
    values = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    values[0], values[1] = 1, 2
    (tmp_path / "labelmap.txt").write_text(LABEL_MAP)
    segmented(tmp_path, "a", values, palette=[0, 0, 0, 0, 170, 0, 128, 128, 0])
    assert masks_of(voc.read(tmp_path)) == [("car", 1, 2), ("road", 0, 1)]
    segmented(tmp_path, "a", values + 1, palette=[0, 0, 0, 0, 0, 1, 0, 0, 2, 0, 0, 3])
    assert masks_of(voc.read(tmp_path)) == [("car", 0, 1), ("road", 1, 2)]  # by the lines of the label map, from 0


def test_the_palette_of_voc_names_its_twenty_classes(tmp_path):
    put_picture(tmp_path / "JPEGImages/a.png")
    values = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    values[0], values[1], values[2] = 15, 255, 1
    palette = [channel for number in range(256) for channel in voc_colour(number)]
    objects = np.minimum(values, 1) + (values == 1).astype(np.uint8)
    segmented(tmp_path, "a", values, np.where(values == 255, np.uint8(255), objects), palette=palette)
    assert masks_of(voc.read(tmp_path)) == [("person", 0, 1), ("aeroplane", 2, 3), (None, 1, 2)]


def test_masks_whose_pictures_are_not_there_are_kept_with_their_size(tmp_path):
    segmented(tmp_path, "a", colours((0, 170, 0)))
    (tmp_path / "labelmap.txt").write_text(LABEL_MAP)
    dataset = voc.read(tmp_path)
    assert masks_of(dataset) == [("road", 0, 1)]
    assert dataset.images.select("width", "height").rows() == [(WIDTH, HEIGHT)]
    assert dataset.notes["kind"].to_list() == ["missing_file"]


def test_objects_that_stand_as_a_box_and_as_a_mask_are_told(tmp_path):
    xml(tmp_path, "a", thing(1, 1, WIDTH, 3, name="person"), thing(1, 8, 4, 9, name="person"))
    person, first = voc_colour(15), voc_colour(1)
    segmented(tmp_path, "a", colours(person, person), colours(first, first))
    dataset = voc.read(tmp_path)
    assert dataset.annotations["kind"].to_list() == ["box", "box", "mask"]
    told = dataset.notes.select("kind", "is_issue", "annotation").rows()
    assert told == [("box_and_mask", False, 3)]
    assert dataset.notes["reason"][0].startswith("1 of 1 masks")


def test_classes_of_one_colour_and_colours_of_no_class_are_told(tmp_path):
    put_picture(tmp_path / "JPEGImages/a.png")
    segmented(tmp_path, "a", colours((1, 1, 1), (2, 2, 2)))
    (tmp_path / "labelmap.txt").write_text("background:0,0,0::\ncar:1,1,1::\nbus:1,1,1::\n")
    dataset = voc.read(tmp_path)
    assert masks_of(dataset) == [("car", 0, 1)]
    assert dataset.notes["kind"].to_list() == ["shared_colour", "unknown_colour"]


def test_a_label_map_with_a_broken_colour_is_an_error_with_its_line(tmp_path):
    segmented(tmp_path, "a", colours((1, 1, 1)))
    (tmp_path / "labelmap.txt").write_text("background:0,0,0::\ncar:1,red,1::\n")
    with pytest.raises(FormatError, match="'1,red,1'") as caught:
        voc.read(tmp_path)
    assert caught.value.position == 2


def test_classes_keep_their_colours_in_the_pictures_of_a_written_segmentation(tmp_path):
    pixels = np.ones((HEIGHT, WIDTH), dtype=bool)
    dataset = pictured(tmp_path / "in", ["a.png"], [mask(1, 0, pixels)], ["car", "bus"])
    dataset = dataset.with_tables(classes=dataset.classes.with_columns(colour=pl.Series(["#008000", "#800000"])))
    voc.write(dataset, tmp_path / "out")
    assert read_indexed(tmp_path / "out/SegmentationClass/a.png").palette[1] == "#008000"
    assert differing(dataset, voc.read(tmp_path / "out")) == []


@pytest.mark.parametrize(
    ("name", "pictures", "masks"), [("09_exports_task.045", 6, 5), ("09_exports_task.051", 5, 5), ("11_exports_job_project.032", 71, 111)]
)
def test_a_segmentation_that_cvat_exported_is_read(backups, name, pictures, masks):
    dataset = open_dataset(backups / f"{name}.Segmentation_mask_1.1.zip")
    assert dataset.origin["format"] == "voc"
    assert dataset.annotations["kind"].to_list() == ["mask"] * masks
    assert len(dataset) == pictures
    assert "background" not in dataset.class_names().values()
    assert dataset.notes.filter("is_issue")["kind"].unique().to_list() == ([] if masks == pictures - 1 else ["missing_file"])


@given(label_pictures(3), st.data())
@settings(max_examples=25, deadline=None)
def test_masks_that_do_not_overlap_come_back(values, data):
    numbers = [n for n in (1, 2, 3) if (values == n).any()]
    classes = {n: data.draw(st.none() | st.integers(0, 1)) for n in numbers}
    rows = [mask(1, classes[n], values == n) for n in numbers if classes[n] is not None]
    nothing = np.isin(values, [n for n in numbers if classes[n] is None])
    rows += [mask(1, None, nothing)] if nothing.any() else []
    with fresh_folders() as (source, target):
        dataset = pictured(source, ["a.png"], rows, ["cat", "dog"])
        assert voc.write(dataset, target).is_empty()
        assert differing(dataset, voc.read(target)) == []


@given(class_names, st.lists(boxes(), max_size=4), st.data())
@settings(max_examples=40, deadline=None)
def test_boxes_come_back_to_the_last_digit(names, corners_of, data):
    texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
    columns = [{"class": data.draw(st.integers(0, len(names) - 1)), "occluded": data.draw(st.booleans())} for _ in corners_of]
    rows = [{**box(data.draw(st.integers(1, 2)), None, c), **more} for c, more in zip(corners_of, columns, strict=True)]
    rows.sort(key=lambda row: row["image"])
    splits = data.draw(st.lists(st.sampled_from([None, "train", "my split"]), min_size=2, max_size=2))
    with fresh_folders() as (source, target):
        dataset = pictured(source, ["1.png", "2.png"], rows, names, split=splits)
        pairs = {(a, data.draw(st.sampled_from(["colour", "ä b", "x"]))): data.draw(texts) for a in range(1, len(rows) + 1)}
        attributes = pl.DataFrame(
            [{"annotation": a, "name": n, "value": v} for (a, n), v in pairs.items()],
            schema={"annotation": pl.Int64, "name": pl.String, "value": pl.String},
        )
        dataset = dataset.with_tables(attributes=attributes)
        assert voc.write(dataset, target, media="link").is_empty()
        back = voc.read(target)
        assert differing(dataset, back) == []
        assert set(back.notes["kind"]) <= {"zero_area", "counts_from_zero"}


def test_blood_cells_come_back_whole(shared_data, tmp_path):
    dataset = voc.read(shared_data / "bccd")
    names = dataset.class_names()
    counts = Counter(names[number] for number in dataset.annotations["class"])
    assert counts == {"RBC": 3350, "WBC": 301, "Platelets": 292}
    assert dataset.notes["kind"].to_list() == ["zero_area", "zero_area"]
    voc.write(dataset, tmp_path, media="link")
    assert same_content(dataset, voc.read(tmp_path))


@pytest.mark.parametrize("name", ["voc_dataset1", "voc_dataset2", "voc_dataset3"])
def test_fixtures_of_another_tool_are_recognised_and_come_back(shared_data, tmp_path, name):
    folder = shared_data / "formats/datumaro_fixtures/voc_dataset" / name
    dataset = voc.read(folder)
    assert voc.recognise(folder)
    voc.write(dataset, tmp_path)
    assert same_content(dataset, voc.read(tmp_path))


def test_the_same_boxes_in_another_tool_s_coco_file_agree(shared_data):
    dataset = voc.read(shared_data / "formats/voc_toy/gts_vocpascal_format")
    coco = json.loads((shared_data / "formats/voc_toy/gts_coco_format/toy_example_coco.JSON").read_text())
    names = {image["id"]: Path(image["file_name"]).stem for image in coco["images"]}
    theirs = sorted((names[a["image_id"]], a["bbox"][2]) for a in coco["annotations"])
    files = dict(dataset.image_files().select("image", "path").iter_rows())
    ours = sorted((Path(files[i]).stem, x2 - x1) for i, x1, x2 in dataset.annotations.select("image", "x1", "x2").iter_rows())
    assert [stem for stem, _ in ours] == [stem for stem, _ in theirs]


@pytest.mark.parametrize("other", ["labelme_dataset", "cvat_dataset", "camvid_dataset", "coco_dataset"])
def test_other_formats_are_not_taken_for_voc(shared_data, other):
    assert not voc.recognise(shared_data / "formats/datumaro_fixtures" / other)
