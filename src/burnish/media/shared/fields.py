"""What a row consists of."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from burnish.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Field:
    """One array of each row.

    Attributes:
        shape: The same in all rows.
        dtype: NumPy's name, for instance uint8.
        is_picture: It is (height, width, 3) uint8 and may be kept as JPEG, with a loss.
    """

    shape: tuple[int, ...]
    dtype: str = "uint8"
    is_picture: bool = False

    @property
    def nbytes(self) -> int:
        """Bytes of one row."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize


def refuse_other_arrays(fields: Mapping[str, Field], arrays: Mapping[str, NDArray[Any]], row: int) -> None:
    """Refuse arrays that are not what was announced, for NumPy would repeat and round them until they fit.

    Raises:
        DataError: One is missing, too many, of another shape or type.
    """
    if set(fields) != set(arrays):
        raise DataError(f"Row {row} was made of {sorted(arrays)}; expected {sorted(fields)}.", rows=(row,))
    for name, field in fields.items():
        found = arrays[name]
        if found.shape != field.shape or found.dtype != np.dtype(field.dtype):
            told = f"Row {row}: {name} has shape {found.shape} and type {found.dtype}"
            raise DataError(f"{told}; expected {field.shape} and {field.dtype}, as in every row.", rows=(row,))
