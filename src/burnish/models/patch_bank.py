"""Filters of one patch size: learned from small patches, answered by whole pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.linalg import eigh
from scipy.sparse import csr_array

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Pictures = NDArray[np.uint8]

GRIDS = (1, 3)
"""Answers are averaged over the whole picture and over its ninths."""

_SAMPLED_PATCHES = 40_000
_CONTRAST_FLOOR = 10.0
_WHITENING_FLOOR = 0.1
_KEPT_VARIANCE = 0.99
_THRESHOLD = 1.0
_MAP_VALUES = 1_500_000


@dataclass(frozen=True, slots=True, eq=False)
class PatchBank:
    """Filters of one patch size.

    Attributes:
        size: Side of a patch in pixels.
        whitening: (size * size * 3, R), float32; patch to whitened directions, the patch's own mean already taken out.
        offset: (R,), float32; what the mean patch whitens to.
        atoms: (K, R), float32; unit directions found by k-means.
        threshold: A direction answers with what exceeds this.
    """

    size: int
    whitening: Floats
    offset: Floats
    atoms: Floats
    threshold: float


def fit_bank(images: Pictures, size: int, filters: int, random: np.random.Generator) -> PatchBank:
    """Learn the filters of one patch size.

    Args:
        images: (N, H, W, 3), uint8; no side smaller than `size`.
        size: Side of a patch in pixels.
        filters: Directions to find.
        random: Source of all random choices.
    """
    patches = _sample_patches(images, size, random)
    patches -= patches.mean(axis=1, keepdims=True)
    patches /= np.sqrt(np.mean(patches**2, axis=1, keepdims=True) + _CONTRAST_FLOOR)
    mean = patches.mean(axis=0)
    variance, directions = eigh(np.cov((patches - mean).T), check_finite=False)
    variance, directions = np.maximum(variance[::-1], 0.0), directions[:, ::-1]
    kept = 1 + int(np.searchsorted(np.cumsum(variance), _KEPT_VARIANCE * variance.sum()))
    whitening = (directions[:, :kept] / np.sqrt(variance[:kept] + _WHITENING_FLOOR)).astype(np.float32)
    atoms = _spherical_means((patches - mean) @ whitening, filters, random)
    return PatchBank(size, whitening - whitening.mean(axis=0), mean @ whitening, atoms, _THRESHOLD)


def bank_answers(bank: PatchBank, images: Pictures) -> Floats:
    """(N, cells * K), float32; square roots of the mean answers per cell and filter, of pictures and their mirror images together."""
    _, height, width, _ = images.shape
    rows, columns = height - bank.size + 1, width - bank.size + 1
    cells = mean_over_cells(rows, columns)
    atoms = np.concatenate([bank.atoms, np.full((len(bank.atoms), 1), -bank.threshold, np.float32)], axis=1).T
    step = max(1, _MAP_VALUES // (rows * columns * max(len(bank.atoms), len(bank.whitening))))
    answers = np.empty((len(images), len(cells) * len(bank.atoms)), np.float32)
    for start in range(0, len(images), step):
        part = images[start : start + step].astype(np.float32)
        both = sum(cells @ _maps(bank, atoms, view) for view in (part, part[:, :, ::-1]))
        answers[start : start + step] = np.sqrt(both).reshape(len(part), -1)
    return answers


def mean_over_cells(rows: int, columns: int) -> Floats:
    """(cells, rows * columns) matrix that averages a map over the cells of every grid."""
    parts: list[Floats] = []
    for grid in GRIDS:
        down, across = _bands(rows, grid), _bands(columns, grid)
        parts.append(np.einsum("ar,bc->abrc", down, across).reshape(grid * grid, rows * columns))
    return np.concatenate(parts)


def _sample_patches(images: Pictures, size: int, random: np.random.Generator) -> Floats:
    count, height, width, _ = images.shape
    wanted = min(_SAMPLED_PATCHES, 4 * count * (height - size + 1) * (width - size + 1))
    picture = random.integers(0, count, wanted)[:, None, None]
    rows = random.integers(0, height - size + 1, wanted)[:, None] + np.arange(size)
    columns = random.integers(0, width - size + 1, wanted)[:, None] + np.arange(size)
    return images[picture, rows[:, :, None], columns[:, None, :]].reshape(wanted, -1).astype(np.float32)


def _spherical_means(points: Floats, count: int, random: np.random.Generator, rounds: int = 10) -> Floats:
    """(K, R) unit vectors: k-means by the angle, empty clusters restarted on random points."""
    points = points / (np.linalg.norm(points, axis=1, keepdims=True) + 1e-8)
    centres = points[random.choice(len(points), count, replace=count > len(points))]
    for _ in range(rounds):
        nearest = np.concatenate([(points[start : start + 4096] @ centres.T).argmax(axis=1) for start in range(0, len(points), 4096)])
        member = csr_array((np.ones(len(points), np.float32), nearest, np.arange(len(points) + 1)), shape=(len(points), count))
        sums = np.asarray(member.T @ points)
        empty = np.bincount(nearest, minlength=count) == 0
        sums[empty] = points[random.choice(len(points), int(empty.sum()))]
        centres = sums / (np.linalg.norm(sums, axis=1, keepdims=True) + 1e-8)
    return centres.astype(np.float32)


def _maps(bank: PatchBank, atoms: Floats, images: Floats) -> Floats:
    """(N, positions, K) answers: contrast-normalise, whiten, project on the atoms, keep what exceeds the threshold.

    The last row of `atoms` holds the threshold.
    """
    windows = sliding_window_view(images, (bank.size, bank.size), axis=(1, 2)).transpose(0, 1, 2, 4, 5, 3)
    patches = windows.reshape(-1, bank.whitening.shape[0])
    mean = patches.mean(axis=1)
    variance = np.einsum("ij,ij->i", patches, patches) / patches.shape[1] - mean * mean
    white = np.ones((len(patches), bank.whitening.shape[1] + 1), np.float32)
    white[:, :-1] = patches @ bank.whitening / np.sqrt(np.maximum(variance, 0.0) + _CONTRAST_FLOOR)[:, None] - bank.offset
    answers = white @ atoms
    np.maximum(answers, 0.0, out=answers)
    return answers.reshape(len(images), -1, atoms.shape[1])


def _bands(length: int, grid: int) -> Floats:
    edges = np.linspace(0, length, grid + 1)
    share = np.clip(np.minimum(np.arange(1, length + 1), edges[1:, None]) - np.maximum(np.arange(length), edges[:-1, None]), 0.0, None)
    return (share / share.sum(axis=1, keepdims=True)).astype(np.float32)
