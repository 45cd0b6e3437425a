"""What identifies a picture: hashes of its bytes and of its pixels, and a small grey print that survives re-encoding and scaling."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image

from burnish.engine.map import Engine, ordered_map
from burnish.engine.progress import Progress, silent
from burnish.media.images import read_image
from burnish.media.scaling import resize
from burnish.media.unreadable import UnreadableImage, why_unreadable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

PRINT_SIZE: Final = 32
"""Height and width of a print, in pixels."""

_DIGEST_BYTES: Final = 16
_BLOCK_BYTES: Final = 2**20
_SHARPNESS_SIDE: Final = 512


@dataclass(frozen=True, slots=True, eq=False)
class PictureHashes:
    """Hashes and simple measures of n pictures, in the order of their paths; zeros and empty texts where a picture is unreadable.

    Attributes:
        files: n texts, BLAKE2b of the bytes, 32 hexadecimal digits; given for unreadable pictures too, where there is a file.
        pixels: n texts, BLAKE2b of the decoded upright RGB pixels with their size.
        prints: (n, 32, 32) uint8, the whole picture as small grey pixels.
        sizes: (n, 2) int64, height and width.
        brightness: (n,) float64, mean grey value, 0 to 255.
        contrast: (n,) float64, standard deviation of the grey values, 0 to 127.5.
        sharpness: (n,) float64, variance of the Laplacian of the grey picture scaled to at most 512 pixels.
        reasons: n texts, why a picture is unreadable, or empty.
    """

    files: tuple[str, ...]
    pixels: tuple[str, ...]
    prints: NDArray[np.uint8]
    sizes: NDArray[np.int64]
    brightness: NDArray[np.float64]
    contrast: NDArray[np.float64]
    sharpness: NDArray[np.float64]
    reasons: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.files)

    @property
    def readable(self) -> NDArray[np.bool_]:
        """(n,) whether each picture could be decoded."""
        return np.array([not reason for reason in self.reasons], dtype=np.bool_)


@dataclass(frozen=True, slots=True, eq=False)
class _One:
    file: str
    pixels: str
    small: NDArray[np.uint8]
    size: tuple[int, int]
    measures: tuple[float, float, float]
    reason: str


def hash_pictures(paths: Sequence[Path], *, engine: Engine | None = None, progress: Progress = silent) -> PictureHashes:
    """Decode each picture once and take all that identifies it; an unreadable one gets its reason."""
    found = list(ordered_map(_hash_one, paths, engine=engine, progress=progress, label="hashing pictures"))
    measures = np.array([one.measures for one in found], dtype=np.float64).reshape(-1, 3)
    return PictureHashes(
        files=tuple(one.file for one in found),
        pixels=tuple(one.pixels for one in found),
        prints=np.stack([one.small for one in found]) if found else np.zeros((0, PRINT_SIZE, PRINT_SIZE), np.uint8),
        sizes=np.array([one.size for one in found], dtype=np.int64).reshape(-1, 2),
        brightness=measures[:, 0],
        contrast=measures[:, 1],
        sharpness=measures[:, 2],
        reasons=tuple(one.reason for one in found),
    )


def file_hash(path: Path | str) -> str:
    """BLAKE2b of a file's bytes, 32 hexadecimal digits.

    Raises:
        OSError: The file cannot be read.
    """
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    with Path(path).open("rb") as stream:
        while block := stream.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def pixel_hash(pixels: NDArray[Any]) -> str:
    """BLAKE2b of decoded pixels together with their shape and type, 32 hexadecimal digits."""
    digest = hashlib.blake2b(f"{pixels.shape} {pixels.dtype.str}".encode(), digest_size=_DIGEST_BYTES)
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()


def picture_print(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The whole picture as (32, 32) grey pixels, by area averaging: what `burnish.similarity.duplicates` compares.

    Args:
        pixels: (height, width, 3) RGB or (height, width) grey, uint8.
    """
    return resize(_grey(pixels), (PRINT_SIZE, PRINT_SIZE))


def sharpness(pixels: NDArray[np.uint8]) -> float:
    """Variance of the Laplacian of the grey picture, scaled down to at most 512 pixels so that sizes can be compared.

    Pech-Pacheco et al., Diatom autofocusing in brightfield microscopy, ICPR 2000.
    """
    grey = _grey(pixels)
    factor = min(1.0, _SHARPNESS_SIDE / max(grey.shape))
    small = resize(grey, (round(grey.shape[0] * factor), round(grey.shape[1] * factor)))
    around = np.pad(small.astype(np.int16), 1, mode="reflect")
    laplacian = around[:-2, 1:-1] + around[2:, 1:-1] + around[1:-1, :-2] + around[1:-1, 2:] - 4 * around[1:-1, 1:-1]
    return float(laplacian.var(dtype=np.float64))


def _grey(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Grey pixels by ITU-R 601's weights."""
    return pixels if pixels.ndim == 2 else np.asarray(Image.fromarray(pixels).convert("L"))  # noqa: PLR2004


def _mean_and_deviation(grey: NDArray[np.uint8]) -> tuple[float, float]:
    levels, counts = np.arange(256), np.array(Image.fromarray(grey).histogram())
    mean = float(counts @ levels) / grey.size
    return mean, float(np.sqrt(counts @ (levels - mean) ** 2 / grey.size))


def _hash_one(path: Path) -> _One:
    nothing = np.zeros((PRINT_SIZE, PRINT_SIZE), np.uint8)
    try:
        file = file_hash(path)
    except OSError as error:
        return _One("", "", nothing, (0, 0), (0.0, 0.0, 0.0), why_unreadable(path, error))
    try:
        pixels = read_image(path)
    except UnreadableImage as error:
        return _One(file, "", nothing, (0, 0), (0.0, 0.0, 0.0), error.reason)
    grey = _grey(pixels)
    measures = (*_mean_and_deviation(grey), sharpness(grey))
    return _One(file, pixel_hash(pixels), picture_print(grey), (pixels.shape[0], pixels.shape[1]), measures, "")
