"""COCO of a million boxes to tables beside pycocotools; COCO and tables to YOLO beside supervision.

Run: python benchmarks/formats.py [BOXES [PICTURES]]     1,000,000 boxes for COCO, and 20,000 pictures of 10 boxes for YOLO

Every measurement is a process of its own, so that none inherits another's memory; libraries are loaded before the clock starts. The two
sides take turns, and the best of three counts. CPU seconds stand beside the wall clock, because other work on the machine slows that.

Fairness: pycocotools reads and indexes (`COCO(file)`); burnish reads to tables, keeps every field, looks for the pictures (there are
none) and checks all boxes. supervision cannot write YOLO labels without decoding each picture, for its size; so it is measured with
pictures of 640 x 480 as it is, and with pictures of 16 x 12, where decoding costs next to nothing. Neither side copies pictures.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

ROUNDS = 2


def main():
    if sys.argv[1:2] == ["measure"]:
        measure(sys.argv[2], Path(sys.argv[3]))
        return
    boxes, pictures = (int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000), (int(sys.argv[2]) if len(sys.argv) > 2 else 20_000)
    with tempfile.TemporaryDirectory() as folder:
        print("| what | burnish | other | times faster (wall) | times faster (CPU) | peak memory |\n| --- | --- | --- | --- | --- | --- |")
        for name, odd in (("as COCO writes it", False), ("with two unknown fields in each annotation", True)):
            path = Path(folder) / "large.json"
            path.write_bytes(coco_text(boxes, boxes // 10, odd=odd))
            compare(f"COCO {boxes:,} boxes to tables, {name} (pycocotools)", "coco-burnish", "coco-pycocotools", path)
            path.unlink()
        for size in ((640, 480), (16, 12)):
            place = Path(folder) / f"{size[0]}"
            make_pictures(place, pictures, size)
            label = f"{pictures:,} pictures of {size[0]} x {size[1]}, 10 boxes each"
            compare(f"COCO to YOLO, {label} (supervision)", "convert-burnish", "convert-supervision", place)
            compare(f"tables to YOLO, {label} (supervision)", "write-burnish", "write-supervision", place)
            compare(f"YOLO read and write, {label} (supervision)", "yolo-burnish", "yolo-supervision", place)


def compare(what, ours, other, path):
    runs = {name: [] for name in (ours, other)}
    for _ in range(ROUNDS):
        for name, found in runs.items():
            child = subprocess.run([sys.executable, __file__, "measure", name, str(path)], check=True, capture_output=True, text=True)
            found.append(json.loads(child.stdout.splitlines()[-1]))
    best = {name: {key: min(run[key] for run in found) for key in ("wall", "cpu", "memory")} for name, found in runs.items()}
    mine, theirs = best[ours], best[other]
    times = [f"{b['wall']:.2f} s ({b['cpu']:.2f} s CPU)" for b in (mine, theirs)]
    ratios = [f"{theirs[key] / mine[key]:.1f}" for key in ("wall", "cpu")]
    print(f"| {what} | {' | '.join(times + ratios)} | {mine['memory']:,.0f} / {theirs['memory']:,.0f} MB |", flush=True)


def measure(name, path):
    prepare, run = WAYS[name]
    state = prepare(path)
    with tempfile.TemporaryDirectory(dir=path.parent) as out:
        wall, cpu = time.perf_counter(), time.process_time()
        run(state, Path(out) / "yolo")
        spent = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    print(json.dumps({**spent, "memory": int(peak.split()[1]) / 1024}))


def coco_text(boxes, pictures, size=(640, 480), *, odd=False):
    """A COCO file with random boxes to two decimals, as detection sets have them; pictures carry COCO's usual five further fields."""
    rng = random.Random(0)
    width, height = size
    address = "http://images.example.org/train2017/{:012d}.jpg"
    images = [
        {"license": 3, "file_name": f"{i:012d}.jpg", "coco_url": address.format(i), "height": height, "width": width}
        | {"date_captured": "2013-11-14 11:18:45", "flickr_url": address.format(i), "id": i}
        for i in range(1, pictures + 1)
    ]
    annotations = []
    for number in range(1, boxes + 1):
        w, h = rng.uniform(width / 50, width / 2), rng.uniform(height / 50, height / 2)
        box = [round(v, 2) for v in (rng.uniform(0, width - w), rng.uniform(0, height - h), w, h)]
        row = {"segmentation": [], "area": round(box[2] * box[3], 4), "iscrowd": 0, "image_id": (number - 1) * pictures // boxes + 1}
        row |= {"bbox": box, "category_id": rng.randint(1, 80), "id": number}
        annotations.append(row | ({"reviewer": f"person {number % 7}", "history": [number % 3, {"ok": True}]} if odd else {}))
    categories = [{"supercategory": "thing", "id": n, "name": f"class {n}"} for n in range(1, 81)]
    whole = {"info": {}, "licenses": [], "images": images, "annotations": annotations, "categories": categories}
    return json.dumps(whole).encode()


def make_pictures(folder, count, size):
    """The same noise picture under many names (hard links), its COCO file and its YOLO labels."""
    (folder / "images").mkdir(parents=True)
    first = folder / "first.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)).save(first, quality=50)
    for number in range(1, count + 1):
        os.link(first, folder / "images" / f"{number:012d}.jpg")
    first.unlink()
    (folder / "coco.json").write_bytes(coco_text(10 * count, count, size))
    from burnish.formats import coco, yolo

    yolo.write(coco.read(folder / "coco.json"), folder, media="none")


def read_coco(path):
    from burnish.formats import coco, yolo

    return yolo, coco.read(path / "coco.json", check_sizes=False)


def convert_burnish(path, out):
    from burnish.formats import coco, yolo

    yolo.write(coco.read(path / "coco.json"), out, media="none")


def convert_supervision(path, out):
    from supervision import DetectionDataset

    dataset = DetectionDataset.from_coco(str(path / "images"), str(path / "coco.json"))
    dataset.as_yolo(annotations_directory_path=str(out / "labels"), data_yaml_path=str(out / "data.yaml"))


def supervision_coco(path):
    from supervision import DetectionDataset

    return DetectionDataset.from_coco(str(path / "images"), str(path / "coco.json"))


def yolo_burnish(path, out):
    from burnish.formats import yolo

    yolo.write(yolo.read(path / "data.yaml"), out, media="none")


def yolo_supervision(path, out):
    from supervision import DetectionDataset

    dataset = DetectionDataset.from_yolo(str(path / "images"), str(path / "labels"), str(path / "data.yaml"))
    dataset.as_yolo(annotations_directory_path=str(out / "labels"), data_yaml_path=str(out / "data.yaml"))


def coco_burnish(path):
    from burnish.formats import coco

    coco.read(path)


def coco_pycocotools(path):
    from pycocotools.coco import COCO

    COCO(path)


def loading(*modules: str):
    """Import what is measured before the clock starts, and hand the path on."""

    def prepare(path):
        for module in modules:
            __import__(module)
        return path

    return prepare


WAYS = {
    "coco-burnish": (loading("burnish.formats.coco"), lambda path, _: coco_burnish(path)),
    "coco-pycocotools": (loading("pycocotools.coco"), lambda path, _: coco_pycocotools(path)),
    "convert-burnish": (loading("burnish.formats.coco", "burnish.formats.yolo"), convert_burnish),
    "convert-supervision": (loading("supervision"), convert_supervision),
    "write-burnish": (read_coco, lambda state, out: state[0].write(state[1], out, media="none")),
    "write-supervision": (
        supervision_coco,
        lambda dataset, out: dataset.as_yolo(annotations_directory_path=str(out / "labels"), data_yaml_path=str(out / "data.yaml")),
    ),
    "yolo-burnish": (loading("burnish.formats.yolo"), yolo_burnish),
    "yolo-supervision": (loading("supervision"), yolo_supervision),
}


if __name__ == "__main__":
    main()
