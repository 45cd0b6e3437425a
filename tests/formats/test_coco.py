import json
import unicodedata

import numpy as np
import polars as pl
import pytest
from format_builders import box, fresh_folders, pictured, put_picture
from hypothesis import given, settings
from hypothesis import strategies as st

from burnish.data.dataset import extra_fields, same_content
from burnish.errors import DataError, FormatError
from burnish.formats import coco
from burnish.formats.coco.shapes import boxes_of, corners_of
from burnish.geometry import rle


def put(folder, annotations, name="instances.json", **top):
    put_picture(folder / "images/a.png")
    whole = {"images": [{"id": 7, "file_name": "a.png", "width": 16, "height": 12}], "categories": [{"id": 3, "name": "car"}], **top}
    path = folder / "annotations" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({**whole, "annotations": annotations}))
    return path


def row(number=1, **fields):
    return {"id": number, "image_id": 7, "category_id": 3, "bbox": [1, 2, 3, 4], "area": 12, "iscrowd": 0, **fields}


@pytest.fixture(scope="module")
def edge(shared_data):
    return coco.read(shared_data / "formats/edge_made_here/coco")


KEPT = {  # number in the file -> kind, corners
    1: ("box", (10, 10, 30, 30)),
    2: ("polygon", (10, 10, 30, 30)),
    3: ("polygon", (10, 10, 30, 30)),
    4: ("mask", (0, 0, 1, 80)),
    5: ("box", (10, 10, 30, 30)),
    6: ("box", (10, 10, 30, 30)),
    7: ("box", (90, 70, 130, 110)),
    8: ("box", (5, 5, 5, 15)),
    9: ("box", (50, 50, 40, 60)),
    10: ("box", (10, 10, 30, 30)),
    12: ("box", (10, 10, 30, 30)),
    13: ("box", (10, 10, 15.5, 15.5)),
    14: ("polygon", (0, 0, 9, 9)),
    15: ("box", (10, 10, 30, 30)),
    16: ("box", (80, 60, 100, 80)),
    17: ("box", (10, 10, 30, 30)),  # the id 1 that stands there twice
}
TOLD = {
    ("bad_polygon", 5),
    ("box_outside", 7),
    ("box_empty", 8),
    ("box_inverted", 9),
    ("unknown_class", 10),
    ("odd_value", 13),
    ("duplicate_id", 17),
}


@pytest.mark.parametrize("number", KEPT)
def test_an_edge_case_is_kept_as_it_stands(edge, number):
    kept = edge.annotations.filter(pl.col("id") == number)
    assert (kept["kind"][0], kept.select("x1", "y1", "x2", "y2").row(0)) == KEPT[number]


def test_edge_cases_are_told_for_what_they_are(edge):
    told = edge.notes.filter(pl.col("annotation").is_not_null())
    assert set(told.select("kind", "annotation").iter_rows()) == TOLD
    assert set(told["path"]) == {"instances.json"}


def test_the_edge_case_of_a_picture_that_is_not_listed_is_told_with_all_its_fields(edge):
    lost = edge.notes.filter(pl.col("kind") == "unknown_image")
    assert json.loads(lost["given"][0])["image_id"] == 404
    assert lost["position"][0] == "annotation 11"


def test_edge_cases_of_pictures_are_kept_and_told(edge):
    told = {(kind, image) for kind, image, a in edge.notes.select("kind", "image", "annotation").iter_rows() if image and not a}
    assert told == {("missing_file", 3), ("size_differs", 5)}
    assert edge.images["id"].to_list() == [1, 2, 3, 1_000_000_000_000, 5]
    assert "images/папка/б в.png" in edge.media["path"]


def test_the_edge_case_of_two_polygons_is_one_object_of_two_parts(edge):
    assert edge.annotations.filter(pl.col("id") == 3)["parts"][0].to_list() == [4, 3]


def test_the_edge_case_of_plain_run_lengths_is_decoded_column_by_column(edge):
    crowd = edge.annotations.filter(pl.col("id") == 4)
    mask = rle.decode(rle.decompress(crowd["mask"][0]), 80, 100)
    assert mask[:, 0].all()
    assert not mask[:, 1:].any()
    assert crowd["crowd"][0]


def test_the_edge_case_of_more_fields_fills_columns(edge):
    assert edge.annotations.filter(pl.col("id") == 15).select("score", "track", "occluded").row(0) == (0.5, 7, True)


def test_the_edge_cases_survive_the_round_trip(edge, tmp_path):
    coco.write(edge, tmp_path / "out")
    assert same_content(edge, coco.read(tmp_path / "out"))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(*[st.floats(-1e5, 1e5)] * 4), min_size=1, max_size=5))
def test_corners_survive_bit_for_bit(rows):
    with fresh_folders() as (source, target):
        drawn = [box(1, 0, (min(a, c), min(b, d), max(a, c), max(b, d))) for a, b, c, d in rows]
        dataset = pictured(source, ["images/a.png"], drawn, ["car"])
        coco.write(dataset, target)
        assert coco.read(target).annotations.equals(dataset.annotations)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(*[st.floats(0, 1e4).map(lambda x: round(x, 2))] * 4), min_size=1, max_size=5))
def test_numbers_of_few_decimals_leave_as_they_came(rows):
    assert boxes_of(corners_of(np.array(rows))).tolist() == [list(row) for row in rows]


def test_unknown_fields_come_back_in_every_table(tmp_path):
    top = {
        "info": {"year": 2026},
        "images": [{"id": 7, "file_name": "a.png", "width": 16, "height": 12, "licence": [1, {"x": None}]}],
        "categories": [{"id": 3, "name": "car", "odd": {"a": 1}}],
    }
    path = put(tmp_path / "in", [row(weird={"deep": [1.5, "ü"]}, area=99.5)], **top)
    dataset = coco.read(path)
    assert extra_fields(dataset, "coco", "annotations") == {1: {"weird": {"deep": [1.5, "ü"]}, "area": 99.5}}
    coco.write(dataset, tmp_path / "out")
    again = coco.read(tmp_path / "out")
    for table in ("dataset", "images", "classes", "annotations"):
        assert extra_fields(again, "coco", table) == extra_fields(dataset, "coco", table) != {}


def test_fields_that_only_later_pieces_of_a_long_file_have_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr("burnish.formats.coco.records._PIECE", 400)
    rows = [row(n, note='}, {"id": 1', segmentation={"size": [12, 16], "counts": [192]}) if n == 20 else row(n) for n in range(1, 31)]
    dataset = coco.read(put(tmp_path, rows))
    assert dataset.annotations["id"].to_list() == list(range(1, 31))
    assert extra_fields(dataset, "coco", "annotations") == {20: {"note": '}, {"id": 1', "area": 12.0}}


def test_an_odd_row_does_not_cost_the_others_their_place(tmp_path, monkeypatch):
    monkeypatch.setattr("burnish.formats.coco.records._PIECE", 400)
    dataset = coco.read(put(tmp_path, [row(n, bbox=["1", 2, 3, 4] if n == 17 else [n, 2, 3, 4]) for n in range(1, 31)]))
    assert dataset.annotations["x1"].to_list() == [1.0 if n == 17 else float(n) for n in range(1, 31)]
    assert dataset.notes.filter(pl.col("kind") == "odd_value")["annotation"].to_list() == [17]


@pytest.mark.parametrize("odd", [[1, 2, 3], "1 2 3 4", [1, 2, 3, 4, 5], {"x": 1}])
def test_a_box_that_is_none_is_kept_aside_and_told(tmp_path, odd):
    dataset = coco.read(put(tmp_path, [row(bbox=odd)]))
    assert extra_fields(dataset, "coco", "annotations")[1]["bbox (as given)"] == odd
    assert "odd_value" in dataset.notes["kind"]


def test_not_a_number_is_told_and_not_kept_as_a_coordinate(tmp_path):
    path = put(tmp_path, [row(bbox=[float("nan"), 1, 2, 3]), row(2)])
    dataset = coco.read(path)
    assert dataset.annotations["x1"].to_list() == [None, 1.0]
    assert dataset.notes["kind"].to_list() == ["odd_value"]


@pytest.mark.parametrize("annotations", [[], None])
def test_a_file_without_annotations_is_a_dataset_without_labels(tmp_path, annotations):
    assert coco.read(put(tmp_path, annotations)).annotations.is_empty()


def test_unknown_fields_written_over_several_lines_are_kept(tmp_path):
    path = put(tmp_path, [row(1, weird={"a": [1, {"b": 2}]}), row(2), row(3, weird=7)])
    path.write_text(json.dumps(json.loads(path.read_text()), indent=1))
    assert extra_fields(coco.read(path), "coco", "annotations") == {1: {"weird": {"a": [1, {"b": 2}]}}, 3: {"weird": 7}}


def test_text_ids_find_their_pictures(tmp_path):
    images = [{"id": "2007_000032", "file_name": "a.png", "width": 16, "height": 12}]
    dataset = coco.read(put(tmp_path, [row(image_id="2007_000032")], images=images))
    assert dataset.annotations["image"].to_list() == dataset.images["id"].to_list()
    assert extra_fields(dataset, "coco", "images") == {dataset.images["id"][0]: {"source_id": "2007_000032"}}


def test_broken_json_is_an_error_with_its_line(tmp_path):
    path = put(tmp_path, [])
    path.write_text('{"images": [],\n "annotations": [}\n')
    with pytest.raises(FormatError, match="line 2"):
        coco.read(path)


def test_a_byte_order_mark_is_passed_over(tmp_path):
    path = put(tmp_path, [row()])
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(coco.read(path).annotations) == 1


def test_a_decomposed_file_name_is_found(tmp_path):
    name = "й.png"
    path = put(tmp_path, [], images=[{"id": 7, "file_name": name, "width": 16, "height": 12}])
    put_picture(tmp_path / "images" / unicodedata.normalize("NFD", name))
    dataset = coco.read(path)
    assert dataset.notes.is_empty()
    assert (tmp_path / dataset.media["path"][0]).is_file()


def test_a_mask_for_another_size_is_kept_aside(tmp_path):
    dataset = coco.read(put(tmp_path, [row(segmentation={"size": [5, 5], "counts": [25]})]))
    assert dataset.annotations.select("kind", "mask").row(0) == ("box", None)
    assert extra_fields(dataset, "coco", "annotations")[1]["segmentation"]["size"] == [5, 5]
    assert "mask_size" in dataset.notes["kind"]


def test_run_lengths_that_do_not_fill_the_picture_are_told(tmp_path):
    dataset = coco.read(put(tmp_path, [row(segmentation={"size": [12, 16], "counts": [3, 4]})]))
    assert dataset.notes["kind"].to_list() == ["bad_mask"]


def test_keypoints_are_a_skeleton_with_names_and_edges_from_zero(tmp_path):
    person = {"id": 3, "name": "person", "keypoints": ["nose", "ear"], "skeleton": [[1, 2]]}
    path = put(
        tmp_path / "in", [row(keypoints=[1, 2, 2, 0, 0, 0], num_keypoints=1, segmentation=[[1, 1, 5, 1, 5, 5]])], categories=[person]
    )
    dataset = coco.read(path)
    assert dataset.annotations.select("kind", "points", "visibility").row(0) == ("skeleton", [1, 2, 0, 0], [2, 0])
    assert json.loads(dataset.classes["skeleton"][0]) == {"points": ["nose", "ear"], "edges": [[0, 1]]}
    coco.write(dataset, tmp_path / "out")
    assert same_content(dataset, coco.read(tmp_path / "out"))


def test_results_take_pictures_and_classes_of_their_reference(tmp_path):
    path = put(tmp_path, [row()])
    results = tmp_path / "results.json"
    results.write_text(json.dumps([{"image_id": 7, "category_id": 3, "bbox": [0, 0, 5, 5], "score": 0.75}]))
    dataset = coco.read(results, reference=path)
    assert dataset.annotations.select("image", "class", "x2", "score").rows() == [(7, 3, 5.0, 0.75)]
    with pytest.raises(FormatError, match="reference="):
        coco.read(results)


def test_columns_that_coco_has_no_field_for_come_back(tmp_path):
    shape = {"image": 1, "class": 0, "kind": "ellipse", "x1": 1.0, "y1": 1.0, "x2": 5.0, "y2": 4.0, "points": [3.0, 2.5, 5.0, 1.0]}
    own = {"rotation": 12.5, "z_order": 2, "group": 3, "source": "auto", "produced_by": "m", "keyframe": False, "outside": True}
    dataset = pictured(tmp_path / "in", ["images/a.png"], [{**shape, **own}], ["car"], split=["fold/1"], scene=["night"])
    findings = coco.write(dataset, tmp_path / "out")
    assert findings["kind"].to_list() == ["approximated"]
    again = coco.read(tmp_path / "out")
    assert again.annotations.equals(dataset.annotations)
    assert again.images.equals(dataset.images)


def test_captions_are_attributes_and_go_to_their_own_file(tmp_path):
    path = put(tmp_path / "in", [{"id": 1, "image_id": 7, "caption": "a car"}], name="captions.json")
    dataset = coco.read(path)
    assert dataset.attributes.select("name", "value").rows() == [("caption", "a car")]
    coco.write(dataset, tmp_path / "out")
    assert [p.name for p in (tmp_path / "out/annotations").iterdir()] == ["labels.json"]
    assert same_content(dataset, coco.read(tmp_path / "out"))


@pytest.mark.filterwarnings("ignore::DeprecationWarning:pycocotools")  # its own, of numpy's copy keyword
def test_pycocotools_reads_what_is_written(tmp_path):
    tool = pytest.importorskip("pycocotools.coco")
    pixels = np.zeros((12, 16), dtype=bool)
    pixels[2:5, 3:9] = True
    counts = rle.compress(rle.encode(pixels)).decode()
    path = put(tmp_path / "in", [row(segmentation={"size": [12, 16], "counts": counts}), row(2, segmentation=[[1, 1, 5, 1, 5, 5]])])
    coco.write(coco.read(path), tmp_path / "out")
    written = tool.COCO(tmp_path / "out/annotations/instances.json")
    assert written.getCatIds() == [3]
    assert np.array_equal(written.annToMask(written.loadAnns([1])[0]).astype(bool), pixels)


def test_an_unknown_task_is_refused(tmp_path):
    with pytest.raises(DataError, match="known are instances"):
        coco.read(put(tmp_path, []), tasks=["instance"])


LAYOUTS = {
    "coco_instances": {"box": 1, "polygon": 1, "mask": 1},
    "coco_roboflow": {"box": 1, "polygon": 1, "mask": 1},
    "mmdet_coco": {"box": 1, "polygon": 1, "mask": 1},
    "coco_stuff": {"mask": 2},
    "coco_panoptic": {"mask": 2, "box": 1},
    "coco_person_keypoints": {"skeleton": 3},
    "coco_labels": {"tag": 3},
    "coco_captions": {"tag": 3},
    "coco_image_info": {},
    "coco": {"box": 1, "polygon": 1, "mask": 6, "skeleton": 3, "tag": 6},
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_of_the_field_is_read_with_its_splits(shared_data, layout):
    dataset = coco.read(shared_data / "formats/datumaro_fixtures/coco_dataset" / layout)
    assert dict(dataset.annotations["kind"].value_counts().iter_rows()) == LAYOUTS[layout]
    assert dataset.images["split"].to_list() == ["train", "val"]
    assert not set(dataset.notes["kind"]) & {"missing_file", "unknown_image", "bad_polygon"}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_of_the_field_survives_the_round_trip(shared_data, layout):
    with fresh_folders() as (_, target):
        dataset = coco.read(shared_data / "formats/datumaro_fixtures/coco_dataset" / layout, tasks=None)
        coco.write(dataset, target)
        again = coco.read(target)
        for table in ("images", "classes"):
            assert again.table(table).equals(dataset.table(table))
        assert again.annotations.sort("id").equals(dataset.annotations.sort("id"))
