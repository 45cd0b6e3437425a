"""Rows of the annotations table as skeletons to learn from, and the parts of pictures around them."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from burnish.errors import ConfigError, DataError
from burnish.geometry import boxes as upright
from burnish.train.policies.predicted import labels_of_arrays

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from burnish.data.dataset import Dataset
    from burnish.data.labels import Labels
    from burnish.train.policies.examples import Examples
    from burnish.train.trained import Trained

    Row = Mapping[str, Any]

_SIDES = ("x1", "y1", "x2", "y2")
_AROUND = 0.1
"""How far the box of an object that has none of its own reaches beyond its points, as a share of their longer extent."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What the skeletons of a class are made of.

    Attributes:
        points: Names.
        edges: Pairs of points that are joined, by numbers from 0.
    """

    points: tuple[str, ...]
    edges: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Skeleton:
    """One object.

    Attributes:
        points: (K, 3) float64 x, y in pixels of the picture and visibility.
        box: (4,) float64 x1, y1, x2, y2 around it.
    """

    points: NDArray[np.float64]
    box: NDArray[np.float64]


def layout_of(examples: Examples) -> Layout:
    """The points of the one class that is learnt.

    Raises:
        ConfigError: There are several classes.
        DataError: Its skeletons do not have the same number of points.
    """
    if len(examples.classes) != 1:
        told = f"There are skeletons of {len(examples.classes)} classes, {', '.join(examples.classes)}"
        raise ConfigError(f"{told}; key points are learnt of one. Choose it with data.classes.")
    layout = read_layout(examples.dataset, examples.classes[0])
    counts = {len(row["points"] or ()) // 2: row["id"] for rows in examples.rows.values() for row in rows}
    counts.pop(0, None)
    if layout is None and len(counts) == 1:
        layout = Layout(tuple(map(str, range(next(iter(counts))))))
    if layout is None or not set(counts) <= {len(layout.points)}:
        wanted = "the same number in all" if layout is None else f"{len(layout.points)}, as the class says"
        raise DataError(f"Skeletons have {', '.join(map(str, sorted(counts)))} points; expected {wanted}.", rows=sorted(counts.values()))
    return layout


def read_layout(dataset: Dataset, name: str) -> Layout | None:
    """The points of a class by its name; None where the dataset tells none."""
    text = dict(dataset.classes.select("name", "skeleton").iter_rows()).get(name)
    known: dict[str, Any] = json.loads(text) if text else {}
    if not known.get("points"):
        return None
    return Layout(tuple(map(str, known["points"])), tuple((int(one), int(other)) for one, other in known.get("edges", ())))


def skeletons_of(examples: Examples, row: int) -> list[Skeleton]:
    """The objects of a picture of which any point is known; crowds are none, and a picture of unknown size has none."""
    if examples.sizes[row].min() <= 0:
        return []
    found = (_skeleton(one, examples.sizes[row]) for one in examples.rows_of(row) if not one["crowd"])
    return [one for one in found if one is not None]


def labelled_boxes(trained: Trained, examples: Examples, rows: Sequence[int]) -> list[NDArray[np.float64]] | None:
    """The boxes (n, 4) of each picture's objects, which a network is told that looks at parts of pictures; None for all others."""
    if not trained.details.get("crops"):
        return None
    return [np.array([one.box for one in skeletons_of(examples, row)]).reshape(-1, 4) for row in rows]


def known_only(examples: Examples) -> Examples:
    """Without the pictures that have no skeleton with a known point: they are in no part, and told of."""
    empty = np.array([not skeletons_of(examples, row) for row in range(len(examples))], np.bool_) & (examples.parts >= 0)
    if not empty.any():
        return examples
    note = f"{int(empty.sum()):,} pictures have no skeleton with known points and are left out."
    notes = examples.notes if note in examples.notes else (*examples.notes, note)
    return replace(examples, parts=np.where(empty, -1, examples.parts), notes=notes)


def given_skeletons(skeletons: Sequence[Skeleton], size: tuple[int, int]) -> Labels:
    """Skeletons as annotations of a picture of this width and height."""
    return labels_of_arrays(
        "skeleton",
        np.zeros(len(skeletons)),
        np.array([one.box for one in skeletons]).reshape(-1, 4),
        size,
        points=[one.points[:, :2] for one in skeletons],
        visibilities=[one.points[:, 2].astype(np.uint8) for one in skeletons],
    )


def in_order(examples: Examples, points: tuple[str, ...]) -> Examples:
    """Examples whose skeletons have the points of a network, matched by their names; those that have none are taken as they come.

    Raises:
        DataError: The points are others.
    """
    own = layout_of(examples).points
    nameless = any(names == tuple(map(str, range(len(names)))) for names in (own, points))
    if own == points or (nameless and len(own) == len(points)):
        return examples
    if sorted(own) != sorted(points):
        told = f"The network finds the points {', '.join(points)}; the dataset's skeletons have {', '.join(own)}"
        raise DataError(f"{told}. Name the points of the class alike.", table="classes")
    order = [own.index(name) for name in points]
    return replace(examples, rows={image: [_ordered(row, order) for row in rows] for image, rows in examples.rows.items()})


def single_objects(examples: Examples) -> tuple[Examples, tuple[Skeleton, ...]]:
    """Examples of one object each: pictures, or where a picture has several or it is asked for, the parts around the objects.

    Raises:
        ConfigError: A picture has several objects, and whole pictures are asked for.
        DataError: No object has a point that is known.
    """
    objects = [skeletons_of(examples, row) for row in range(len(examples))]
    most = max((len(found) for found in objects), default=0)
    if most == 0:
        raise DataError("No skeleton has a point that is known (visibility 1 or 2); nothing can be learnt.", table="annotations")
    crops = most > 1 if examples.crops is None else examples.crops
    if most > 1 and not crops:
        raise ConfigError(f"A picture has {most} skeletons, but whole pictures are learnt one object each. Leave data.crops out.")
    rows = np.array([row for row, found in enumerate(objects) for _ in found], np.int64)
    singles = tuple(one for found in objects for one in found)
    windows = np.array([window_around(one.box, examples.margin, examples.sizes[row]) for row, one in zip(rows, singles, strict=True)])
    return _chosen(replace(examples, crops=crops), rows, windows if crops else None), singles


def window_around(box: NDArray[np.float64], margin: float, size: NDArray[np.int64]) -> NDArray[np.int64]:
    """The part of a picture around a box (4,) in whole pixels, within the width and height; at least one pixel."""
    reach = margin * max(box[2] - box[0], box[3] - box[1])
    x1, y1, x2, y2 = box + np.array([-reach, -reach, reach, reach])
    width, height = int(size[0]), int(size[1])
    left, top = min(max(int(np.floor(x1)), 0), width - 1), min(max(int(np.floor(y1)), 0), height - 1)
    return np.array([left, top, max(min(int(np.ceil(x2)), width), left + 1), max(min(int(np.ceil(y2)), height), top + 1)], np.int64)


def box_around(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """A box (4,) around points (n, 2) with some room, so that points in a line have one with an area too."""
    low, high = points.min(axis=0), points.max(axis=0)
    room = max(_AROUND * float((high - low).max()), 1.0)
    return np.concatenate([low - room, high + room])


def _chosen(examples: Examples, rows: NDArray[np.int64], windows: NDArray[np.int64] | None) -> Examples:
    """Some rows of examples, maybe repeatedly, as examples of their own."""
    sizes = examples.sizes[rows] if windows is None else windows[:, 2:] - windows[:, :2]
    return replace(
        examples,
        images=examples.images[rows],
        paths=tuple(examples.paths[row] for row in rows),
        sizes=sizes,
        parts=examples.parts[rows],
        beliefs=tuple(examples.beliefs[row] for row in rows),
        windows=windows,
    )


def _ordered(row: dict[str, Any], order: list[int]) -> dict[str, Any]:
    if not row["points"]:
        return row
    places, seen = np.asarray(row["points"]).reshape(-1, 2)[order], row["visibility"]
    return {**row, "points": places.reshape(-1).tolist(), "visibility": None if seen is None else [seen[place] for place in order]}


def _skeleton(row: Row, size: NDArray[np.int64]) -> Skeleton | None:
    if not row["points"]:
        return None
    places = np.asarray(row["points"], dtype=np.float64).reshape(-1, 2)
    seen = np.full(len(places), 2.0) if row["visibility"] is None else np.asarray(row["visibility"], dtype=np.float64)
    seen = np.where(np.isfinite(places).all(axis=1), seen, 0.0)
    if not (seen > 0).any():
        return None
    points = np.concatenate([np.where(seen[:, None] > 0, places, 0.0), seen[:, None]], axis=1)
    box = np.array([[np.nan if row[side] is None else row[side] for side in _SIDES]], dtype=np.float64)
    if not np.isfinite(box).all() or not (upright.clip(box, *size)[0, 2:] > upright.clip(box, *size)[0, :2]).all():
        box = box_around(places[seen > 0])[None]
    return Skeleton(points, box[0])
