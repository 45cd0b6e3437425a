"""TensorBoard, by tensorboardX, which needs neither TensorFlow nor TensorBoard to write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from burnish.train.writers.flat import figure_pixels, flattened, markdown_text
from burnish.train.writers.foreign import library

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from burnish.train.writers.settings import TensorBoardConfig
    from burnish.train.writers.writer import Picture, Rows


class TensorBoardWriter:
    """Writes event files."""

    def __init__(self, config: TensorBoardConfig) -> None:
        self._writer = library("tensorboardX", "pip install 'burnish[track]'").SummaryWriter(str(config.folder))
        self._settings: dict[str, bool | int | float | str] = {}

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Write numbers."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def images(self, name: str, pictures: Sequence[Picture], step: int) -> None:
        """Write pictures of any sizes."""
        for number, picture in enumerate(pictures):
            self._writer.add_image(f"{name}/{number}", picture, step, dataformats="HWC")

    def figure(self, name: str, figure: Any, step: int) -> None:
        """Write it as a picture."""
        self._writer.add_image(name, figure_pixels(figure), step, dataformats="HWC")

    def table(self, name: str, rows: Rows, step: int) -> None:
        """Write it as Markdown, which TensorBoard shows as a table."""
        self._writer.add_text(name, markdown_text(rows), step)

    def text(self, name: str, text: str, step: int) -> None:
        """Write words."""
        self._writer.add_text(name, text, step)

    def hyper_parameters(self, values: Mapping[str, Any], metrics: Mapping[str, float] | None = None) -> None:
        """Write them for the tab of hyper-parameters, which takes them once: with what they led to, else when it ends."""
        self._settings |= flattened(values)
        if metrics:
            self._write_settings(metrics)

    def artifact(self, path: Path, name: str = "") -> None:
        """Write where it is; TensorBoard keeps no files."""
        self._writer.add_text(f"artifact/{name or path.name}", str(path))

    def close(self) -> None:
        """Write what is left."""
        self._write_settings({})
        self._writer.close()

    def _write_settings(self, metrics: Mapping[str, float]) -> None:
        if self._settings:
            self._writer.add_hparams(self._settings, dict(metrics), name="hyper_parameters")
        self._settings = {}
