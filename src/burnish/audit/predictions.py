"""Labels and out-of-sample predictions, checked once at the door."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from burnish.audit.chunks import in_chunks
from burnish.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats: TypeAlias = NDArray[np.floating[Any]]

_FLOATS = ("float32", "float64")
_SUM_TOLERANCE = 0.02  # half-precision and printed probabilities come this far from 1


def checked_probabilities(probabilities: ArrayLike) -> Floats:
    """Probabilities as a float32 or float64 array `(N, K)`; the caller's own memory where that is what it is.

    Raises:
        DataError: Not a table, empty, one class only, or rows that hold no probabilities: NaN, negative, or not summing to 1.
    """
    table = _as_array(probabilities, "probabilities")
    if table.ndim != 2:  # noqa: PLR2004
        raise DataError(f"probabilities must have two dimensions, (examples, classes); found shape {table.shape}.")
    if not table.shape[0]:
        raise DataError("probabilities hold no example; there is nothing to judge.")
    if table.shape[1] < 2:  # noqa: PLR2004
        raise DataError(f"probabilities hold {table.shape[1]} class; a label can only be wrong where there are at least 2 classes.")
    if table.dtype.kind not in "fiub":
        raise DataError(f"probabilities must be numbers; found {table.dtype}.")
    if table.dtype.name not in _FLOATS:
        table = table.astype(np.float32 if table.dtype == np.float16 else np.float64)
    in_chunks(lambda rows: _check_rows(table[rows], rows.start), table)
    return table


def checked_labels(labels: ArrayLike, probabilities: Floats, class_names: Sequence[str] | None = None) -> NDArray[np.int64]:
    """Labels as class indices, `(N,)` of int64; names are looked up in `class_names`.

    Raises:
        DataError: Not a list, of another length than the probabilities, no whole numbers, or classes that do not exist.
    """
    given = _as_array(labels, "labels")
    count, classes = probabilities.shape
    if class_names is not None:
        _check_names(class_names, classes)
    if given.ndim != 1:
        raise DataError(f"labels must have one dimension, one class for each example; found shape {given.shape}.")
    if len(given) != count:
        raise DataError(f"{len(given)} labels, but probabilities for {count} examples; they must be equally many and in the same order.")
    if given.dtype.kind in "UTO":
        return _looked_up(given, class_names)
    if given.dtype.kind not in "iuf":
        raise DataError(f"labels must be class indices or class names; found {given.dtype}.")
    whole = _whole(given)
    bad = np.flatnonzero((whole < 0) | (whole >= classes))
    if len(bad):
        found = int(whole[bad[0]])
        raise DataError(f"label {found} in {_rows(bad)}; with {classes} classes labels go from 0 to {classes - 1}.", rows=bad.tolist())
    return whole


def checked_embeddings(embeddings: ArrayLike, count: int) -> Floats:
    """Embeddings as a float32 or float64 array `(N, D)`.

    Raises:
        DataError: Not a table of N finite rows.
    """
    table = _as_array(embeddings, "embeddings")
    if table.ndim != 2 or len(table) != count or not table.shape[1]:  # noqa: PLR2004
        raise DataError(f"embeddings must have shape ({count}, dimensions), one row for each example; found {table.shape}.")
    if table.dtype.kind not in "fiu":
        raise DataError(f"embeddings must be numbers; found {table.dtype}.")
    bad = np.flatnonzero(~np.isfinite(table).all(axis=1))
    if len(bad):
        raise DataError(f"embeddings hold NaN or infinity in {_rows(bad)}.", rows=bad.tolist())
    return table if table.dtype.name in _FLOATS else table.astype(np.float32)


def _as_array(values: ArrayLike, what: str) -> NDArray[Any]:
    try:
        return np.asarray(values)
    except ValueError as error:
        raise DataError(f"{what} cannot be read as one array; are all rows equally long? ({error})") from error


def _check_rows(block: Floats, first: int) -> None:
    sums = block @ np.ones(block.shape[1], dtype=block.dtype)
    if np.abs(sums - 1).max() <= _SUM_TOLERANCE and block.min() >= 0:
        return
    good = (np.abs(sums - 1) <= _SUM_TOLERANCE) & (block.min(axis=1) >= 0)
    row = int(np.argmin(good))
    if not np.isfinite(block[row]).all():
        found = "NaN or infinity"
    elif block[row].min() < 0:
        found = f"the negative value {block[row].min():.4g}"
    else:
        found = f"values that sum to {sums[row]:.4g}"
    many = "" if np.count_nonzero(~good) == 1 else f" (and {np.count_nonzero(~good) - 1} more rows near it)"
    raise DataError(
        f"probabilities in row {first + row} hold {found}{many}; each row must hold probabilities from 0 to 1 that sum to 1 "
        f"(within {_SUM_TOLERANCE}). Scores or logits need a softmax first.",
        rows=(first + np.flatnonzero(~good)).tolist(),
    )


def _check_names(names: Sequence[str], classes: int) -> None:
    if len(names) != classes:
        raise DataError(f"{len(names)} class names, but probabilities for {classes} classes; name each column, in order.")
    if len(set(names)) != len(names):
        twice = next(name for name in names if list(names).count(name) > 1)
        raise DataError(f"class name {twice!r} stands more than once in class_names; names must differ.")


def _whole(given: NDArray[Any]) -> NDArray[np.int64]:
    if given.dtype.kind == "f":
        bad = np.flatnonzero(~np.isfinite(given) | (given != np.floor(given)))
        if len(bad):
            raise DataError(f"label {given[bad[0]]} in {_rows(bad)}; class indices must be whole numbers.", rows=bad.tolist())
    return given.astype(np.int64)


def _looked_up(given: NDArray[Any], class_names: Sequence[str] | None) -> NDArray[np.int64]:
    if class_names is None:
        raise DataError(
            f"labels hold {given.tolist()[0]!r}, which is no class index; pass class_names to use names, in the order of the columns."
        )
    index = {name: position for position, name in enumerate(class_names)}
    found = np.array([index.get(name, -1) for name in given.tolist()], dtype=np.int64)
    bad = np.flatnonzero(found < 0)
    if len(bad):
        known = ", ".join(map(repr, class_names[:10])) + (", ..." if len(class_names) > 10 else "")  # noqa: PLR2004
        raise DataError(f"label {given.tolist()[bad[0]]!r} in {_rows(bad)} is none of the class names: {known}.", rows=bad.tolist())
    return found


def _rows(bad: NDArray[np.intp]) -> str:
    return f"row {bad[0]}" if len(bad) == 1 else f"row {bad[0]} (and {len(bad) - 1} more rows)"
