"""Datasets for refinement: a layout as the segmentation seed has it, and prepared sets."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from builders import write_picture
from PIL import Image

SIZE = (32, 24)
HEADER = "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes"
SQUARE = [[10.0, 6.0], [20.0, 6.0], [20.0, 16.0], [10.0, 16.0]]
BOX = (8, 4, 24, 20)


def via_row(name: str, points: Sequence[Sequence[float]] | None, number: int = 0, count: int = 1) -> str:
    if points is None:
        return f'{name},100,"{{}}",0,0,"{{}}","{{}}"'
    shape = {"name": "polygon", "all_points_x": [x for x, _ in points], "all_points_y": [y for _, y in points]}
    text = json.dumps(shape).replace('"', '""')
    return f'{name},100,"{{}}",{count},{number},"{text}","{{}}"'


def seed_dataset(
    root: Path,
    hand: int = 8,
    weak: int = 6,
    *,
    polygons: Mapping[str, Sequence[Sequence[Sequence[float]]]] | None = None,
    ending: str = "png",
) -> Path:
    """`hand` pictures with a polygon in labels.csv, and `weak` without; every picture has a filled box in masks/."""
    rows = [HEADER]
    for number in range(hand + weak):
        name = f"{number}.jpg"
        write_picture(root / "images" / name, number)
        mask = np.zeros((SIZE[1], SIZE[0]), np.uint8)
        mask[BOX[1] : BOX[3], BOX[0] : BOX[2]] = 255
        write_mask(root / "masks" / f"{number}.{ending}", mask)
        if number < hand:
            drawn = (polygons or {}).get(name, [SQUARE])
            rows += [via_row(name, points, place, len(drawn)) for place, points in enumerate(drawn)]
    (root / "labels.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return root


def write_mask(path: Path, mask: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(mask).save(path, **({"quality": 60} if path.suffix == ".jpg" else {}))


def mask_of(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture)


def names_in(folder: Path) -> set[str]:
    return {path.stem for path in (folder / "images").iterdir()}


def provenance(folder: Path) -> dict:
    return json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
