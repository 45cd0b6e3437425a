"""Which frame of which part is which frame of the whole."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import polars as pl

from burnish.engine.files import write_text

if TYPE_CHECKING:
    from burnish.media.video.copying import Span


@dataclass(frozen=True, slots=True)
class PartMap:
    """A video and its parts.

    Attributes:
        source: The whole video.
        spans: The frames of each part, in order; together they are all frames, none twice.
        stem: Beginning of the parts' names, `STEM-1.mp4` and so on.
        suffix: Ending of the parts' names.
        folder: Folder of the parts below the folder of results; "" or "." where they lie in it.
        seconds: Time of each frame of the whole.
        missing: Frames of the whole that no part holds, for they cannot be decoded.
    """

    source: Path
    spans: tuple[Span, ...]
    stem: str
    suffix: str
    folder: str
    seconds: tuple[float, ...]
    missing: tuple[int, ...] = ()

    @property
    def frames(self) -> int:
        """Frames of the whole."""
        return self.spans[-1].stop

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parts' files."""
        return tuple(f"{self.stem}-{number}{self.suffix}" for number in range(1, len(self.spans) + 1))

    def parts_table(self) -> pl.DataFrame:
        """One row a part: part, path, start, stop (not included), frames, seconds at which it begins."""
        rows = [
            (number, (PurePosixPath(self.folder) / name).as_posix(), span.start, span.stop, len(span), self.seconds[span.start])
            for number, (span, name) in enumerate(zip(self.spans, self.names, strict=True), 1)
        ]
        return pl.DataFrame(rows, schema=["part", "path", "start", "stop", "frames", "begins"], orient="row")

    def frames_table(self) -> pl.DataFrame:
        """One row a frame: part, path, frame in the part, frame in the whole, seconds in the whole."""
        parts = self.parts_table()
        numbers = pl.int_ranges("start", "stop").alias("whole_frame")
        rows = parts.select("part", "path", numbers).explode("whole_frame")
        rows = rows.with_columns(pl.Series("seconds", self.seconds, dtype=pl.Float64)).filter(~pl.col("whole_frame").is_in(self.missing))
        inside = pl.int_range(pl.len()).over("part").alias("frame")
        return rows.select("part", "path", inside, "whole_frame", "seconds")

    def write(self, folder: Path) -> list[Path]:
        """Write `cut.json` (the parts) and `cut.csv` (every frame) into a folder."""
        parts = [{key: row[key] for key in ("part", "path", "start", "stop", "frames", "begins")} for row in self.parts_table().to_dicts()]
        about = {"source": str(self.source), "frames": self.frames, "stem": self.stem, "suffix": self.suffix, "folder": self.folder}
        text = json.dumps({**about, "parts": parts, "missing": self.missing, "seconds": self.seconds}, ensure_ascii=False, indent=1)
        write_text(folder / "cut.json", text + "\n")
        write_text(folder / "cut.csv", self.frames_table().write_csv())
        return [folder / "cut.json", folder / "cut.csv"]

    def __str__(self) -> str:
        lengths = ", ".join(f"{len(span):,}" for span in self.spans[:8]) + (", ..." if len(self.spans) > 8 else "")  # noqa: PLR2004 - one line
        return f"{self.source.name}: {len(self.spans)} parts of {lengths} frames, together {self.frames:,}"
