"""The objective and the limits that settings ask for, over the tables of a dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from burnish.balance.limits import Limits, usual_limits
from burnish.balance.objectives import Ratio, Spread, Variances, Variations
from burnish.balance.sparse import applied, column_sums, combined, each_itself, scaled, turned
from burnish.config import nearest as nearest_name
from burnish.errors import ConfigError, DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scipy.sparse import csr_array

    from burnish.balance.incidence import Incidence
    from burnish.balance.objectives import Objective
    from burnish.balance.settings import BalanceConfig
    from burnish.geometry.arrays import Floats, Ints

Weights = tuple[float, float, float, float]
"""Of files, objects, classes, superclasses."""


def limits_of(incidence: Incidence, config: BalanceConfig) -> Limits:
    """How often each picture may come. Pictures without objects come once: repeating them balances nothing."""
    bare = column_sums(incidence.counts) == 0
    return usual_limits(len(incidence), config.budget, config.max_copies, allow_drop=config.allow_drop, bare=bare)


def objective_of(incidence: Incidence, config: BalanceConfig) -> Objective:
    """The objective of the settings.

    Raises:
        ConfigError: A class that is named is not there, or all weights are 0.
    """
    wanted, importance = class_wishes(incidence, config)
    if config.objective == "ratio":
        return class_ratio(incidence, wanted, importance)
    if config.objective == "variance":
        return four_variances(incidence, four_weights(config))
    return variations(incidence, four_weights(config), wanted, importance)


def four_weights(config: BalanceConfig) -> Weights:
    """Weights of files, objects, classes and superclasses, with the defaults of the objective."""
    given, plain = config.weights, config.objective == "variance"
    files = (1.0 if plain else 0.01) if given.files is None else given.files
    objects = (1.0 if plain else 0.0) if given.objects is None else given.objects
    return files, objects, given.classes, given.superclasses


def class_wishes(incidence: Incidence, config: BalanceConfig) -> tuple[Floats, Floats]:
    """(C,) wanted share of each class, with mean 1, and (C,) weight of each class.

    Without a target all classes are wanted alike. Where superclasses count (objective cv), these are wanted alike, and the classes of each.

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
    alike = np.ones(len(incidence.classes))
    if config.objective == "cv" and config.weights.superclasses and incidence.superclasses:
        alike = 1 / np.bincount(incidence.superclass_of)[incidence.superclass_of]
    shares = np.array([config.target.get(name, even) for name, even in zip(incidence.classes, alike.tolist(), strict=True)])
    importance = np.array([config.weights.each.get(name, 1.0) for name in incidence.classes])
    return shares / shares.mean(), importance


def target_shares(incidence: Incidence, target: Mapping[str, float]) -> Floats:
    """(C,) wanted share of each class, with mean 1; all alike where nothing is said."""
    shares = np.array([target.get(name, 1.0) for name in incidence.classes])
    return shares / shares.mean()


def class_ratio(incidence: Incidence, wanted: Floats | None = None, importance: Floats | None = None) -> Ratio:
    """The largest class over the smallest, each over its wanted share; classes of weight 0 do not count.

    Raises:
        ConfigError: No class counts.
    """
    scale = np.ones(len(incidence.classes)) if wanted is None else 1 / wanted
    counted = scale > 0 if importance is None else importance > 0
    if not counted.any():
        raise ConfigError("All classes have weight 0; give at least one of them more.")
    return Ratio(scaled(incidence.counts, scale)[np.flatnonzero(counted)])


def four_variances(incidence: Incidence, weights: Weights = (1.0, 1.0, 1.0, 1.0)) -> Variances:
    """The four variances of copybal, each times a weight.

    Unbiased variances (0 for fewer than two): of the copies of the files; of the views of the objects of a class, mean over the classes
    with two objects or more; of the classes of a superclass, mean over the superclasses with two classes or more; of the superclasses.
    Without superclasses all classes belong to one.

    Args:
        incidence: Who is seen where.
        weights: Of files, objects, classes, superclasses.
    """
    return Variances(tuple(spread for spread in four_spreads(incidence, weights) if spread is not None), len(incidence))


def four_spreads(incidence: Incidence, weights: Weights) -> tuple[Spread | None, ...]:
    """The spreads of files, objects, classes and superclasses; None for one of weight 0 or without anything to vary."""
    files, objects, classes, superclasses = weights
    supers = incidence.super_counts if incidence.superclasses else None
    return (
        _together(each_itself(len(incidence)), files) if files else None,
        _objects(incidence, objects) if objects else None,
        _grouped(incidence.counts, incidence.superclass_of, classes) if classes else None,
        _together(supers, superclasses) if superclasses and supers is not None else None,
    )


def variations(incidence: Incidence, weights: Weights, wanted: Floats, importance: Floats) -> Variations:
    """Squared coefficients of variation, times their weights.

    Classes: of all classes, each over its wanted share; superclasses: of all superclasses, likewise. The variance of the files, and those
    of the objects (each class's over its squared mean with one copy of each picture), are divided by the squared growth of the objects, so
    that one level stands below all four.

    Raises:
        ConfigError: All weights are 0, or those of all classes.
    """
    files, objects, classes, superclasses = weights
    if not any((files, objects, classes, superclasses)) or not importance.any():
        raise ConfigError("All weights are 0; give at least one of them more.")
    ones, spreads = np.ones(len(incidence)), list[Spread]()
    forms = scaled(incidence.counts, 1 / wanted)
    share = wanted * importance / (wanted * importance).sum()
    level = applied(turned(forms), share)
    first = float(level @ ones)
    if classes and (importance > 0).sum() > 1:
        factor = classes * (importance > 0).sum() / ((importance > 0).sum() - 1)
        spreads.append(Spread(forms, np.zeros(len(share), dtype=np.int64), share, np.array([factor])))
    if superclasses and len(incidence.superclasses) > 1:
        spreads.append(_superclass_variation(incidence, wanted, importance, superclasses * first**2))
    if files and len(incidence) > 1:
        spreads.append(_together(each_itself(len(incidence)), files * first**2))
    if objects:
        spreads.append(_objects(incidence, objects * first**2, relative=True))
    return Variations(Variances(tuple(spreads), len(incidence)), level)


def _superclass_variation(incidence: Incidence, wanted: Floats, importance: Floats, weight: float) -> Spread:
    """Each superclass over the sum of its classes' wanted shares; scaled so that the mean is 1 with one copy of each picture."""
    share = applied(incidence.membership, wanted * importance)
    there = share > 0
    forms = scaled(combined(incidence.membership, scaled(incidence.counts, importance)), 1 / np.where(there, share, 1.0))
    part = np.where(there, share, 0.0) / share.sum()
    mean = float(part @ applied(forms, np.ones(len(incidence))))
    number = int(there.sum())
    return Spread(forms, np.zeros(len(part), dtype=np.int64), part, np.array([weight / mean**2 * number / max(number - 1, 1)]))


def _together(rows: csr_array, weight: float) -> Spread:
    """The unbiased variance of all rows."""
    size = len(rows.indptr) - 1
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
        views = np.bincount(objects.class_of, objects.number * applied(objects.views, np.ones(len(incidence))), len(incidence.classes))
        factor /= np.maximum(views / np.maximum(sizes, 1), np.finfo(float).tiny) ** 2
    return Spread(objects.views, objects.class_of, objects.number, factor)


def measured(incidence: Incidence, copies: Floats | Ints, wanted: Mapping[str, float] | None = None) -> dict[str, float]:
    """Largest over smallest class, and coefficients of variation of classes and superclasses, over wanted shares where there are some.

    Raises:
        DataError: The copies are not one for each picture.
    """
    if len(copies) != len(incidence):
        raise DataError(f"There are {len(copies)} numbers of copies and {len(incidence)} pictures; expected one for each.")
    numbers = np.asarray(copies, dtype=np.float64)
    classes = applied(incidence.counts, numbers) / target_shares(incidence, wanted or {})
    found = {"ratio": float(classes.max() / classes.min()) if classes.min() > 0 else float("inf"), "class_cv": _cv(classes)}
    if len(incidence.superclasses) > 1:
        found["superclass_cv"] = _cv(applied(incidence.super_counts, numbers))
    return {**found, "growth": float(np.sum(copies)) / len(incidence)}


def _cv(values: Floats) -> float:
    return float(values.std(ddof=1) / values.mean()) if len(values) > 1 else 0.0
