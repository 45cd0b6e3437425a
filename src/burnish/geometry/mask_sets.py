"""Filters of sets of masks, as models propose them: each takes a list of masks of one picture and gives a list back.

Filters are descriptions that are called: `Pipeline((Morphology("open"), DropByArea(0.001), FitMasks()))(masks)`. Masks are
`(height, width)` and all of one size; an earlier mask is of more worth than a later one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

import numpy as np

from burnish.errors import ConfigError, DataError
from burnish.geometry import masks as single
from burnish.geometry.arrays import as_mask

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from burnish.geometry.arrays import Bools, Floats

Masks: TypeAlias = "list[Bools]"


class MaskFilter(Protocol):
    """What a filter is: masks of one picture in, masks out."""

    def __call__(self, masks: Sequence[ArrayLike]) -> Masks:
        """Filter the masks of one picture."""
        ...


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Filters one after another."""

    filters: tuple[MaskFilter, ...] = ()

    def __call__(self, masks: Sequence[ArrayLike]) -> Masks:
        """Filter the masks of one picture."""
        found = as_masks(masks)
        for one in self.filters:
            found = one(found)
        return found


@dataclass(frozen=True, slots=True)
class Morphology:
    """Open, close, erode or dilate each mask by a disc of a diameter in pixels; what becomes empty goes."""

    operation: Literal["open", "close", "erode", "dilate"] = "open"
    kernel: int = 5

    def __post_init__(self) -> None:
        if self.operation not in _OPERATIONS or self.kernel < 1:
            known = ", ".join(_OPERATIONS)
            raise ConfigError(
                f"Morphology: found '{self.operation}' of {self.kernel} pixels, expected one of {known} and at least 1 pixel."
            )

    def __call__(self, masks: Sequence[ArrayLike]) -> Masks:
        """Filter the masks of one picture."""
        change = _OPERATIONS[self.operation]
        return _filled(change(mask, (self.kernel - 1) / 2) for mask in as_masks(masks))


@dataclass(frozen=True, slots=True)
class DropByArea:
    """Leave out masks below the least or above the most area: whole numbers are pixels, fractions shares of the picture."""

    least: float = 1
    most: float = 1.0

    def __call__(self, masks: Sequence[ArrayLike]) -> Masks:
        """Filter the masks of one picture."""
        checked = as_masks(masks)
        low, high = (_pixels(limit, checked) for limit in (self.least, self.most))
        return [mask for mask in checked if low <= np.count_nonzero(mask) <= high]


@dataclass(frozen=True, slots=True)
class DropDuplicates:
    """Leave out masks whose intersection over union with an earlier one that stays is above a limit."""

    most: float = 0.85

    def __call__(self, masks: Sequence[ArrayLike]) -> Masks:
        """Filter the masks of one picture."""
        kept: Masks = []
        for mask in _filled(as_masks(masks)):
            if all(_iou(mask, other) <= self.most for other in kept):
                kept.append(mask)
        return kept


@dataclass(frozen=True, slots=True)
class Isolate:
    """Make each connected part of a mask a mask of its own."""

    connectivity: Literal[4, 8] = 8

    def __call__(self, masks: Sequence[ArrayLike]) -> Masks:
        """Filter the masks of one picture."""
        return [part for mask in as_masks(masks) for part in single.components(mask, connectivity=self.connectivity)]


@dataclass(frozen=True, slots=True)
class DropShards:
    """Leave out of each mask the connected parts that are smaller than a share of its largest."""

    least: float = 0.1
    connectivity: Literal[4, 8] = 8

    def __call__(self, masks: Sequence[ArrayLike]) -> Masks:
        """Filter the masks of one picture."""
        return [self._whole(mask) for mask in _filled(as_masks(masks))]

    def _whole(self, mask: Bools) -> Bools:
        labels, _ = single.labelled(mask, self.connectivity)
        areas = np.bincount(labels.ravel())
        areas[0] = 0
        return (areas >= self.least * areas.max())[labels] & mask


@dataclass(frozen=True, slots=True)
class Decompose:
    """Take overlapping masks apart until none overlap strongly.

    A pair is taken apart where more than `overlap` of the smaller lies in the larger, or its intersection over union is between
    `low` and `high`: into what both share and what each has alone. What lies wholly in another is cut out of it. Pairs that are
    all but equal (above `high`) become their union.
    """

    overlap: float = 0.9
    low: float = 0.05
    high: float = 0.99

    def __call__(self, masks: Sequence[ArrayLike]) -> Masks:
        """Filter the masks of one picture."""
        found = _filled(as_masks(masks))
        while (pair := self._clashing(found)) is not None:
            first, second = pair
            one, two = found[first], found[second]
            rest = [mask for place, mask in enumerate(found) if place not in pair]
            # The sum of the areas falls with each step, so this comes to an end.
            found = _filled([*rest[:first], *self._apart(one, two), *rest[first:]])
        return found

    def _clashing(self, masks: Masks) -> tuple[int, int] | None:
        for first, one in enumerate(masks):
            for second in range(first + 1, len(masks)):
                common = np.count_nonzero(one & masks[second])
                areas = sorted((np.count_nonzero(one), np.count_nonzero(masks[second])))
                iou = common / (sum(areas) - common)
                if common and (common > self.overlap * areas[0] or iou >= self.low):
                    return first, second
        return None

    def _apart(self, one: Bools, two: Bools) -> Masks:
        common = one & two
        if _iou(one, two) > self.high:
            return [one | two]
        if np.count_nonzero(common) > self.overlap * min(np.count_nonzero(one), np.count_nonzero(two)):
            # The smaller is a part of the larger.
            small, large = sorted((one, two), key=np.count_nonzero)
            return [small, large & ~small]
        return [common, one & ~common, two & ~common]


@dataclass(frozen=True, slots=True)
class Cutter:
    """Leave out masks that lie in a larger one with more than a share of their area."""

    contained: float = 0.95

    def __call__(self, masks: Sequence[ArrayLike]) -> Masks:
        """Filter the masks of one picture."""
        checked = _filled(as_masks(masks))
        areas = [np.count_nonzero(mask) for mask in checked]
        order = sorted(range(len(checked)), key=lambda place: (-areas[place], place))
        kept: list[int] = []
        for place in order:
            if all(np.count_nonzero(checked[place] & checked[other]) <= self.contained * areas[place] for other in kept):
                kept.append(place)
        return [checked[place] for place in sorted(kept)]


@dataclass(frozen=True, slots=True, eq=False)
class MajorSegment:
    """Keep masks that belong to a mask of interest with at least a share of their area; what sticks out of it is cut off."""

    interest: Bools = field(repr=False)
    share: float = 0.5

    def __call__(self, masks: Sequence[ArrayLike]) -> Masks:
        """Filter the masks of one picture."""
        checked = _filled(as_masks([self.interest, *masks])[1:]) if len(masks) else []
        return _filled(m & self.interest for m in checked if np.count_nonzero(m & self.interest) >= self.share * np.count_nonzero(m))


@dataclass(frozen=True, slots=True)
class FitMasks:
    """Give every pixel to exactly one mask, in the order of the masks.

    What one mask alone holds stays with it. Pixels that several hold, or none, go to the mask of the nearest pixel that is settled;
    with `fill` off, pixels that none holds stay without. A mask no pixel of which is its own takes those that it shares with
    others first; what then has no pixel left is an empty mask, so that places stay the same.
    """

    fill: bool = True

    def __call__(self, masks: Sequence[ArrayLike]) -> Masks:
        """Filter the masks of one picture."""
        checked = as_masks(masks)
        if not checked:
            return []
        owners = fitted_owners(checked, fill=self.fill)
        return [owners == place for place in range(1, len(checked) + 1)]


def fitted_owners(masks: Sequence[Bools], *, fill: bool = True) -> NDArray[np.int32]:
    """Return which mask each pixel goes to, `(height, width)` from 1, 0 for none; see `FitMasks`."""
    counts: NDArray[np.int32] = np.zeros(masks[0].shape, dtype=np.int32)
    for mask in masks:
        counts += mask
    owners: NDArray[np.int32] = np.zeros_like(counts)
    for place, mask in enumerate(masks, start=1):
        own = mask & (counts == 1)
        owners[own] = place
    hidden = [place for place, mask in enumerate(masks, start=1) if mask.any() and not (mask & (counts == 1)).any()]
    # Wholly covered by others: the smallest come last and win, or nothing of them would be left.
    for place in sorted(hidden, key=lambda place: -np.count_nonzero(masks[place - 1])):
        owners[masks[place - 1]] = place
    return _voted(masks, owners, counts, fill=fill)


def _voted(
    masks: Sequence[Bools],
    owners: NDArray[np.int32],
    counts: NDArray[np.int32],
    *,
    fill: bool,
) -> NDArray[np.int32]:
    """Settle contested pixels among the masks that hold them, then empty ones among all, each by the nearest settled pixel."""
    from scipy import ndimage  # noqa: PLC0415 - slow to load

    settled = owners.copy()
    contested = (settled == 0) & (counts > 1)
    if contested.any():
        nearest = np.full(settled.shape, np.inf)
        for place, mask in enumerate(masks, start=1):
            if (owners == place).any():
                away: Floats = ndimage.distance_transform_edt(owners != place)  # pyright: ignore[reportAssignmentType]
                nearer = contested & mask & (away < nearest)
                settled[nearer] = place
                nearest[nearer] = away[nearer]
    empty = settled == 0
    if fill and empty.any() and not empty.all():
        places = ndimage.distance_transform_edt(empty, return_distances=False, return_indices=True)
        settled = settled[tuple(places)]  # pyright: ignore[reportArgumentType]
    return settled


def as_masks(masks: Sequence[ArrayLike]) -> Masks:
    """Return masks as boolean arrays.

    Raises:
        DataError: Their sizes differ.
    """
    checked = [as_mask(mask) for mask in masks]
    sizes = {mask.shape for mask in checked}
    if len(sizes) > 1:
        raise DataError(f"masks: found sizes {sorted(sizes)}, expected masks of one picture, all of one size.")
    return checked


def _filled(masks: object) -> Masks:
    return [mask for mask in masks if mask.any()]  # type: ignore[attr-defined]


def _pixels(limit: float, masks: Masks) -> float:
    return limit if isinstance(limit, int) or not masks else limit * masks[0].size


def _iou(one: Bools, two: Bools) -> float:
    union = np.count_nonzero(one | two)
    return np.count_nonzero(one & two) / union if union else 0.0


_OPERATIONS: Mapping[str, Callable[[ArrayLike, float], Bools]] = {
    "open": single.opened,
    "close": single.closed,
    "erode": single.erode,
    "dilate": single.dilate,
}
