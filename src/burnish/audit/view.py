"""What the report of an audit shows, as plain values: the audit fills it, the page draws it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from burnish.report.gallery import Card
    from burnish.report.pictures import Picture

_EMPTY_QUALITY = {"class": pl.String, "pictures": pl.Int64, "issues": pl.Int64, "share": pl.Float64, "confidence": pl.Float64}
_EMPTY_PAIRS = {"given": pl.String, "suggested": pl.String, "count": pl.Int64}
_EMPTY_UNREADABLE = {"path": pl.String, "reason": pl.String}


@dataclass(frozen=True, slots=True)
class Copy:
    """One picture of a group of copies."""

    picture: Picture | None
    path: str
    label: str = ""
    split: str = ""


@dataclass(frozen=True, slots=True)
class CopyGroup:
    """Pictures that are the same: how they were found to be (exact, or near and in what way), and the pictures."""

    kind: str
    copies: tuple[Copy, ...]

    @property
    def conflict(self) -> bool:
        """Whether the copies carry different labels; a copy without a label conflicts with none."""
        return len({copy.label for copy in self.copies if copy.label}) > 1

    @property
    def leak(self) -> bool:
        """Whether the copies lie in different splits."""
        return len({copy.split for copy in self.copies if copy.split}) > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditView:
    """All that the report of an audit shows; what is left out is not drawn."""

    dataset: str
    """Name of the dataset."""
    path: str = ""
    """Where it lies; copied paths get it in front."""
    pictures: int
    """Number of pictures audited, or of what else was judged."""
    unit: str = "pictures"
    """What was judged one by one: pictures, or boxes cut out of them."""
    classes: tuple[str, ...]
    """Names of the K classes, in order."""
    counts: Mapping[str, int]
    """Issues by kind of finding, over the whole dataset."""
    cards: tuple[Card, ...]
    """The suspected labels; issues come first whatever their order here."""
    outliers: tuple[Card, ...] = ()
    """Odd pictures, most odd first."""
    quality: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_EMPTY_QUALITY))
    """A row for each class: class, pictures, issues, share (issues of pictures), confidence (mean self-confidence)."""
    confused: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_EMPTY_PAIRS))
    """Pairs of classes that are mistaken for one another, most frequent first: given, suggested, count."""
    noise: NDArray[np.generic] | None = None
    """(K, K) numbers of pictures, counted or estimated: row = given label, column = likely label."""
    scores: NDArray[np.floating] = field(default_factory=lambda: np.zeros(0))
    """(N,) suspicion of every audited label, in [0, 1]."""
    cutoff: float | None = None
    """Suspicion from which a label counts as an issue."""
    copies: tuple[CopyGroup, ...] = ()
    """Groups of copies; those with conflicts and leaks are shown first."""
    unreadable: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_EMPTY_UNREADABLE))
    """Pictures that are missing, blank or cannot be read: path, reason."""
    accuracy: float | None = None
    """Share of given labels that the out-of-fold predictions agree with."""
    method: tuple[tuple[str, str], ...] = ()
    """How it was found, as pairs of name and text: model, features, folds, time, device ..."""
    settings: str = ""
    """The resolved settings as YAML."""
    made: str = ""
    """Date and time of the audit."""
    results: tuple[str, ...] = ()
    """Names of the files that were written beside the report."""
