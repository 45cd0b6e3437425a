"""Every frame of a two-minute 720p video as JPEG: burnish beside the ffmpeg command line; and random access by number.

Run: python benchmarks/video.py [SOURCE]     SOURCE (default: ../shared/data/video/bikes.mp4) is scaled and repeated.

Both have two threads and the same JPEG quantiser. They run in turns, each in a process of its own, and processor time is printed beside
wall time, because other work on the machine delays one more than the other.
"""

from __future__ import annotations

import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import imageio_ffmpeg

from burnish.media.video import open_video

SOURCE = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2] / "shared/data/video/bikes.mp4"
FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
TURNS = 5
THREADS = 2
OURS = f"""
import sys
from pathlib import Path
from burnish.engine.map import Engine
from burnish.video.extract import extract
extract(sys.argv[1], engine=Engine({THREADS})).save(Path(sys.argv[2]))
"""


def main():
    with tempfile.TemporaryDirectory() as place:
        clip = make_clip(Path(place) / "clip.mp4")
        measure_extraction(clip, Path(place))
        measure_access(clip)


def make_clip(path):
    coding = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-pix_fmt", "yuv420p"]
    scaled = ["-vf", "crop=484:272,scale=1280:720", "-t", "120", *coding]
    subprocess.run([FFMPEG, "-y", "-loglevel", "error", "-stream_loop", "20", "-i", str(SOURCE), *scaled, str(path)], check=True)
    return path


def measure_extraction(clip, place):
    times = {"ffmpeg": [], "burnish": []}
    for turn in range(TURNS):
        for name, runs in times.items():
            out = place / f"{name}{turn}"
            out.mkdir()
            theirs = [FFMPEG, "-loglevel", "error", "-threads", str(THREADS), "-i", str(clip), "-q:v", "3", str(out / "%06d.jpg")]
            runs.append(timed(theirs if name == "ffmpeg" else [sys.executable, "-c", OURS, str(clip), str(out)]))
            pictures = list(out.glob("*.jpg"))
            size = sum(path.stat().st_size for path in pictures) / 1e6
            subprocess.run(["rm", "-rf", str(out)], check=True)
        print(f"turn {turn}: {len(pictures)} pictures, {size:.0f} MB", times["ffmpeg"][-1], times["burnish"][-1], flush=True)
    wall = {name: statistics.median(found[0] for found in runs) for name, runs in times.items()}
    work = {name: statistics.median(found[1] for found in runs) for name, runs in times.items()}
    print("\n| every frame of 2 minutes of 720p as JPEG, 2 threads | ffmpeg | burnish | speed |\n| --- | --- | --- | --- |")
    print(
        f"| wall, median of {TURNS}, in turns | {wall['ffmpeg']:.1f} s | {wall['burnish']:.1f} s | {wall['ffmpeg'] / wall['burnish']:.2f} |"
    )
    print(f"| processor, median | {work['ffmpeg']:.1f} s | {work['burnish']:.1f} s | {work['ffmpeg'] / work['burnish']:.2f} |")


def timed(command):
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return round(time.perf_counter() - began, 1), round(used, 1)


def measure_access(clip):
    began = time.perf_counter()
    with open_video(clip, threads=THREADS) as video:
        opened = time.perf_counter()
        numbers = random.Random(0).choices(range(len(video)), k=100)
        for number in numbers:
            video.read(number)
        apart = time.perf_counter()
    print(
        f"\nopening and numbering {len(video)} frames: {1000 * (opened - began):.0f} ms; a frame at random: {10 * (apart - opened):.0f} ms"
    )


if __name__ == "__main__":
    main()
