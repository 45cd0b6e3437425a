"""Put videos through filters: sizes, captions, comparisons, motion."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from burnish.data.findings import finding, findings_table
from burnish.engine.files import write_text
from burnish.engine.progress import Progress, silent
from burnish.media.video import UnreadableVideo
from burnish.video.named_filters import filter_from
from burnish.video.recording import filter_video
from burnish.video.settings import FiltersConfig
from burnish.video.sources import list_videos, result_names

if TYPE_CHECKING:
    from burnish.engine.map import Engine


@dataclass(frozen=True, slots=True)
class Filtering:
    """Videos to filter, filtered when they are saved.

    Attributes:
        source: The video, or the folder of videos.
        videos: The videos.
        config: What is done with them.
        threads: Threads that decode and encode.
        progress: Where to report.
    """

    source: Path
    videos: tuple[Path, ...]
    config: FiltersConfig
    threads: int
    progress: Progress

    @property
    def table(self) -> pl.DataFrame:
        """The videos, one row each."""
        return pl.DataFrame({"video": [str(video) for video in self.videos]})

    def save(self, folder: Path, *, force: bool = False) -> list[Path]:
        """Write a result for each video, in folders that mirror the source's; results that are there already are kept unless `force`.

        Each result appears when it is complete, so that the same command continues where it was stopped. What cannot be read becomes
        `findings.csv`.
        """
        names = result_names(self.source, list(self.videos))
        written: list[Path] = []
        notes: list[dict[str, Any]] = []
        for video in self.videos:
            target = folder / names[video].with_name(f"{names[video].name}.{self.config.to}")
            if target.exists() and not force:
                self.progress.say(f"{target.name} is there already")
                written.append(target)
                continue
            try:
                # Filters are made anew for each video, so that random choices do not depend on which results were there already.
                filter_video(video, target, filter_from(self.config), config=self.config, threads=self.threads, progress=self.progress)
                written.append(target)
            except UnreadableVideo as error:
                notes.append(finding("unreadable_video", str(error), path=str(video)))
        if notes:
            write_text(folder / "findings.csv", findings_table(notes).write_csv())
            written.append(folder / "findings.csv")
        return written

    def summary(self) -> dict[str, Any]:
        """Number of videos and the filters."""
        return {"videos": len(self.videos), "steps": list(self.config.steps)}

    def __str__(self) -> str:
        what = self.videos[0].name if len(self.videos) == 1 else f"{len(self.videos):,} videos"
        return f"{what}: {', '.join(map(str, self.config.steps)) or 'encoded again'}"


def filters(
    source: Path | str, config: FiltersConfig | None = None, *, engine: Engine | None = None, progress: Progress = silent
) -> Filtering:
    """Choose videos and filters; saving the result applies them. Without filters the videos are encoded again.

    Raises:
        DataError: There is no video.
        ConfigError: A filter is unknown, or its settings do not fit.
    """
    chosen = config or FiltersConfig()
    filter_from(chosen)
    return Filtering(Path(source), tuple(list_videos(source)), chosen, 0 if engine is None else engine.jobs, progress)
