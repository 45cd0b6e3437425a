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


def refined_sets(root: Path, **settings):
    """Prepared sets N of 8 hand-drawn and 6 weak pictures, and the set N_H1, in which columns 10, 11, 14 and 15 of each box are sure."""
    import burnish  # noqa: PLC0415 - other builders need no package
    from burnish.engine.map import Engine  # noqa: PLC0415
    from burnish.refine.hybrid_set import make_hybrid_set  # noqa: PLC0415
    from burnish.refine.merging import Improver  # noqa: PLC0415
    from burnish.refine.prepare import prepare  # noqa: PLC0415
    from burnish.refine.prepared import open_sets  # noqa: PLC0415
    from burnish.refine.settings import HybridSetConfig  # noqa: PLC0415

    def stripes(pictures):
        maps = [np.full((1, *picture.shape[:2]), 0.05, np.float32) for picture in pictures]
        for one in maps:
            one[:, :, [10, 11, 14, 15]] = 0.95
        return maps

    one = Engine(jobs=1)
    prepare(burnish.open(seed_dataset(root / "N", hand=8, weak=6)), engine=one).save(root)
    sets = open_sets(root, "N")
    config = HybridSetConfig.make(**{"copies": 1, **settings})
    return sets, make_hybrid_set(sets, Improver(stripes, "stripes, version 1"), config, engine=one)
