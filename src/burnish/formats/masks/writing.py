"""Writing mask pictures in four styles."""

from __future__ import annotations

import posixpath
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

import numpy as np
import polars as pl

from burnish.data.findings import finding, findings_table, join_findings
from burnish.errors import DataError
from burnish.formats.carrying import not_carried
from burnish.formats.escapes import write_names
from burnish.formats.indexed import colour_channels, voc_colour, write_indexed
from burnish.formats.masks.layout import plain_path
from burnish.formats.masks.tables import BACKGROUND
from burnish.formats.painting import PAINTED, Layers, Painted, PaintOrder, covered_findings, layers_of, paint_objects, rasterised_findings
from burnish.formats.placing import HowPlaced, distinct_paths, place_media
from burnish.formats.reading import is_outside

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from burnish.data.dataset import Dataset

WrittenStyle: TypeAlias = Literal["index", "palette", "binary", "instances"]
CARRIES: Final = frozenset({"mask", "split"})

_WHITE, _WHITE_16 = 255, 65535


class _Painting(NamedTuple):
    """What all pictures share: the style, what lies over what, the value that counts for nothing and the classes that get it."""

    style: WrittenStyle
    layers: Layers
    ignore: int
    ignored: frozenset[int]
    palette: Sequence[tuple[int, int, int]] | None


def write(
    dataset: Dataset,
    folder: Path,
    *,
    media: HowPlaced = "copy",
    style: WrittenStyle = "index",
    paint: PaintOrder = "priority",
    ignore: Sequence[str] = (),
) -> pl.DataFrame:
    """Write images/, masks/ and classes.txt, with a folder for each split below.

    A pixel has one value, so where masks overlap the one of the class with the higher priority is on top, then the one with the larger
    z order (or the other way round), then the class that comes first. Polygons, ellipses and boxes are painted too.

    Args:
        dataset: What to write.
        folder: The folder to fill.
        media: Whether pictures are copied, linked or left.
        style: index: values are numbers of classes from 1 (8 bits, or 16 for more than 254 classes); palette: the same with the
            classes' colours; binary: 255 for any object; instances: instances/ numbers a picture's objects in 16 bits, beside index masks.
        paint: What decides first where objects overlap, the priority of classes or the z order of objects.
        ignore: Classes whose pixels count for nothing in training: they lie on top and have the value 255 (65535 in 16 bits).

    Returns:
        Findings on what is not carried: covered pixels, objects that become one, classes that a binary mask merges.

    Raises:
        DataError: A palette is asked for and there are more than 254 classes, or there is no class of a name to ignore.
    """
    painting = _painting(dataset, style, layers_of(dataset, paint), ignore)
    targets = _targets(dataset)
    placed = place_media(dataset, folder, targets, media)
    painted = dataset.annotations.filter(pl.col("kind").cast(pl.String).is_in(PAINTED))
    rows_of = painted.partition_by("image", as_dict=True, maintain_order=True)
    found: list[dict[str, Any]] = []
    for image, width, height in dataset.images.select("id", "width", "height").iter_rows():
        rows = rows_of[image,].to_dicts() if (image,) in rows_of else []
        found += _write_picture(folder, targets[image], rows, (width, height), painting)
    if style != "binary" or len(painting.layers.places) == 1:
        write_names(folder / "classes.txt", [BACKGROUND, *dataset.class_names().values()])
    shared = findings_table([*found, *_shared(dataset, style)])
    return join_findings(placed, shared, rasterised_findings(dataset), not_carried(dataset, "masks", _carried(style)))


def _painting(dataset: Dataset, style: WrittenStyle, layers: Layers, ignore: Sequence[str]) -> _Painting:
    numbers = {name: number for number, name in dataset.class_names().items()}
    deep = len(numbers) >= _WHITE
    if deep and style == "palette":
        raise DataError(f"A palette has room for {_WHITE - 1} classes, and there are {len(numbers)}; choose style index.")
    unknown = sorted(set(ignore) - set(numbers))
    if unknown:
        raise DataError(
            f"Classes to ignore are not among those that are written: {unknown}; there are {', '.join(numbers)}.", table="classes"
        )
    return _Painting(
        style=style,
        layers=layers,
        ignore=_WHITE_16 if deep else _WHITE,
        ignored=frozenset(numbers[name] for name in ignore),
        palette=_palette(dataset.classes["colour"].to_list()) if style == "palette" else None,
    )


def _targets(dataset: Dataset) -> dict[int, str]:
    """images/SPLIT/ and the picture's own path without folders that say what is in them, which the reader would take for its own."""
    splits = dict(dataset.scan("images", "id", "split").collect().iter_rows())
    wanted: dict[int, str] = {}
    for image, path in dataset.image_files().select("image", "path").iter_rows():
        split = splits[image]
        inner = plain_path(PurePosixPath(path).name if is_outside(path) else path)
        wanted[image] = posixpath.join("images", split or "", inner.removeprefix(f"{split}/"))
    return distinct_paths(wanted, one_stem=True)


def _palette(colours: Sequence[str | None]) -> list[tuple[int, int, int]]:
    given = {place: colour_channels(colour) for place, colour in enumerate(colours, start=1) if colour}
    return [given.get(value) or voc_colour(value) for value in range(_WHITE + 1)]


def _carried(style: WrittenStyle) -> frozenset[str]:
    """Shapes are painted; an order of painting has been obeyed."""
    return (
        CARRIES | {"polygon", "ellipse", "box", "rotation", "parts", "z_order", "priority"} | ({"colour"} if style == "palette" else set())
    )


def _write_picture(
    folder: Path, target: str, rows: Sequence[dict[str, Any]], size: tuple[int | None, int | None], painting: _Painting
) -> Iterator[dict[str, Any]]:
    width, height = size
    if width is None or height is None:
        reason = "The size of the picture is not known, so there is no mask of it."
        yield from (finding("not_carried", reason, image=row["image"], annotation=row["id"], path=target) for row in rows)
        return
    clear = [{**row, "class": None} if row["class"] in painting.ignored else row for row in rows]
    painted = paint_objects(clear, (width, height), painting.layers)
    yield from _losses(painted, painting)
    inner = PurePosixPath(posixpath.splitext(target)[0]).relative_to("images").as_posix() + ".png"
    values = np.array([0, *(_value(row, painting) for row in painted.rows)], dtype=np.int32)
    write_indexed(folder / "masks" / inner, values[painted.owners], painting.palette)
    if painting.style == "instances":
        numbers = {row["id"]: number for number, row in enumerate((r for r in clear if r["class"] is not None), start=1)}
        objects = np.array([0, *(numbers.get(row["id"], 0) for row in painted.rows)], dtype=np.int32)
        write_indexed(folder / "instances" / inner, objects[painted.owners])


def _value(row: Mapping[str, Any], painting: _Painting) -> int:
    if row["class"] is None:
        return painting.ignore if painting.style != "binary" else 0
    return _WHITE if painting.style == "binary" else painting.layers.places[row["class"]]


def _losses(painted: Painted, painting: _Painting) -> Iterator[dict[str, Any]]:
    yield from covered_findings(painted)
    seen: set[int | None] = set()
    for row in painted.rows:
        where = {"image": row["image"], "annotation": row["id"]}
        if painting.style == "binary" and row["class"] is None:
            yield finding("not_carried", "A binary mask cannot say that pixels count for nothing; they are background.", **where)
        if row["class"] in seen and painting.style != "instances":
            yield finding(
                "not_carried", "It becomes one with other objects of its class in the picture; style instances keeps them apart.", **where
            )
        seen.add(row["class"])


def _shared(dataset: Dataset, style: WrittenStyle) -> Iterator[dict[str, Any]]:
    """What holds for the dataset as a whole."""
    used = dataset.annotations.filter(pl.col("kind").cast(pl.String).is_in(PAINTED))["class"].drop_nulls().n_unique()
    if style == "binary" and used > 1:
        yield finding("not_carried", f"A binary mask does not tell classes apart; {used} classes become one.")
