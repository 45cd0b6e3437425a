"""Reading YOLO: boxes, polygons, rotated boxes and keypoints from text files beside pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import polars as pl

from burnish.data import tables
from burnish.data.dataset import Dataset, make_dataset
from burnish.data.findings import finding, findings_table, join_findings
from burnish.data.schema import CLASSES, FINDINGS
from burnish.errors import ConfigError, FormatError
from burnish.formats.reading import picture_tables, read_text
from burnish.formats.suspects import box_findings
from burnish.formats.yolo.geometry import are_turned_boxes, shapes
from burnish.formats.yolo.layout import Layout, find_layout
from burnish.formats.yolo.rows import label_rows
from burnish.formats.yolo.sorted_pictures import read_sorted

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME: Final = "yolo"
Task: TypeAlias = Literal["detect", "segment", "obb", "pose", "classify"]


def read(path: Path | str, *, task: Task | None = None) -> Dataset:
    """Read a data.yaml, or a folder with one, or with pictures and labels alone.

    Rows of five numbers are boxes and longer ones polygons, in one file if need be. Rows of four points are rotated boxes where the task
    is obb: as given, as data.yaml says, or where all of them are rectangles and not all upright. Rows have keypoints where
    data.yaml has kpt_shape. A picture without a label file, or with an empty one, shows none of the classes.

    Args:
        path: The file or folder.
        task: What the rows are, where they do not tell; classify reads folders named as classes.

    Returns:
        The dataset; every line that cannot be read as it stands is in its notes, with file and line.

    Raises:
        FormatError: No pictures, or a data.yaml that cannot be read.
        ConfigError: kpt_shape makes no sense.
    """
    path = Path(path)
    if task == "classify":
        return read_sorted(path, NAME)
    layout = find_layout(path)
    pictures = picture_tables(layout.root, list(layout.pictures), columns={"split": list(layout.pictures.values())})
    files, texts, unread = _texts(layout)
    keypoints = _keypoints(layout.settings)
    rows = label_rows(files, texts, keypoints)
    images = pictures.images.select(pl.col("id").alias("image"), "width", "height").with_columns(
        label=pl.Series(list(layout.labels.values()), dtype=pl.String)
    )
    listed = pl.DataFrame({"file": range(len(files)), "label": files}, schema={"file": pl.Int64, "label": pl.String})
    placed = rows.join(listed, on="file").join(images, on="label", how="left").sort("image", "line").with_row_index("order")
    names = layout.names or _numbered_names(placed)
    sound, bad = _sorted_out(_numbered(placed, names))
    turned = task == "obb" or (task is None and (_told_task(layout.settings) == "obb" or are_turned_boxes(sound)))
    drawn = _named(_trimmed(shapes(sound, keypoints, turned=turned), layout.settings), names).with_row_index("id", 1)
    shown = drawn.join(listed, on="file", maintain_order="left").with_columns(path="label", position=pl.format("line {}", "line"))
    notes = join_findings(
        findings_table([*layout.findings, *unread, *_orphan_findings(layout)]),
        pictures.findings,
        bad,
        _row_findings(shown, placed),
        box_findings(shown, pictures.images),
    )
    columns = ["id", "image", "class", "kind", "x1", "y1", "x2", "y2", "rotation", "points", "visibility", "score"]
    return make_dataset(
        layout.root,
        media=pictures.media,
        images=pictures.images,
        annotations=drawn.select([c for c in columns if c in drawn.columns]).with_columns(_defaults(drawn)),
        classes=_classes(names, layout.settings),
        extras=_extras(drawn, layout.settings),
        notes=notes,
        origin={"format": NAME, "path": str(path)},
    )


def _texts(layout: Layout) -> tuple[list[str], list[str], list[dict[str, Any]]]:
    """Label files and what they hold; a file that is no text is reported."""
    files: list[str] = []
    texts: list[str] = []
    unread: list[dict[str, Any]] = []
    for label in layout.labels.values():
        if label is None:
            continue
        try:
            texts.append(read_text(layout.root / label))
            files.append(label)
        except FormatError as error:
            unread.append(finding("unreadable_labels", str(error), path=label))
    return files, texts, unread


def _keypoints(settings: Mapping[str, Any]) -> tuple[int, int] | None:
    told = settings.get("kpt_shape")
    if told is None:
        return None
    if not (isinstance(told, list) and len(told) == 2 and all(type(n) is int for n in told) and told[0] > 0 and told[1] in {2, 3}):  # noqa: PLR2004
        raise ConfigError(f"kpt_shape is {told!r} in data.yaml; expected [number of keypoints, 2 or 3], for instance [17, 3].")
    return told[0], told[1]


def _numbered_names(rows: pl.DataFrame) -> dict[int, str]:
    """Names by number where no file has any: DOTA's rows bring their own."""
    named = rows["name"].drop_nulls().unique(maintain_order=True).to_list()
    if named:
        return dict(enumerate(sorted(named)))
    largest = rows.filter(pl.col("form") != "bad")["class"].max()
    return {n: str(n) for n in range(int(largest) + 1)} if isinstance(largest, float) and 0 <= largest < 1e6 else {}  # noqa: PLR2004


def _numbered(rows: pl.DataFrame, names: Mapping[int, str]) -> pl.DataFrame:
    """DOTA's rows name their class: give them its number, or a new one, which no class then has."""
    numbers = {name: float(number) for number, name in names.items()}
    return rows.with_columns(
        pl.coalesce("class", pl.col("name").replace_strict(numbers, default=float(len(names)), return_dtype=pl.Float64))
    )


def _told_task(settings: Mapping[str, Any]) -> Any:
    own = settings.get("burnish")
    return own.get("task") if isinstance(own, dict) and "task" in own else settings.get("task")


def _sorted_out(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows that can be drawn, and findings on those that cannot."""
    sizeless = pl.col("width").is_null() & ~pl.col("pixels").fill_null(value=False)
    told = rows.with_columns(
        reason=pl.when(pl.col("reason").is_null() & sizeless)
        .then(pl.lit("The size of its picture is not known, so its coordinates are no pixels."))
        .otherwise("reason")
    )
    bad = told.filter(pl.col("reason").is_not_null())
    findings = _said(bad.with_columns(path="label", position=pl.format("line {}", "line")), "bad_line", pl.col("reason"))
    return told.filter(pl.col("reason").is_null()), findings


def _named(drawn: pl.DataFrame, names: Mapping[int, str]) -> pl.DataFrame:
    """Class numbers that data.yaml has no name for are set aside in `odd_class`."""
    known = pl.col("class").is_in([float(number) for number in names])
    odd = pl.when(~known).then("class").alias("odd_class")
    return drawn.with_columns(odd, pl.when(known).then("class").cast(pl.Int32).alias("class"))


def _trimmed(drawn: pl.DataFrame, settings: Mapping[str, Any]) -> pl.DataFrame:
    """Skeletons of a class with fewer keypoints than the rows have places for lose the padding."""
    named = _keypoint_names(settings)
    if not named or "points" not in drawn.columns or "visibility" not in drawn.columns:
        return drawn
    count = pl.col("class").replace_strict({float(k): len(v) for k, v in named.items()}, default=None, return_dtype=pl.Int64)
    skeleton = (pl.col("kind") == "skeleton") & count.is_not_null()
    return drawn.with_columns(
        points=pl.when(skeleton).then(pl.col("points").list.head(2 * count)).otherwise("points"),
        visibility=pl.when(skeleton).then(pl.col("visibility").list.head(count)).otherwise("visibility"),
    )


def _keypoint_names(settings: Mapping[str, Any]) -> dict[int, list[str]]:
    told = settings.get("kpt_names")
    return {int(key): [str(n) for n in value] for key, value in told.items() if isinstance(value, list)} if isinstance(told, dict) else {}


def _row_findings(shown: pl.DataFrame, placed: pl.DataFrame) -> pl.DataFrame:
    unknown = shown.filter(pl.col("odd_class").is_not_null())
    again = shown.filter(~pl.struct("file", pl.col("text").str.replace_all(r"\s+", " ")).is_first_distinct())
    pixels = shown.join(
        placed.filter(pl.col("pixels") & (pl.col("form") != "dota")).select("file", "line"), on=["file", "line"], how="semi"
    )
    class_reason = pl.format("The class {} has no name, so the object has no class.", pl.col("odd_class").cast(pl.Int64, strict=False))
    return join_findings(
        _said(unknown, "unknown_class", class_reason),
        _said(again, "duplicate_annotation", pl.lit("The same line stands in the file before.")),
        _said(pixels, "not_normalised", pl.lit("Coordinates far above 1 are no shares of the picture; they are taken as pixels.")),
    )


def _said(rows: pl.DataFrame, kind: str, reason: pl.Expr) -> pl.DataFrame:
    said = {"kind": pl.lit(kind), "score": pl.lit(1.0), "is_issue": pl.lit(True), "reason": reason}
    ids = {"annotation": pl.col("id")} if "id" in rows.columns else {}
    return tables.conform(FINDINGS, rows.select("path", "position", "image", pl.col("text").alias("given"), **said, **ids))


def _orphan_findings(layout: Layout) -> list[dict[str, Any]]:
    return [finding("label_without_image", "No picture belongs to this label file.", path=path) for path in layout.orphans]


def _defaults(drawn: pl.DataFrame) -> list[pl.Expr]:
    return [pl.col("rotation").fill_null(0.0)] if "rotation" in drawn.columns else []


def _classes(names: Mapping[int, str], settings: Mapping[str, Any]) -> pl.DataFrame:
    skeletons = _keypoint_names(settings)
    own = settings.get("burnish") if isinstance(settings.get("burnish"), dict) else {}
    details = {int(k): v for k, v in (own or {}).get("classes", {}).items() if isinstance(v, dict)}
    rows: list[dict[str, Any]] = []
    for number, name in sorted(names.items()):
        row: dict[str, Any] = {"id": number, "name": name}
        if number in skeletons:
            row["skeleton"] = json.dumps({"points": skeletons[number], "edges": []}, ensure_ascii=False)
        rows.append(
            row | {key: value for key, value in details.get(number, {}).items() if key in {"superclass", "colour", "skeleton", "priority"}}
        )
    return tables.from_rows(CLASSES, _distinct_names(rows))


def _distinct_names(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Two classes of one name stay two: the number goes with the later one's name."""
    seen: set[str] = set()
    for row in rows:
        if row["name"] in seen:
            row["name"] = f"{row['name']} ({row['id']})"
        seen.add(row["name"])
    return rows


_KNOWN_SETTINGS: Final = frozenset({"path", "train", "val", "test", "valid", "names", "nc", "kpt_shape", "kpt_names", "task", "burnish"})


def _extras(drawn: pl.DataFrame, settings: Mapping[str, Any]) -> pl.DataFrame:
    rest = {key: value for key, value in settings.items() if key not in _KNOWN_SETTINGS and not isinstance(value, list | str)}
    rest |= {key: value for key, value in settings.items() if key in {"flip_idx", "download"}}
    whole = [{"format": NAME, "table": "dataset", "row": None, "value": json.dumps(rest, ensure_ascii=False, default=str)}] if rest else []
    odd = drawn.filter(pl.col("odd_class").is_not_null()).select("id", "odd_class").iter_rows()
    rows = [{"format": NAME, "table": "annotations", "row": row, "value": json.dumps({"class": int(number)})} for row, number in odd]
    return pl.DataFrame([*whole, *rows], schema={"format": pl.String, "table": pl.String, "row": pl.Int64, "value": pl.String})
