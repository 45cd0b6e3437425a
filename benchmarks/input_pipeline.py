"""Input pipeline of the five-fold audit: the decoded cache against decoding every epoch, for pictures of one megapixel at 224 x 224.

Run: python benchmarks/input_pipeline.py [FOLDER]     pictures are made in a temporary folder unless one with JPEG files is named.
"""

from __future__ import annotations

import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np

from burnish.engine.map import Engine, ordered_map
from burnish.media.cache import build_cache
from burnish.media.images import encode_jpeg, read_image, resize

PICTURES = 200
SIDES = (864, 1152)  # height and width: 1.0 megapixels
SIZE = (224, 224)
BATCH = 32
FOLDS_EPOCHS = 5 * 20


def main():
    with tempfile.TemporaryDirectory() as folder:
        paths = sorted(Path(sys.argv[1]).glob("*.jpg")) if len(sys.argv) > 1 else make_pictures(Path(folder) / "pictures")
        engine = Engine()
        print(f"{len(paths)} pictures of {SIDES[1]} x {SIDES[0]}, {engine.workers} workers, batches of {BATCH} at {SIZE[0]} x {SIZE[1]}")
        quickly = partial(read_image, size=SIZE)
        full = timed("decode every epoch, full size then scaled", lambda _: consume(decoded(paths, decode_full, engine)))
        quick = timed("decode every epoch, scaled while decoding", lambda _: consume(decoded(paths, quickly, engine)))
        caches = [Path(folder) / f"cache{turn}" for turn in range(3)]
        build = timed("build the cache (first epoch)", lambda turn: build_cache(paths, SIZE, caches[turn], engine=engine))
        cache = build_cache(paths, SIZE, caches[0], engine=engine)
        order = np.random.default_rng(0).permutation(len(paths))
        epoch = timed("a later epoch from the cache, shuffled", lambda _: consume(cached(cache, order)))
        gain = f"{full / epoch:,.0f} x against full decoding, {quick / epoch:,.0f} x against scaled decoding"
        print(f"from the second epoch on: {gain} (bar: 10 x)")
        print(f"building takes {build / quick:.2f} of one pass of scaled decoding, {build / full:.2f} of one of full decoding (bar: 1)")
        total = build + epoch * FOLDS_EPOCHS
        print(f"input of 5 folds x 20 epochs: {quick * FOLDS_EPOCHS:.0f} s decoding every epoch, {total:.1f} s with the cache")


def make_pictures(folder):
    """Pictures with the detail of photographs: noise at all scales, which costs a decoder what photographs do."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    paths = [folder / f"{number:04d}.jpg" for number in range(PICTURES)]
    for path in paths:
        layers = [resize(rng.integers(0, 256, (SIDES[0] >> s, SIDES[1] >> s, 3), np.uint8), SIDES).astype(np.float32) for s in (7, 5, 3, 1)]
        mixed = np.average(layers, axis=0, weights=(8, 4, 2, 1))
        path.write_bytes(encode_jpeg(np.rint(mixed).astype(np.uint8), 90))
    return paths


def decode_full(path):
    return resize(read_image(path), SIZE)


def decoded(paths, decode, engine):
    batch = []
    for picture in ordered_map(decode, paths, engine=engine):
        batch.append(picture)
        if len(batch) == BATCH:
            yield np.stack(batch)
            batch = []
    if batch:
        yield np.stack(batch)


def cached(cache, order):
    for start in range(0, len(order), BATCH):
        yield cache.pixels[order[start : start + BATCH]]


def consume(batches):
    return sum(int(batch[:, 0, 0, 0].sum()) for batch in batches)


def timed(label, work):
    """The best of three, in seconds."""
    spent = []
    for turn in range(3):
        began = time.perf_counter()
        work(turn)
        spent.append(time.perf_counter() - began)
    print(f"  {label:45s} {min(spent):8.4f} s", flush=True)
    return min(spent)


if __name__ == "__main__":
    main()
