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

from burnish.engine.algebra import single_threaded_algebra
from burnish.engine.map import ordered_map
from burnish.errors import DataError
from burnish.models.patch_bank import GRIDS, PatchBank, bank_answers, fit_bank, mean_over_cells
from burnish.models.principal import principal_directions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from burnish.engine.map import Engine

    Floats = NDArray[np.float32]
    Pictures = NDArray[np.uint8]

_PATCH_SIZES = (6, 10)
_SMALLEST_SIDE = 8
_TONE_SHARE = 0.05
_SAMPLED_PICTURES = 3_000
_CHUNK = 128


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


def patch_features(
    filters: PatchFilters,
    images: Pictures,
    *,
    engine: Engine | None = None,
    advance: Callable[[int], object] | None = None,
) -> Floats:
    """Describe pictures by learned filters.

    Args:
        filters: From `fit_patches`.
        images: (N, H, W, 3), uint8, of the size on which the filters were learned.
        engine: How many threads to use; one for each core when None.
        advance: Is told how many more pictures are described.

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
    _describe(features, filters, images, np.arange(len(images)), engine=engine, advance=advance)
    return features


def embed_patches(
    images: Pictures,
    *,
    seed: int = 0,
    filters: int = 400,
    components: int = 800,
    engine: Engine | None = None,
    advance: Callable[[int], object] | None = None,
) -> tuple[PatchFilters, Floats]:
    """Learn filters on pictures and describe the same pictures by them.

    It is `fit_patches` and `patch_features` in one pass, which saves half of the time.

    Args:
        images: (N, H, W, 3), uint8; H and W at least 8.
        seed: Of all random choices.
        filters: Directions per patch size.
        components: Features per picture, at most.
        engine: How many threads to use; one for each core when None.
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
    with single_threaded_algebra():
        banks = tuple(fit_bank(images, size, filters, random) for size in sizes)
        sampled = np.sort(random.permutation(len(images))[:_SAMPLED_PICTURES])
        pooled = np.concatenate(list(_pooled_parts(banks, images, sampled, engine=engine, advance=advance)))
        learned = _fit_compression(banks, (images.shape[1], images.shape[2]), pooled, components)
    features = np.empty((len(images), learned.basis.shape[1]), np.float32)
    features[sampled] = _compress(learned, pooled)
    others = np.setdiff1d(np.arange(len(images)), sampled, assume_unique=True)
    _describe(features, learned, images, others, engine=engine, advance=advance)
    return learned, features


def _describe(
    features: Floats,
    filters: PatchFilters,
    images: Pictures,
    rows: NDArray[np.int64],
    *,
    engine: Engine | None,
    advance: Callable[[int], object] | None,
) -> None:
    """Fill the given rows of `features`."""
    with single_threaded_algebra():
        for chunk, pooled in zip(_chunks(rows), _pooled_parts(filters.banks, images, rows, engine=engine, advance=advance), strict=True):
            features[chunk] = _compress(filters, pooled)


def _pooled_parts(
    banks: tuple[PatchBank, ...],
    images: Pictures,
    rows: NDArray[np.int64],
    *,
    engine: Engine | None,
    advance: Callable[[int], object] | None,
) -> Iterator[Floats]:
    """Pooled answers of the rows, chunk by chunk, by threads of ours rather than of the linear algebra."""
    for part in ordered_map(lambda chunk: _pooled(banks, images[chunk]), _chunks(rows), engine=engine):
        if advance:
            advance(len(part))
        yield part


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


def _pooled(banks: tuple[PatchBank, ...], images: Pictures) -> Floats:
    """(N, P) square roots of the mean answers per filter and cell, of pictures and mirror images together; then the mean colours."""
    return np.concatenate([*(bank_answers(bank, images) for bank in banks), _tones(images)], axis=1)


def _tones(images: Pictures) -> Floats:
    """(N, cells * 3) mean colours, of pictures and mirror images together: patches lose the brightness by their normalisation."""
    count, height, width, _ = images.shape
    both = images.astype(np.float32) + images[:, :, ::-1]
    tones = mean_over_cells(height, width) @ both.reshape(count, height * width, 3) / 510.0
    return tones.reshape(count, -1).astype(np.float32)


def _fit_compression(banks: tuple[PatchBank, ...], shape: tuple[int, int], pooled: Floats, components: int) -> PatchFilters:
    centre = pooled.mean(axis=0)
    spread = pooled.std(axis=0)
    scale = _block_weights(banks) / np.sqrt(spread**2 + 1e-6 * float(np.mean(spread**2)) + 1e-8)
    scaled = (pooled - centre) * scale
    basis = principal_directions(scaled, components)
    return PatchFilters(shape, banks, centre, scale.astype(np.float32), basis)


def _block_weights(banks: tuple[PatchBank, ...]) -> Floats:
    """(P,) weights that give every grid of every bank the same total variance, 1 in all, and the colours a little on top."""
    blocks = [(grid * grid * len(bank.atoms), 1.0 / (len(banks) * len(GRIDS))) for bank in banks for grid in GRIDS]
    tones = 3 * sum(grid * grid for grid in GRIDS)
    return np.concatenate([np.full(size, math.sqrt(share / size)) for size, share in [*blocks, (tones, _TONE_SHARE)]]).astype(np.float32)


def _compress(filters: PatchFilters, pooled: Floats) -> Floats:
    scaled: Floats = (pooled - filters.centre) * filters.scale
    return scaled @ filters.basis
