"""Run the benchmarks one after another and print one document: the machine, the versions, and each table.

Run: python benchmarks/all.py [NAME ...]     for instance: python benchmarks/all.py startup tables
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

HERE = Path(__file__).parent
COMMANDS = {
    "startup": ["startup.py"],
    "audit_cifar10n": ["audit_cifar10n.py"],
    "label_issues": ["label_issues.py", "speed"],
    "input_pipeline": ["input_pipeline.py"],
    "formats": ["formats.py"],
    "tables": ["tables.py"],
    "duplicates": ["duplicates.py"],
    "cvat_backup": ["cvat_backup.py"],
    "tracks": ["tracks.py"],
    "video": ["video.py"],
    "loop": ["loop.py"],
    "loaders": ["loaders.py"],
    "losses": ["losses.py"],
    "augmentations": ["augmentations.py"],
    "balance": ["balance.py"],
}
PACKAGES = (
    "burnish",
    "numpy",
    "scipy",
    "polars",
    "opencv-python-headless",
    "pillow",
    "simplejpeg",
    "orjson",
    "msgspec",
    "torch",
    "cleanlab",
    "pycocotools",
    "supervision",
    "av",
    "imageio-ffmpeg",
    "segmentation-models-pytorch",
    "monai",
    "kornia",
    "torchmetrics",
    "faster-coco-eval",
)


def main():
    chosen = sys.argv[1:] or list(COMMANDS)
    unknown = [name for name in chosen if name not in COMMANDS]
    if unknown:
        sys.exit(f"No benchmark is called {unknown[0]}; known: {', '.join(COMMANDS)}.")
    print(machine())
    for name in chosen:
        run(name)


def run(name):
    print(f"\n## {name}\n", flush=True)
    began = time.perf_counter()
    done = subprocess.run([sys.executable, str(HERE / COMMANDS[name][0]), *COMMANDS[name][1:]], check=False, capture_output=True, text=True)
    print(done.stdout.strip() if done.returncode == 0 else f"Not measured: {(done.stderr.strip() or 'no reason given').splitlines()[-1]}")
    print(f"\n(took {time.perf_counter() - began:.0f} s)", flush=True)


def machine():
    cores = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    names = [line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    told = f"{names[0] if names else platform.processor()}, {cores} cores, {memory:.0f} GiB; Python {platform.python_version()}"
    return f"{told}; load {os.getloadavg()[0]:.1f}\n\n{', '.join(filter(None, map(with_version, PACKAGES)))}"


def with_version(package):
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return ""


if __name__ == "__main__":
    main()
