"""Which mode improves masks best, asked of the pictures that are drawn by hand.

Around what is drawn there lie boxes as tight as the weak ones; each mode makes masks of these boxes, and the drawn ones judge them. The
network has learnt from one part of the pictures and not from the other, so both parts count alike, however many pictures each has.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from burnish.engine.map import Engine, ordered_map
from burnish.engine.progress import Progress, silent, tracked
from burnish.errors import ModelError
from burnish.media.endings import why_incomplete
from burnish.media.images import read_image
from burnish.refine.comparing import overlaps
from burnish.refine.merging import LoadedWeak, evidence_on
from burnish.refine.modes.evidence import Weak
from burnish.refine.modes.making import build
from burnish.refine.modes.settings import BestConfig
from burnish.refine.parts import BASELINE, VAL
from burnish.refine.sets import read_mask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from burnish.config import Config
    from burnish.geometry.arrays import Bools, Floats
    from burnish.refine.merging import Improver
    from burnish.refine.modes.evidence import Evidence, Mode
    from burnish.refine.prepared import PreparedSets
    from burnish.refine.settings import HybridSetConfig

_HALF: Final = 128
_MOST: Final = 64
_Drawn: TypeAlias = "tuple[Evidence, Bools]"


@dataclass(frozen=True, slots=True)
class Choice:
    """How modes compare.

    Attributes:
        scores: IoU of each mode's masks with the drawn ones, by what the mode is called, in the order in which they were named.
        pictures: How many pictures said so.
        taken: What the best one is called.
    """

    scores: dict[str, float]
    pictures: int
    taken: str

    def __str__(self) -> str:
        others = ", ".join(f"{name} {score:.3f}" for name, score in self.scores.items() if name != self.taken)
        best = f"Mode {self.taken}, for its masks of {self.pictures} hand-drawn pictures are best: IoU {self.scores[self.taken]:.3f}"
        return f"{best} ({others})." if others else f"{best}."


def settled(
    sets: PreparedSets, improver: Improver, config: HybridSetConfig, *, engine: Engine | None = None, progress: Progress = silent
) -> tuple[HybridSetConfig, Choice | None]:
    """Settings with a mode that can be applied, and where that was to be chosen, how the modes compare.

    Args:
        sets: The prepared dataset.
        improver: What predicts.
        config: The settings; any mode but `best` is left as it is.
        engine: Where modes are tried, while the predictor goes on.
        progress: Where to report.

    Raises:
        DataError: A mode to choose among wants what is not there, as agreement wants a second model.
        ModelError: The predictor fails on the hand-drawn pictures.
    """
    if not isinstance(config.mode, BestConfig):
        return config, None
    among = config.mode.among
    modes = [build(one) for one in among]
    trying = partial(_tried, modes)
    parts = [_scores(trying, _asked(sets, improver, part, progress), len(modes), engine) for part in (BASELINE, VAL)]
    if not any(map(len, parts)):
        raise ModelError("The model fails on all pictures that are drawn by hand, so no mode can be chosen by them; look at the model.")
    scores = np.mean([part.mean(axis=0) for part in parts if len(part)], axis=0)
    best = int(scores.argmax())
    names = [called(one) for one in among]
    choice = Choice(dict(zip(names, scores.round(4).tolist(), strict=True)), sum(map(len, parts)), names[best])
    return config.model_copy(update={"mode": among[best]}), choice


def _scores(trying: Callable[[_Drawn], list[float]], asked: Iterable[_Drawn], modes: int, engine: Engine | None) -> Floats:
    """(pictures, modes) IoU of the masks that each mode makes from the boxes around what is drawn."""
    return np.array(list(ordered_map(trying, asked, engine=engine, ahead=True)), dtype=np.float64).reshape(-1, modes)


def _tried(modes: Sequence[Mode], asked: _Drawn) -> list[float]:
    evidence, drawn = asked
    return [overlaps(mode(evidence).soft >= _HALF, drawn)[0] for mode in modes]


def _own_rows(sets: PreparedSets, part: str) -> list[Mapping[str, Any]]:
    """Pictures of a set that can be read, without augmented copies; at most 64, evenly taken."""
    told = sets.provenances[part]["pictures"]
    rows = [row for row in told if row["copy_of"] is None and not why_incomplete(sets.folders[part] / row["file"])]
    return [rows[place] for place in np.linspace(0, len(rows) - 1, min(len(rows), _MOST)).round().astype(int).tolist()]


def _asked(sets: PreparedSets, improver: Improver, part: str, progress: Progress) -> Iterator[_Drawn]:
    """What is known of pictures, and what is drawn on them; nothing of those that show nothing, or on which the predictor fails."""
    folder, rows = sets.folders[part], _own_rows(sets, part)
    for row in tracked(rows, progress, f"trying modes on {sets.name}_{part}", len(rows)):
        picture, drawn = read_image(folder / row["file"]), read_mask(folder, row["name"], sets.classes) > 0
        if drawn.any():
            (evidence,) = evidence_on(improver, [LoadedWeak(row["name"], picture, boxes_around(drawn))])
            if not isinstance(evidence, str):
                yield evidence, drawn


def boxes_around(drawn: Bools) -> Weak:
    """The boxes around the connected parts (with diagonals) of (K, H, W) masks."""
    from scipy.ndimage import find_objects, label  # noqa: PLC0415 - takes a while to load

    corners: list[tuple[int, int, int, int]] = []
    classes: list[int] = []
    for number, mask in enumerate(drawn):
        parts = find_objects(label(mask, np.ones((3, 3)))[0])
        corners += [(columns.start, rows.start, columns.stop, rows.stop) for rows, columns in parts]
        classes += [number] * len(parts)
    boxes = np.array(corners, dtype=np.float64).reshape(-1, 4)
    return Weak(boxes, np.array(classes, dtype=np.int64), (drawn.shape[1], drawn.shape[2]))


def called(mode: Config) -> str:
    """A mode by its name, with the settings that are not the usual ones."""
    usual = type(mode)().model_dump()
    own = {key: value for key, value in mode.model_dump().items() if value != usual[key]}
    told = ", ".join(f"{key} {str(value).lower()}" for key, value in own.items())
    return f"{usual['name']} ({told})" if told else usual["name"]
