"""Cut videos into parts that add up to the whole.

A map comes along, by which labels follow.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from burnish.data.findings import finding, findings_table
from burnish.engine.files import atomic_folder, write_text
from burnish.engine.progress import Progress, silent
from burnish.errors import DataError
from burnish.media.video import Video, open_video
from burnish.media.video.copying import Span, copy_span, encode_span
from burnish.media.video.writing import CONTAINERS, Encoding
from burnish.video.part_map import PartMap
from burnish.video.parts import part_bytes, plan_parts
from burnish.video.sources import list_videos, result_names

if TYPE_CHECKING:
    from burnish.engine.map import Engine
    from burnish.video.settings import CutConfig


@dataclass(frozen=True, slots=True)
class Cutting:
    """Videos and where they will be cut; saving cuts them.

    Attributes:
        source: The video, or the folder of videos.
        maps: The planned parts of each video.
        config: The settings.
        notes: What was noticed: key frames that are too far apart, damaged frames.
        threads: Threads that decode and encode.
        progress: Where to report.
    """

    source: Path
    maps: tuple[PartMap, ...]
    config: CutConfig
    notes: pl.DataFrame
    threads: int
    progress: Progress

    @property
    def table(self) -> pl.DataFrame:
        """One row a part."""
        return pl.concat([one.parts_table() for one in self.maps])

    def save(self, folder: Path, *, force: bool = False) -> list[Path]:
        """Write the parts of each video with `cut.json` and `cut.csv`, which map frames of the parts to frames of the whole.

        Every part is read back: its frames are counted, and where packets were copied its first and last frames must be the whole's.

        Raises:
            DataError: The folder is not empty, or a part is not what it should be; nothing is left behind then.
        """
        written: list[Path] = []
        with atomic_folder(folder, force=force) as place:
            for one in self.maps:
                written += [p.relative_to(place) for p in self._cut(one, place / one.folder)]
            if not self.notes.is_empty():
                write_text(place / "findings.csv", self.notes.write_csv())
                written.append(Path("findings.csv"))
        return [folder / path for path in written]

    def summary(self) -> dict[str, Any]:
        """Videos and their parts."""
        return {"videos": len(self.maps), "parts": sum(len(one.spans) for one in self.maps), "table": self.table.to_dicts()}

    def __str__(self) -> str:
        return "\n".join(str(one) for one in self.maps)

    def _cut(self, one: PartMap, folder: Path) -> list[Path]:
        folder.mkdir(parents=True, exist_ok=True)
        label = f"Cutting {one.source.name}"
        with open_video(one.source, threads=self.threads) as video, self.progress.task(label, one.frames) as advance:
            for span, name in zip(one.spans, one.names, strict=True):
                if self.config.exact:
                    encode_span(video, span, folder / name, Encoding(self.config.codec, self.config.quality, self.threads), advance)
                else:
                    copy_span(video, span, folder / name, advance)
                _check_part(video, span, folder / name, copied=not self.config.exact)
            made = replace(one, missing=tuple(sorted(video.unreadable))) if self.config.exact else one
        return [*(folder / name for name in made.names), *made.write(folder)]


def cut(source: Path | str, config: CutConfig, *, engine: Engine | None = None, progress: Progress = silent) -> Cutting:
    """Plan where a video, or each video below a folder, is cut; saving the result cuts them.

    Without `exact` the packets are copied: quick and without loss, but parts can begin only at key frames, so that each cut moves back to
    the last one. With `exact` the frames are encoded again, and every cut is where it was asked for.

    Raises:
        DataError: There is no video, or one cannot be read.
        ConfigError: A frame is named that a video does not have.
    """
    path, threads = Path(source), 0 if engine is None else engine.jobs
    videos = list_videos(path)
    names = result_names(path, videos)
    maps: list[PartMap] = []
    notes: list[dict[str, Any]] = []
    for one in videos:
        with open_video(one, threads=threads) as video:
            suffix = f".{config.container}" if config.container else _suffix(one)
            found = plan_parts(video, config, progress)
            inside = Path() if one == path else names[one]
            maps.append(PartMap(one, tuple(found), names[one].name, suffix, inside.as_posix(), tuple(video.index.seconds.tolist())))
            notes += [{**note, "path": str(one)} for note in _notes(video, found, config)]
    return Cutting(path, tuple(maps), config, findings_table(notes), threads, progress)


def _suffix(path: Path) -> str:
    return path.suffix.lower() if path.suffix.lower() in CONTAINERS else ".mkv"


def _notes(video: Video, found: list[Span], config: CutConfig) -> list[dict[str, Any]]:
    notes: list[dict[str, Any]] = []
    if video.info.cut_short:
        notes.append(finding("cut_short", f"the end of the video is missing; its {len(video)} readable frames are cut"))
    keys = f"key frames allow cuts before {len(video.index.clean_starts()) - 1} of its {len(video)} frames; exact cuts anywhere"
    if len(found) == 1 and not (config.exact or config.scenes):
        notes.append(finding("one_part", f"the video stays in one part: {keys}", is_issue=False, score=0.0))
    notes += [
        finding("large_part", f"part {number} needs {size:,} bytes, more than {config.size:,.0f}: {keys}")
        for number, size in enumerate(part_bytes(video, found), 1)
        if config.size and size > config.size
    ]
    return notes


def _check_part(video: Video, span: Span, path: Path, *, copied: bool) -> None:
    """Read a part back.

    Raises:
        DataError: Frames are missing, doubled or others than the whole's.
    """
    with open_video(path) as part:
        readable = len(span) - len(video.unreadable & set(range(span.start, span.stop)))
        expected = len(span) if copied else readable
        if len(part) != expected:
            hint = "Use exact, which encodes again." if copied else "Choose another kind of file or codec."
            raise DataError(f"{path.name} should have {expected} frames and has {len(part)}. {hint}")
        ends = ((0, span.start), (len(part) - 1, span.stop - 1))
        if copied and not all(np.array_equal(part.read(inside), video.read(whole)) for inside, whole in ends):
            raise DataError(f"{path.name} shows other pictures than the whole at its ends, its key frames need what is before. Use exact.")


def read_part_map(path: Path | str) -> PartMap:
    """Read `cut.json` again, from the file or the folder that holds it.

    Raises:
        DataError: There is no such file, or it is no map of parts.
    """
    place = Path(path) / "cut.json" if Path(path).is_dir() else Path(path)
    try:
        told = json.loads(place.read_text(encoding="utf-8"))
        spans = tuple(Span(int(part["start"]), int(part["stop"])) for part in told["parts"])
        return PartMap(
            source=Path(told["source"]),
            spans=spans,
            stem=str(told["stem"]),
            suffix=str(told["suffix"]),
            folder=str(told["folder"]),
            seconds=tuple(map(float, told["seconds"])),
            missing=tuple(map(int, told["missing"])),
        )
    except FileNotFoundError:
        raise DataError(f"There is no {place}; burnish cut writes it beside the parts.") from None
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{place} is no map of parts as burnish cut writes it ({error}).") from error
