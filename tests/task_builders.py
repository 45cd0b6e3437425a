"""Tiny pictures with objects: coloured squares with their boxes, and drawn figures with their points, as COCO files."""

import json

import cv2
import numpy as np
from PIL import Image

COLOURS = {"yellow": (235, 220, 60), "blue": (30, 50, 200)}
POINTS = ("head", "left_foot", "right_foot")
EDGES = ((0, 1), (0, 2))


def write_squares(folder, count, *, seed=0, size=(64, 64), most=2, crowd=False, split="train"):
    """Squares of two colours on dark noise; every fourth picture is empty. Returns the folder."""
    rng = np.random.default_rng(seed)
    objects, pictures = [], []
    for number in range(count):
        height, width = size
        pixels = rng.integers(0, 50, (height, width, 3))
        left = 0
        for place in range(0 if number % 4 == 3 else int(rng.integers(1, most + 1))):
            side = int(rng.integers(height // 4, height // 2))
            x = int(rng.integers(left, max(min(left + width // most, width) - side, left) + 1))
            y = int(rng.integers(0, height - side))
            name = int(rng.integers(0, 2))
            pixels[y : y + side, x : x + side] = [*COLOURS.values()][name]
            objects.append(_object(len(objects), number, name + 1, [x, y, side, side], iscrowd=int(crowd and place == 0)))
            left += width // most
        pictures.append(_save(folder, split, number, pixels))
    return _write(folder, split, pictures, objects, [{"id": n + 1, "name": name} for n, name in enumerate(COLOURS)])


def write_figures(folder, count, *, seed=0, size=(64, 64), each=1, split="train"):
    """Figures of a white head with a red left and a green right foot, joined by lines; `each` a picture, side by side."""
    rng = np.random.default_rng(seed)
    objects, pictures = [], []
    for number in range(count):
        height, width = size
        pixels = np.ascontiguousarray(rng.integers(0, 50, (height, width, 3)).astype(np.uint8))
        for place in range(each):
            room = width // each
            middle = np.array([place * room + room / 2, height / 2]) + rng.uniform(-0.1, 0.1, 2) * room
            reach = rng.uniform(0.22, 0.3) * min(room, height)
            points = middle + reach * (np.array([[0, -1], [0.8, 0.9], [-0.8, 0.9]]) + rng.uniform(-0.15, 0.15, (3, 2)))
            _figure(pixels, points, max(round(reach / 6), 2))
            low, high = points.min(0) - 3, points.max(0) + 3
            told = [value for x, y in points for value in (float(x), float(y), 2)]
            objects.append(_object(len(objects), number, 1, [*low, *(high - low)], keypoints=told, num_keypoints=3))
        pictures.append(_save(folder, split, number, pixels))
    edges = [[one + 1, other + 1] for one, other in EDGES]
    return _write(folder, split, pictures, objects, [{"id": 1, "name": "figure", "keypoints": list(POINTS), "skeleton": edges}])


def _figure(pixels, points, radius):
    places = [tuple(np.floor(point).astype(int).tolist()) for point in points]
    for one, other in EDGES:
        cv2.line(pixels, places[one], places[other], (120, 120, 120), 1)
    for place, colour in zip(places, ((255, 255, 255), (230, 30, 30), (30, 230, 30)), strict=True):
        cv2.circle(pixels, place, radius, colour, -1)


def _object(number, picture, category, box, **more):
    box = [float(value) for value in box]
    return {"id": number + 1, "image_id": picture, "category_id": category, "bbox": box, "area": box[2] * box[3], "iscrowd": 0, **more}


def _save(folder, split, number, pixels):
    place = folder / split
    place.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.astype(np.uint8)).save(place / f"{number}.png")
    return {"id": number, "file_name": f"{split}/{number}.png", "width": pixels.shape[1], "height": pixels.shape[0]}


def _write(folder, split, pictures, objects, categories):
    path = folder / f"{split}.json"
    path.write_text(json.dumps({"images": pictures, "annotations": objects, "categories": categories}))
    return path
