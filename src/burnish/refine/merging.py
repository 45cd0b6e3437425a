"""Merging the weak labels of many pictures with predictions; finished masks are kept, so that a stopped run goes on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from burnish.engine.files import write_bytes, write_text
from burnish.engine.map import Engine, ordered_map
from burnish.engine.progress import Progress, silent
from burnish.errors import BurnishError, DataError, ModelError
from burnish.media.images import UnreadableImage, encode_png, read_image
from burnish.refine.modes.evidence import Evidence, Weak, to_bytes, weak_masks, window_of
from burnish.refine.modes.making import build
from burnish.refine.parts import WEAK
from burnish.refine.prompting import draw
from burnish.refine.seed_sets import weak_pixels
from burnish.refine.sets import read_mask

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from burnish.models.protocols import Segmenter
    from burnish.refine.flips import Predictor
    from burnish.refine.modes.evidence import BoxRecord, Mode
    from burnish.refine.prepared import PreparedSets
    from burnish.refine.settings import HybridSetConfig


@dataclass(frozen=True, slots=True)
class Improver:
    """What predicts masks.

    Attributes:
        predict: Pictures (H, W, 3) in, probabilities (K, H, W) out, one map a class in the order of the prepared classes.
        model: What names the model exactly, for instance the hash of its weights: it goes into the provenance, and a stopped run is
            continued only by the same model.
        second: Another predictor, for mode agreement.
        segmenter: A model that draws what is in a box, for mode prompted.
    """

    predict: Predictor
    model: str
    second: Predictor | None = None
    segmenter: Segmenter | None = None


class Record(NamedTuple):
    """What became of one picture: its boxes, why its prediction failed, and why it cannot be read (empty where it did not, and can)."""

    boxes: tuple[dict[str, Any], ...]
    error: str = ""
    unreadable: str = ""


class _Run(NamedTuple):
    sets: PreparedSets
    improver: Improver
    mode: Mode
    config: HybridSetConfig
    work: Path


class LoadedWeak(NamedTuple):
    """A weakly labelled picture."""

    name: str
    picture: NDArray[np.uint8]
    weak: Weak


class _Predicted(NamedTuple):
    """A picture and what the models say of it: the evidence, why they fail, or (without the picture) why it cannot be read."""

    name: str
    loaded: LoadedWeak | None
    found: Evidence | str


def merged(
    sets: PreparedSets,
    improver: Improver,
    config: HybridSetConfig,
    work: Path,
    *,
    engine: Engine | None = None,
    progress: Progress = silent,
    label: str = "",
) -> Iterator[tuple[str, Record]]:
    """Merge every weakly labelled picture; its soft masks lie in `work` when its record is given, and `kept_beliefs` reads them.

    Models predict in the thread that asks; pictures are read and masks merged and kept in others meanwhile. A picture whose prediction
    fails keeps its weak mask with the belief `alpha`, and is tried again when the run is repeated. One that cannot be read has no mask.

    Args:
        sets: The prepared dataset.
        improver: What predicts.
        config: Mode and more.
        work: Where masks are kept.
        engine: Where pictures are read and masks merged.
        progress: Where to report.
        label: What the work is called there; nothing but what was done before is reported without one.

    Raises:
        DataError: The predictor gives no probabilities of the right shape, or no picture can be read.
        ModelError: It fails on every picture, or gives another number of answers than it got pictures.
    """
    run = _Run(sets, improver, build(config.mode), config, work)
    records = {name: record for name in sets.weak if (record := _finished(work, name)) is not None}
    left = [name for name in sets.weak if name not in records]
    if records and left:
        progress.say(f"{len(records):,} of {len(sets.weak):,} pictures were merged before; going on with the others.")
    yield from records.items()
    predicted = _predicted(run, left, engine)
    found = ordered_map(partial(_finish, run), predicted, engine=engine, progress=progress, label=label, total=len(left), ahead=True)
    for name, record in found:
        records[name] = record
        yield name, record
    _refuse_failure(list(records.values()))


def kept_beliefs(work: Path, name: str, count: int) -> NDArray[np.uint8]:
    """(count, H, W) the soft masks that `merged` kept."""
    return np.stack([read_image(_mask_path(work, name, place), mode="unchanged") for place in range(count)])


def refused_beliefs(sets: PreparedSets, name: str, alpha: float) -> NDArray[np.uint8]:
    """(K, H, W) the weak masks of a picture with one belief, for what no prediction is trusted of."""
    return to_bytes(alpha * weak_masks(load_weak(sets, name).weak, len(sets.classes)))


def _refuse_failure(done: Sequence[Record]) -> None:
    """What is refused when nothing came of it at all."""
    readable = [record for record in done if not record.unreadable]
    if done and not readable:
        raise DataError(f"None of the {len(done):,} weakly labelled pictures can be read; the first time: {done[0].unreadable}.")
    if readable and all(record.error for record in readable):
        raise ModelError(
            f"The predictor failed on all {len(readable)} pictures that can be read; the first time it said: {readable[0].error}"
        )


def _predicted(run: _Run, names: Sequence[str], engine: Engine | None) -> Iterator[_Predicted]:
    """Pictures with what the models say of them, some at once; those ahead are read meanwhile."""
    reading = ordered_map(partial(_read, run.sets), names, engine=engine, ahead=True)
    while some := list(islice(reading, run.config.batch)):
        loaded = [one for one in some if isinstance(one, LoadedWeak)]
        found = iter(evidence_on(run.improver, loaded) if loaded else [])
        yield from (_Predicted(one.name, one, next(found)) if isinstance(one, LoadedWeak) else one for one in some)


def _read(sets: PreparedSets, name: str) -> LoadedWeak | _Predicted:
    try:
        return load_weak(sets, name)
    except UnreadableImage as error:
        return _Predicted(name, None, str(error).rstrip("."))


def _finish(run: _Run, predicted: _Predicted) -> tuple[str, Record]:
    """Merge one picture and keep its masks."""
    name, one, found = predicted
    if one is None:
        return name, Record((), unreadable=str(found))
    count = len(run.sets.classes)
    if isinstance(found, str):
        _keep(run.work, name, to_bytes(run.config.alpha * weak_masks(one.weak, count)))
        return name, Record((), error=found)
    if len(found.probabilities) != count:
        raise DataError(f"The predictor gives {len(found.probabilities)} maps and there are {count} classes: one each.")
    made = run.mode(found)
    record = Record(tuple(_told(box) for box in made.boxes))
    _keep(run.work, name, made.soft)
    write_text(run.work / f"{name}.json", json.dumps(record.boxes))
    return name, record


def evidence_on(improver: Improver, loaded: Sequence[LoadedWeak]) -> list[Evidence | str]:
    """The evidence on each picture; where a model fails on several at once each is tried alone, and then the reason why it fails."""
    try:
        return list(_asked(improver, loaded))
    except BurnishError:
        raise
    except Exception as error:  # noqa: BLE001 - a predictor is foreign code and may raise anything
        if len(loaded) == 1:
            return [f"{type(error).__name__}: {error}"]
        return [found for one in loaded for found in evidence_on(improver, [one])]


def _asked(improver: Improver, loaded: Sequence[LoadedWeak]) -> Iterator[Evidence]:
    pictures, weak = [one.picture for one in loaded], [one.weak for one in loaded]
    maps = _answers(improver.predict, pictures)
    second = [None] * len(loaded) if improver.second is None else _answers(improver.second, pictures)
    drawn = [None] * len(loaded) if improver.segmenter is None else draw(improver.segmenter, pictures, weak)
    for one, first, other, masks in zip(loaded, maps, second, drawn, strict=True):
        yield Evidence(first, one.weak, one.picture, other, masks)


def _answers(predict: Predictor, pictures: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
    found = predict(pictures)
    if len(found) != len(pictures):
        raise ModelError(f"The predictor gave {len(found)} answers to {len(pictures)} pictures; expected one each.")
    return [np.asarray(one, dtype=np.float32) for one in found]


def load_weak(sets: PreparedSets, name: str) -> LoadedWeak:
    """A picture with its weak labels, paired by name.

    Raises:
        UnreadableImage: The picture cannot be read.
    """
    row, folder = sets.weak[name], sets.folders[WEAK]
    picture = read_image(folder / row["file"])
    size = (picture.shape[0], picture.shape[1])
    boxes, classes = sets.boxes[name]
    masks = None
    if row["weak"] == "masks":
        inside = weak_pixels(row) if "mask" in row else read_mask(folder, name, sets.classes) > 0
        masks = np.zeros((len(boxes), *size), dtype=np.bool_)
        for place, (box, number) in enumerate(zip(boxes, classes.tolist(), strict=True)):
            window = window_of(box, size)
            masks[place][window] = inside[number][window]
    return LoadedWeak(name, picture, Weak(boxes, classes, size, masks))


def _told(box: BoxRecord) -> dict[str, Any]:
    return {**box._asdict(), "share": round(box.share, 4)}


def _keep(work: Path, name: str, soft: NDArray[np.uint8]) -> None:
    for place, one in enumerate(soft):
        write_bytes(_mask_path(work, name, place), encode_png(one))


def _mask_path(work: Path, name: str, place: int) -> Path:
    return work / f"{name}.{place}.png"


def _finished(work: Path, name: str) -> Record | None:
    """The record of a picture that was merged before; it is written after the masks."""
    try:
        return Record(tuple(json.loads((work / f"{name}.json").read_text(encoding="utf-8"))))
    except (FileNotFoundError, ValueError):
        return None
