"""The objective and the limits that settings ask for, over the tables of a dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.sparse import csr_array, diags_array, eye_array

from burnish.balance.limits import Limits, usual_limits
from burnish.balance.objectives import Ratio, Spread, Variances, Variations
from burnish.config import nearest as nearest_name
from burnish.errors import ConfigError, DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from burnish.balance.incidence import Incidence
    from burnish.balance.objectives import Objective
    from burnish.balance.settings import BalanceConfig
    from burnish.geometry.arrays import Floats, Ints

Kind = Literal["cv", "ratio", "variance"]


def limits_of(incidence: Incidence, config: BalanceConfig) -> Limits:
    """How often each picture may come. Pictures without any object are never left out: they show the background."""
    droppable = None
    if config.allow_drop:
        droppable = (np.asarray(incidence.counts.sum(axis=0)).ravel() > 0).astype(np.float64)
    return usual_limits(len(incidence), config.budget, config.max_copies, droppable=droppable)


def objective_of(incidence: Incidence, config: BalanceConfig) -> Objective:
    """The objective of the settings.

    Raises:
        ConfigError: A class that is named is not there, or all weights are 0.
    """
    wanted, importance = class_wishes(incidence, config)
    weights = config.weights
    if config.objective == "ratio":
        return class_ratio(incidence, wanted, importance)
    if config.objective == "variance":
        shares = [1.0 if given is None else given for given in (weights.files, weights.objects)]
        return seed_objective(incidence, (*shares, weights.classes, weights.superclasses))
    files = 0.01 if weights.files is None else weights.files
    parts = (files, weights.objects or 0.0, weights.classes, weights.superclasses)
    return variations(incidence, parts, wanted, importance)


def class_wishes(incidence: Incidence, config: BalanceConfig) -> tuple[Floats, Floats]:
    """(C,) wanted share of each class, with mean 1, and (C,) weight of each class.

    Raises:
        ConfigError: A class that is named is not there; or a target leaves a class out.
    """
    for setting, named in (("target", config.target), ("weights.each", config.weights.each)):
        strangers = [name for name in named if name not in incidence.classes]
        if strangers:
            hint = nearest_name(strangers[0], incidence.classes)
            raise ConfigError(f"{setting} names '{strangers[0]}', which has no object here. {hint}")
    lacking = [name for name in incidence.classes if config.target and name not in config.target]
    if lacking:
        raise ConfigError(f"target says nothing of {', '.join(lacking)}; give a share of every class.")
    shares = np.array([config.target.get(name, 1.0) for name in incidence.classes])
    importance = np.array([config.weights.each.get(name, 1.0) for name in incidence.classes])
    return shares / shares.mean(), importance


def class_ratio(incidence: Incidence, wanted: Floats | None = None, importance: Floats | None = None) -> Ratio:
    """The largest class over the smallest, each over its wanted share; classes of weight 0 do not count.

    Raises:
        ConfigError: No class counts.
    """
    scale = np.ones(len(incidence.classes)) if wanted is None else 1 / wanted
    counted = scale > 0 if importance is None else importance > 0
    if not counted.any():
        raise ConfigError("All classes have weight 0; give at least one of them more.")
    return Ratio(csr_array((diags_array(scale) @ incidence.counts)[np.flatnonzero(counted)]))


def seed_objective(incidence: Incidence, weights: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)) -> Variances:
    """The four variances of the seed, each times a weight.

    Unbiased variances (0 for fewer than two): of the copies of the files; of the views of the objects of a class, mean over the classes
    with two objects or more; of the classes of a superclass, mean over the superclasses with two classes or more; of the superclasses.
    Without superclasses all classes belong to one.

    Args:
        incidence: Who is seen where.
        weights: Of files, objects, classes, superclasses.
    """
    return Variances(tuple(spread for spread in four_spreads(incidence, weights) if spread is not None), len(incidence))


def four_spreads(incidence: Incidence, weights: tuple[float, ...]) -> tuple[Spread | None, ...]:
    """The spreads of files, objects, classes and superclasses; None for one of weight 0 or without anything to vary."""
    files, objects, classes, superclasses = weights
    supers = incidence.super_counts if incidence.superclasses else None
    return (
        _together(csr_array(eye_array(len(incidence), format="csr")), files) if files else None,
        _objects(incidence, objects) if objects else None,
        _grouped(incidence.counts, incidence.superclass_of, classes) if classes else None,
        _together(supers, superclasses) if superclasses and supers is not None else None,
    )


def variations(incidence: Incidence, weights: tuple[float, ...], wanted: Floats, importance: Floats) -> Variations:
    """Squared coefficients of variation, times their weights.

    Classes: of all classes, each over its wanted share; superclasses: of all superclasses, likewise. The variance of the files, and
    those of the objects (each class's over its squared mean with one copy of each picture), are divided by the squared growth of the objects,
    so that one level stands below all four.

    Raises:
        ConfigError: All weights are 0, or those of all classes.
    """
    files, objects, classes, superclasses = weights
    if not any((files, objects, classes, superclasses)) or not importance.any():
        raise ConfigError("All weights are 0; give at least one of them more.")
    ones, spreads = np.ones(len(incidence)), list[Spread]()
    scaled = csr_array(diags_array(1 / wanted) @ incidence.counts)
    share = wanted * importance / (wanted * importance).sum()
    level = np.asarray(scaled.T @ share, dtype=np.float64)
    first = float(level @ ones)
    if classes and (importance > 0).sum() > 1:
        factor = classes * (importance > 0).sum() / ((importance > 0).sum() - 1)
        spreads.append(Spread(scaled, np.zeros(len(share), dtype=np.int64), share, np.array([factor])))
    if superclasses and len(incidence.superclasses) > 1:
        spreads.append(_superclass_variation(incidence, wanted, importance, superclasses * first**2))
    if files and len(incidence) > 1:
        spreads.append(_together(csr_array(eye_array(len(incidence), format="csr")), files * first**2))
    if objects:
        spreads.append(_objects(incidence, objects * first**2, relative=True))
    return Variations(Variances(tuple(spreads), len(incidence)), level)


def _superclass_variation(incidence: Incidence, wanted: Floats, importance: Floats, weight: float) -> Spread:
    """Each superclass over the sum of its classes' wanted shares; scaled so that the mean is 1 with one copy of each picture."""
    share = incidence.membership @ (wanted * importance)
    there = share > 0
    forms = csr_array(diags_array(1 / np.where(there, share, 1.0)) @ (incidence.membership @ (diags_array(importance) @ incidence.counts)))
    part = np.where(there, share, 0.0) / share.sum()
    mean = float(part @ (forms @ np.ones(len(incidence))))
    number = int(there.sum())
    return Spread(forms, np.zeros(len(part), dtype=np.int64), part, np.array([weight / mean**2 * number / max(number - 1, 1)]))


def _together(rows: csr_array, weight: float) -> Spread:
    """The unbiased variance of all rows."""
    size = rows.shape[0]
    return Spread(rows, np.zeros(size, dtype=np.int64), np.ones(size), np.array([weight / (size - 1) if size > 1 else 0.0]))


def _grouped(rows: csr_array, group_of: Ints, weight: float) -> Spread:
    """The unbiased variance of the rows of each group, mean over the groups of two or more."""
    sizes = np.bincount(group_of)
    several = sizes > 1
    factor = np.where(several, weight / max(several.sum(), 1) / np.maximum(sizes - 1, 1), 0.0)
    return Spread(rows, group_of, np.ones(len(group_of)), factor)


def _objects(incidence: Incidence, weight: float, *, relative: bool = False) -> Spread:
    """The unbiased variance of the views of each class's objects, mean over the classes with two or more."""
    objects = incidence.alike
    sizes = np.bincount(objects.class_of, objects.number, len(incidence.classes))
    several = sizes > 1
    factor = np.where(several, weight / max(several.sum(), 1) / np.maximum(sizes - 1, 1), 0.0)
    if relative:
        views = np.bincount(objects.class_of, objects.number * (objects.views @ np.ones(len(incidence))), len(incidence.classes))
        factor /= np.maximum(views / np.maximum(sizes, 1), np.finfo(float).tiny) ** 2
    return Spread(objects.views, objects.class_of, objects.number, factor)


def measured(incidence: Incidence, copies: Floats | Ints, wanted: Mapping[str, float] | None = None) -> dict[str, float]:
    """Largest over smallest class, and coefficients of variation of classes and superclasses, over wanted shares where there are some.

    Raises:
        DataError: The copies are not one for each picture.
    """
    if len(copies) != len(incidence):
        raise DataError(f"There are {len(copies)} numbers of copies and {len(incidence)} pictures; expected one for each.")
    shares = np.array([(wanted or {}).get(name, 1.0) for name in incidence.classes])
    classes = (incidence.counts @ np.asarray(copies, dtype=np.float64)) / (shares / shares.mean())
    found = {"ratio": float(classes.max() / classes.min()) if classes.min() > 0 else float("inf"), "class_cv": _cv(classes)}
    if len(incidence.superclasses) > 1:
        found["superclass_cv"] = _cv(incidence.super_counts @ np.asarray(copies, dtype=np.float64))
    return {**found, "growth": float(np.sum(copies)) / len(incidence)}


def _cv(values: Floats) -> float:
    return float(values.std(ddof=1) / values.mean()) if len(values) > 1 else 0.0
