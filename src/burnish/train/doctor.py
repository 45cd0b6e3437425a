"""Check a training before hours are spent: machine, pictures, network, loss, target."""

from __future__ import annotations

import tempfile
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from burnish.config import dump
from burnish.engine.files import write_text
from burnish.engine.progress import Progress, silent
from burnish.errors import BurnishError
from burnish.report.page import Fact, Section, page
from burnish.report.tables import html_table
from burnish.train.checks.finding import Finding
from burnish.train.doctoring.network import look_at_network
from burnish.train.doctoring.pictures import look_at_parts, measure_pictures
from burnish.train.doctoring.settings import DoctorConfig
from burnish.train.doctoring.surroundings import look_around, room
from burnish.train.policies.examples import gather
from burnish.train.policies.resolving import decided
from burnish.train.resuming import chance_left_alone
from burnish.train.setup import build_job, set_up, training_mark

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from burnish.data.dataset import Dataset
    from burnish.train.policies.settings import TrainConfig

_ERRORS_EXIT_CODE: Final = 3
_MARKS: Final = {"ok": "ok     ", "warning": "WARNING", "error": "ERROR  ", "not checked": "-      "}


@dataclass(frozen=True, slots=True, eq=False)
class DoctorResult:
    """What was found.

    Attributes:
        config: The settings, with every choice made as far as they could be resolved.
        findings: In the order in which things were looked at.
        classes: Frequencies and suggested weights, one row a class; None where pictures were not measured.
        subject: What was looked at.
    """

    config: TrainConfig
    findings: tuple[Finding, ...]
    classes: pl.DataFrame | None
    subject: str

    @property
    def table(self) -> pl.DataFrame:
        """One row a check: check, verdict, found, do."""
        rows = [(one.name, one.status, one.found, one.advice) for one in self.findings]
        return pl.DataFrame(rows, schema=dict.fromkeys(("check", "verdict", "found", "do"), pl.String), orient="row")

    @property
    def exit_code(self) -> int:
        """3 when something is an error."""
        return _ERRORS_EXIT_CODE if any(one.status == "error" for one in self.findings) else 0

    def save(self, folder: Path, *, force: bool = False) -> list[Path]:
        """Write doctor.csv, report.html and, where pictures were measured, classes.csv."""
        del force
        texts = {"doctor.csv": self.table.write_csv(), "report.html": self._page()}
        if self.classes is not None:
            texts["classes.csv"] = self.classes.write_csv()
        for name, text in texts.items():
            write_text(folder / name, text)
        return [folder / name for name in texts]

    def summary(self) -> dict[str, Any]:
        """Counts of verdicts, all checks, and the classes."""
        classes = {} if self.classes is None else {"classes": self.classes.to_dicts()}
        return {"subject": self.subject, "verdicts": self._verdicts(), "checks": self.table.to_dicts(), **classes}

    def __str__(self) -> str:
        lines = [
            f"{_MARKS[one.status]} {one.name}: {one.found}" + (f"\n        {one.advice}" if one.advice else "") for one in self.findings
        ]
        counts = ", ".join(f"{number} {verdict}" for verdict, number in self._verdicts().items())
        return "\n".join([f"{self.subject}:", *lines, f"{len(self.findings)} checks: {counts}."])

    def _verdicts(self) -> dict[str, int]:
        return dict(Counter(one.status for one in self.findings))

    def _page(self) -> str:
        counts = self._verdicts()
        facts = [Fact("Errors", str(counts.get("error", 0)), tone="bad" if self.exit_code else "good")]
        facts += [Fact(title, str(counts.get(verdict, 0))) for title, verdict in (("Warnings", "warning"), ("Fine", "ok"))]
        sections = [Section("checks", "Checks", html_table(self.table, caption="Checks"))]
        if self.classes is not None:
            lead = "Of the training part, as the network sees it; weights are ready to be put into the loss."
            sections.append(Section("classes", "Classes", html_table(self.classes, caption="Frequencies and weights"), lead))
        return page(self.subject, sections, facts=facts, settings=dump(self.config), kind="doctor")


def doctor(dataset: Dataset | None = None, config: DoctorConfig | None = None, *, progress: Progress = silent) -> DoctorResult:
    """Look at everything that a training needs; what goes wrong becomes a finding.

    Args:
        dataset: Pictures with labels; without them only the surroundings are looked at.
        config: The settings of the training, and what else to look for.
        progress: Where to report.

    Raises:
        ConfigError: A check that is to be left out does not exist.
    """
    chosen = config or DoctorConfig()
    found = look_around(chosen)
    if dataset is None:
        found.append(Finding("training", "not checked", "No dataset was named.", "Write: burnish doctor DATASET -c config.yaml"))
        return DoctorResult(chosen, tuple(found), None, "This machine")
    with _nothing_changed() as folder:
        plan, classes = _look_at_training(dataset, chosen, folder, found, progress)
    return DoctorResult(plan, tuple(found), classes, f"A training on {dataset.origin.get('path', dataset.root)}")


def _alone(config: TrainConfig) -> TrainConfig:
    """On one device."""
    return config.model_copy(update={"hardware": config.hardware.model_copy(update={"devices": 1})})


def _look_at_training(
    dataset: Dataset, config: DoctorConfig, folder: Path, found: list[Finding], progress: Progress
) -> tuple[TrainConfig, pl.DataFrame | None]:
    """Stage after stage, each on what the one before it has made; an error ends them."""
    plan: TrainConfig = config
    classes, stage = None, "dataset"
    try:
        examples = gather(dataset, config.task, config.data, seed=config.seed, progress=progress)
        found += look_at_parts(examples, fewest=config.fewest)
        stage = "settings"
        plan, policy = decided(_alone(config), examples)
        assert isinstance(plan.size, tuple)
        found.append(room(Path(plan.data.cache or "."), len(policy.examples), plan.size))
        if _has_errors(found):
            return plan, None
        setup = set_up(plan, policy, folder, progress)
        if config.statistics:
            stage = "statistics"
            kept = Path(plan.data.cache) / "statistics" if plan.data.cache else None
            statistics, classes = measure_pictures(setup, kept, training_mark(plan, policy.examples), progress)
            found.append(statistics)
        stage = "network"
        job, _ = build_job(setup, folder, "", progress)
        if job.writer is not None:
            job.writer.close()
        found += look_at_network(setup, job, config, progress)
    except BurnishError as error:
        if stage == "network" and "to leave out" in str(error):
            raise
        found.append(Finding(stage, "error", str(error)))
    return plan, classes


def _has_errors(found: Sequence[Finding]) -> bool:
    return any(one.status == "error" and one.name in {"parts", "disk"} for one in found)


@contextmanager
def _nothing_changed() -> Generator[Path]:
    """A folder that goes away, and chance that is afterwards where it was."""
    with chance_left_alone(), tempfile.TemporaryDirectory(prefix="burnish-doctor-") as folder:
        yield Path(folder)
