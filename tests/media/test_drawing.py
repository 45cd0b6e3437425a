import json
from pathlib import Path

import numpy as np
import pytest

from burnish.data import schema, tables
from burnish.data.dataset import make_dataset
from burnish.geometry import rle
from burnish.media.colours import STATUS_COLOURS, class_colour
from burnish.media.drawing import ClassLook, DrawStyle, class_looks, draw_labels

NAMES = ("клетка", "crack")
PLAIN = DrawStyle(captions=False, least_side=1)
BOX = {"x1": 20.0, "y1": 30.0, "x2": 80.0, "y2": 60.0}
SKELETON = json.dumps({"points": ["a", "b", "c"], "edges": [[0, 1], [1, 2]]})


def dataset(*rows, classes=None):
    return make_dataset(
        Path(),
        media=tables.from_rows(schema.MEDIA, [{"id": 1, "path": "a.png"}]),
        images=tables.from_rows(schema.IMAGES, [{"id": 1, "media": 1, "width": 100, "height": 100}]),
        annotations=tables.from_rows(schema.ANNOTATIONS, [{"id": n, "image": 1, "class": 0, **row} for n, row in enumerate(rows)]),
        classes=tables.from_rows(schema.CLASSES, classes or [{"id": n, "name": name} for n, name in enumerate(NAMES)]),
    )


def drawn(*rows, style=PLAIN, classes=None, image=None):
    data = dataset(*rows, classes=classes)
    picture = np.zeros((100, 100, 3), np.uint8) if image is None else image
    return draw_labels(picture, data.labels(1), class_looks(data), style=style)


def near(pixel, colour):
    return np.abs(pixel.astype(int) - colour).max() < 40  # a line is soft at its edges


def mask_row(mask):
    return {"kind": "mask", "mask": rle.compress(rle.encode(mask)), **BOX}


ROWS = {
    "box": {"kind": "box", **BOX},
    "turned box": {"kind": "box", "rotation": 30.0, **BOX},
    "polygon": {"kind": "polygon", "points": [20.0, 30, 80, 30, 80, 60], **BOX},
    "polygon with a hole": {"kind": "polygon", "points": [20.0, 30, 80, 30, 80, 60, 70, 40, 75, 40, 75, 45], "parts": [3, 3], **BOX},
    "polyline": {"kind": "polyline", "points": [20.0, 30, 80, 60], **BOX},
    "points": {"kind": "points", "points": [20.0, 30, 80, 60], **BOX},
    "ellipse": {"kind": "ellipse", "rotation": 10.0, **BOX},
    "mask": mask_row(np.pad(np.ones((30, 60), np.bool_), ((30, 40), (20, 20)))),
    "skeleton": {"kind": "skeleton", "points": [20.0, 30, 80, 60, 50, 50], "visibility": [2, 1, 0], **BOX},
    "cuboid": {"kind": "cuboid", "points": [20.0, 30, 20, 60, 60, 30, 60, 60, 80, 35, 80, 55, 40, 35, 40, 55], **BOX},
}


@pytest.mark.parametrize("kind", ROWS)
def test_every_kind_is_drawn_in_the_colour_of_its_class(kind):
    pixels = drawn(ROWS[kind], classes=[{"id": 0, "name": "a", "colour": "#ff0000", "skeleton": SKELETON}])
    assert (pixels[..., 0] > 200).any()
    assert not pixels[90:, 90:].any()


@pytest.mark.parametrize("kind", ROWS)
def test_every_kind_has_a_caption_with_class_track_and_score(kind):
    bare = drawn(ROWS[kind], style=DrawStyle(captions=False, least_side=400))
    full = drawn({**ROWS[kind], "score": 0.5, "track": 3}, style=DrawStyle(least_side=400))
    assert (bare != full).any()


def test_a_tag_stands_in_the_corner():
    pixels = drawn({"kind": "tag"}, style=DrawStyle(least_side=400))
    assert pixels[:10, :10].any()
    assert not pixels[200:].any()


def test_the_picture_itself_is_not_changed():
    image = np.zeros((100, 100, 3), np.uint8)
    drawn(ROWS["box"], image=image)
    assert not image.any()


def test_a_hidden_skeleton_point_is_not_drawn():
    pixels = drawn(ROWS["skeleton"], classes=[{"id": 0, "name": "a", "skeleton": SKELETON}])
    assert not pixels[48:53, 38:40].any()
    assert pixels[30, 20].any()


@pytest.mark.parametrize("shape", [(32, 32), (32, 32, 3), (1, 1, 3), (7, 500, 3), (3000, 4000, 3)])
def test_pictures_of_every_size_are_drawn_on(shape):
    pixels = drawn(ROWS["box"], {"kind": "tag", "score": 0.7}, image=np.zeros(shape, np.uint8), style=DrawStyle())
    assert pixels.ndim == 3
    assert max(pixels.shape[:2]) >= 300
    assert pixels.any()


def test_a_small_picture_is_enlarged_with_its_labels():
    pixels = drawn(
        {"kind": "box", "x1": 8.0, "y1": 8.0, "x2": 24.0, "y2": 24.0}, image=np.zeros((32, 32), np.uint8), style=DrawStyle(captions=False)
    )
    ys, xs = np.nonzero(pixels.any(axis=2))
    assert pixels.shape == (320, 320, 3)
    assert abs(ys.min() - 80) <= 2
    assert abs(xs.max() - 240) <= 2


def test_a_small_object_lies_over_a_large_one():
    small = {"kind": "box", "class": 1, "x1": 20.0, "y1": 40.0, "x2": 30.0, "y2": 50.0}
    pixels = drawn(small, ROWS["box"])
    assert near(pixels[45, 20], class_colour("crack"))


def test_many_captions_give_way_to_a_legend_with_counts():
    boxes = [{"kind": "box", "x1": n, "y1": 50.0, "x2": n + 1.0, "y2": 53.0} for n in map(float, range(60))]
    pixels = drawn(*boxes, style=DrawStyle(least_side=400))
    assert pixels[:10, :10].any()  # the legend in the corner
    assert not pixels[120:180].any()  # no captions above the boxes


def test_status_colours_are_drawn_when_asked():
    classes = [{"id": 0, "name": "a", "status": "forbidden"}]
    pixels = drawn(ROWS["box"], classes=classes, style=DrawStyle(captions=False, least_side=1, by_status=True))
    assert near(pixels[30, 50], STATUS_COLOURS["forbidden"])


def test_plain_names_and_unknown_classes_can_be_drawn():
    data = dataset(
        ROWS["box"],
        {**ROWS["polygon"], "class": 7},
        {**ROWS["ellipse"], "class": None},
        classes=[{"id": 0, "name": "a"}, {"id": 7, "name": "b"}],
    )
    image = np.zeros((100, 100), np.uint8)
    assert draw_labels(image, data.labels(1), {0: "a"}).any()
    assert draw_labels(image, data.labels(1), {0: ClassLook("a", (1, 2, 3))}).any()


def test_a_picture_without_labels_comes_back_as_colour():
    image = np.full((400, 300), 7, np.uint8)
    np.testing.assert_array_equal(drawn(image=image, style=DrawStyle()), np.repeat(image[..., None], 3, axis=2))
