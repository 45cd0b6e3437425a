"""Predict: a trained network's annotations of a dataset's pictures, as a dataset."""

from __future__ import annotations

import json
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from burnish.data.dataset import make_dataset
from burnish.data.findings import finding, findings_table
from burnish.engine.map import Engine
from burnish.engine.progress import Progress, silent
from burnish.errors import ConfigError, DataError
from burnish.formats.derived import Derived
from burnish.media.images import read_image
from burnish.train.policies.predicted import SURE
from burnish.train.policies.settings import PredictConfig
from burnish.train.reading import picture_batches
from burnish.train.trained import Trained, read_trained

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from burnish.data.dataset import Dataset
    from burnish.data.labels import Labels


_LISTED = 5
_SIDES = ("x1", "y1", "x2", "y2")


def predict(dataset: Dataset, config: PredictConfig | None = None, *, engine: Engine | None = None, progress: Progress = silent) -> Derived:
    """Annotate pictures with a trained network.

    Args:
        dataset: Pictures; their own annotations are not looked at, but for the boxes that a network of key points needs, if it was trained
            on the parts of pictures around objects.
        config: The settings; `model` is the run folder.
        engine: Where pictures are decoded.
        progress: Where to report.

    Returns:
        The same pictures with the predictions alone, each with its score and the network that made it.

    Raises:
        ConfigError: No model was named.
        FormatError: It is no run folder.
        WeightsError: It has no weights that fit.
        DataError: There are no pictures, or they are frames of videos, or the network needs boxes and there are none.
    """
    chosen = config or PredictConfig()
    if not chosen.model:
        raise ConfigError("No model was named. Give the run folder of a training: --model runs/train/NAME")
    trained = read_trained(chosen.model, device=chosen.device)
    files = dataset.image_files()
    _check(files)
    numbers = _class_numbers(dataset, trained.classes)
    boxes = objects_to_look_at(dataset, trained)
    usual = SURE if trained.task == "detection" else 0.0
    least = usual if chosen.min_score is None else chosen.min_score
    rows: list[dict[str, Any]] = []
    unreadable: list[dict[str, Any]] = []
    with progress.task("Predicting", files.height) as advance:
        named = list(files.select("image", "path").iter_rows())
        for batch in picture_batches(named, lambda item: read_image(dataset.root / item[1]), chosen.batch_size, engine or Engine()):
            unreadable += [finding("unreadable_picture", why, path=path, image=image) for (image, path), why in batch.unreadable]
            known = None if boxes is None else [boxes.get(image, np.empty((0, 4))) for image, _ in batch.items]
            found = predict_labels(trained, batch.pictures, flips=chosen.flips, boxes=known)
            for (image, _), labels in zip(batch.items, found, strict=True):
                rows += _rows(image, labels, numbers, trained, least)
            advance(len(batch))
    made = _with_rows(dataset, rows, numbers, trained)
    text = f"{len(rows):,} predictions on {files.height - len(unreadable):,} pictures by {trained.producer}"
    text += _told(unreadable)
    return Derived(
        made, "predict", chosen.model_dump(mode="json"), text, to=chosen.to, media=chosen.media, findings=findings_table(unreadable)
    )


def predict_labels(
    trained: Trained,
    pictures: Sequence[NDArray[np.uint8]],
    *,
    flips: bool = False,
    boxes: Sequence[NDArray[np.float64]] | None = None,
) -> list[Labels]:
    """What a network says of pictures (h, w, 3) uint8, RGB, of any sizes, in pixels of each; classes are places in `trained.classes`.

    Args:
        trained: The network.
        pictures: What it is shown, all at once.
        flips: Average over mirrored pictures, where the task can.
        boxes: (n, 4) of each picture, where objects are, for networks of key points; without them each picture is one object.
    """
    if not pictures:
        return []
    given = {} if boxes is None else {"boxes": boxes}
    module = import_module(f"burnish.train.policies.{trained.task}")
    return module.predict(trained, pictures, flips=flips, **given)


def objects_to_look_at(dataset: Dataset, trained: Trained) -> dict[int, NDArray[np.float64]] | None:
    """Of each picture's id the boxes (n, 4) of objects, where a network of key points was trained on the parts around them; else None.

    Those of the network's class count, or where the dataset does not have it, all.

    Raises:
        DataError: There are none.
    """
    if not trained.details.get("crops"):
        return None
    wanted = [number for number, name in dataset.class_names().items() if name in trained.classes]
    sides = dataset.annotations.filter(pl.all_horizontal(pl.col(*_SIDES).is_finite()) & ~pl.col("crowd") & ~pl.col("outside"))
    sides = sides.filter((pl.col("x2") > pl.col("x1")) & (pl.col("y2") > pl.col("y1")))
    sides = sides.filter(pl.col("class").is_in(wanted)) if wanted else sides
    if sides.is_empty():
        told = f"This network finds the points of a {trained.classes[0]} where a box says that there is one, but the dataset has no box"
        raise DataError(f"{told}. Let a detector predict boxes first, and give its result.", table="annotations")
    parts = sides.select("image", *_SIDES).partition_by("image", as_dict=True, include_key=False)
    return {int(key[0]): part.to_numpy() for key, part in parts.items()}


def _told(unreadable: Sequence[dict[str, Any]]) -> str:
    """The pictures without predictions by name, for these come with no table beside the dataset."""
    if not unreadable:
        return ""
    lines = [f"  {one['reason']}" for one in unreadable[:_LISTED]]
    more = [f"  and {len(unreadable) - _LISTED:,} more, which burnish check lists"] if len(unreadable) > _LISTED else []
    return "\n".join([f"; {len(unreadable):,} pictures cannot be read and have no predictions:", *lines, *more])


def _check(files: pl.DataFrame) -> None:
    if files.is_empty():
        raise DataError("There are no pictures to predict on.", table="images")
    if files.filter(pl.col("kind").cast(pl.String) != "image").height:
        raise DataError("Some pictures are frames of videos. Take them out first: burnish extract VIDEO", table="images")


def _class_numbers(dataset: Dataset, classes: Sequence[str]) -> dict[str, int]:
    """Ids of the classes: those that the dataset has, new ones for the rest."""
    known = {name: number for number, name in dataset.class_names().items()}
    free = max(known.values(), default=0) + 1
    for name in classes:
        if name not in known:
            known[name], free = free, free + 1
    return known


def _rows(image: int, labels: Labels, numbers: dict[str, int], trained: Trained, least: float) -> Iterator[dict[str, Any]]:
    for place in range(len(labels)):
        score = float(labels.scores[place])
        if score < least:
            continue
        x1, y1, x2, y2 = (None if side != side else float(side) for side in labels.boxes[place])  # noqa: PLR0124 - NaN
        points, seen = labels.points[place], labels.visibilities[place]
        yield {
            "image": image,
            "class": numbers[trained.classes[int(labels.classes[place])]],
            "kind": labels.kinds[place],
            "x1": x1,
            "y1": y1,
            "x2": x2,
            "y2": y2,
            "mask": labels.masks[place],
            "points": None if points is None else points.reshape(-1).tolist(),
            "visibility": None if seen is None else seen.tolist(),
            "score": None if score != score else score,  # noqa: PLR0124 - NaN
            "source": "auto",
            "produced_by": trained.producer,
        }


def _with_rows(dataset: Dataset, rows: list[dict[str, Any]], numbers: dict[str, int], trained: Trained) -> Dataset:
    known = dataset.class_names()
    layout = {key: trained.details[key] for key in ("points", "edges") if key in trained.details}
    skeleton = json.dumps(layout, ensure_ascii=False) if layout else None
    more = [{"id": number, "name": name, "skeleton": skeleton} for name, number in numbers.items() if number not in known]
    classes = (
        pl.concat(
            [
                dataset.classes,
                make_dataset(".", media=dataset.media.clear(), images=dataset.images.clear(), classes=pl.DataFrame(more)).classes,
            ]
        )
        if more
        else dataset.classes
    )
    if skeleton is not None:
        own = pl.col("name").is_in(trained.classes)
        classes = classes.with_columns(skeleton=pl.when(own).then(pl.lit(skeleton)).otherwise("skeleton"))
    annotations = pl.DataFrame([{"id": number, **row} for number, row in enumerate(rows, start=1)], infer_schema_length=None)
    return make_dataset(
        dataset.root,
        media=dataset.media,
        images=dataset.images,
        annotations=annotations if rows else None,
        classes=classes,
        origin=dataset.origin,
    )
