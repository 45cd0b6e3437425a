"""Features learned from the pictures themselves: no labels, no pretrained weights, no torch.

Small patches are contrast-normalised and whitened, spherical k-means finds the directions that recur in them, and a picture is
described by how strongly each direction answers in each part of it, averaged over the picture and its mirror image (Coates, Ng
and Lee, "An analysis of single-layer networks in unsupervised feature learning", AISTATS 2011; Coates and Ng, "Learning feature
representations with k-means", 2012). The answers are compressed to their principal components, so that a linear probe on them
is cheap enough to be refitted for every fold.

As no label is used, features of the whole dataset may be learned once and given to every fold without a leak.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.linalg import eigh
from scipy.sparse import csr_array

from burnish.errors import DataError
from burnish.models.principal import principal_directions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Pictures = NDArray[np.uint8]

_PATCH_SIZES = (6, 10)
_SMALLEST_SIDE = 8
_GRIDS = (1, 3)
_TONE_SHARE = 0.05
_SAMPLED_PATCHES = 40_000
_SAMPLED_PICTURES = 3_000
_CONTRAST_FLOOR = 10.0
_WHITENING_FLOOR = 0.1
_KEPT_VARIANCE = 0.99
_THRESHOLD = 1.0
_MAP_VALUES = 1_500_000
_CHUNK = 128


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


@dataclass(frozen=True, slots=True, eq=False)
class PatchFilters:
    """What `fit_patches` learned; all that `patch_features` needs.

    Attributes:
        shape: Height and width of the pictures in pixels.
        banks: Filters by patch size.
        centre: (P,), float32; mean of each pooled answer.
        scale: (P,), float32; what each pooled answer is multiplied with.
        basis: (P, D), float32; principal directions of the scaled answers, strongest first.
    """

    shape: tuple[int, int]
    banks: tuple[PatchBank, ...]
    centre: Floats
    scale: Floats
    basis: Floats


def suitable_size(height: float, width: float, count: int) -> tuple[int, int]:
    """Height and width in pixels to which pictures should be resized for `fit_patches`.

    Small pictures keep their size. Larger ones are reduced to about 64 x 64 pixels (few pictures) or 32 x 32 (many), with the
    proportions kept between 1:2 and 2:1: the filters see shapes of 6 to 10 pixels, which must be a fair part of the object, and
    time grows with the area.

    Args:
        height: Typical (median) height in pixels.
        width: Typical (median) width in pixels.
        count: Number of pictures.
    """
    side = min(math.sqrt(max(height, 1.0) * max(width, 1.0)), _side_for(count))
    stretch = math.sqrt(min(max(height / max(width, 1.0), 0.5), 2.0))
    return max(_SMALLEST_SIDE, round(side * stretch)), max(_SMALLEST_SIDE, round(side / stretch))


def fit_patches(images: Pictures, *, seed: int = 0, filters: int = 400, components: int = 800) -> PatchFilters:
    """Learn filters and the compression of their answers.

    Args:
        images: (N, H, W, 3), uint8; H and W at least 8.
        seed: Of all random choices.
        filters: Directions per patch size.
        components: Features per picture, at most.

    Raises:
        DataError: The array is not pictures of one size, or there are none.
    """
    return embed_patches(images, seed=seed, filters=filters, components=components)[0]


def patch_features(filters: PatchFilters, images: Pictures) -> Floats:
    """Describe pictures by learned filters.

    Args:
        filters: From `fit_patches`.
        images: (N, H, W, 3), uint8, of the size on which the filters were learned.

    Returns:
        (N, D), float32; finite for every picture, blank ones too.

    Raises:
        DataError: The pictures have another size than those on which the filters were learned.
    """
    _require_pictures(images)
    if images.shape[1:3] != filters.shape:
        found, expected = (f"{h} x {w}" for h, w in (images.shape[1:3], filters.shape))
        raise DataError(f"the pictures are {found} pixels, and the filters were learned at {expected}: resize them to {expected}")
    features = np.empty((len(images), filters.basis.shape[1]), np.float32)
    for rows in _chunks(np.arange(len(images))):
        features[rows] = _compress(filters, _pooled(filters.banks, images[rows]))
    return features


def embed_patches(
    images: Pictures,
    *,
    seed: int = 0,
    filters: int = 400,
    components: int = 800,
    advance: Callable[[int], object] | None = None,
) -> tuple[PatchFilters, Floats]:
    """Learn filters on pictures and describe the same pictures by them.

    It is `fit_patches` and `patch_features` in one pass, which saves half of the time.

    Args:
        images: (N, H, W, 3), uint8; H and W at least 8.
        seed: Of all random choices.
        filters: Directions per patch size.
        components: Features per picture, at most.
        advance: Is told how many more pictures are described; N in all.

    Returns:
        The filters, and the features of `images`, (N, D), float32.

    Raises:
        DataError: The array is not pictures of one size, or there are none.
    """
    _require_pictures(images)
    if len(images) == 0:
        raise DataError("there are no pictures to learn filters from: give at least one")
    random = np.random.default_rng(seed)
    sizes = sorted({min(size, min(images.shape[1:3]) // 2) for size in _PATCH_SIZES})
    banks = tuple(_fit_bank(images, size, filters, random) for size in sizes)
    sampled = np.sort(random.permutation(len(images))[:_SAMPLED_PICTURES])
    tell = advance or (lambda _: None)
    parts: list[Floats] = []
    for rows in _chunks(sampled):
        parts.append(_pooled(banks, images[rows]))
        tell(len(rows))
    pooled = np.concatenate(parts)
    learned = _fit_compression(banks, (images.shape[1], images.shape[2]), pooled, components)
    features = np.empty((len(images), learned.basis.shape[1]), np.float32)
    features[sampled] = _compress(learned, pooled)
    for rows in _chunks(np.setdiff1d(np.arange(len(images)), sampled, assume_unique=True)):
        features[rows] = patch_features(learned, images[rows])
        tell(len(rows))
    return learned, features


def _chunks(rows: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Rows in pieces that are small beside the dataset and large beside the work of one call."""
    return (rows[start : start + _CHUNK] for start in range(0, len(rows), _CHUNK))


def _require_pictures(images: Pictures) -> None:
    if images.ndim != 4 or images.shape[3] != 3 or images.dtype != np.uint8:  # noqa: PLR2004
        raise DataError(f"pictures must be an array (N, height, width, 3) of uint8, and this is {images.shape} of {images.dtype}")
    if min(images.shape[1:3]) < _SMALLEST_SIDE:
        raise DataError(
            f"the pictures are {images.shape[1]} x {images.shape[2]} pixels, "
            f"and patches need at least {_SMALLEST_SIDE} x {_SMALLEST_SIDE}: enlarge them"
        )


def _side_for(count: int) -> float:
    """Side at which `count` pictures take about as long as 2000 pictures of 32 x 32, between 32 and 64."""
    return min(max(32.0 * math.sqrt(2000 / max(count, 1)), 32.0), 64.0)


def _fit_bank(images: Pictures, size: int, filters: int, random: np.random.Generator) -> PatchBank:
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


def _pooled(banks: tuple[PatchBank, ...], images: Pictures) -> Floats:
    """(N, P) square roots of the mean answers per filter and cell, of pictures and mirror images together; then the mean colours."""
    return np.concatenate([*(_bank_answers(bank, images) for bank in banks), _tones(images)], axis=1)


def _bank_answers(bank: PatchBank, images: Pictures) -> Floats:
    _, height, width, _ = images.shape
    rows, columns = height - bank.size + 1, width - bank.size + 1
    cells = _cells(rows, columns)
    atoms = np.concatenate([bank.atoms, np.full((len(bank.atoms), 1), -bank.threshold, np.float32)], axis=1).T
    step = max(1, _MAP_VALUES // (rows * columns * max(len(bank.atoms), len(bank.whitening))))
    answers = np.empty((len(images), len(cells) * len(bank.atoms)), np.float32)
    for start in range(0, len(images), step):
        part = images[start : start + step].astype(np.float32)
        both = sum(cells @ _maps(bank, atoms, view) for view in (part, part[:, :, ::-1]))
        answers[start : start + step] = np.sqrt(both).reshape(len(part), -1)
    return answers


def _tones(images: Pictures) -> Floats:
    """(N, cells * 3) mean colours, of pictures and mirror images together: patches lose the brightness by their normalisation."""
    count, height, width, _ = images.shape
    both = images.astype(np.float32) + images[:, :, ::-1]
    tones = _cells(height, width) @ both.reshape(count, height * width, 3) / 510.0
    return tones.reshape(count, -1).astype(np.float32)


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


def _cells(rows: int, columns: int) -> Floats:
    """(cells, rows * columns) matrix that averages a map over the cells of every grid."""
    parts: list[Floats] = []
    for grid in _GRIDS:
        down, across = _bands(rows, grid), _bands(columns, grid)
        parts.append(np.einsum("ar,bc->abrc", down, across).reshape(grid * grid, rows * columns))
    return np.concatenate(parts)


def _bands(length: int, grid: int) -> Floats:
    edges = np.linspace(0, length, grid + 1)
    share = np.clip(np.minimum(np.arange(1, length + 1), edges[1:, None]) - np.maximum(np.arange(length), edges[:-1, None]), 0.0, None)
    return (share / share.sum(axis=1, keepdims=True)).astype(np.float32)


def _fit_compression(banks: tuple[PatchBank, ...], shape: tuple[int, int], pooled: Floats, components: int) -> PatchFilters:
    centre = pooled.mean(axis=0)
    spread = pooled.std(axis=0)
    scale = _block_weights(banks) / np.sqrt(spread**2 + 1e-6 * float(np.mean(spread**2)) + 1e-8)
    scaled = (pooled - centre) * scale
    basis = principal_directions(scaled, components)
    return PatchFilters(shape, banks, centre, scale.astype(np.float32), basis)


def _block_weights(banks: tuple[PatchBank, ...]) -> Floats:
    """(P,) weights that give every grid of every bank the same total variance, 1 in all, and the colours a little on top."""
    blocks = [(grid * grid * len(bank.atoms), 1.0 / (len(banks) * len(_GRIDS))) for bank in banks for grid in _GRIDS]
    tones = 3 * sum(grid * grid for grid in _GRIDS)
    return np.concatenate([np.full(size, math.sqrt(share / size)) for size, share in [*blocks, (tones, _TONE_SHARE)]]).astype(np.float32)


def _compress(filters: PatchFilters, pooled: Floats) -> Floats:
    scaled: Floats = (pooled - filters.centre) * filters.scale
    return scaled @ filters.basis
