"""Take frames out of videos as pictures."""

from __future__ import annotations

import json
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from burnish.data.findings import counts_by_kind, finding, findings_table
from burnish.engine.files import refuse_filled_folder, write_bytes, write_text
from burnish.engine.map import Engine, ordered_map
from burnish.engine.progress import Progress, silent
from burnish.errors import DataError
from burnish.media.images import encode_png
from burnish.media.video import Decoded, UnreadableVideo, Video, open_video, reopen, to_jpeg, to_rgb
from burnish.video.numbers import one_every, parse_numbers
from burnish.video.settings import ExtractConfig
from burnish.video.sources import list_videos, result_names

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

FRAME_MAP: Final = {
    "path": pl.String,
    "video": pl.String,
    "frame": pl.Int64,
    "true_frame": pl.Int64,
    "seconds": pl.Float64,
    "damaged": pl.Boolean,
}
"""Columns of `frames.csv`: the picture, the video (relative to the folder named), number among those taken, number in the video."""

_MARK: Final = "extract.json"
_SHORTEST_RUN: Final = 32  # frames; shorter ones would cost more seeking than they gain
_RUNS_A_WORKER: Final = 2  # with fewer, a worker would stand idle for long


@dataclass(frozen=True, slots=True)
class Extraction:
    """Frames to take out, taken out when they are saved, so that none has to be held in memory.

    Attributes:
        source: The video, or the folder of videos.
        videos: The videos.
        config: Which frames, and as what.
        engine: How many threads decode and encode.
        progress: Where to report.
    """

    source: Path
    videos: tuple[Path, ...]
    config: ExtractConfig
    engine: Engine
    progress: Progress

    @property
    def table(self) -> pl.DataFrame:
        """The videos, one row each."""
        return pl.DataFrame({"video": [str(video) for video in self.videos]})

    def save(self, folder: Path, *, force: bool = False) -> list[Path]:
        """Write the pictures, `frames.csv`, which tells where each came from, and what could not be read as `findings.csv`.

        Each of several videos has a folder of its own.

        A folder that an earlier call with the same settings began is continued: pictures that are there are not made again.

        Returns:
            The folders that hold pictures, and the tables.

        Raises:
            DataError: The folder holds something else; every video is unreadable.
        """
        mark = {"source": str(self.source.resolve()), "settings": self.config.model_dump(mode="json")}
        _claim(folder, mark, force=force)
        names = result_names(self.source, list(self.videos))
        rows: list[dict[str, Any]] = []
        notes: list[dict[str, Any]] = []
        for video in self.videos:
            shown = video.name if video == self.source else video.relative_to(self.source).as_posix()
            inside = Path() if video == self.source else names[video]
            try:
                made, found = self._take(video, folder, inside)
            except UnreadableVideo as error:
                made, found = [], [finding("unreadable_video", str(error), path=shown)]
            rows += [{"path": path, "video": shown, **row} for path, row in made]
            notes += [{**note, "path": shown} for note in found]
        if not rows:
            raise DataError(f"No frame could be taken out of {self.source}. " + " ".join(str(note["reason"]) for note in notes[:5]))
        return _written(folder, rows, notes)

    def summary(self) -> dict[str, Any]:
        """Number of videos."""
        return {"videos": len(self.videos)}

    def __str__(self) -> str:
        return f"Frames of {self.videos[0].name if len(self.videos) == 1 else f'{len(self.videos):,} videos'}"

    def _take(self, path: Path, folder: Path, inside: Path) -> tuple[list[tuple[str, dict[str, Any]]], list[dict[str, Any]]]:
        with open_video(path, threads=self.engine.jobs) as video:
            numbers = chosen_frames(video, self.config)
            width = max(6, len(str(len(video) - 1)))
            place = {n: (inside / f"{n:0{width}d}.{self.config.format}").as_posix() for n in numbers}
            missing = [n for n in numbers if not (folder / place[n]).is_file()]
            damaged = {n for n, bad in self._write(video, missing, folder, place) if bad}
            rows = [
                (place[n], {"frame": i, "true_frame": n, "seconds": float(video.index.seconds[n]), "damaged": n in damaged})
                for i, n in enumerate(numbers)
                if n not in video.unreadable
            ]
            return rows, _notes(video, damaged)

    def _write(self, video: Video, numbers: list[int], folder: Path, place: dict[int, str]) -> Iterator[tuple[int, bool]]:
        """Write pictures; number of each and whether it is damaged."""

        def keep(one: Decoded) -> tuple[int, bool]:
            write_bytes(folder / place[one.number], _encoded(one, self.config))
            return one.number, one.damaged

        label, runs = f"Extracting {video.info.path.name}", runs_between_keys(video, numbers)
        if self.engine.workers > 1 and len(runs) >= _RUNS_A_WORKER * self.engine.workers:
            with self.progress.task(label, len(numbers)) as advance, _readers(video, self.engine.workers) as readers:
                for run, found in zip(runs, ordered_map(partial(_run, readers, keep), runs, engine=self.engine), strict=True):
                    video.unreadable |= found.unreadable
                    advance(len(run))
                    yield from found.kept
            return
        decoded = video.decoded(numbers)
        yield from ordered_map(keep, decoded, engine=self.engine, progress=self.progress, label=label, total=len(numbers))


def extract(
    source: Path | str, config: ExtractConfig | None = None, *, engine: Engine | None = None, progress: Progress = silent
) -> Extraction:
    """Choose frames of a video, or of all videos below a folder; saving the result writes them as pictures.

    Raises:
        DataError: There is no video.
        ConfigError: The frames are not numbers.
    """
    chosen = config or ExtractConfig()
    parse_numbers(chosen.frames)
    return Extraction(Path(source), tuple(list_videos(source)), chosen, engine or Engine(), progress)


def chosen_frames(video: Video, config: ExtractConfig) -> list[int]:
    """The numbers of the frames that the settings mean.

    Raises:
        DataError: A frame is named that the video does not have.
    """
    if config.frames:
        numbers = parse_numbers(config.frames)
        if numbers[-1] >= len(video):
            raise DataError(f"{video.info.path} has {len(video)} frames, numbered from 0; number {numbers[-1]} was asked for.")
        return numbers
    if config.every is not None:
        return one_every(video.index.seconds, config.every)
    return list(range(0, len(video), config.step))


def runs_between_keys(video: Video, numbers: list[int]) -> list[list[int]]:
    """Frame numbers in runs, each of which begins at another key frame, so that several readers can take one each."""
    runs: list[list[int]] = []
    last = None
    for number in numbers:
        anchor = video.index.anchor(number)
        if not runs or (anchor != last and len(runs[-1]) >= _SHORTEST_RUN):
            runs.append([])
        runs[-1].append(number)
        last = anchor
    return runs


@dataclass(frozen=True, slots=True)
class _Found:
    """What became of a run: number and damage of the frames that were kept, and the numbers of those that cannot be decoded."""

    kept: list[tuple[int, bool]]
    unreadable: set[int]


@contextmanager
def _readers(video: Video, count: int) -> Generator[SimpleQueue[Video]]:
    """Readers of one video that take turns. Each decodes with one thread: workers that never wait for one another are quickest."""
    readers: SimpleQueue[Video] = SimpleQueue()
    with ExitStack() as stack:
        for _ in range(count):
            readers.put(stack.enter_context(reopen(video, threads=1)))
        yield readers


def _run(readers: SimpleQueue[Video], keep: Callable[[Decoded], tuple[int, bool]], run: list[int]) -> _Found:
    reader = readers.get()
    try:
        kept = [keep(one) for one in reader.decoded(run)]
        return _Found(kept, reader.unreadable.intersection(run))
    finally:
        readers.put(reader)


def _encoded(one: Decoded, config: ExtractConfig) -> bytes:
    if config.format == "png":
        return encode_png(to_rgb(one.picture, one.orientation))
    return to_jpeg(one.picture, one.orientation, quality=config.quality)


def _claim(folder: Path, mark: dict[str, Any], *, force: bool) -> None:
    """Begin a folder, or continue the one that the same call began."""
    path = folder / _MARK
    if path.is_file() and json.loads(path.read_text(encoding="utf-8")) == mark:
        return
    refuse_filled_folder(folder, force=force)
    write_text(path, json.dumps(mark, indent=2, ensure_ascii=False) + "\n")


def _notes(video: Video, damaged: set[int]) -> list[dict[str, Any]]:
    notes = [finding("unreadable_frame", "the frame cannot be decoded", position=str(n)) for n in sorted(video.unreadable)]
    notes += [finding("damaged_frame", "the decoder had to guess parts of the frame", score=0.8, position=str(n)) for n in sorted(damaged)]
    if video.info.cut_short:
        announced = f", {video.info.announced} were announced" if video.info.announced else ""
        notes.append(finding("cut_short", f"the end of the video is missing: {len(video)} frames can be read{announced}"))
    return notes


def _written(folder: Path, rows: list[dict[str, Any]], notes: list[dict[str, Any]]) -> list[Path]:
    write_text(folder / "frames.csv", pl.DataFrame(rows, schema=FRAME_MAP).write_csv())
    written = [*dict.fromkeys((folder / row["path"]).parent for row in rows), folder / "frames.csv"]
    found = findings_table(notes)
    if counts_by_kind(found):
        write_text(folder / "findings.csv", found.write_csv())
        written.append(folder / "findings.csv")
    return written
