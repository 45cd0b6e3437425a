"""What a network will see, in one pass over the dataset after the preprocessing: colours, classes, sizes, and the weights that follow.

All sums are whole numbers, so that parts of a dataset measured by several workers add up to exactly what one pass gives, in any order.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal, TypeAlias

from burnish.engine.map import Engine, ordered_map
from burnish.engine.progress import Progress, silent
from burnish.errors import ConfigError, DataError
from burnish.train.class_weights import ClassWeights, class_weights
from burnish.train.sample_sums import WHOLE, StatisticsConfig, Sums, no_sums, sample_sums
from burnish.train.statistics_file import read_sums, write_sums

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from burnish.train.samples import Sample

Counted: TypeAlias = Literal["pictures", "boxes", "pixels"]

_ROWS_A_PIECE = 64


@dataclass(frozen=True, slots=True, eq=False)
class Statistics:
    """What the sums say.

    Attributes:
        sums: Themselves.
    """

    sums: Sums

    @property
    def mean(self) -> tuple[float, ...]:
        """Of red, green and blue, with 255 as 1."""
        return tuple(int(total) / int(self.sums.pixels) / WHOLE for total in self.sums.channels)

    @property
    def std(self) -> tuple[float, ...]:
        """Of red, green and blue over all pixels, with 255 as 1."""
        count = int(self.sums.pixels)
        pairs = zip(self.sums.channels.tolist(), self.sums.squares.tolist(), strict=True)
        # the difference of two nearly equal numbers is taken while they are whole
        return tuple((count * square - total * total) ** 0.5 / count / WHOLE for total, square in pairs)

    @property
    def empty_share(self) -> float:
        """Share of the pictures without any class but the background."""
        return int(self.sums.empty) / int(self.sums.pictures)

    @property
    def pixel_share(self) -> NDArray[np.float64]:
        """(K,) share of the pixels of masks; 0 without masks."""
        return self.sums.class_pixels / WHOLE / max(int(self.sums.mask_pixels), 1)

    @property
    def counted(self) -> Counted:
        """What the targets are made of: pixels where there are masks, else boxes where there are some, else pictures."""
        return "pixels" if self.sums.mask_pixels else "boxes" if self.sums.class_boxes.any() else "pictures"

    def weights(self, by: Counted | None = None, *, beta: float | None = None) -> ClassWeights:
        """Suggested weights of the classes.

        Args:
            by: What is counted; None is `counted`.
            beta: Of the effective number.
        """
        sums = self.sums
        match by or self.counted:
            case "pixels":
                return class_weights(sums.class_pixels / WHOLE, float(sums.mask_pixels), within=sums.class_within, beta=beta)
            case "boxes":
                return class_weights(sums.class_boxes, float(sums.class_boxes.sum()), beta=beta)
            case "pictures":
                return class_weights(sums.class_pictures, float(sums.pictures), beta=beta)

    def __str__(self) -> str:
        def told(values: Iterable[float]) -> str:
            return "(" + ", ".join(f"{value:.4f}" for value in values) + ")"

        return f"{int(self.sums.pictures):,} pictures, {self.empty_share:.1%} empty, mean {told(self.mean)}, std {told(self.std)}"


def dataset_statistics(
    read: Callable[[int], Sample],
    count: int,
    config: StatisticsConfig,
    *,
    cache: Path | None = None,
    mark: Sequence[str] = (),
    engine: Engine | None = None,
    workers: Literal["threads", "processes"] = "threads",
    progress: Progress = silent,
) -> Statistics:
    """Measure a dataset in one pass, or read what an earlier pass measured.

    Args:
        read: Gives a picture after the preprocessing by its number; with processes it must be importable by name.
        count: How many there are.
        config: What is counted.
        cache: Folder that keeps the sums; None keeps none. A damaged file is measured anew.
        mark: Texts that say which dataset and which preprocessing it is (`Dataset` hash, settings as JSON); needed with a cache.
        engine: How many workers.
        workers: Threads suit reading and resizing, which free the interpreter; processes suit Python code.
        progress: Where to report.

    Raises:
        DataError: There is no picture, or one does not hold what it must; the number of the picture is told.
        ConfigError: There is a cache but no mark.
    """
    if count < 1:
        raise DataError("There is no picture to measure; expected at least one.")
    if cache is not None and not mark:
        raise ConfigError(
            "Statistics are to be kept, but nothing says of what; give mark, texts that name the dataset and its preprocessing."
        )
    texts = (*mark, config.model_dump_json(), str(count))
    shapes = {one.name: getattr(no_sums(config), one.name).shape for one in fields(Sums)}
    known = None if cache is None else read_sums(cache, texts, shapes, progress)
    if known is not None:
        return Statistics(Sums(**known))
    pieces = [range(first, min(first + _ROWS_A_PIECE, count)) for first in range(0, count, _ROWS_A_PIECE)]
    total = no_sums(config)
    for sums in ordered_map(Piece(read, config), pieces, engine=engine, progress=progress, label="Statistics", workers=workers):
        total += sums
    if cache is not None:
        write_sums(cache, texts, {one.name: getattr(total, one.name) for one in fields(Sums)})
    return Statistics(total)


def sample_statistics(samples: Iterable[Sample], config: StatisticsConfig) -> Statistics:
    """Measure pictures that come one after another.

    Raises:
        DataError: There is none, or one does not hold what it must.
    """
    total = no_sums(config)
    for sample in samples:
        total += sample_sums(sample, config)
    if not total.pictures:
        raise DataError("There is no picture to measure; expected at least one.")
    return Statistics(total)


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Measures some rows; a class and no closure, so that worker processes can be handed it.

    Attributes:
        read: Gives a picture by its number.
        config: What is counted.
    """

    read: Callable[[int], Sample]
    config: StatisticsConfig

    def __call__(self, rows: range) -> Sums:
        """The sums of the rows."""
        total = no_sums(self.config)
        for row in rows:
            sample = self.read(row)
            try:
                total += sample_sums(sample, self.config)
            except DataError as error:
                raise DataError(f"Picture {row}: {error}", table="images", rows=[row]) from error
        return total
