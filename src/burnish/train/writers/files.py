"""Plain files, which need nothing to be read: a line a step or a row a value; beside them pictures, figures, tables, texts and files."""

from __future__ import annotations

import json
import math
import shutil
from typing import TYPE_CHECKING, Any

from burnish.engine.files import atomic_path, explained_os_errors, write_bytes, write_text
from burnish.media.images import encode_png
from burnish.train.writers.flat import csv_text, figure_bytes, file_name, flattened

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from burnish.train.writers.settings import FilesConfig
    from burnish.train.writers.writer import Picture, Rows

_CSV_HEAD = "step,name,value\n"


class FilesWriter:
    """Appends numbers; a continued training goes on where its file ends."""

    def __init__(self, config: FilesConfig) -> None:
        self._folder = config.folder
        self._kind = config.name
        self._path = config.folder / f"metrics.{config.name}"
        if self._kind == "csv" and not self._path.exists():
            write_text(self._path, _CSV_HEAD)

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Append numbers; in JSON what is no number is null."""
        if self._kind == "csv":
            text = "".join(f"{step},{_quoted(name)},{value!r}\n" for name, value in values.items())
        else:
            text = json.dumps({"step": step, **_finite(values)}, ensure_ascii=False) + "\n"
        with explained_os_errors(self._path):
            self._folder.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8", newline="") as stream:
                stream.write(text)

    def images(self, name: str, pictures: Sequence[Picture], step: int) -> None:
        """Write each as a PNG."""
        for number, picture in enumerate(pictures):
            write_bytes(self._place("images", name, step, f"_{number}.png"), encode_png(picture))

    def figure(self, name: str, figure: Any, step: int) -> None:
        """Write a PNG."""
        write_bytes(self._place("figures", name, step, ".png"), figure_bytes(figure))

    def table(self, name: str, rows: Rows, step: int) -> None:
        """Write a CSV."""
        write_text(self._place("tables", name, step, ".csv"), csv_text(rows))

    def text(self, name: str, text: str, step: int) -> None:
        """Write a text."""
        write_text(self._place("texts", name, step, ".txt"), text)

    def hyper_parameters(self, values: Mapping[str, Any], metrics: Mapping[str, float] | None = None) -> None:
        """Write `hyper_parameters.json`."""
        told = {"settings": flattened(values), "metrics": _finite(metrics or {})}
        write_text(self._folder / "hyper_parameters.json", json.dumps(told, indent=1, ensure_ascii=False) + "\n")

    def artifact(self, path: Path, name: str = "") -> None:
        """Copy the file."""
        with atomic_path(self._folder / "artifacts" / file_name(name or path.name)) as temporary:
            shutil.copyfile(path, temporary)

    def close(self) -> None:
        """Nothing is left: every line is written when it is told."""

    def _place(self, kind: str, name: str, step: int, ending: str) -> Path:
        return self._folder / kind / f"{file_name(name)}_{step:08d}{ending}"


def _finite(values: Mapping[str, float]) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in values.items()}


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if any(letter in name for letter in ',"\n') else name
