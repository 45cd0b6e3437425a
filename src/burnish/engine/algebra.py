"""How many threads the linear algebra below NumPy and SciPy takes."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from threadpoolctl import ThreadpoolController

if TYPE_CHECKING:
    from collections.abc import Generator


@contextmanager
def single_threaded_algebra() -> Generator[None]:
    """Within it every matrix operation runs on the thread that asks for it, in the whole process.

    Threads of the linear algebra wait for one another by spinning. Where several of ours ask at once, or other work shares the
    cores, most of the time goes there (measured: 191 s of processor time against 32 s), so work that has its own threads, or
    small decompositions, is better off without. What was set before holds again afterwards.
    """
    with _controller().limit(limits=1, user_api="blas"):
        yield


@cache
def _controller() -> ThreadpoolController:
    """Looks through the loaded libraries, which takes milliseconds: once is enough, when NumPy and SciPy are loaded."""
    for library in ("numpy.linalg", "scipy.linalg"):
        import_module(library)
    return ThreadpoolController()
