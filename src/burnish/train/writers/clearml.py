"""ClearML. Offline unless asked, so that nothing leaves the machine by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from burnish.train.writers.flat import figure_pixels, flattened
from burnish.train.writers.foreign import library, said_elsewhere

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from burnish.train.writers.settings import ClearmlConfig
    from burnish.train.writers.writer import Picture, Rows


class ClearmlWriter:
    """One task of a project."""

    def __init__(self, config: ClearmlConfig) -> None:
        off = dict.fromkeys(
            ("auto_connect_arg_parser", "auto_connect_frameworks", "auto_connect_streams", "auto_resource_monitoring"), False
        )
        with said_elsewhere():
            clearml = library("clearml", "pip install clearml")
            _report_from_threads()
            if config.offline:
                clearml.Task.set_offline(offline_mode=True)
            self._task: Any = clearml.Task.init(project_name=config.project, task_name=config.task, reuse_last_task_id=False, **off)
            self._logger: Any = self._task.get_logger()

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """Write numbers."""
        for name, value in values.items():
            title, _, series = name.partition("/")
            self._logger.report_scalar(title, series or title, value, iteration=step)

    def images(self, name: str, pictures: Sequence[Picture], step: int) -> None:
        """Write pictures."""
        for number, picture in enumerate(pictures):
            self._logger.report_image(name, str(number), iteration=step, image=picture)

    def figure(self, name: str, figure: Any, step: int) -> None:
        """Write a figure."""
        self._logger.report_image(name, "figure", iteration=step, image=figure_pixels(figure))

    def table(self, name: str, rows: Rows, step: int) -> None:
        """Write a table."""
        columns = list(dict.fromkeys(key for row in rows for key in row))
        data = [columns, *([row.get(column) for column in columns] for row in rows)]
        self._logger.report_table(name, "table", iteration=step, table_plot=data)

    def text(self, name: str, text: str, step: int) -> None:
        """Write words."""
        self._logger.report_text(f"step {step}, {name}: {text}", print_console=False)

    def hyper_parameters(self, values: Mapping[str, Any], metrics: Mapping[str, float] | None = None) -> None:
        """Write settings, and what they led to."""
        self._task.connect(flattened(values))
        for name, value in (metrics or {}).items():
            self._logger.report_single_value(name, value)

    def artifact(self, path: Path, name: str = "") -> None:
        """Write a file."""
        self._task.upload_artifact(name or path.name, str(path))

    def close(self) -> None:
        """End the run."""
        with said_elsewhere():
            self._task.close()


def _report_from_threads() -> None:
    """By default ClearML forks a process that reports: in one with the threads of a training both may wait for one another for ever."""
    settings: Any = library("clearml.config", "pip install clearml")
    settings.config_obj.set_overrides({"sdk": {"development": {"report_use_subprocess": False}}})
