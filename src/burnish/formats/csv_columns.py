"""What the columns of a table of labels are, from their names and cells: picture, class, classes of yes or no, box, split, scene."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

PICTURE: Final = "image"
LABEL: Final = "label"
BOX: Final = ("xmin", "ymin", "xmax", "ymax")
SPLIT: Final = "split"
SCENE: Final = "group"

_PICTURES: Final = (
    *("image", "filename", "file_name", "filepath", "filepaths", "file_path", "image_path", "path", "file", "image_name", "img", "picture"),
    *("image_id", "img_id", "id", "name"),
)
_LABELS: Final = ("label", "class", "class_name", "category", "labels", "tags", "classes", "categories", "tag", "target")
_SEVERAL: Final = frozenset({"labels", "tags", "classes", "categories"})
_BOXES: Final = (BOX, ("x_min", "y_min", "x_max", "y_max"), ("x1", "y1", "x2", "y2"), ("left", "top", "right", "bottom"))
_SPLITS: Final = ("split", "subset", "data_set", "set")
_SCENES: Final = ("group", "scene")
_SHAPES: Final = frozenset(
    {"bbox", "box", "x", "y", "w", "h", "x_center", "encodedpixels", "rle", "mask", "points", "polygon", "segmentation"}
)
_YES: Final = frozenset({"1", "1.0", "true", "yes"})
_NO: Final = frozenset({"", "0", "0.0", "false", "no"})
_FEWEST: Final = 2
"""Columns of yes or no that make a table one of labels: a single one may count anything."""


class Columns(NamedTuple):
    """Names of columns as the table writes them.

    Attributes:
        picture: The picture.
        label: The class; None where classes are columns.
        several: Whether a cell of it may hold several classes.
        classes: Columns of yes or no, one class each; empty where `label` says the class.
        box: Left, top, right and bottom side; None where labels are of whole pictures.
        split: The part of the dataset.
        scene: Pictures that belong together.
    """

    picture: str
    label: str | None
    several: bool
    classes: tuple[str, ...]
    box: tuple[str, ...] | None
    split: str | None
    scene: str | None

    @property
    def known(self) -> frozenset[str]:
        """All columns that mean something here."""
        return frozenset({self.picture, self.label or "", self.split or "", self.scene or "", *self.classes, *(self.box or ())})


def columns_of(header: Sequence[str], rows: Sequence[Mapping[str, str]]) -> Columns | None:
    """What the columns are; None where the table does not say which picture has which label.

    Args:
        header: Names of the columns.
        rows: The cells by column; all rows, for a column of yes or no is told by its cells.
    """
    named = _plain(header)
    picture = _first(named, _PICTURES)
    if picture is None or not names_pictures(header):
        return None
    left = {plain: name for plain, name in named.items() if name != picture}
    label, split, scene = _first(left, _LABELS), _first(left, _SPLITS), _first(left, _SCENES)
    box = next((tuple(left[side] for side in sides) for sides in _BOXES if left.keys() >= {*sides}), None)
    if label is not None:
        return Columns(picture, label, label.strip().lower() in _SEVERAL, (), box, split, scene)
    classes = tuple(name for name in header if name not in {picture, split, scene} and _is_yes_or_no(row.get(name, "") for row in rows))
    return Columns(picture, None, several=False, classes=classes, box=None, split=split, scene=scene) if len(classes) >= _FEWEST else None


def names_pictures(header: Sequence[str]) -> bool:
    """Whether a table names pictures, and no shapes but boxes by their sides."""
    named = _plain(header)
    return _first(named, _PICTURES) is not None and not _SHAPES & named.keys()


def is_yes(cell: str) -> bool:
    """Whether a cell of a class says that the picture shows it."""
    return cell.strip().lower() in _YES


def _is_yes_or_no(cells: Iterable[str]) -> bool:
    told = {cell.strip().lower() for cell in cells}
    return told <= _YES | _NO and told != {""}


def _plain(header: Sequence[str]) -> dict[str, str]:
    """The columns by their names as these are compared; of equal ones the first."""
    return {name.strip().lower().replace(" ", "_").replace("-", "_"): name for name in reversed(header)}


def _first(named: Mapping[str, str], wanted: Sequence[str]) -> str | None:
    return next((named[plain] for plain in wanted if plain in named), None)
