"""A table of 10,000,000 boxes: loading, check and stats, each in a fresh process.

Run: python benchmarks/tables.py [FOLDER]     FOLDER keeps the made dataset (153 MB) for the next run; a temporary one otherwise.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BOXES, PICTURES, CLASSES = 10_000_000, 1_000_000, 80


def main():
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else temporary) / "boxes10m"
        if not folder.exists():
            make(folder)
        print(f"{BOXES:,} boxes on {PICTURES:,} pictures, {CLASSES} classes\n")
        print("| what | wall s | processor s | peak MiB |\n| --- | --- | --- | --- |")
        for job in JOBS:
            done = subprocess.run([sys.executable, __file__, "--job", job, str(folder)], check=True, capture_output=True, text=True)
            print(f"| {job} | {done.stdout.strip()} |", flush=True)


def make(folder):
    import numpy as np
    import polars as pl

    from burnish.data.dataset import make_dataset
    from burnish.formats import versioned

    rng = np.random.default_rng(0)
    x1, y1 = rng.uniform(0, 500, BOXES).round(2), rng.uniform(0, 400, BOXES).round(2)
    ids = np.arange(PICTURES)
    media = pl.DataFrame({"id": ids, "path": pl.Series(ids).cast(pl.String) + ".jpg"})
    split = pl.Series(np.where(ids % 5 == 0, "val", "train"))
    images = pl.DataFrame({"id": ids, "media": ids, "width": np.full(PICTURES, 640), "height": np.full(PICTURES, 480), "split": split})
    boxes = {"x1": x1, "y1": y1, "x2": x1 + rng.uniform(5, 100, BOXES).round(2), "y2": y1 + rng.uniform(5, 60, BOXES).round(2)}
    annotations = pl.DataFrame(
        {
            "id": np.arange(BOXES),
            "image": np.repeat(ids, BOXES // PICTURES),
            "class": rng.integers(0, CLASSES, BOXES),
            "kind": pl.repeat("box", BOXES, eager=True),
            **boxes,
        }
    )
    classes = pl.DataFrame({"id": range(CLASSES), "name": [f"class {n}" for n in range(CLASSES)]})
    dataset = make_dataset(folder.parent, media=media, images=images, annotations=annotations, classes=classes)
    versioned.add_version(dataset, folder, verb="convert")


def load(dataset):
    dataset.table("annotations")


def check(dataset):
    import burnish
    from burnish.inspect.settings import CheckConfig

    burnish.check(dataset, CheckConfig(files=False))


def stats(dataset):
    import burnish

    burnish.stats(dataset)


JOBS = {"load all columns": load, "check": check, "stats": stats}


def job(name, folder):
    began = time.perf_counter()
    import burnish

    JOBS[name](burnish.open(folder))
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(f"{time.perf_counter() - began:.1f} | {used.ru_utime + used.ru_stime:.1f} | {used.ru_maxrss / 1024:.0f}")


if __name__ == "__main__":
    if len(sys.argv) > 2 and sys.argv[1] == "--job":
        job(sys.argv[2], sys.argv[3])
    else:
        main()
