"""The folder of a training: what stands in it from the first minute, so that it is of use whenever the training ends."""

from __future__ import annotations

import json
import platform
import sys
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from burnish.config import dump
from burnish.engine.files import write_text
from burnish.engine.map import available_cores
from burnish.engine.memory import total_memory
from burnish.errors import ConfigError, extra
from burnish.train.handlers.saving import BEST, LAST

with extra("train"):
    import torch

if TYPE_CHECKING:
    from burnish.train.policies.policy import Policy
    from burnish.train.policies.settings import TrainConfig

CONFIG: Final = "config.yaml"
RUN: Final = "run.json"
ENVIRONMENT: Final = "environment.json"
CACHE: Final = "cache"
"""Folder of the decoded pictures of a training that shares them with no other."""
_PACKAGES = ("burnish", "torch", "torchvision", "timm", "segmentation-models-pytorch", "transformers", "numpy", "opencv-python-headless")
_REPORT = "report.html"
_OWN = (LAST, BEST, "metrics.jsonl", RUN)


def write_run(folder: Path, plan: TrainConfig, policy: Policy, mark: str) -> None:
    """Write config.yaml (every choice made), run.json (what a reader of the weights must know) and environment.json."""
    write_text(folder / CONFIG, dump(plan))
    about: dict[str, Any] = {
        "mark": mark,
        "task": policy.examples.task,
        "mode": policy.examples.mode,
        "names": list(policy.names),
        "classes": list(policy.examples.classes),
        "outputs": policy.outputs,
        "placement": {"size": plan.size, "how": plan.data.fit},
        "details": dict(policy.details),
        "network": plan.model_dump(mode="json")["network"],
        "dataset": str(policy.examples.dataset.origin.get("path", policy.examples.dataset.root)),
    }
    write_text(folder / RUN, json.dumps(about, indent=2, ensure_ascii=False))
    write_text(folder / ENVIRONMENT, json.dumps(environment(), indent=2, ensure_ascii=False))


def environment() -> dict[str, Any]:
    """Versions, machine and device: what else must be known to do it again."""
    return {
        "when": datetime.now().astimezone().isoformat(timespec="seconds"),
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "processor": _processor(),
        "cores": available_cores(),
        "memory_gb": round(total_memory() / 1e9, 1),
        "packages": {name: found for name in _PACKAGES if (found := _version(name))},
        "threads": torch.get_num_threads(),
        "devices": [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())],
    }


def refuse_other_run(folder: Path, plan: TrainConfig, mark: str, *, force: bool) -> None:
    """Do nothing where the folder is new or holds this very training; remove what another one left with `force`, or if it saved nothing.

    A training that ended before its first checkpoint, for instance over a mistake in its settings, has nothing that could be lost.

    Raises:
        ConfigError: It holds another training; the message names what differs.
    """
    about = folder / RUN
    if not about.is_file():
        return
    began = any((folder / name).exists() for name in (LAST, BEST, _REPORT))
    if began and json.loads(about.read_text(encoding="utf-8")).get("mark") == mark:
        return
    if began and not force:
        told = f"{folder} holds another training ({_difference(folder / CONFIG, plan)})"
        raise ConfigError(f"{told}. Name another folder with --out, or add --force to begin anew in this one.")
    for name in _OWN:
        (folder / name).unlink(missing_ok=True)


def caches_of_other_runs(folder: Path) -> tuple[Path, ...]:
    """Where the runs beside a run folder keep their decoded pictures."""
    found = sorted(about.parent / CACHE for about in folder.absolute().parent.glob(f"*/{RUN}") if about.parent != folder.absolute())
    return tuple(place for place in found if place.is_dir())


def _difference(path: Path, plan: TrainConfig) -> str:
    before = _flat(yaml.safe_load(path.read_text(encoding="utf-8"))) if path.is_file() else {}
    now = _flat(yaml.safe_load(dump(plan)))
    keys = [key for key in now if before.get(key) != now[key]] + [key for key in before if key not in now]
    if not keys:
        return "the dataset is another one, or has changed"
    return "; ".join(f"{key} {before.get(key)!r} there, {now.get(key)!r} here" for key in keys[:3])


def _flat(values: Any, above: str = "") -> dict[str, Any]:
    if not isinstance(values, dict):
        return {above: values}
    return {key: value for name, inner in values.items() for key, value in _flat(inner, f"{above}.{name}".strip(".")).items()}


def _processor() -> str:
    """The processor's own name where the system tells it, else its kind."""
    told = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace") if Path("/proc/cpuinfo").is_file() else ""
    names = (line.partition(":")[2].strip() for line in told.splitlines() if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
