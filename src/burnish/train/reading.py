"""Pictures of any sizes read ahead and handed out in batches; those that cannot be read are told of, and hold nothing up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from burnish.engine.map import ordered_map
from burnish.media.unreadable import UnreadableImage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from burnish.engine.map import Engine

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class PictureBatch(Generic[T]):
    """Some pictures.

    Attributes:
        items: What was read, one for each picture.
        pictures: (h, w, 3) uint8, RGB, each in its own size.
        unreadable: What could not be read since the batch before, and why.
    """

    items: list[T] = field(default_factory=list[T])
    pictures: list[NDArray[np.uint8]] = field(default_factory=list)
    unreadable: list[tuple[T, str]] = field(default_factory=list[tuple[T, str]])

    def __len__(self) -> int:
        return len(self.items) + len(self.unreadable)


def picture_batches(items: Sequence[T], read: Callable[[T], NDArray[np.uint8]], size: int, engine: Engine) -> Iterator[PictureBatch[T]]:
    """Read pictures in their order.

    Args:
        items: What to read.
        read: Gives the picture of an item; it may raise `UnreadableImage`.
        size: Pictures in a batch; the last may have fewer, or none but unreadable ones.
        engine: Where they are decoded.
    """

    def tried(item: T) -> NDArray[np.uint8] | str:
        try:
            return read(item)
        except UnreadableImage as error:
            return str(error)

    batch: PictureBatch[T] = PictureBatch()
    for item, picture in zip(items, ordered_map(tried, items, engine=engine), strict=True):
        if isinstance(picture, str):
            batch.unreadable.append((item, picture))
            continue
        batch.items.append(item)
        batch.pictures.append(picture)
        if len(batch.items) == size:
            yield batch
            batch = PictureBatch()
    if len(batch):
        yield batch
