"""The catalogue: every verb, where it lives, and what it does in one line. Strings only, so that listing costs nothing."""

from __future__ import annotations

from typing import Final, NamedTuple


class Operation(NamedTuple):
    """One verb: `target` is "module:function"."""

    target: str
    summary: str


OPERATIONS: Final[dict[str, Operation]] = {
    "apply": Operation("burnish.inspect.apply:apply", "Write a new version of a dataset with findings applied."),
    "audit": Operation("burnish.audit.audit:audit", "Find the wrong labels of a picture dataset, with evidence."),
    "check": Operation("burnish.inspect.check:check", "Look for everything in a dataset that contradicts itself or its files."),
    "convert": Operation("burnish.inspect.convert:convert", "Turn a dataset from any format into another."),
    "dedupe": Operation("burnish.audit.dedupe:dedupe", "Find copies and near copies of pictures, also across splits."),
    "diff": Operation("burnish.inspect.diff:diff", "Show what differs between two datasets or versions."),
    "history": Operation("burnish.inspect.history:history", "List the versions of a dataset and what made each."),
    "preview": Operation("burnish.inspect.preview:preview", "Draw the annotations on the pictures."),
    "run": Operation("burnish.recipe:run", "Run the steps of a recipe file, continuing where it stopped."),
    "split": Operation("burnish.inspect.split:split", "Divide a dataset into parts without cutting a group."),
    "stats": Operation("burnish.inspect.stats:stats", "Count pictures, shapes and tracks of each class."),
    "undo": Operation("burnish.inspect.undo:undo", "Return a dataset to the version before."),
}
