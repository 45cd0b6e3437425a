"""Near duplicates: recall and false pairs beside a plain perceptual hash (pHash, distance at most 10), and the time for 100,000 pictures.

Run: python benchmarks/duplicates.py [DATA]     DATA defaults to ../shared/data beside the repository.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from scipy.fft import dctn, idctn

from burnish.media.hashing import PRINT_SIZE, PictureHashes, hash_pictures, picture_print
from burnish.media.images import encode_jpeg, encode_png, read_image
from burnish.similarity.duplicates import find_duplicates

DATA = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2] / "shared" / "data"
MOST = 500  # pictures taken of each set
PHASH_DISTANCE = 10


def main():
    print("copies of real pictures: recall of the copy, and pairs found that are no copies")
    print(f"{'set':9s} {'change':16s} {'n':>4s}  {'burnish recall':>14s} {'false':>6s}  {'pHash@10 recall':>15s} {'false':>6s}")
    for name, paths in picture_sets().items():
        for change, (how, suffix) in CHANGES.items():
            row = measure_copies(paths[:MOST], how, suffix)
            print(f"{name:9s} {change:16s} {row[0]:4d}  {row[1]:14.3f} {row[2]:6d}  {row[3]:15.3f} {row[4]:6d}", flush=True)
    measure_groups()
    measure_hashing(picture_sets()["bccd"])
    measure_scale(100_000)


def picture_sets():
    return {
        "bccd": sorted((DATA / "bccd/JPEGImages").glob("*.jpg")),
        "nuclei": sorted((DATA / "nuclei").rglob("images/*.png")),
        "cifar10n": sorted((DATA / "cifar10n/images").iterdir()),
        "magtile": magtile()[0],
    }


def magtile():
    rows = [json.loads(line) for line in (DATA / "magtile/labels.jsonl").read_text().splitlines()]
    return [DATA / "magtile" / row["image"] for row in rows], np.array([row["group"] for row in rows])


def cropped(pixels):
    height, width = pixels.shape[:2]
    return pixels[max(1, round(height * 0.03)) :, max(1, round(width * 0.03)) :]


def halved(pixels):
    return cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)


CHANGES = {
    "JPEG q50": (lambda pixels: encode_jpeg(pixels, 50), ".jpg"),
    "scaled 0.5": (lambda pixels: encode_png(halved(pixels)), ".png"),
    "mirrored": (lambda pixels: encode_jpeg(pixels[:, ::-1]), ".jpg"),
    "turned by 90": (lambda pixels: encode_jpeg(np.rot90(pixels)), ".jpg"),
    "cropped by 3 %": (lambda pixels: encode_png(cropped(pixels)), ".png"),
    "all of these": (lambda pixels: encode_jpeg(np.rot90(halved(cropped(pixels[:, ::-1]))), 50), ".jpg"),
}


def measure_copies(paths, how, suffix):
    with tempfile.TemporaryDirectory() as folder:
        copies = [Path(folder) / f"{number}{suffix}" for number in range(len(paths))]
        for path, copy in zip(paths, copies, strict=True):
            copy.write_bytes(how(read_image(path)))
        hashes = hash_pictures([*paths, *copies])
        grey = np.stack([read_image(path, mode="grey8", size=(PRINT_SIZE, PRINT_SIZE)) for path in [*paths, *copies]])
    known = find_duplicates(first_of(hashes, len(paths)))  # real near copies within the set are no mistakes
    count, wanted = len(paths), set(known.pairs.select("a", "b").iter_rows())
    ours = set(find_duplicates(hashes).pairs.select("a", "b").iter_rows())
    theirs = phash_pairs(grey)
    return count, *(number for pairs in (ours, theirs) for number in score(pairs, count, wanted))


def score(pairs, count, wanted):
    found = sum((number, number + count) in pairs for number in range(count))
    excused = {tuple(sorted((a % count, b % count))) for a, b in pairs if a % count != b % count} - wanted
    return found / count, len(excused)


def first_of(hashes, count):
    return PictureHashes(**{field.name: getattr(hashes, field.name)[:count] for field in dataclasses.fields(hashes)})


def phash_pairs(grey):
    """The usual 64-bit pHash: 8 x 8 lowest DCT coefficients above their median; Hamming distance at most 10."""
    low = dctn(grey.astype(np.float64), axes=(1, 2))[:, :8, :8].reshape(len(grey), -1)
    bits = low > np.median(low, axis=1, keepdims=True)
    packed = np.packbits(bits, axis=1).view(np.uint64)[:, 0]
    pairs = set()
    for index, code in enumerate(packed):
        near = np.flatnonzero(np.bitwise_count(packed[index + 1 :] ^ code) <= PHASH_DISTANCE) + index + 1
        pairs.update((index, int(other)) for other in near)
    return pairs


def measure_groups():
    paths, groups = magtile()
    first, second = np.triu_indices(len(paths), 1)
    truth = {(int(a), int(b)) for a, b in zip(first, second, strict=True) if groups[a] == groups[b]}
    result = find_duplicates(hash_pictures(paths))
    ours = set(result.pairs.select("a", "b").iter_rows())
    theirs = phash_pairs(np.stack([read_image(path, mode="grey8", size=(PRINT_SIZE, PRINT_SIZE)) for path in paths]))
    print(f"\nmagtile, photos of one tile under different light ({len(truth)} pairs):")
    for name, pairs in (("burnish", ours), ("pHash@10", theirs)):
        print(f"  {name:8s} recall {len(pairs & truth) / len(truth):.3f}, {len(pairs - truth)} pairs beyond the listed groups")
    print(f"  (burnish: similarity >= {result.threshold:.3f}, at most {result.expected_false:.2f} false pairs expected)")


def measure_hashing(paths):
    pixels = [read_image(path) for path in paths[:50]]
    began = time.perf_counter()
    for picture in pixels:
        picture_print(picture)
    spent = (time.perf_counter() - began) / len(pixels) * 1e3
    print(f"\nprint of a {pixels[0].shape[1]} x {pixels[0].shape[0]} picture: {spent:.2f} ms beyond decoding")


def measure_scale(count, planted=1000):
    """Prints with the spectrum of natural pictures (amplitude 1/f), some of them cropped and turned copies of others."""
    rng = np.random.default_rng(0)
    prints = np.concatenate([natural_prints(rng, min(10_000, count - done)) for done in range(0, count, 10_000)])
    for number in range(planted):
        copy = cv2.resize(prints[number][1:, 1:], (PRINT_SIZE, PRINT_SIZE), interpolation=cv2.INTER_LINEAR)
        prints[count - 1 - number] = np.rot90(copy, number % 4)
    names = tuple(str(number) for number in range(count))
    zeros = np.zeros(count)
    hashes = PictureHashes(names, names, prints, np.ones((count, 2), np.int64), zeros, zeros, zeros, ("",) * count)
    began = time.perf_counter()
    result = find_duplicates(hashes)
    spent = time.perf_counter() - began
    found = {(a, b) for a, b in result.pairs.select("a", "b").iter_rows()}
    truth = {(number, count - 1 - number) for number in range(planted)}
    print(
        f"{count:,} prints: {spent:.1f} s; {len(found & truth)} of {planted} planted copies (cropped by 3 %, turned), "
        f"{len(found - truth)} false pairs, similarity >= {result.threshold:.3f}"
    )


def natural_prints(rng, count):
    across = np.arange(PRINT_SIZE)
    amplitude = 1 / np.maximum(np.hypot(across[:, None], across[None, :]), 1)
    waves = rng.standard_normal((count, PRINT_SIZE, PRINT_SIZE)) * amplitude * 400
    waves[:, 0, 0] = 128 * PRINT_SIZE
    return np.clip(idctn(waves, axes=(1, 2), norm="ortho"), 0, 255).astype(np.uint8)


if __name__ == "__main__":
    main()
