"""burnish polishes vision data until models shine: find wrong labels, convert, check, review, improve.

Names load on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from burnish.operations import OPERATIONS

if TYPE_CHECKING:
    from burnish.audit.audit import audit
    from burnish.audit.dedupe import dedupe
    from burnish.audit.label_issues import label_issues
    from burnish.balance.balance import balance
    from burnish.cvat.pull import pull
    from burnish.cvat.push import push
    from burnish.data.dataset import Dataset
    from burnish.data.labels import Labels
    from burnish.errors import BurnishError
    from burnish.formats.recognise import open_dataset
    from burnish.inspect.apply import apply
    from burnish.inspect.check import check
    from burnish.inspect.convert import convert
    from burnish.inspect.diff import diff
    from burnish.inspect.history import history
    from burnish.inspect.home import home
    from burnish.inspect.labels import labels
    from burnish.inspect.preview import preview
    from burnish.inspect.split import split
    from burnish.inspect.stats import stats
    from burnish.inspect.tidy import tidy
    from burnish.inspect.undo import undo
    from burnish.recipe import run
    from burnish.refine.prepare import prepare
    from burnish.refine.refine import refine
    from burnish.train.doctor import doctor
    from burnish.train.evaluate import evaluate
    from burnish.train.predict import predict
    from burnish.train.train import train
    from burnish.train.tune import tune
    from burnish.video.cut import cut
    from burnish.video.extract import extract
    from burnish.video.filters import filters

    open = open_dataset  # noqa: A001 - burnish.open reads a dataset as open reads a file

__version__ = "0.1.0"
__all__ = [
    "BurnishError",
    "Dataset",
    "Labels",
    "__version__",
    "apply",
    "audit",
    "balance",
    "check",
    "convert",
    "cut",
    "dedupe",
    "diff",
    "doctor",
    "evaluate",
    "extract",
    "filters",
    "history",
    "home",
    "label_issues",
    "labels",
    "open",
    "predict",
    "prepare",
    "preview",
    "pull",
    "push",
    "refine",
    "run",
    "split",
    "stats",
    "tidy",
    "train",
    "tune",
    "undo",
]

_NAMES = {
    "BurnishError": "burnish.errors:BurnishError",
    "Dataset": "burnish.data.dataset:Dataset",
    "Labels": "burnish.data.labels:Labels",
    "label_issues": "burnish.audit.label_issues:label_issues",
    "open": "burnish.formats.recognise:open_dataset",
    **{verb: operation.target for verb, operation in OPERATIONS.items()},
}


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        raise AttributeError(f"module 'burnish' has no attribute '{name}'; it has {', '.join(__all__)}")
    module, _, attribute = _NAMES[name].partition(":")
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return __all__
