"""The handlers and stoppers by name. Strings only: listing and describing load no torch."""

from __future__ import annotations

from typing import Final

from burnish.descriptions import Alias, Entry, Kind

_AT: Final = "burnish.train.handlers."


def _handler(module: str, name: str, summary: str) -> Entry:
    return Entry(f"{_AT}settings:{name}Config", f"{_AT}{module}:{name}", summary)


def _stopper(name: str, summary: str) -> Entry:
    return Entry(f"{_AT}stopper_settings:{name}Config", f"{_AT}stoppers:{name}", summary)


HANDLERS: Final = Kind(
    "handler",
    {
        "accumulation": _handler("accumulation", "Accumulation", "Several batches make one step."),
        "precision": _handler("precision", "Precision", "bf16 or fp16 with a scaler."),
        "freezing": _handler("freezing", "Freezing", "Parameters that join later."),
        "skipping": _handler("skipping", "Skipping", "Leaves out steps with NaN, infinite or outlying losses, or every n-th."),
        "clipping": _handler("clipping", "Clipping", "Bounds gradients."),
        "averaging": _handler("averaging", "Averaging", "A running average of the weights (EMA)."),
        "timing": _handler("timing", "Timing", "Seconds a step, and those spent waiting for data."),
        "memory": _handler("memory", "Memory", "The most memory used."),
        "stopping": _handler("stopping", "Stopping", "Stops early by rules."),
        "interrupts": _handler("interrupts", "Interrupts", "SIGTERM and Ctrl-C finish the step and save."),
        "saving": _handler("saving", "Saving", "The last and the best checkpoint."),
    },
    {
        "ema": Alias("averaging"),
        "amp": Alias("precision", {"mode": "auto"}),
        "clip": Alias("clipping"),
        "checkpoint": Alias("saving"),
        "freeze": Alias("freezing"),
        "early_stopping": Alias("stopping"),
    },
)

STOPPERS: Final = Kind(
    "stopper",
    {
        "patience": _stopper("Patience", "No gain of the target for some evaluations."),
        "goal": _stopper("Goal", "Metrics have reached what was wanted."),
        "hopeless": _stopper("Hopeless", "Metrics are too bad after some evaluations."),
        "time_limit": _stopper("TimeLimit", "Time is up."),
        "not_finite": _stopper("NotFinite", "A metric is infinite or no number."),
        "all_of": _stopper("AllOf", "All of some stoppers say so."),
        "any_of": _stopper("AnyOf", "One of some stoppers says so."),
    },
    {
        "EarlyStopping": Alias("patience"),
        "EarlyStopper": Alias("patience"),
        "Patience": Alias("patience"),
        "Goal": Alias("goal"),
        "Hopeless": Alias("hopeless"),
        "TimeLimit": Alias("time_limit"),
        "NotFinite": Alias("not_finite"),
        "AllOf": Alias("all_of"),
        "AnyOf": Alias("any_of"),
    },
)
