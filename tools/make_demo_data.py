"""Make examples/bccd_cells out of the BCCD data set: cut-out blood cells, some labels exchanged on purpose and listed in truth.jsonl.

    python tools/make_demo_data.py PATH/TO/BCCD examples/bccd_cells

The folder PATH/TO/BCCD holds Annotations/ and JPEGImages/ (github.com/Shenggan/BCCD_Dataset, MIT licence).
"""

import json
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
from PIL import Image

CELLS_A_CLASS = 240
EXCHANGED = 0.10
SIDE = 64
CLASSES = ("RBC", "WBC", "Platelets")


def main(source: Path, target: Path) -> None:
    """Cut out the cells, exchange some labels, and write pictures, labels.jsonl, truth.jsonl and classes.txt."""
    rng = np.random.default_rng(20261121)
    chosen = [cell for name in CLASSES for cell in sample(cells(source, name), rng)]
    rng.shuffle(chosen)
    (target / "images").mkdir(parents=True, exist_ok=True)
    labels, truth = [], []
    for number, (picture, name, box) in enumerate(chosen):
        path = f"images/{number:04d}.jpg"
        cut_out(source / "JPEGImages" / f"{picture}.jpg", box).save(target / path, quality=90)
        given = str(rng.choice([c for c in CLASSES if c != name])) if rng.random() < EXCHANGED else name
        labels.append({"image": path, "label": given, "group": picture})
        if given != name:
            truth.append({"image": path, "given": given, "true": name})
    write_lines(target / "labels.jsonl", labels)
    write_lines(target / "truth.jsonl", truth)
    (target / "classes.txt").write_text("\n".join(CLASSES) + "\n")
    print(f"{len(labels)} cells, {len(truth)} labels exchanged")


def cells(source: Path, wanted: str) -> list[tuple[str, str, tuple[int, ...]]]:
    """Every cell of one class that is large enough to see: picture, class, box."""
    found = []
    for path in sorted((source / "Annotations").glob("*.xml")):
        for cell in ET.parse(path).iterfind("object"):
            box = tuple(int(cell.findtext(f"bndbox/{key}", "0")) for key in ("xmin", "ymin", "xmax", "ymax"))
            if cell.findtext("name") == wanted and min(box[2] - box[0], box[3] - box[1]) >= 16:
                found.append((path.stem, wanted, box))
    return found


def sample(found: list, rng: np.random.Generator) -> list:
    """Some of them, at random."""
    return [found[i] for i in rng.permutation(len(found))[:CELLS_A_CLASS]]


def cut_out(path: Path, box: tuple[int, ...]) -> Image.Image:
    """A square around the box with a little of what is beside it."""
    x1, y1, x2, y2 = box
    half = max(x2 - x1, y2 - y1) * 0.6
    middle = ((x1 + x2) / 2, (y1 + y2) / 2)
    with Image.open(path) as picture:
        corners = (middle[0] - half, middle[1] - half, middle[0] + half, middle[1] + half)
        return picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=inside(corners, picture.size))


def inside(corners: tuple[float, ...], size: tuple[int, int]) -> tuple[float, float, float, float]:
    """The square moved into the picture."""
    side = min(corners[2] - corners[0], *size)
    left = min(max(corners[0], 0), size[0] - side)
    top = min(max(corners[1], 0), size[1] - side)
    return left, top, left + side, top + side


def write_lines(path: Path, rows: list[dict]) -> None:
    """One JSON object a line."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
