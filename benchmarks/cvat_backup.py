"""A CVAT backup with 1,000 frames and 100,000 shapes: to tables and back. To reach: 10 s, 1 GiB."""

from __future__ import annotations

import json
import random
import resource
import tempfile
import time
from pathlib import Path

from burnish.formats.cvat import backup

FRAMES, SHAPES = 1000, 100_000


def main():
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "task"
        make_backup(source)
        began = time.perf_counter()
        dataset = backup.read(source)
        count = dataset.annotations.height
        between = time.perf_counter()
        (Path(folder) / "written").mkdir()
        backup.write(dataset, Path(folder) / "written", media="none")
        ended = time.perf_counter()
        same = json.loads((source / "annotations.json").read_text()) == json.loads((Path(folder) / "written/annotations.json").read_text())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print("| shapes | to tables | back | both | peak memory | equal |\n| --- | --- | --- | --- | --- | --- |")
    print(f"| {count:,} | {between - began:.2f} s | {ended - between:.2f} s | {ended - began:.2f} s | {peak:.0f} MB | {same} |")


def make_backup(folder: Path):
    """Boxes, polygons, tracks and masks in the usual mix, with attributes."""
    draw = random.Random(0)
    (folder / "data").mkdir(parents=True)
    attribute = {"name": "colour", "mutable": False, "input_type": "text", "default_value": "", "values": [""]}
    labels = [{"name": f"class {k}", "color": "#ff0000", "attributes": [attribute], "type": "any", "sublabels": []} for k in range(10)]
    jobs = [
        {"status": "annotation", "type": "annotation", "start_frame": start, "stop_frame": start + 99} for start in range(0, FRAMES, 100)
    ]
    data = {
        "chunk_size": 36,
        "image_quality": 70,
        "start_frame": 0,
        "stop_frame": FRAMES - 1,
        "chunk_type": "imageset",
        "deleted_frames": [],
    }
    task = {
        "name": "large",
        "bug_tracker": "",
        "status": "annotation",
        "subset": "",
        "labels": labels,
        "version": "1.0",
        "data": data,
        "jobs": jobs,
    }
    (folder / "task.json").write_text(json.dumps(task))
    lines = [{"version": "1.1"}, {"type": "images"}]
    lines += [{"name": f"{k:06d}", "extension": ".jpg", "width": 1920, "height": 1080} for k in range(FRAMES)]
    (folder / "data/manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    written = [{"version": 0, "tags": [], "shapes": [], "tracks": []} for _ in jobs]
    for frame in range(FRAMES):
        for _ in range(SHAPES // FRAMES):
            written[frame // 100]["shapes"].append(shape(draw, frame))
    (folder / "annotations.json").write_text(json.dumps(written))


def shape(draw: random.Random, frame: int):
    kind = draw.choices(["rectangle", "polygon", "mask"], [6, 3, 1])[0]
    x, y = draw.uniform(0, 1800), draw.uniform(0, 1000)
    points = {
        "rectangle": lambda: [x, y, x + 50, y + 40],
        "polygon": lambda: [value for _ in range(12) for value in (x + draw.uniform(0, 60), y + draw.uniform(0, 60))],
        "mask": lambda: [0.0, 60.0, 4.0, 36.0, float(int(x)), float(int(y)), float(int(x)) + 9, float(int(y)) + 9],
    }[kind]()
    return {
        "type": kind,
        "occluded": False,
        "outside": False,
        "z_order": 0,
        "rotation": 0.0,
        "points": points,
        "group": 0,
        "source": "manual",
        "frame": frame,
        "attributes": [{"value": "red", "name": "colour"}],
        "score": 1.0,
        "elements": [],
        "label": f"class {draw.randrange(10)}",
    }


if __name__ == "__main__":
    main()
