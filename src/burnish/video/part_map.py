"""Which frame of which part is which frame of the whole, and labels that follow from one to the other."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import polars as pl

from burnish.engine.files import write_text
from burnish.errors import DataError

if TYPE_CHECKING:
    from burnish.data.dataset import Dataset
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


def labels_to_parts(dataset: Dataset, parts: PartMap, media: int | None = None) -> Dataset:
    """A dataset of a whole video as a dataset of its parts: every frame's labels go to the part that shows it.

    Frames are matched by `true_frame`; `frame` is counted anew in each part. Tracks keep their numbers, so that the way back joins them
    again; the first and last view of a track in a part become key frames, so that nothing is interpolated across a cut.

    Args:
        dataset: Holds the whole video as one media row; other media stay as they are.
        parts: What `burnish cut` made of it.
        media: The media row of the whole; found by its file name when not given.

    Raises:
        DataError: The dataset does not hold the video, or has frames that the map does not.
    """
    whole = _media_row(dataset, [parts.source.name], media)
    path = PurePosixPath(str(dataset.media.filter(pl.col("id") == whole)["path"][0]))
    first = int(dataset.media["id"].max()) + 1  # pyright: ignore[reportArgumentType]
    placed = parts.frames_table().select(
        pl.lit(whole, pl.Int64).alias("media"), "whole_frame", pl.col("frame").alias("inside"), (pl.col("part") - 1 + first).alias("to")
    )
    made = dataset.media.filter(pl.col("id") == whole).drop("id", "path", "frame_count", "hash")
    table = parts.parts_table()
    rows = pl.DataFrame(
        {
            "id": table["part"] - 1 + first,
            "path": [path.with_name(PurePosixPath(name).name).as_posix() for name in table["path"]],
            "frame_count": table["frames"],
        }
    ).join(made, how="cross")
    return _moved(dataset, placed, rows, [whole])


def labels_to_whole(dataset: Dataset, parts: PartMap) -> Dataset:
    """The way back: a dataset of the parts of a video as a dataset of the whole; arguments and errors as for `labels_to_parts`."""
    ids = {number: _media_row(dataset, [name], None) for number, name in enumerate(parts.names, 1)}
    known = dataset.media.filter(pl.col("id").is_in(list(ids.values())))
    whole = int(dataset.media["id"].max()) + 1  # pyright: ignore[reportArgumentType]
    placed = parts.frames_table().select(
        pl.col("part").replace_strict(ids, return_dtype=pl.Int64).alias("media"),
        pl.col("frame").alias("whole_frame"),
        pl.col("whole_frame").alias("inside"),
        pl.lit(whole, pl.Int64).alias("to"),
    )
    path = PurePosixPath(str(known["path"][0])).with_name(parts.source.name).as_posix()
    rows = known.head(1).with_columns(
        pl.lit(whole, pl.Int64).alias("id"), pl.lit(path).alias("path"), pl.lit(parts.frames, pl.Int64).alias("frame_count"), hash=None
    )
    return _moved(dataset, placed, rows, list(ids.values()))


def _media_row(dataset: Dataset, names: list[str], given: int | None) -> int:
    media = dataset.media if given is None else dataset.media.filter(pl.col("id") == given)
    found = [number for number, path in media.select("id", "path").iter_rows() if given is not None or PurePosixPath(path).name in names]
    if len(found) != 1:
        what = "no media row" if not found else f"{len(found)} media rows"
        raise DataError(f"The dataset has {what} for {names[0]}; it must be one, or be named by its id.", table="media")
    return int(found[0])


def _moved(dataset: Dataset, placed: pl.DataFrame, rows: pl.DataFrame, from_media: list[int]) -> Dataset:
    """The dataset with its frames at other places.

    `placed` says for each (media, whole_frame) to which media and frame it goes; `rows` are the media that come in place of `from_media`.
    """
    order = pl.col("true_frame").rank("ordinal").over("media").cast(pl.Int64) - 1
    joined = dataset.images.join(
        placed, left_on=["media", "true_frame"], right_on=["media", "whole_frame"], how="left", maintain_order="left"
    )
    touched = pl.col("media").is_in(from_media)
    lost = joined.filter(touched & pl.col("to").is_null())
    if not lost.is_empty():
        raise DataError(f"{lost.height} frames of the dataset are not on the map, the first is {lost['true_frame'][0]}.", table="images")
    moved = joined.with_columns(
        media=pl.when(touched).then("to").otherwise("media"), true_frame=pl.when(touched).then("inside").otherwise("true_frame")
    )
    counted = moved.with_columns(frame=pl.when(pl.col("to").is_not_null()).then(order).otherwise("frame")).drop("to", "inside")
    media = pl.concat([dataset.media.filter(~pl.col("id").is_in(from_media)), rows], how="diagonal_relaxed")
    annotations = _keyed_at_cuts(dataset.annotations, counted.filter(pl.col("media").is_in(rows["id"].implode())))
    return dataset.with_tables(media=media, images=counted, annotations=annotations)


def _keyed_at_cuts(annotations: pl.DataFrame, images: pl.DataFrame) -> pl.DataFrame:
    """The first and last view of each track in each medium becomes a key frame."""
    place = images.select(pl.col("id").alias("image"), "media", "true_frame")
    rows = annotations.select("id", "image", "track").filter(pl.col("track").is_not_null()).join(place, on="image")
    ends = rows.group_by("track", "media").agg(
        pl.col("id").sort_by("true_frame").first().alias("first"), pl.col("id").sort_by("true_frame").last().alias("last")
    )
    at_ends = pl.concat([ends["first"], ends["last"]]).unique()
    return annotations.with_columns(
        keyframe=pl.when(pl.col("id").is_in(at_ends.implode())).then(statement=True).otherwise(pl.col("keyframe"))
    )
