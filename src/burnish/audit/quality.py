"""What the suspects say of the dataset as a whole: quality of each class, confused pairs, the noise matrix, imbalance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from burnish.data.findings import finding, findings_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_RARE_SHARE = 0.1


def class_quality(
    labels: NDArray[np.int64], probabilities: NDArray[np.floating], is_issue: NDArray[np.bool_], names: Sequence[str]
) -> pl.DataFrame:
    """One row a class, the worst first: pictures, issues, their share, and the mean probability that the model gives the given label.

    Args:
        labels: (n,) given class of each item.
        probabilities: (n, k) out-of-sample.
        is_issue: (n,) whether its label is suspected.
        names: k names.
    """
    number = len(names)
    counts = np.bincount(labels, minlength=number)
    issues = np.bincount(labels[is_issue], minlength=number)
    own = np.bincount(labels, weights=probabilities[np.arange(len(labels)), labels], minlength=number)
    filled = np.maximum(counts, 1)
    table = pl.DataFrame({"class": list(names), "pictures": counts, "issues": issues, "share": issues / filled, "confidence": own / filled})
    return table.sort("share", descending=True, maintain_order=True)


def confused_pairs(
    labels: NDArray[np.int64], suggested: NDArray[np.int64], is_issue: NDArray[np.bool_], names: Sequence[str]
) -> pl.DataFrame:
    """One row for each pair of given and suggested class among the suspects, the most frequent first."""
    pairs = pl.DataFrame({"g": labels[is_issue], "s": suggested[is_issue]}).group_by("g", "s").len("count")
    named = pairs.sort(["count", "g", "s"], descending=[True, False, False])
    return named.select(
        pl.Series("given", [names[g] for g in named["g"]], dtype=pl.String),
        pl.Series("suggested", [names[s] for s in named["s"]], dtype=pl.String),
        "count",
    )


def likely_counts(labels: NDArray[np.int64], suggested: NDArray[np.int64], is_issue: NDArray[np.bool_], number: int) -> NDArray[np.int64]:
    """(k, k) noise matrix in counts: how many labels of each given class (row) are likely of each class (column)."""
    likely = np.where(is_issue, suggested, labels)
    counts = np.zeros((number, number), dtype=np.int64)
    np.add.at(counts, (labels, likely), 1)
    return counts


def imbalance_findings(labels: NDArray[np.int64], names: Sequence[str]) -> pl.DataFrame:
    """A finding for each class that has less than a tenth of its even share, and for each that is declared and has no example.

    The score is how far the class is below its even share.
    """
    counts = np.bincount(labels, minlength=len(names))
    even = counts.sum() / len(names)
    rows = [
        finding("imbalance", _imbalance_text(int(count), even), score=float(1 - count / even), given=name)
        for name, count in zip(names, counts, strict=True)
        if count < _RARE_SHARE * even
    ]
    return findings_table(rows)


def _imbalance_text(count: int, even: float) -> str:
    if count == 0:
        return "The class is declared and has no example."
    return f"{count:,} examples, {count / even:.0%} of an even share ({even:,.0f}). Collect more, or balance by repetition."
