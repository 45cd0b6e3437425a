"""Turn a dataset from any format into another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from burnish.errors import ConfigError
from burnish.formats.recognise import FORMATS, load_format
from burnish.inspect.derived import Derived

if TYPE_CHECKING:
    from burnish.data.dataset import Dataset
    from burnish.inspect.settings import ConvertConfig

_VARIANTS = {
    "yolo": ("task", ("detect", "segment", "obb", "pose", "classify")),
    "masks": ("style", ("binary", "index", "instances", "palette")),
}


def convert(dataset: Dataset, config: ConvertConfig) -> Derived:
    """Prepare a dataset for another format; saving the result writes it.

    What the format cannot carry, and what the source held and could not be read, comes back as findings when it is saved.

    Raises:
        DataError: There is no format of that name, or it is only read.
        ConfigError: The variant does not belong to the format.
    """
    load_format(config.to)
    text = f"{dataset}\nwritten as {config.to}: {FORMATS[config.to].summary}"
    options = _options(config)
    return Derived(
        dataset,
        verb="convert",
        config=config.model_dump(mode="json"),
        text=text,
        to=config.to,
        media=config.media,
        options=options,
        findings=dataset.notes,
    )


def _options(config: ConvertConfig) -> dict[str, str]:
    if config.task is None:
        return {}
    key, allowed = _VARIANTS.get(config.to, ("task", ()))
    if config.task not in allowed:
        known = ", ".join(allowed) or "none"
        raise ConfigError(f"'task' is '{config.task}'; the format {config.to} has these variants: {known}.")
    return {key: config.task}
