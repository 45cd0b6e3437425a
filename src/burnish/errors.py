"""The one family of errors.

```
BurnishError
├── ConfigError        a setting is wrong: key, value, nearest right one, line        (exit code 2)
│   └── ChainError     label tables do not have the chain that is asked for           (exit code 2)
├── DataError          a dataset is wrong: table and row ids                          (exit code 3)
│   ├── FormatError    a file is wrong: path and position                             (exit code 3)
│   ├── LabelError     a label that the label tables do not know: the nearest one     (exit code 3)
│   └── ForbiddenLabelError  objects that must not be there: the pictures             (exit code 3)
├── ModelError         a model cannot be built or run                                 (exit code 4)
│   ├── MissingExtra   an optional library is not installed: the command that does it (exit code 4)
│   └── WeightsError   weights are missing or do not fit                              (exit code 4)
└── ServiceError       a remote answered with an error, or not at all                 (exit code 5)
```

A message says what was found, what was expected and what to do.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path


class BurnishError(Exception):
    """Anything that burnish itself reports; `exit_code` is what the command line returns for it."""

    exit_code = 1


class ConfigError(BurnishError, ValueError):
    """A setting that cannot be used."""

    exit_code = 2


class ChainError(ConfigError, NotImplementedError):
    """A chain through label tables that they do not have."""


class DataError(BurnishError, ValueError):
    """A dataset, table or array that does not hold what it must; `table` and `rows` say where."""

    exit_code = 3

    def __init__(self, message: str, *, table: str | None = None, rows: Sequence[int] = ()) -> None:
        super().__init__(message)
        self.table = table
        self.rows = tuple(rows)


class FormatError(DataError):
    """A file that cannot be read as what it claims to be; `path` and `position` (line, row or key) say where."""

    def __init__(self, message: str, *, path: Path | str | None = None, position: str | int | None = None) -> None:
        where = "" if path is None else f"{path}: " if position is None else f"{path}, {_position_text(position)}: "
        super().__init__(where + message)
        self.path = path
        self.position = position


class LabelError(DataError, KeyError):
    """A label that the label tables do not know."""

    __str__ = Exception.__str__  # a KeyError shows its text in quotes


class ForbiddenLabelError(DataError):
    """Objects of forbidden classes where there must be none; `rows` are the pictures."""


class ModelError(BurnishError):
    """A model that cannot be built, loaded or run."""

    exit_code = 4


class MissingExtra(ModelError, ImportError):  # noqa: N818 - named for what is missing, as users meet it
    """An optional part that is not installed."""


class WeightsError(ModelError):
    """Weights that are missing, damaged or made for another model."""


class ServiceError(BurnishError):
    """A remote service that refused or did not answer; `status` is its own code."""

    exit_code = 5

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


@contextmanager
def extra(name: str) -> Generator[None]:
    """Guard the import of an optional library.

    Used as `with extra("audit"):` around the import statements.

    Args:
        name: The extra of this package that brings the library.

    Raises:
        MissingExtra: The library is not installed; the message holds the command that installs it.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        message = f"{error.name} is not installed, and this needs it. Install it with: pip install 'burnish[{name}]'"
        raise MissingExtra(message) from error


def _position_text(position: str | int) -> str:
    return f"line {position}" if isinstance(position, int) else position
