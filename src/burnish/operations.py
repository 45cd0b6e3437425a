"""The catalogue: every verb, where it lives, and what it does in one line. Strings only, so that listing costs nothing."""

from __future__ import annotations

from typing import Final, NamedTuple


class Operation(NamedTuple):
    """One verb.

    Attributes:
        target: The function, "module:name".
        config: Its settings class, "module:name"; in a module that loads nothing heavy, so that help is quick.
        inputs: What it works on, in order: dataset, samples, original (datasets with a part to play), findings, source (a dataset or
            findings), url, folder, recipe, sets (of prepare), table (of labels) or video; a trailing ? marks one that may be left out.
        out: How its result is placed: "option" (--out, with a default), "run" (the same, and the verb works in that very folder),
            "argument" (named after the input), "asked" (only with --out), or "none".
        summary: What it does, in one line.
    """

    target: str
    config: str
    inputs: tuple[str, ...]
    out: str
    summary: str


_SETTINGS = "burnish.inspect.settings:"
_VIDEO = "burnish.video.settings:"

OPERATIONS: Final[dict[str, Operation]] = {
    "apply": Operation(
        "burnish.inspect.apply:apply",
        _SETTINGS + "ApplyConfig",
        ("findings",),
        "asked",
        "Write a new version of a dataset with findings applied.",
    ),
    "audit": Operation(
        "burnish.audit.audit:audit",
        "burnish.audit.settings:AuditConfig",
        ("dataset?",),
        "option",
        "Find the wrong labels of a picture dataset, with evidence.",
    ),
    "balance": Operation(
        "burnish.balance.balance:balance",
        "burnish.balance.settings:BalanceConfig",
        ("dataset",),
        "option",
        "Balance classes by repeating pictures, with proof of what is possible.",
    ),
    "check": Operation(
        "burnish.inspect.check:check",
        _SETTINGS + "CheckConfig",
        ("dataset",),
        "asked",
        "Look for everything in a dataset that contradicts itself or its files.",
    ),
    "convert": Operation(
        "burnish.inspect.convert:convert",
        _SETTINGS + "ConvertConfig",
        ("dataset",),
        "argument",
        "Turn a dataset from any format into another.",
    ),
    "cut": Operation(
        "burnish.video.cut:cut",
        _VIDEO + "CutConfig",
        ("video",),
        "option",
        "Cut videos into parts that add up to the whole.",
    ),
    "dedupe": Operation(
        "burnish.audit.dedupe:dedupe",
        "burnish.audit.settings:DedupeConfig",
        ("dataset",),
        "option",
        "Find copies and near copies of pictures, also across splits.",
    ),
    "diff": Operation(
        "burnish.inspect.diff:diff",
        _SETTINGS + "DiffConfig",
        ("dataset", "dataset?"),
        "asked",
        "Show what differs between two datasets or versions.",
    ),
    "doctor": Operation(
        "burnish.train.doctor:doctor",
        "burnish.train.doctoring.settings:DoctorConfig",
        ("dataset?",),
        "asked",
        "Check a training before hours are spent: machine, pictures, network, loss, target.",
    ),
    "evaluate": Operation(
        "burnish.train.evaluate:evaluate",
        "burnish.train.policies.settings:EvaluateConfig",
        ("dataset",),
        "option",
        "Measure a trained network on a dataset, alone or against another.",
    ),
    "extract": Operation(
        "burnish.video.extract:extract",
        _VIDEO + "ExtractConfig",
        ("video",),
        "option",
        "Take frames out of videos as pictures.",
    ),
    "filters": Operation(
        "burnish.video.filters:filters",
        _VIDEO + "FiltersConfig",
        ("video",),
        "option",
        "Put videos through filters: sizes, captions, comparisons, motion.",
    ),
    "history": Operation(
        "burnish.inspect.history:history",
        _SETTINGS + "HistoryConfig",
        ("folder",),
        "none",
        "List the versions of a dataset and what made each.",
    ),
    "home": Operation(
        "burnish.inspect.home:home",
        _SETTINGS + "HomeConfig",
        ("samples", "original"),
        "option",
        "Carry labels of samples back to the pictures and frames that these were made of.",
    ),
    "labels": Operation(
        "burnish.inspect.labels:labels",
        _SETTINGS + "LabelsConfig",
        ("table?", "table?"),
        "asked",
        "Check label tables, show their tree, compare them with a dataset or CVAT.",
    ),
    "predict": Operation(
        "burnish.train.predict:predict",
        "burnish.train.policies.settings:PredictConfig",
        ("dataset",),
        "option",
        "Annotate pictures with a trained network.",
    ),
    "prepare": Operation(
        "burnish.refine.prepare:prepare",
        "burnish.refine.settings:PrepareConfig",
        ("dataset",),
        "option",
        "Make sets for training, validation and evaluation out of a few hand-drawn masks and many weak boxes.",
    ),
    "preview": Operation(
        "burnish.inspect.preview:preview",
        _SETTINGS + "PreviewConfig",
        ("dataset",),
        "option",
        "Draw the annotations on the pictures and videos.",
    ),
    "pull": Operation(
        "burnish.cvat.pull:pull",
        "burnish.cvat.settings:PullConfig",
        ("url",),
        "argument",
        "Fetch a project, task or job of a CVAT server as a dataset.",
    ),
    "push": Operation(
        "burnish.cvat.push:push",
        "burnish.cvat.settings:PushConfig",
        ("source", "url"),
        "none",
        "Make a CVAT server hold what a dataset says, or raise issues where findings suspect something.",
    ),
    "refine": Operation(
        "burnish.refine.refine:refine",
        "burnish.refine.settings:RefineConfig",
        ("sets",),
        "run",
        "Improve weak masks with a model, once or in rounds of training and improving.",
    ),
    "run": Operation(
        "burnish.recipe:run",
        "burnish.recipe:RunConfig",
        ("recipe",),
        "none",
        "Run the steps of a recipe file, continuing where it stopped.",
    ),
    "split": Operation(
        "burnish.inspect.split:split",
        _SETTINGS + "SplitConfig",
        ("dataset",),
        "option",
        "Divide a dataset into parts without cutting a group.",
    ),
    "stats": Operation(
        "burnish.inspect.stats:stats", _SETTINGS + "StatsConfig", ("dataset",), "asked", "Count pictures, shapes and tracks of each class."
    ),
    "tidy": Operation(
        "burnish.inspect.tidy:tidy",
        _SETTINGS + "TidyConfig",
        ("dataset",),
        "asked",
        "Mend tracks, groups and overlaps that models or annotators left.",
    ),
    "train": Operation(
        "burnish.train.train:train",
        "burnish.train.policies.settings:TrainConfig",
        ("dataset?",),
        "run",
        "Train a network on a dataset, into a run folder with weights, numbers and a report.",
    ),
    "tune": Operation(
        "burnish.train.tune:tune",
        "burnish.train.tuning.settings:TuneConfig",
        ("dataset?",),
        "run",
        "Search the settings of a training: many trainings, judged by their target.",
    ),
    "undo": Operation(
        "burnish.inspect.undo:undo", _SETTINGS + "UndoConfig", ("folder",), "none", "Return a dataset to the version before."
    ),
}
