"""One file's annotations put into the dataset: final ids, pictures and classes, and what does not fit reported."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl

from burnish.data.findings import finding, findings_table, join_findings
from burnish.data.schema import ANNOTATIONS
from burnish.formats.coco.identities import give_ids, translated
from burnish.formats.coco.pictures import renumbered_finding
from burnish.formats.suspects import box_findings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from burnish.formats.coco.columns import Columns


class Names(NamedTuple):
    """What one file's ids stand for: pictures, classes, and the file's path for findings."""

    pictures: Mapping[Any, int]
    classes: Mapping[Any, int]
    shown: str


class Placed(NamedTuple):
    """One file's annotations with final ids, and findings on them."""

    table: pl.DataFrame
    attributes: pl.DataFrame
    extras: pl.DataFrame
    findings: pl.DataFrame
    ids: NDArray[np.int64]


def place_annotations(
    columns: Columns, names: Names, taken: Sequence[NDArray[np.int64]], images: pl.DataFrame, texts: Callable[[list[int]], list[str]]
) -> Placed:
    """Give annotations their final ids.

    Annotations of pictures that are not listed have no place in the tables: each is reported with all of its fields. Those of classes
    that are not listed are kept without a class, and their category id among the extras.

    Args:
        columns: The file's annotations.
        names: What the file's ids stand for.
        taken: Annotation ids of the files before.
        images: The images table of the dataset.
        texts: Gives rows of the file as JSON.
    """
    given = give_ids(columns.table["id"], taken)
    image = translated(columns.table["image"], names.pictures)
    kind = translated(columns.table["class"], names.classes)
    unlisted = kind.is_null() & columns.table["class"].is_not_null()
    whole = columns.table.with_columns(id=given.ids, image=image, old_class=columns.table["class"], **{"class": kind})
    table = whole if image.null_count() == 0 else whole.filter(pl.col("image").is_not_null())
    wrong = _wrong_masks(columns, whole, images)
    extras = _with_masks(columns.extras, whole, wrong) if wrong else columns.extras
    table = _without_masks(table, wrong) if wrong else table
    lost = np.flatnonzero(image.is_null().to_numpy()).tolist()
    rows_found = [
        *_remarks(columns, whole, names.shown),
        *_lost(lost, columns.table, texts, names.shown),
        *_repeated(whole, given.repeated, columns.table["id"], names.shown),
        *renumbered_finding(names.shown, "annotation", given.renumbered - columns.table["id"].null_count()),
        *_unlisted(whole, unlisted, columns.attributes, names.shown),
        *_mask_findings(wrong, whole, names.shown),
    ]
    found = join_findings(findings_table(rows_found), _boxes(table, images, names.shown))
    kept = _with_category(extras, whole, unlisted)
    return Placed(
        table=table.select([c.name for c in ANNOTATIONS if c.name in table.columns]),
        attributes=_numbered(columns.attributes, given.ids, lost, "annotation"),
        extras=_numbered(kept, given.ids, lost, "row"),
        findings=found,
        ids=given.ids,
    )


def _numbered(frame: pl.DataFrame, ids: NDArray[np.int64], lost: list[int], name: str) -> pl.DataFrame:
    """Replace rows of the file by final ids; those of lost rows fall out, they are reported as a whole."""
    kept = frame.filter(~pl.col("row").is_in(lost)) if lost else frame
    numbers = pl.Series(name, ids[kept["row"].to_numpy()])
    return kept.drop("row").insert_column(0, numbers)


def _boxes(table: pl.DataFrame, images: pl.DataFrame, shown: str) -> pl.DataFrame:
    """Positions are added to what was found, not to every row before."""
    found = box_findings(table.select("id", "image", "kind", "x1", "y1", "x2", "y2"), images)
    return found.with_columns(path=pl.lit(shown), position=pl.format("annotation {}", "annotation"))


def _remarks(columns: Columns, whole: pl.DataFrame, shown: str) -> list[dict[str, Any]]:
    return [
        finding(kind, reason, is_issue=True, given=given or None, **_place(whole, row, shown))
        for row, kind, reason, given in columns.remarks
    ]


def _place(whole: pl.DataFrame, row: int, shown: str) -> dict[str, Any]:
    number = whole["id"][row]
    return {"path": shown, "position": f"annotation {number}", "image": whole["image"][row], "annotation": number}


def _lost(rows: list[int], table: pl.DataFrame, texts: Callable[[list[int]], list[str]], shown: str) -> list[dict[str, Any]]:
    if not rows:
        return []
    found: list[dict[str, Any]] = []
    for row, text in zip(rows, texts(rows), strict=True):
        reason = f"It is on the picture {table['image'][row]!r}, which is not listed, so it is not in the dataset."
        found.append(finding("unknown_image", reason, path=shown, position=f"annotation {table['id'][row]}", given=text))
    return found


def _repeated(whole: pl.DataFrame, repeated: NDArray[np.bool_], wanted: pl.Series, shown: str) -> list[dict[str, Any]]:
    reason = "The annotation id stands in the file before, so this one has a new id."
    rows = np.flatnonzero(repeated).tolist()
    return [finding("duplicate_id", reason, given=str(wanted[r]), suggestion=str(whole["id"][r]), **_place(whole, r, shown)) for r in rows]


def _unlisted(whole: pl.DataFrame, unlisted: pl.Series, attributes: pl.DataFrame, shown: str) -> list[dict[str, Any]]:
    """Captions have a category id that means nothing; of others it is reported."""
    captions = set(attributes.filter(pl.col("name") == "caption")["row"].to_list())
    rows = [row for row in np.flatnonzero(unlisted.to_numpy()).tolist() if row not in captions]
    reason = "Its category is not listed, so it has no class."
    return [finding("unknown_class", reason, given=str(whole["old_class"][r]), **_place(whole, r, shown)) for r in rows]


def _wrong_masks(columns: Columns, whole: pl.DataFrame, images: pl.DataFrame) -> dict[int, tuple[int, int]]:
    """Rows whose mask is made for a picture of another size than declared, with that size."""
    if not columns.mask_sizes:
        return {}
    sizes = {i: (w, h) for i, w, h in images.select("id", "width", "height").iter_rows()}
    declared = {row: sizes.get(whole["image"][row]) for row in columns.mask_sizes}
    return {row: size for row, size in columns.mask_sizes.items() if (told := declared[row]) and told[0] is not None and told != size}


def _mask_findings(wrong: dict[int, tuple[int, int]], whole: pl.DataFrame, shown: str) -> list[dict[str, Any]]:
    reason = "Its mask is for a picture of {} x {}, which this one is not: the mask is kept aside, and its box stands for it."
    return [finding("mask_size", reason.format(*size), **_place(whole, row, shown)) for row, size in wrong.items()]


def _without_masks(whole: pl.DataFrame, wrong: dict[int, tuple[int, int]]) -> pl.DataFrame:
    hit = pl.col("row").is_in(list(wrong))
    kind = pl.when(hit).then(pl.lit("box", dtype=whole["kind"].dtype)).otherwise("kind")
    return whole.with_columns(kind=kind, mask=pl.when(~hit).then("mask"))


def _with_masks(extras: pl.DataFrame, whole: pl.DataFrame, wrong: dict[int, tuple[int, int]]) -> pl.DataFrame:
    rows = [
        (row, f'"segmentation":{{"size":[{size[1]},{size[0]}],"counts":{json.dumps(whole["mask"][row].decode())}}}')
        for row, size in wrong.items()
    ]
    return _with_fields(extras, pl.DataFrame(rows, schema={"row": pl.Int64, "more": pl.String}, orient="row"))


def _with_category(extras: pl.DataFrame, whole: pl.DataFrame, unlisted: pl.Series) -> pl.DataFrame:
    """Keep the category id of annotations without a class, so that it can be written again."""
    if not unlisted.any():
        return extras
    ids = whole.filter(unlisted).select("row", pl.col("old_class").cast(pl.String))
    quoted = ids.with_columns(
        said=pl.when(pl.col("old_class").str.contains(r"^-?\d+$")).then("old_class").otherwise(pl.format('"{}"', "old_class"))
    )
    return _with_fields(extras, quoted.select("row", more=pl.format('"category_id":{}', "said")))


def _with_fields(extras: pl.DataFrame, added: pl.DataFrame) -> pl.DataFrame:
    """Extras with one more field of some rows; `added` has row and more, the field's name and value."""
    joined = extras.join(added, on="row", how="full", coalesce=True).sort("row")
    inner = pl.col("value").str.slice(1).str.head(-1)
    both = pl.concat_str([inner, pl.col("more")], separator=",", ignore_nulls=True)
    return joined.select("row", value=pl.lit("{") + both + pl.lit("}"))
