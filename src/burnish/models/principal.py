"""Principal directions of many long rows, quickly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import eigh, qr

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_ROUNDS = 4
_OVERSAMPLED = 0.1
_LEAST_VARIANCE = 1e-6


def principal_directions(rows: Floats, wanted: int) -> Floats:
    """Orthonormal directions of greatest variance, strongest first.

    Args:
        rows: (N, P), float32, already centred.
        wanted: Directions at most; those whose variance is below a millionth of the greatest are left out.

    Returns:
        (P, D), float32, with D from 1 to `wanted`.
    """
    tall = len(rows) > rows.shape[1]
    variance, vectors = _largest(rows.T @ rows if tall else rows @ rows.T, wanted)
    kept = max(1, int(np.sum(variance > _LEAST_VARIANCE * max(float(variance[0]), 1e-12))))
    if tall:
        return np.ascontiguousarray(vectors[:, :kept])
    return np.asarray(rows.T @ (vectors[:, :kept] / np.sqrt(np.maximum(variance[:kept], 1e-12))), np.float32)


def _largest(gram: Floats, wanted: int) -> tuple[Floats, Floats]:
    """The largest eigenvalues, descending, and their vectors.

    Large matrices go by subspace iteration (Halko, Martinsson and Tropp, "Finding structure with randomness", SIAM Review 2011). A full
    decomposition takes longer, and many times longer where threads of the linear algebra wait for one another on a busy machine.
    """
    if len(gram) <= 2 * wanted:
        return _decomposed(gram, wanted)
    width = wanted + max(8, int(wanted * _OVERSAMPLED))
    subspace = np.random.default_rng(0).standard_normal((len(gram), width), dtype=np.float32)
    for _ in range(_ROUNDS):
        subspace = np.asarray(qr(gram @ subspace, mode="economic", check_finite=False)[0], np.float32)
    variance, turn = _decomposed(np.asarray(subspace.T @ (gram @ subspace), np.float32), wanted)
    return variance, subspace @ turn


def _decomposed(gram: Floats, wanted: int) -> tuple[Floats, Floats]:
    variance, vectors = eigh(gram, driver="evd", check_finite=False)
    return np.asarray(variance[::-1][:wanted], np.float32), np.asarray(vectors[:, ::-1][:, :wanted], np.float32)
