"""Loading models without the bars and reports of their library."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from burnish.errors import extra

with extra("audit"):
    import transformers

if TYPE_CHECKING:
    from collections.abc import Generator


@contextmanager
def quiet_transformers() -> Generator[None]:
    """Keep the bars and reports of transformers away: what is wrong is told by our messages."""
    logging = transformers.utils.logging
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
