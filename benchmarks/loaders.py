"""The shared cache against a loader for each training: decoding with scaling, the first epoch, four trainings at one time, memory.

Run: python benchmarks/loaders.py [PICTURES]     250 pictures are made in a temporary folder unless another number is given.

The peer is torch's DataLoader over a dataset that decodes with OpenCV and shrinks by areas, which is what most trainings do.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
from input_pipeline import SIDES

from burnish.media.fitting import fitting_decoder, read_fitted
from burnish.media.images import encode_jpeg, resize
from burnish.train.loaders.loader import Loader
from burnish.train.loaders.placement import Placement
from burnish.train.loaders.settings import LoaderConfig
from burnish.train.loaders.sharding import shard_batches
from burnish.train.loaders.shared import share_samples

SIZE = (288, 384)
BATCH = 25
TRIALS = 4
EPOCHS = 4
TURNS = 3


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 250
    with tempfile.TemporaryDirectory() as folder:
        large = make_pictures(Path(folder) / "large", count, SIDES)
        small = make_pictures(Path(folder) / "small", count, (376, 500))
        decoding({"1152 x 864": large[:60], "500 x 376": small[:60]})
        first_epoch(large, Path(folder))
        together(large, Path(folder))


def make_pictures(folder, count, sides):
    """Pictures with the detail of photographs: noise at all scales, which costs a decoder what photographs do."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    paths = [folder / f"{number:04d}.jpg" for number in range(count)]
    layers = [resize(rng.integers(0, 256, (sides[0] >> s, sides[1] >> s, 3), np.uint8), sides).astype(np.float32) for s in (7, 5, 3, 1)]
    mixed = np.rint(np.average(layers, axis=0, weights=(8, 4, 2, 1))).astype(np.uint8)
    for number, path in enumerate(paths):
        path.write_bytes(encode_jpeg(np.roll(mixed, number * 7, axis=(0, 1)), 90))
    return paths


def decoding(kinds):
    print(f"decoding and scaling, one thread, milliseconds of the processor a picture ({fitting_decoder()})")
    for kind, paths in kinds.items():
        for size in ((224, 224), SIZE, (320, 320)):
            theirs, ours = quickest(paths, [partial(with_opencv, size=size), partial(with_burnish, size=size)])
            pairs = [(with_burnish(path, size), with_opencv(path, size)) for path in paths[:10]]
            off = np.mean([np.abs(first.astype(int) - second).mean() for first, second in pairs])
            label = f"{kind} to {size[1]} x {size[0]}"
            print(f"  {label:28s} cv2 {theirs:6.2f}   burnish {ours:6.2f}   {theirs / ours:5.2f} x   mean difference {off:.2f} of 255")


def with_opencv(path, size):
    import cv2

    cv2.setNumThreads(1)
    picture = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    return cv2.resize(picture, size[::-1], interpolation=cv2.INTER_AREA)


def with_burnish(path, size):
    return read_fitted(path, lambda _: size)[0]


def quickest(paths, readers):
    spent = [[], []]
    for _ in range(2 * TURNS):
        for place, read in enumerate(readers):
            began = time.process_time()
            for path in paths:
                read(path)
            spent[place].append(time.process_time() - began)
    return [min(times) / len(paths) * 1e3 for times in spent]


class Decoding:
    """The peer's dataset."""

    def __init__(self, paths):
        self.paths = paths

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, row):
        return with_opencv(self.paths[row], SIZE)


def torch_epochs(paths, _folder, workers, epochs):
    from torch.utils.data import DataLoader

    loader = DataLoader(Decoding(paths), BATCH, shuffle=True, num_workers=workers, persistent_workers=True)
    for _ in range(epochs):
        for batch in loader:
            yield len(batch)


def shared_epochs(paths, folder, workers, epochs):
    import torch

    samples = share_samples(paths, Placement(size=SIZE), folder)
    rows = np.arange(len(paths))
    loader = Loader(
        samples,
        lambda epoch: shard_batches(np.random.default_rng([os.getpid(), epoch]).permutation(rows), BATCH),
        lambda batch: torch.from_numpy(np.stack([sample.picture for sample in batch])),
        config=LoaderConfig(workers=workers),
        name=samples.name,
    )
    for epoch in range(epochs):
        for batch in loader(epoch):
            yield len(batch)


WAYS = {"torch": torch_epochs, "shared": shared_epochs}


def first_epoch(paths, folder):
    for workers in (1, 2):
        best = dict.fromkeys(WAYS, 0.0)
        for turn in range(TURNS):
            for way in WAYS:
                seconds, _, _ = trainings(way, paths, folder / f"first-{workers}-{turn}", count=1, workers=workers, epochs=1)
                best[way] = max(best[way], len(paths) / seconds)
        gain = best["shared"] / best["torch"]
        told = f"torch {best['torch']:,.0f} pictures a second, burnish {best['shared']:,.0f}: {gain:.2f} x"
        print(f"first epoch of one training, {workers} worker(s): {told}")


def together(paths, folder):
    cases = {"torch": ("torch", False), "with building": ("shared", True), "once built": ("shared", False)}
    best = dict.fromkeys(cases, 0.0)
    for turn in range(TURNS):
        for case, (way, fresh) in cases.items():
            cache = folder / (f"together-{turn}" if fresh else "together-0")
            seconds, mapped, own = trainings(way, paths, cache, count=TRIALS, workers=1, epochs=EPOCHS)
            speed = TRIALS * EPOCHS * len(paths) / seconds
            best[case] = max(best[case], speed)
            print(f"  {case:14s} {speed:9,.0f} pictures a second   cache {mapped / 1e6:6.1f} MB   beside it {own / 1e6:7.1f} MB")
    size = len(paths) * SIZE[0] * SIZE[1] * 3 / 1e6
    print(f"{TRIALS} trainings at one time, {EPOCHS} epochs of {len(paths)} pictures to {SIZE[1]} x {SIZE[0]}; one copy is {size:.1f} MB")
    for case in ("with building", "once built"):
        print(f"  {case:14s} {best[case] / best['torch']:6.1f} x of torch")


def trainings(way, paths, cache, *, count, workers, epochs):
    """Seconds from a common start to the last one's end; bytes of memory (PSS) of the cache's map, and of all else."""
    with tempfile.TemporaryDirectory() as meeting:
        command = [sys.executable, __file__, "--train", way, str(paths[0].parent), str(cache), str(workers), str(epochs), meeting]
        children = [subprocess.Popen(command) for _ in range(count)]
        await_files(meeting, "ready", children)
        began = time.perf_counter()
        (Path(meeting) / "go").touch()
        await_files(meeting, "done", children)
        seconds = time.perf_counter() - began
        mapped, own = (sum(parts) for parts in zip(*(memory(child.pid) for child in children), strict=True))
        (Path(meeting) / "leave").touch()
        for child in children:
            if child.wait():
                raise SystemExit(f"a training ended with {child.returncode}")
    return seconds, mapped, own


def await_files(meeting, kind, children):
    while len(list(Path(meeting).glob(f"{kind}-*"))) < len(children):
        if any(child.poll() for child in children):
            raise SystemExit("a training failed")
        time.sleep(0.002)


def memory(process):
    """PSS of the cache's map and of all else, worker processes included."""
    mapped = own = 0
    for one in (process, *children_of(process)):
        cached = False
        for line in Path(f"/proc/{one}/smaps").read_text(encoding="utf-8").splitlines():
            if not line.partition(" ")[0].endswith(":"):
                cached = line.endswith("picture.npy")
            elif line.startswith("Pss:"):
                kilobytes = int(line.split()[1]) * 1024
                mapped, own = (mapped + kilobytes, own) if cached else (mapped, own + kilobytes)
    return mapped, own


def children_of(process):
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii").split()]


def train(way, *rest):
    pictures, cache, workers, epochs, meeting = rest
    import torch
    from torch.utils.data import DataLoader  # noqa: F401 - not a part of what is timed

    torch.set_num_threads(1)
    paths = sorted(Path(pictures).glob("*.jpg"))
    with_opencv(paths[0], SIZE)
    with_burnish(paths[0], SIZE)
    place = Path(meeting)
    (place / f"ready-{os.getpid()}").touch()
    wait_for(place / "go")
    batches = WAYS[way](paths, Path(cache), int(workers), int(epochs))
    left = len(paths) * int(epochs)
    while left:
        left -= next(batches)
    (place / f"done-{os.getpid()}").touch()
    wait_for(place / "leave")
    del batches


def wait_for(path):
    while not path.exists():
        time.sleep(0.002)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--train"]:
        train(*sys.argv[2:])
    else:
        main()
