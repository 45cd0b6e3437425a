"""Which labels are wrong, from the labels and out-of-sample class probabilities alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np
import polars as pl

from burnish.audit.chunks import in_chunks
from burnish.audit.confident import Rule, confident_issues, label_quality
from burnish.audit.cutoff import expected_f1_count, highest
from burnish.audit.neighbours_vote import with_neighbours
from burnish.audit.noise_model import fit_noise_model, judge, suggest
from burnish.audit.predictions import checked_embeddings, checked_labels, checked_probabilities
from burnish.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats: TypeAlias = NDArray[np.floating[Any]]

Method: TypeAlias = Literal["burnish"] | Rule

_LIKELY = 0.5
_LEAST = 0.2  # nobody is sent to look at a label that is right four times out of five


def label_issues(
    labels: ArrayLike,
    probabilities: ArrayLike,
    *,
    method: Method = "burnish",
    embeddings: ArrayLike | None = None,
    class_names: Sequence[str] | None = None,
) -> pl.DataFrame:
    """Score every label by how surely it is wrong, and flag those worth a look.

    Args:
        labels: Given class of each example, `(N,)`: class indices 0 to K-1, or names out of `class_names`.
        probabilities: Class probabilities `(N, K)` from models that did not see the example in training, float32 or float64 (others are
            converted); each row sums to 1. Neither array is changed or copied as a whole.
        method: `burnish` (see `burnish.audit.noise_model`), or a rule of confident learning (see `burnish.audit.confident`), whose score is
            1 - p(given).
        embeddings: One row per example, `(N, D)`; the labels of near examples then add to the evidence, as far as they prove to help.
            `burnish` only.
        class_names: Names of the K classes in the order of the columns; `given` and `suggested` are then names.

    Returns:
        A table of N rows in the given order: `row` (i64), `score` (f64 in [0, 1], 1 = surely wrong), `is_issue` (bool), `given` and
        `suggested` (class index i64, or name; the same class where the given label stands), `reason` (one sentence with the numbers).

    Raises:
        DataError: The arrays do not fit together or hold no probabilities; the message names the first row.
        ConfigError: An unknown method, or embeddings with a rule that cannot use them.
    """
    if method not in ("burnish", *get_args(Rule)):
        raise ConfigError(f"unknown method {method!r}; choose 'burnish' or one of {', '.join(map(repr, get_args(Rule)))}.")
    if embeddings is not None and method != "burnish":
        raise ConfigError(f"method {method!r} does not use embeddings; leave them out, or take method='burnish'.")
    table = checked_probabilities(probabilities)
    given = checked_labels(labels, table, class_names)
    if method != "burnish":
        return _as_table(given, table, _by_rule(given, table, method), class_names)
    believed = table if embeddings is None else with_neighbours(given, table, checked_embeddings(embeddings, len(given)))
    return _as_table(given, table, _by_model(given, believed), class_names)


@dataclass(frozen=True, slots=True)
class _Verdict:
    """Arrays of `(N,)`."""

    score: NDArray[np.float64]
    flagged: NDArray[np.bool_]
    suggested: NDArray[np.int64]


def _by_model(given: NDArray[np.int64], probabilities: Floats) -> _Verdict:
    model = fit_noise_model(given, probabilities)
    posteriors = judge(given, probabilities, model)
    doubtful = ((posteriors.score > _LIKELY) | ~posteriors.agrees) & (posteriors.counting > _LEAST)
    number = expected_f1_count(posteriors.counting) if model.informed else 0
    flagged = highest(posteriors.score, number, doubtful)
    moved = np.flatnonzero(flagged | (posteriors.score > _LIKELY))
    suggested = given.copy()
    suggested[moved] = suggest(given, probabilities, model, moved)
    return _Verdict(posteriors.score, flagged, suggested)


def _by_rule(given: NDArray[np.int64], probabilities: Floats, rule: Rule) -> _Verdict:
    quality = label_quality(given, probabilities).astype(np.float64)
    return _Verdict(np.clip(1 - quality, 0, 1), confident_issues(given, probabilities, rule), _predicted(probabilities))


def _predicted(probabilities: Floats) -> NDArray[np.int64]:
    predicted = np.empty(len(probabilities), dtype=np.int64)

    def work(rows: slice) -> None:
        predicted[rows] = probabilities[rows].argmax(axis=1)

    in_chunks(work, probabilities)
    return predicted


def _as_table(given: NDArray[np.int64], probabilities: Floats, verdict: _Verdict, class_names: Sequence[str] | None) -> pl.DataFrame:
    index = np.arange(len(given))
    frame = pl.DataFrame(
        {
            "row": index,
            "score": verdict.score,
            "is_issue": verdict.flagged,
            "given": given,
            "suggested": verdict.suggested,
            "p_given": probabilities[index, given],
            "p_suggested": probabilities[index, verdict.suggested],
        }
    )
    if class_names is not None:
        names = pl.Series(class_names, dtype=pl.String)
        frame = frame.with_columns(names.gather(frame[column]).alias(column) for column in ("given", "suggested"))
    return frame.with_columns(reason=_reason(quoted=class_names is not None)).drop("p_given", "p_suggested")


def _reason(*, quoted: bool) -> pl.Expr:
    """One sentence for each row; built by the table engine, a million rows take no loop."""
    mark = "'" if quoted else ""
    given, suggested = (pl.format(f"{mark}{{}}{mark}", column) for column in ("given", "suggested"))
    p_given, p_suggested = (_two_digits(column) for column in ("p_given", "p_suggested"))
    against = pl.format("model gives {} to {} and {} to the given {}", p_suggested, suggested, p_given, given)
    return (
        pl.when(pl.col("given") == pl.col("suggested"))
        .then(pl.format("model gives {} to the given {}", p_given, given))
        .when("is_issue")
        .then(against)
        .otherwise(pl.format("{}, too little to call it wrong", against))
    )


def _two_digits(column: str) -> pl.Expr:
    """A probability as text: 0.05, 0.50, 1.00."""
    hundredths = (pl.col(column).clip(0, 1) * 100).round().cast(pl.UInt8)
    return pl.format("{}.{}", hundredths // 100, (hundredths % 100).cast(pl.String).str.zfill(2))
