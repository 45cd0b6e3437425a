"""Which pictures count as labelled by hand, and which set each picture goes to."""

from __future__ import annotations

import posixpath
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from burnish.data.splits import divide
from burnish.errors import ConfigError, DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from burnish.refine.material import Item

BASELINE: Final = "BASELINE"
VAL: Final = "BASELINE_VAL"
EVAL: Final = "EVAL"
WEAK: Final = "WEAK"
NONE: Final = ""

_SETS: Final = 3
_NEEDED: Final = {
    2: "the sets for training and validation need two",
    3: "the sets for training, validation and evaluation need three",
}
_LISTED: Final = 5


def chosen_by_hand(items: Sequence[Item], drawn: NDArray[np.bool_], hand: str | None, seed: int, *, unused: str = "") -> NDArray[np.bool_]:
    """Which pictures count as labelled by hand.

    Args:
        items: The pictures.
        drawn: (n,) which have a hand-drawn mask with a pixel in it.
        hand: None takes all of those; a number takes so many of them, drawn by the seed; a file names the pictures, with or without
            ending, one a line: one of them without a shape counts as a picture without objects.
        seed: Of the drawing.
        unused: What to tell of masks that are not used, where there are too few.

    Raises:
        DataError: There are none, or fewer than asked for.
        ConfigError: The file is not there, or names pictures that the dataset does not have.
    """
    if hand is not None and not hand.isdecimal():
        return _named(items, Path(hand))
    candidates = np.flatnonzero(drawn)
    wanted = len(candidates) if hand is None else int(hand)
    if len(candidates) == 0:
        raise DataError(
            "No picture has a mask or polygon drawn by hand, and the sets for training and evaluation are made of those. Draw some in any "
            f"tool (VIA, LabelMe, CVAT) and name them with --masks, or with labels.csv beside images/.{unused}"
        )
    if not 0 < wanted <= len(candidates):
        told = f"{wanted} hand-labelled pictures are asked for, and {len(candidates)} have masks or polygons. Ask for fewer."
        raise DataError(told + unused)
    taken = np.zeros(len(items), dtype=np.bool_)
    taken[np.random.default_rng(seed).permutation(candidates)[:wanted]] = True
    return taken


def divided(
    counts: NDArray[np.float64],
    groups: NDArray[np.int64],
    hand: NDArray[np.bool_],
    *,
    evaluate: float,
    train: float,
    seed: int,
    unused: str = "",
) -> NDArray[np.str_]:
    """(n,) the set of each picture: BASELINE, BASELINE_VAL and EVAL of those labelled by hand, WEAK for the others; groups are not cut.

    Args:
        counts: (n, k) objects of each class.
        groups: (n,) equal for pictures that must not be parted.
        hand: (n,) which are labelled by hand.
        evaluate: Share of these for EVAL; 0 makes none.
        train: Share of the others of these for BASELINE.
        seed: Of the division.
        unused: What to tell of masks that are not used, where there are too few.

    Raises:
        DataError: There are fewer than three groups of hand-labelled pictures, so that one set would be empty.
    """
    places = np.flatnonzero(hand)
    known = len(np.unique(groups[places]))
    needed = _SETS if evaluate else _SETS - 1
    if known < needed:
        together = f", which are {known} groups of copies or scenes" if known < len(places) else ""
        raise DataError(
            f"{len(places)} pictures are labelled by hand{together}; {_NEEDED[needed]} of which none is a copy of another. "
            f"Label more pictures.{unused}"
        )
    parts = np.full(len(hand), WEAK, dtype="<U16")
    kept = _divided_in_two(counts[places], groups[places], 1 - evaluate, seed, least=2) if evaluate else np.ones(len(places), np.bool_)
    parts[places[~kept]] = EVAL
    pool = places[kept]
    trained = _divided_in_two(counts[pool], groups[pool], train, seed + 1, least=1)
    parts[pool[trained]], parts[pool[~trained]] = BASELINE, VAL
    return parts


def leaking(parts: NDArray[np.str_], groups: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(n,) which weakly labelled pictures are grouped with one of EVAL, so that training on them would leak."""
    return (parts == WEAK) & np.isin(groups, groups[parts == EVAL])


def _divided_in_two(counts: NDArray[np.float64], groups: NDArray[np.int64], share: float, seed: int, *, least: int) -> NDArray[np.bool_]:
    """Which rows are in the first part, of which there are `least` groups at least, and one group in the second."""
    first = divide(counts, groups, [share, 1 - share], seed=seed) == 0
    while len(np.unique(groups[~first])) < 1:
        first[groups == _smallest(groups[first])] = False
    while len(np.unique(groups[first])) < least:
        first[groups == _smallest(groups[~first])] = True
    return first


def _smallest(groups: NDArray[np.int64]) -> int:
    numbers, sizes = np.unique(groups, return_counts=True)
    return int(numbers[np.argmin(sizes)])


def _named(items: Sequence[Item], file: Path) -> NDArray[np.bool_]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"'hand' is neither a number nor a file of names that can be read: {file} ({error}).") from error
    known: dict[str, int] = {}
    for place, item in enumerate(items):
        known |= dict.fromkeys((item.key, posixpath.basename(item.key)), place)
    wanted = {line: _form(line.strip()) for line in text.splitlines() if line.strip()}
    places = {line: next((known[f] for f in forms if f in known), None) for line, forms in wanted.items()}
    missing = [line for line, place in places.items() if place is None]
    if missing:
        raise ConfigError(f"{file} names {len(missing)} pictures that the dataset does not have, such as {', '.join(missing[:_LISTED])}.")
    if not places:
        raise ConfigError(f"{file} names no picture; expected one name a line.")
    taken = np.zeros(len(items), dtype=np.bool_)
    taken[[place for place in places.values() if place is not None]] = True
    return taken


def _form(name: str) -> tuple[str, ...]:
    """A name as it stands and without its ending."""
    text = unicodedata.normalize("NFC", name.replace("\\", "/"))
    stem = posixpath.splitext(text)[0]
    return text, stem, posixpath.basename(stem)


def divided_with_fixed(groups: NDArray[np.int64], fixed: Mapping[int, bool], *, share: float, seed: int) -> NDArray[np.bool_]:
    """(n,) which rows are in the first part: as `fixed` says of their groups, and a share of the others, whole groups.

    Args:
        groups: (n,) equal for rows that stay together.
        fixed: Group -> whether it is in the first part.
        share: Of the rows that are free.
        seed: Of the division.
    """
    first = np.array([fixed.get(group, False) for group in groups.tolist()], dtype=np.bool_)
    free = np.array([group not in fixed for group in groups.tolist()], dtype=np.bool_)
    if free.any():
        first[free] = divide(np.empty((int(free.sum()), 0)), groups[free], [share, 1 - share], seed=seed) == 0
    return first
