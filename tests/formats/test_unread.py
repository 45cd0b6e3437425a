"""Layouts that are known by sight: refused by name rather than taken for something else."""

import pytest
from format_builders import put_picture

from burnish.errors import FormatError
from burnish.formats.recognise import open_dataset, recognise_format

LAYOUTS = {
    "Open Images": {"images/train/a.png": "", "masks/train/a_m0_1.png": "", "annotations/train-annotations-bbox.csv": "ImageID,Source\n"},
    "Cityscapes": {"leftImg8bit/train/a/a_leftImg8bit.png": "", "gtFine/train/a/a_gtFine_labelIds.png": ""},
    "WIDER FACE": {
        "WIDER_train/images/0--Parade/a.png": "",
        "wider_face_split/wider_face_train_bbx_gt.txt": "0--Parade/a.png\n1\n1 2 3 4\n",
    },
    "VGGFace2": {"train/n0001/a.png": "", "bb_landmark/loose_bb_train.csv": "NAME_ID,X,Y,W,H\n"},
    "Market-1501": {"bounding_box_default/0001_c1s1_000151_01.png": ""},
    "LFW": {"default/images/name/name_0001.png": "", "default/annotations/pairs.txt": "1 1\nname\t1\t2\n"},
    "MOTS": {"train/images/1.png": "", "train/instances/1.png": "", "train/instances/labels.txt": "car\n"},
    "ICDAR": {"train/images/a.png": "", "train/gt_a.txt": '1, 2, 3, 4, "word"\n'},
    "ImageNet lists": {"images/a.png": "", "train.txt": "a 0\n", "synsets.txt": "car\n"},
    "KITTI Raw": {"image_00/data/a.png": "", "tracklet_labels.xml": "<boost_serialization/>"},
    "Supervisely": {"ds0/img/a.png": "", "ds0/ann/a.png.json": '{"objects": []}'},
    "Datumaro": {
        "images/default/a.png": "",
        "annotations/default.json": '{"info": {}, "categories": {"label": {"labels": []}}, "items": []}',
    },
}


def laid_out(root, files):
    for path, text in files.items():
        if text:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        else:
            put_picture(root / path)
    return root


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_that_is_not_read_is_refused_by_name(tmp_path, layout):
    with pytest.raises(FormatError, match=f"laid out as {layout} "):
        recognise_format(laid_out(tmp_path, LAYOUTS[layout]))


def test_its_pictures_are_read_where_that_is_asked_for(tmp_path):
    dataset = open_dataset(laid_out(tmp_path, LAYOUTS["VGGFace2"]), "pictures")
    assert len(dataset) == 1


@pytest.mark.parametrize(
    ("files", "form"),
    [
        (["cat/a.png", "dog/b.png"], "folders"),
        (["train/a.png", "trainannot/a.png"], "masks"),
        (["images/a.png", "masks/a.png"], "masks"),
        (["a.png"], "pictures"),
    ],
)
def test_layouts_that_are_read_are_not_refused(tmp_path, files, form):
    assert recognise_format(laid_out(tmp_path, dict.fromkeys(files, ""))) == form


def test_fixtures_of_another_tool_are_refused_by_name(shared_data):
    fixtures = shared_data / "formats/datumaro_fixtures"
    for folder, layout in (("open_images_dataset/v6", "Open Images"), ("mots_dataset", "MOTS"), ("datumaro_dataset/legacy", "Datumaro")):
        with pytest.raises(FormatError, match=f"laid out as {layout} "):
            recognise_format(fixtures / folder)
