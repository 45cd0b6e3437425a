"""Find the wrong labels of a picture dataset, with evidence."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from burnish.audit.corrections import refuse_existing_corrections
from burnish.audit.fold_models import names_an_embedder, refuse_unknown_model
from burnish.audit.gathering import gather_findings, outliers_of
from burnish.audit.items import items_of
from burnish.audit.judging import judge
from burnish.audit.looking import look
from burnish.audit.result import AuditResult
from burnish.audit.settings import AuditConfig
from burnish.engine.map import Engine
from burnish.engine.progress import Progress, silent
from burnish.engine.timing import Stopwatch

if TYPE_CHECKING:
    from burnish.data.dataset import Dataset


def audit(
    dataset: Dataset,
    config: AuditConfig | None = None,
    *,
    engine: Engine | None = None,
    progress: Progress = silent,
    work: Path | None = None,
    force: bool = False,
) -> AuditResult:
    """Find wrong labels, copies, leaks, odd and unreadable pictures.

    Every label is compared with the prediction of a model that saw neither the picture nor a copy of it. Labels of whole pictures
    are judged where there are any, otherwise boxes, each by its cut-out.

    Args:
        dataset: Pictures with labels.
        config: The settings.
        engine: Where pictures are decoded.
        progress: Where to report.
        work: Folder for the decoded cache and finished folds; the same call with the same folder continues a killed run. Without
            one, they are kept no longer than the call lasts.
        force: Go on although a corrected_labels.jsonl is there that saving would replace.

    Raises:
        DataError: There is nothing to judge: no pictures, no labels, one class, or labels that are not among the names.
        ConfigError: There is no such model or method.
        MissingExtra: The model needs torch, which is not installed.
    """
    chosen, runner = config or AuditConfig(), engine or Engine()
    refuse_existing_corrections(dataset, chosen, force=force)
    refuse_unknown_model(chosen)
    items = items_of(dataset, chosen.names)
    watch = Stopwatch()
    with watch.part("copies"):
        embedder = chosen.model if names_an_embedder(chosen.model) else None
        seen = look(dataset, false_pairs=chosen.false_pairs, embedder=embedder, engine=runner, progress=progress)
    with tempfile.TemporaryDirectory(prefix="burnish-audit-") as temporary:
        place = work or Path(temporary)
        judgement = judge(items, seen, dataset.root, chosen, work=place, engine=runner, progress=progress, watch=watch)
        outliers = outliers_of(judgement)
        findings = gather_findings(dataset, items, judgement, seen, outliers)
        return AuditResult(dataset, chosen, items, judgement, seen, outliers, findings, dict(watch.seconds), runner)
