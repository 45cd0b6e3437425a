"""What writers share of shape: nested settings as flat ones, tables as text, figures as bytes, names as file names."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from burnish.train.writers.writer import Rows


def flattened(values: Mapping[str, Any], prefix: str = "") -> dict[str, bool | int | float | str]:
    """Nested settings with their keys joined by dots; what is neither number nor text becomes text."""
    flat: dict[str, bool | int | float | str] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat |= flattened({str(k): v for k, v in value.items()}, f"{prefix}{key}.")  # pyright: ignore[reportUnknownVariableType]
        else:
            flat[f"{prefix}{key}"] = value if isinstance(value, bool | int | float | str) else str(value)
    return flat


def csv_text(rows: Rows) -> str:
    """A table as CSV, its columns in the order in which they first come."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def markdown_text(rows: Rows) -> str:
    """A table as Markdown."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    lines = [columns, ["---"] * len(columns), *([str(row.get(column, "")) for column in columns] for row in rows)]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def figure_bytes(figure: Any) -> bytes:
    """A figure as PNG."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    return stream.getvalue()


def figure_pixels(figure: Any) -> NDArray[np.uint8]:
    """A figure as (H, W, 3) uint8, RGB."""
    with Image.open(io.BytesIO(figure_bytes(figure))) as picture:
        return np.asarray(picture.convert("RGB"))


def file_name(name: str) -> str:
    """A name that any file system takes, on one level."""
    return re.sub(r"[^\w.-]+", "_", name).strip("._") or "unnamed"
