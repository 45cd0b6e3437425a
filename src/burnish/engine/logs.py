"""Logging to the console and to a file, under the one logger `burnish`."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from logging import Logger

_FILE_FORMAT = "%(asctime)s %(levelname)-7s %(message)s"


def start_logging(level: str = "WARNING", file: Path | str | None = None) -> Logger:
    """Send messages of this level and above to standard error, and everything from INFO on to a file where one is named.

    Calling it again replaces what was set up before, so that no message appears twice.
    """
    logger = logging.getLogger("burnish")
    for handler in tuple(logger.handlers):
        logger.removeHandler(handler)
        handler.close()
    console = logging.StreamHandler(sys.stderr)
    console.setLevel(level.upper())
    console.setFormatter(logging.Formatter("%(message)s"))
    logger.addHandler(console)
    if file is not None:
        logger.addHandler(_file_handler(Path(file)))
    logger.setLevel(logging.DEBUG if level.upper() == "DEBUG" else logging.INFO)
    logger.propagate = False
    return logger


def _file_handler(path: Path) -> logging.Handler:
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setLevel(logging.INFO)
    handler.setFormatter(logging.Formatter(_FILE_FORMAT))
    return handler
