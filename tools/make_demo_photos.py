"""Make examples/bccd_photos out of the BCCD data set: photos of blood with a box around each cell, as a YOLO folder, scaled down.

    python tools/make_demo_photos.py PATH/TO/BCCD examples/bccd_photos

The folder PATH/TO/BCCD holds Annotations/, JPEGImages/ and ImageSets/ (github.com/Shenggan/BCCD_Dataset, MIT licence).
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl
from PIL import Image

import burnish
from burnish.formats.recognise import write_dataset

PHOTOS = {"train": 120, "val": 30}
SIZE = (240, 180)


def main(source: Path, target: Path) -> None:
    """Take the first photos of each split; YOLO's numbers are shares of the picture, so pictures can be scaled under them."""
    dataset = burnish.open(source)
    images = pl.concat([dataset.images.filter(pl.col("split") == split).head(number) for split, number in PHOTOS.items()])
    kept = dataset.with_tables(images=images, annotations=dataset.annotations.filter(pl.col("image").is_in(images["id"].implode())))
    media = dataset.media.filter(pl.col("id").is_in(images["media"].implode()))
    write_dataset(kept.with_tables(media=media), target, "yolo", media="copy")
    for path in target.glob("images/**/*.jpg"):
        with Image.open(path) as photo:
            small = photo.convert("RGB").resize(SIZE, Image.Resampling.LANCZOS)
        path.chmod(0o644)
        small.save(path, quality=80)
    print(f"{sum(1 for _ in target.glob('images/**/*.jpg'))} photos")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
