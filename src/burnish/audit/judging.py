"""Judging labels: predictions by models that never saw the item, and what they say against each label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from burnish.audit.fold_models import ModelChoice, build_model, choose_model
from burnish.audit.label_issues import label_issues
from burnish.audit.out_of_sample import Plan, Predictions, predict_out_of_sample
from burnish.data.splits import joined_groups
from burnish.engine.fingerprint import fingerprint
from burnish.engine.pieces import open_pieces
from burnish.errors import DataError
from burnish.media.cache import build_cache

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from burnish.audit.items import Items
    from burnish.audit.looking import Look
    from burnish.audit.settings import AuditConfig
    from burnish.engine.map import Engine
    from burnish.engine.pieces import Pieces
    from burnish.engine.progress import Progress
    from burnish.engine.timing import Stopwatch

_KEPT_SETTINGS = ("model", "folds", "repeats", "weights", "size", "seed", "train", "transform")
"""What the predictions depend on beside the data; other settings may change and finished folds are still good."""


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """What the models say of each judged item.

    Attributes:
        rows: (m,) index of each judged item among the items.
        predictions: Of the judged items.
        table: m rows: score, is_issue, given, suggested, reason.
        choice: The model.
        features: (m, d) description of the judged items, or None.
        pixels: (m, h, w, 3) the judged items as the model saw them.
    """

    rows: NDArray[np.int64]
    predictions: Predictions
    table: pl.DataFrame
    choice: ModelChoice
    features: NDArray[np.float32] | None
    pixels: NDArray[np.uint8]


def judge(
    items: Items, seen: Look, root: Path, config: AuditConfig, *, work: Path, engine: Engine, progress: Progress, watch: Stopwatch
) -> Judgement:
    """Predict and rank the labels of all items that can be read and have one.

    Raises:
        DataError: None can be read.
        ConfigError: There is no such model or method.
        MissingExtra: The model needs torch, which is not installed.
    """
    pictures = seen.rows_of(items.images)
    rows = np.flatnonzero(seen.hashes.readable[pictures] & (items.labels >= 0))
    if not len(rows):
        raise DataError(f"None of the {len(items):,} labelled pictures can be read. The first: {items.paths[0]}: {seen.hashes.reasons[0]}")
    choice = choose_model(config, _sizes(items, seen, pictures)[rows], progress)
    with watch.part("decoding"):
        boxes = None if items.boxes is None else items.boxes[rows]
        cache = build_cache(
            [root / items.paths[row] for row in rows], choice.size, work / "pictures", boxes=boxes, engine=engine, progress=progress
        )
    groups = joined_groups(items.scenes, seen.copy_groups()[pictures])[rows]
    with watch.part("predicting"):
        model = build_model(choice, config, cache.pixels, groups, progress)
        plan = Plan(items.labels[rows], len(items.names), groups, config.folds, choice.repeats, config.seed)
        predictions = predict_out_of_sample(model, plan, pieces=_pieces(work, config, cache.folder.name, plan), progress=progress)
    table = _ranked(plan.labels, predictions, items.names, config, model.features)
    return Judgement(rows, predictions, table, choice, model.features, cache.pixels)


def _sizes(items: Items, seen: Look, pictures: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n, 2) height and width of what is judged."""
    if items.boxes is None:
        return seen.hashes.sizes[pictures]
    return np.column_stack([items.boxes[:, 3] - items.boxes[:, 1], items.boxes[:, 2] - items.boxes[:, 0]]).astype(np.int64)


def _pieces(work: Path, config: AuditConfig, cache: str, plan: Plan) -> Pieces:
    """Finished folds of exactly these pictures, labels, groups and settings."""
    settings: dict[str, Any] = config.model_dump(mode="json", include=set(_KEPT_SETTINGS))
    data = fingerprint(plan.labels.tobytes(), plan.groups.tobytes(), str(plan.num_classes))
    return open_pieces(work / "folds", {"pictures": cache, "data": data, "settings": settings, "repeats": plan.repeats})


def _ranked(
    labels: NDArray[np.int64], predictions: Predictions, names: tuple[str, ...], config: AuditConfig, features: NDArray[np.float32] | None
) -> pl.DataFrame:
    """The table of `label_issues`; what could not be judged keeps its label, with the reason."""
    # Patch features are made for a probe, not for distances: their neighbours vote worse than the probe itself.
    embeddings = features if config.method == "burnish" and config.model not in {"auto", "patches"} else None
    table = label_issues(labels, predictions.probabilities, method=config.method, embeddings=embeddings, class_names=names)
    judged = pl.Series(predictions.judged)
    lonely = pl.lit(
        "It is the only example of its class beside its copies, so no model could learn the class without it; look at it yourself."
    )
    return table.with_columns(
        pl.when(judged).then(pl.col("score")).otherwise(0.0).alias("score"),
        (pl.col("is_issue") & judged).alias("is_issue"),
        pl.when(judged).then(pl.col("suggested")).otherwise(pl.col("given")).alias("suggested"),
        pl.when(judged).then(pl.col("reason")).otherwise(lonely).alias("reason"),
    )
