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
from burnish.audit.noise_model import fit_noise_model
from burnish.audit.posteriors import judge, suggest
from burnish.audit.predictions import checked_embeddings, checked_labels, checked_probabilities
from burnish.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats: TypeAlias = NDArray[np.floating[Any]]

Method: TypeAlias = Literal["burnish"] | Rule

_LIKELY = 0.5
_TWO_DIGITS = [f"{hundredths / 100:.2f}" for hundredths in range(101)]
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
    classes = range(probabilities.shape[1]) if class_names is None else class_names
    return pl.DataFrame(
        {
            "row": np.arange(len(given)),
            "score": verdict.score,
            "is_issue": verdict.flagged,
            "given": _named(given, class_names),
            "suggested": _named(verdict.suggested, class_names),
            "reason": _reasons(given, probabilities, verdict, [str(name) if class_names is None else f"'{name}'" for name in classes]),
        }
    )


def _named(values: NDArray[np.int64], class_names: Sequence[str] | None) -> pl.Series:
    return pl.Series(values) if class_names is None else pl.Series(class_names, dtype=pl.String).gather(values)


def _reasons(given: NDArray[np.int64], probabilities: Floats, verdict: _Verdict, names: list[str]) -> pl.Series:
    """One sentence for each row, each different sentence written once: a million rows take no loop."""
    moved = np.flatnonzero(verdict.suggested != given)
    number = len(_TWO_DIGITS)
    stated = given * number + _hundredths(probabilities[np.arange(len(given)), given])
    occurring = np.flatnonzero(np.bincount(stated, minlength=number * len(names)))
    place = np.empty(number * len(names), dtype=np.int64)
    place[occurring] = np.arange(len(occurring))
    place = place[stated]
    place[moved] = len(occurring) + np.arange(len(moved))
    stands = [f"model gives {_TWO_DIGITS[each % number]} to the given {names[each // number]}" for each in occurring.tolist()]
    return pl.Series(stands, dtype=pl.String).append(_against(given, probabilities, verdict, names, moved)).gather(place)


def _against(given: NDArray[np.int64], probabilities: Floats, verdict: _Verdict, names: list[str], rows: NDArray[np.intp]) -> pl.Series:
    """The sentences of the rows for which another class is suggested."""
    texts, numbers = pl.Series(names, dtype=pl.String), pl.Series(_TWO_DIGITS, dtype=pl.String)
    stated = (
        column.gather(values)
        for other in (verdict.suggested[rows], given[rows])
        for column, values in ((numbers, _hundredths(probabilities[rows, other])), (texts, other))
    )
    frame = pl.DataFrame(dict(zip(("p_suggested", "suggested", "p_given", "given"), stated, strict=True)))
    frame = frame.with_columns(is_issue=verdict.flagged[rows])
    against = pl.format("model gives {} to {} and {} to the given {}", *frame.columns[:4])
    return frame.select(pl.when("is_issue").then(against).otherwise(pl.format("{}, too little to call it wrong", against))).to_series()


def _hundredths(values: Floats) -> NDArray[np.int64]:
    return np.rint(np.clip(values, 0, 1) * 100).astype(np.int64)
