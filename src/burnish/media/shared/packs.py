"""Packed rows: pictures as JPEG, the rest compressed, one after another in a file, with a table of where each lies."""

from __future__ import annotations

import os
import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from burnish.engine.files import explained_os_errors
from burnish.engine.locks import locked
from burnish.errors import DataError
from burnish.media.shared.budget import QUALITY

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from burnish.media.shared.fields import Field


@dataclass(frozen=True, slots=True, eq=False)
class Packs:
    """Where packed rows lie.

    Attributes:
        folder: Of the file and its lock.
        fields: What a row consists of.
        places: (n, fields, 2) int64 begin and length in the file.
        limit: Bytes that the file may take.
    """

    folder: Path
    fields: Mapping[str, Field]
    places: NDArray[np.int64]
    limit: int


def pack(packs: Packs, row: int, arrays: Mapping[str, NDArray[Any]]) -> bool:
    """Keep a row; False where there is no room for it.

    Raises:
        DataError: The disk is full.
    """
    parts = [_packed(field, arrays[name]) for name, field in packs.fields.items()]
    lengths = np.array([len(part) for part in parts], np.int64)
    path = packs.folder / "packs.bin"
    with locked(packs.folder / "packs.lock"), explained_os_errors(path), path.open("ab") as stream:
        begin = stream.seek(0, os.SEEK_END)
        if begin + lengths.sum() > packs.limit:
            return False
        stream.writelines(parts)
    packs.places[row, :, 0] = begin + np.concatenate([[0], lengths[:-1]]).cumsum()
    packs.places[row, :, 1] = lengths
    return True


def unpack(packs: Packs, row: int) -> dict[str, NDArray[Any]]:
    """A row's arrays.

    Raises:
        DataError: The file is not what was written.
    """
    places: list[list[int]] = packs.places[row].tolist()
    begin = places[0][0]
    path = packs.folder / "packs.bin"
    try:
        with path.open("rb", buffering=0) as stream:
            data = os.pread(stream.fileno(), sum(length for _, length in places), begin)
        return {
            name: _unpacked(field, data[place - begin : place - begin + length])
            for (name, field), (place, length) in zip(packs.fields.items(), places, strict=True)
        }
    except (OSError, ValueError, zlib.error) as error:
        raise DataError(
            f"{path}: row {row} is damaged ({error}). Delete the folder {packs.folder}; it is made again.", rows=(row,)
        ) from error


def as_packed(packs: Packs, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """What packing and unpacking makes of a row."""
    return {name: _unpacked(field, _packed(field, arrays[name])) for name, field in packs.fields.items()}


def _packed(field: Field, array: NDArray[Any]) -> bytes:
    if not field.is_picture:
        return zlib.compress(np.ascontiguousarray(array).tobytes(), 1)
    stream = BytesIO()
    Image.fromarray(np.ascontiguousarray(array)).save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()


def _unpacked(field: Field, data: bytes) -> NDArray[Any]:
    if not field.is_picture:
        return np.frombuffer(zlib.decompress(data), field.dtype).reshape(field.shape)
    with Image.open(BytesIO(data)) as picture:
        return np.asarray(picture)
