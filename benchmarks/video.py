"""Every frame of a two-minute 720p video as JPEG: burnish beside the ffmpeg command line; and random access by number.

Run: python benchmarks/video.py [SOURCE]     SOURCE (default: ../shared/data/video/bikes.mp4) is scaled and repeated.

Both have the same JPEG quantiser. ffmpeg has two threads to decode and two to encode, beside those that read, scale and write; each
worker of burnish does all of it. They run in turns, each in a process of its own, and processor time is printed beside wall time: where
other work goes on, a program gets time by the number of its threads.
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
TURNS = 3
THREADS = 2
_THREADED = ["-threads", str(THREADS)]
OURS = """
import sys
from pathlib import Path
from burnish.engine.map import Engine
from burnish.video.extract import extract
extract(sys.argv[1], engine=Engine(int(sys.argv[3]))).save(Path(sys.argv[2]))
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
    commands = {
        "ffmpeg": lambda out: [FFMPEG, "-loglevel", "error", *_THREADED, "-i", str(clip), "-q:v", "3", *_THREADED, str(out / "%06d.jpg")],
        "burnish, 2 workers": lambda out: [sys.executable, "-c", OURS, str(clip), str(out), "2"],
        "burnish, 4 workers": lambda out: [sys.executable, "-c", OURS, str(clip), str(out), "4"],
    }
    times = {name: [] for name in commands}
    for turn in range(TURNS):
        for name, runs in times.items():
            out = place / f"out{turn}"
            out.mkdir()
            runs.append(timed(commands[name](out)))
            sizes = [path.stat().st_size for path in out.glob("*.jpg")]
            subprocess.run(["rm", "-rf", str(out)], check=True)
            print(f"turn {turn}: {name}: {len(sizes)} pictures, {sum(sizes) / 1e6:.0f} MB, wall and processor {runs[-1]} s", flush=True)
    print("\n| every frame of 2 minutes of 720p as JPEG | wall | speed | processor | speed |\n| --- | --- | --- | --- | --- |")
    middle = {name: [statistics.median(kind) for kind in zip(*runs, strict=True)] for name, runs in times.items()}
    for name, (wall, work) in middle.items():
        first = middle["ffmpeg"]
        print(f"| {name} | {wall:.1f} s | {first[0] / wall:.2f} | {work:.1f} s | {first[1] / work:.2f} |")


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
