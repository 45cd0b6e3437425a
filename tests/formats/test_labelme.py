import base64
import io
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from format_builders import (
    HEIGHT,
    WIDTH,
    box,
    boxes,
    coordinates,
    differing,
    fresh_folders,
    mask,
    picture_bytes,
    pictured,
    plain_names,
    pointed,
    points,
    put_picture,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from burnish.errors import FormatError
from burnish.formats import labelme
from burnish.formats.recognise import open_dataset
from burnish.geometry import rle


def annotated(folder: Path, *shapes: object, name: str = "a", picture: bool = True, **fields: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    content = {"imagePath": f"{name}.png", "imageWidth": WIDTH, "imageHeight": HEIGHT, "imageData": None, "shapes": list(shapes), **fields}
    file = folder / f"{name}.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    if picture:
        put_picture(folder / f"{name}.png")
    return file


def shape(form: str, corners: object, **fields: object) -> dict:
    return {"label": "cat", "shape_type": form, "points": corners, "group_id": None, "flags": {}, **fields}


def png(pixels: np.ndarray) -> str:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format="PNG")
    return base64.b64encode(stream.getvalue()).decode()


SHAPES = {
    "polygon": ([[1, 2], [5, 2], [5, 6.5]], ("polygon", 1, 2, 5, 6.5)),
    "rectangle": ([[5, 6], [1, 2]], ("box", 1, 2, 5, 6)),
    "circle": ([[5, 5], [8, 9]], ("ellipse", 0, 0, 10, 10)),
    "line": ([[1, 2], [5, 6]], ("polyline", 1, 2, 5, 6)),
    "linestrip": ([[1, 2], [5, 6], [3, 9]], ("polyline", 1, 2, 5, 9)),
    "point": ([[3, 4]], ("points", 3, 4, 3, 4)),
    "points": ([[3, 4], [5, 6]], ("points", 3, 4, 5, 6)),
    "rotation": ([[3, 0], [6, 3], [3, 6], [0, 3]], ("polygon", 0, 0, 6, 6)),
}


@pytest.mark.parametrize("form", SHAPES)
def test_each_shape_becomes_an_annotation_and_comes_back(tmp_path, form):
    corners, expected = SHAPES[form]
    annotated(tmp_path / "in", shape(form, corners))
    dataset = labelme.read(tmp_path / "in")
    assert dataset.annotations.select("kind", "x1", "y1", "x2", "y2").row(0) == expected
    assert labelme.write(dataset, tmp_path / "out").is_empty()
    assert json.loads((tmp_path / "out/a.json").read_text())["shapes"][0]["shape_type"] == form
    assert differing(dataset, labelme.read(tmp_path / "out")) == []


def test_a_mask_is_placed_in_the_picture(tmp_path):
    pixels = np.array([[1, 0, 1], [1, 1, 0]], dtype=bool)
    dataset = labelme.read(annotated(tmp_path, shape("mask", [[4, 5], [6, 6]], mask=png(pixels))))
    whole = rle.decode(rle.decompress(dataset.annotations["mask"][0]), HEIGHT, WIDTH)
    assert whole[5:7, 4:7].tolist() == pixels.tolist()
    assert whole.sum() == pixels.sum()


def test_flags_of_a_picture_are_tags_and_those_not_set_come_back(tmp_path):
    annotated(tmp_path / "in", flags={"blurred": True, "dark": False})
    dataset = labelme.read(tmp_path / "in")
    assert dataset.annotations["kind"].to_list() == ["tag"]
    assert dataset.class_names() == {0: "blurred"}
    labelme.write(dataset, tmp_path / "out")
    assert json.loads((tmp_path / "out/a.json").read_text())["flags"] == {"dark": False, "blurred": True}


def test_flags_scores_groups_and_unknown_fields_of_a_shape_come_back(tmp_path):
    fields = {
        "flags": {"hard": True, "old": False},
        "score": 0.75,
        "group_id": 3,
        "description": "d",
        "attributes": {"colour": "red"},
        "x": [1],
    }
    annotated(tmp_path / "in", shape("point", [[1, 2]], **fields), other={"y": 1.5})
    dataset = labelme.read(tmp_path / "in")
    assert dataset.annotations.select("score", "group").row(0) == (0.75, 3)
    assert dataset.attributes.select("name", "value").rows() == [("hard", "true"), ("old", "false"), ("colour", "red")]
    assert labelme.write(dataset, tmp_path / "out").is_empty()
    written = json.loads((tmp_path / "out/a.json").read_text())
    assert {key: written["shapes"][0][key] for key in fields} == fields
    assert written["other"] == {"y": 1.5}


def test_group_zero_is_a_group_and_stays_apart_from_no_group(tmp_path):
    annotated(tmp_path / "in", *(shape("point", [[1, 2]], group_id=group) for group in (0, 0, None, 4)))
    dataset = labelme.read(tmp_path / "in")
    assert dataset.annotations["group"].to_list() == [5, 5, 0, 4]
    labelme.write(dataset, tmp_path / "out")
    written = json.loads((tmp_path / "out/a.json").read_text())
    assert [s["group_id"] for s in written["shapes"]] == [0, 0, None, 4]


BROKEN = [
    shape("cube", [[1, 2]]),
    shape("polygon", [[1, 2]]),
    shape("point", [[1]]),
    shape("point", "x"),
    shape("mask", [[1, 2], [3, 4]], mask="no picture"),
    shape("mask", [[14, 10], [20, 20]], mask=png(np.ones((5, 5), dtype=bool))),
    {"label": "cat"},
    7,
]


@pytest.mark.parametrize("broken", BROKEN)
def test_a_shape_that_cannot_be_read_is_told_and_comes_back(tmp_path, broken):
    annotated(tmp_path / "in", shape("point", [[1, 2]]), broken)
    dataset = labelme.read(tmp_path / "in")
    assert dataset.annotations.height == 1
    assert dataset.notes.select("kind", "position").rows() == [("broken_shape", "shape 2")]
    labelme.write(dataset, tmp_path / "out")
    assert json.loads((tmp_path / "out/a.json").read_text())["shapes"][1] == broken


def test_a_broken_file_is_told_and_the_others_are_read(tmp_path):
    annotated(tmp_path, shape("point", [[1, 2]]))
    (tmp_path / "b.json").write_text('{"shapes": [, "imagePath": 1}')
    dataset = labelme.read(tmp_path)
    assert len(dataset) == 1
    assert dataset.notes.select("kind", "path").rows() == [("broken_file", "b.json")]


def test_a_folder_without_readable_files_is_an_error(tmp_path):
    (tmp_path / "b.json").write_text('{"shapes": [, "imagePath": 1}')
    with pytest.raises(FormatError, match=r"none of 1 files.*b\.json"):
        labelme.read(tmp_path)


def test_a_picture_inside_the_file_is_told_and_taken_out_when_asked(tmp_path):
    data = base64.b64encode(picture_bytes()).decode()
    annotated(tmp_path / "in", shape("point", [[1, 2]]), picture=False, imageData=data)
    assert set(labelme.read(tmp_path / "in").notes["kind"]) == {"embedded_picture", "missing_file"}
    dataset = labelme.read(tmp_path / "in", extract=tmp_path / "out")
    assert dataset.notes.is_empty()
    assert (tmp_path / "out/a.png").read_bytes() == picture_bytes()
    assert dataset.root == tmp_path / "out"


def test_pictures_are_embedded_when_asked(tmp_path):
    labelme.write(pictured(tmp_path / "in", ["a.png"]), tmp_path / "out", embed=True)
    written = json.loads((tmp_path / "out/a.json").read_text())
    assert base64.b64decode(written["imageData"]) == picture_bytes()


def test_a_picture_named_with_backslashes_or_otherwise_is_found(tmp_path):
    annotated(tmp_path / "labels", shape("point", [[1, 2]]), picture=False, imagePath="..\\images\\a.png")
    annotated(tmp_path / "labels", shape("point", [[1, 2]]), name="b", picture=False, imagePath="C:\\x\\b.jpg")
    put_picture(tmp_path / "images/a.png")
    put_picture(tmp_path / "images/b.png")
    dataset = labelme.read(tmp_path)
    assert dataset.image_files()["path"].to_list() == ["images/a.png", "images/b.png"]
    assert dataset.notes.is_empty()


def test_labels_txt_gives_the_order_of_classes(tmp_path):
    annotated(tmp_path, shape("point", [[1, 2]]))
    (tmp_path / "labels.txt").write_text("__ignore__\n_background_\ndog\ncat\n")
    assert labelme.read(tmp_path).class_names() == {0: "dog", 1: "cat"}


def test_ellipses_that_are_no_circles_and_polygons_of_several_rings_are_told(tmp_path):
    ring = pointed(1, 0, "polygon", [0, 0, 4, 0, 4, 4, 5, 5, 6, 5, 6, 6])
    rows = [{**box(1, 0, (1, 2, 3, 8)), "kind": "ellipse"}, {**ring, "parts": [3, 3]}]
    findings = labelme.write(pictured(tmp_path / "in", ["a.png"], rows, ["cat"]), tmp_path / "out")
    assert findings["annotation"].to_list() == [1, 2]


@pytest.fixture(scope="module")
def web_tool(shared_data):
    return labelme.read(shared_data / "formats/datumaro_fixtures/labelme_dataset")


def test_the_web_tool_s_polygons_boxes_and_masks_are_read(web_tool):
    assert web_tool.annotations["kind"].to_list() == ["polygon", "mask", "polygon", "polygon", "box", "mask", "polygon"]
    assert web_tool.annotations["occluded"].to_list() == [False, False, True, False, True, False, False]
    assert web_tool.notes.is_empty()


def test_the_web_tool_s_parts_name_their_parents(web_tool):
    assert web_tool.annotations["parent"].to_list() == [None, None, None, 3, 3, None, 6]


EXPORTED = (
    "<annotation><filename>{name}.png</filename><source><sourceAnnotation>Datumaro</sourceAnnotation></source>"
    "<imagesize><nrows>12</nrows><ncols>16</ncols></imagesize>{objects}</annotation>"
)
RECTANGLE = "".join(f"<pt><x>{x}</x><y>{y}</y></pt>" for x, y in ((1, 2), (5, 2), (5, 6), (1, 6)))


def rectangle(number: int, attributes: str = "", leader: str = "") -> str:
    parts = f"<parts><hasparts></hasparts><ispartof>{leader}</ispartof></parts>"
    shape = f"<type>bounding_box</type><polygon>{RECTANGLE}</polygon><attributes>{attributes}</attributes>"
    return f"<object><name>cat</name><id>{number}</id>{parts}{shape}</object>"


def exported(root: Path, file: str, *objects: str) -> None:
    (root / file).parent.mkdir(parents=True, exist_ok=True)
    (root / file).write_text(EXPORTED.format(name=Path(file).stem, objects="".join(objects)), encoding="utf-8")


def test_groups_turns_and_attributes_of_an_exported_file_are_read(tmp_path):
    text = r'plate=A \"12\" \\, size\=x=1\,5 \= a, number="12", rotation=30.0, parked=True'
    exported(tmp_path, "a.xml", rectangle(0, text), rectangle(1, "", "0"), rectangle(2))
    put_picture(tmp_path / "a.png")
    dataset = open_dataset(tmp_path)
    assert dataset.annotations.select("kind", "group", "parent", "rotation").rows() == [
        ("box", 1, None, 30.0),
        ("box", 1, None, 0.0),
        ("box", 0, None, 0.0),
    ]
    found = dict(dataset.attributes.select("name", "value").iter_rows())
    assert found == {"plate": 'A "12" \\', "size=x": "1,5 = a", "number": "12", "parked": "True"}
    assert dataset.extras.is_empty()


@pytest.mark.parametrize("layout", [("Annotations/{}", "Images/{}"), ("{}", "{}")])
def test_pictures_of_one_name_in_two_subsets_are_told_apart(tmp_path, layout):
    for subset in ("Train", "Validation"):
        exported(tmp_path, f"{layout[0].format(subset)}/a.xml", rectangle(0))
        put_picture(tmp_path / f"{layout[1].format(subset)}/a.png")
    dataset = open_dataset(tmp_path)
    assert dataset.image_files()["path"].to_list() == [f"{layout[1].format(subset)}/a.png" for subset in ("Train", "Validation")]
    assert dataset.images.select("split", "subset").rows() == [("train", "Train"), ("val", "Validation")]
    assert dataset.notes.is_empty()


def test_a_mask_beside_its_file_is_found_and_is_no_picture(tmp_path):
    exported(tmp_path, "default/a.xml", "<object><name>cat</name><id>0</id><segm><mask>a_mask_0.png</mask></segm></object>")
    put_picture(tmp_path / "default/a.png")
    (tmp_path / "default/Masks").mkdir()
    pixels = np.zeros((12, 16), dtype=np.uint8)
    pixels[2:4, 3:8] = 255
    Image.fromarray(pixels).save(tmp_path / "default/Masks/a_mask_0.png")
    dataset = open_dataset(tmp_path)
    assert dataset.annotations.select("kind", "x1", "y1", "x2", "y2").rows() == [("mask", 3, 2, 8, 4)]
    assert len(dataset) == 1
    assert dataset.notes.is_empty()


def test_what_cvat_exported_for_labelme_is_read_without_its_pictures(backups):
    dataset = open_dataset(backups / "09_exports_task.076.LabelMe_3.0.zip")
    assert dataset.annotations["kind"].to_list() == ["box", "polygon", "mask", "box", "mask", "mask", "box", "polygon"]
    assert dataset.annotations["rotation"].to_list() == [0, 0, 0, 30, 0, 0, 0, 0]
    assert dataset.annotations["group"].to_list() == [0, 1, 0, 1, 0, 0, 0, 0]
    assert dataset.image_files()["path"][0] == "Images/Train/img_1.jpg"
    assert dataset.images["split"].unique().to_list() == ["train"]
    assert dict(dataset.attributes.filter(annotation=1).select("name", "value").iter_rows())["plate"] == 'AB 12 <&> "é"'
    assert dataset.notes["kind"].to_list() == ["missing_file"] * 6


def test_deleted_objects_of_the_web_tool_are_left_out_and_told(tmp_path):
    one = "<object><name>{}</name><deleted>{}</deleted><polygon><pt><x>1</x><y>2</y></pt></polygon></object>"
    text = "<annotation><filename>a.png</filename>" + one.format("cat", 0) + one.format("dog", 1) + "</annotation>"
    (tmp_path / "a.xml").write_text(text)
    put_picture(tmp_path / "a.png")
    dataset = labelme.read(tmp_path)
    assert dataset.class_names() == {0: "cat"}
    assert dataset.notes.select("kind", "is_issue", "given").rows() == [("deleted_object", False, "dog")]


def test_real_files_are_read_with_the_pictures_inside(shared_data, tmp_path):
    folder = shared_data / "formats/labelme_json"
    dataset = labelme.read(folder, extract=tmp_path)
    assert labelme.recognise(folder)
    assert (len(dataset), dataset.annotations.height) == (3, 6)
    assert dataset.notes.is_empty()


@pytest.mark.parametrize(
    "other", ["voc_dataset/voc_dataset1", "voc_dataset/voc_dataset2", "coco_dataset/coco", "cvat_dataset", "camvid_dataset"]
)
def test_other_formats_are_not_taken_for_labelme(shared_data, other):
    assert not labelme.recognise(shared_data / "formats/datumaro_fixtures" / other)


def _row(draw: st.DrawFn, kind: str) -> dict:
    number = draw(st.integers(0, 1))
    if kind == "box":
        return box(1, number, draw(boxes()))
    if kind == "ellipse":
        centre, radius = [draw(st.integers(-1000, 1000)) for _ in range(2)], draw(st.integers(1, 99)) / 4
        return {**box(1, number, [centre[0] - radius, centre[1] - radius, centre[0] + radius, centre[1] + radius]), "kind": "ellipse"}
    if kind == "mask":
        flat = draw(st.lists(st.booleans(), min_size=WIDTH * HEIGHT, max_size=WIDTH * HEIGHT).filter(any))
        return mask(1, number, np.array(flat).reshape(HEIGHT, WIDTH))
    least, most = {"polygon": (3, 6), "polyline": (2, 6), "points": (1, 4)}[kind]
    return pointed(1, number, kind, draw(points(least, most)))


@given(plain_names.filter(lambda names: len(names) > 1), st.data())
@settings(max_examples=40, deadline=None)
def test_what_is_written_reads_as_it_was(names, data):
    kinds = data.draw(st.lists(st.sampled_from(["box", "ellipse", "mask", "polygon", "polyline", "points"]), max_size=4))
    rows = [_row(data.draw, kind) for kind in kinds]
    extra = [{"score": data.draw(st.none() | coordinates), "group": data.draw(st.integers(0, 3))} for _ in rows]
    tags = [{"image": 1, "class": 0, "kind": "tag"}] if data.draw(st.booleans()) else []
    with fresh_folders() as (source, target):
        dataset = pictured(source, ["a.png", "b.png"], [*tags, *({**r, **e} for r, e in zip(rows, extra, strict=True))], names)
        values = [
            (a, data.draw(st.sampled_from(["true", "false", "x", "", "null"]))) for a in range(len(tags) + 1, len(rows) + len(tags) + 1)
        ]
        attributes = [{"annotation": a, "name": "n", "value": value} for a, value in values]
        schema = {"annotation": pl.Int64, "name": pl.String, "value": pl.String}
        dataset = dataset.with_tables(attributes=pl.DataFrame(attributes, schema=schema))
        assert labelme.write(dataset, target, media="link").is_empty()
        assert differing(dataset, labelme.read(target)) == []
