"""Show what differs between two datasets or versions."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import polars as pl

from burnish.engine.files import atomic_path
from burnish.errors import ConfigError
from burnish.formats import versioned
from burnish.inspect.settings import DiffConfig

if TYPE_CHECKING:
    from pathlib import Path

    from burnish.data.dataset import Dataset

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs, one row each: change (added, removed, relabelled, changed, moved), what, path, before, after."""

    table: pl.DataFrame
    left: str
    right: str

    def save(self, folder: Path, *, force: bool = False) -> list[Path]:
        """Write diff.csv."""
        del force
        with atomic_path(folder / "diff.csv") as temporary:
            self.table.write_csv(temporary)
        return [folder / "diff.csv"]

    def summary(self) -> dict[str, Any]:
        """Number of changes of each kind."""
        counted = self.table.group_by("what", "change").len().sort("what", "change")
        return {"left": self.left, "right": self.right, "changes": {f"{w} {c}": n for w, c, n in counted.iter_rows()}}

    def __str__(self) -> str:
        changes = self.summary()["changes"]
        head = f"{self.left} -> {self.right}"
        if not changes:
            return f"{head}\nNo difference."
        lines = [head, ", ".join(f"{n:,} {name}" for name, n in changes.items())]
        lines += [_line(row) for row in self.table.head(_SHOWN).iter_rows(named=True)]
        more = self.table.height - _SHOWN
        return "\n".join([*lines, f"... and {more:,} more"] if more > 0 else lines)


def diff(left: Dataset, right: Dataset | None = None, config: DiffConfig | None = None) -> Difference:
    """Compare two datasets: classes by name, pictures by path and split, annotations by picture and, within it, by id.

    Where no path is in both, pictures are matched by what follows the folder that all pictures of their dataset lie in.

    With one dataset of ours, its current version is compared with its parent.

    Raises:
        ConfigError: Only one dataset was given and it has no parent version.
    """
    chosen = config or DiffConfig()
    if right is None:
        left, right = _parent_and_self(left)
    files = _files(left, right)
    classes = _come_and_gone("class", left.classes["name"], right.classes["name"])
    pictures = _come_and_gone("picture", files[0]["path"], files[1]["path"])
    moved = _moved(_splits(left, files[0]), _splits(right, files[1]))
    annotations = _annotations(_described(left, files[0], chosen), _described(right, files[1], chosen))
    return Difference(pl.concat([classes, pictures, moved, annotations]), _name(left), _name(right))


def _parent_and_self(dataset: Dataset) -> tuple[Dataset, Dataset]:
    if dataset.origin.get("format") != versioned.NAME:
        raise ConfigError("Name two datasets to compare; only a burnish dataset can be compared with its own parent version.")
    from pathlib import Path  # noqa: PLC0415 - only this rare way needs it at run time

    folder = Path(dataset.origin["path"])
    parent = versioned.all_versions(folder)[dataset.origin["version"]].parent
    if parent is None:
        raise ConfigError(f"{folder} stands at its first version; name the dataset to compare it with.")
    return versioned.read(folder, version=parent), dataset


def _name(dataset: Dataset) -> str:
    version = dataset.origin.get("version")
    return str(dataset.origin.get("path", dataset.root)) + (f"@{version}" if version else "")


def _files(left: Dataset, right: Dataset) -> tuple[pl.DataFrame, pl.DataFrame]:
    """For both, `image` and the `path` that it is matched by, of a video's frames with their numbers."""
    before, after = left.image_files(), right.image_files()
    if before["path"].is_in(after["path"].implode()).any():
        return _with_frames(before, left), _with_frames(after, right)
    return _with_frames(_below_common_folder(before), left), _with_frames(_below_common_folder(after), right)


def _below_common_folder(files: pl.DataFrame) -> pl.DataFrame:
    folders = [PurePosixPath(path).parent for path in files["path"].unique()]
    common = PurePosixPath(posixpath.commonpath(folders)) if folders else PurePosixPath()
    start = 0 if common == PurePosixPath() else len(str(common)) + 1
    return files.with_columns(pl.col("path").str.slice(start))


def _with_frames(files: pl.DataFrame, dataset: Dataset) -> pl.DataFrame:
    numbered = files.join(dataset.images.select("true_frame", image="id"), on="image", how="left", maintain_order="left")
    framed = pl.format("{} frame {}", "path", "true_frame")
    return numbered.select("image", path=pl.when(pl.col("kind") == "image").then("path").otherwise(framed))


def _come_and_gone(what: str, before: pl.Series, after: pl.Series) -> pl.DataFrame:
    gone = before.filter(~before.is_in(after.implode()))
    new = after.filter(~after.is_in(before.implode()))
    return pl.concat([_rows("removed", what, gone, gone, None), _rows("added", what, new, None, new)])


def _moved(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Pictures of both that lie in another split than before."""
    both = before.join(after, on="path", how="inner", suffix="_after", maintain_order="left")
    moved = both.filter(pl.col("split").ne_missing(pl.col("split_after")))
    return _rows("moved", "picture", moved["path"], moved["split"].fill_null("no split"), moved["split_after"].fill_null("no split"))


def _splits(dataset: Dataset, files: pl.DataFrame) -> pl.DataFrame:
    splits = dataset.images.select(pl.col("id").alias("image"), pl.col("split").cast(pl.String))
    joined = files.join(splits, on="image", how="left", maintain_order="left")
    return joined.unique("path", keep="first", maintain_order=True)


def _rows(change: str, what: str, path: pl.Series, before: pl.Series | None, after: pl.Series | None) -> pl.DataFrame:
    nothing = pl.Series([None] * len(path), dtype=pl.String)
    return pl.DataFrame(
        {
            "change": pl.Series([change] * len(path), dtype=pl.String),
            "what": pl.Series([what] * len(path), dtype=pl.String),
            "path": path.cast(pl.String),
            "before": nothing if before is None else before.cast(pl.String),
            "after": nothing if after is None else after.cast(pl.String),
        }
    )


def _annotations(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    keys = ["picture", "id"]
    both = before.join(after, on=keys, how="full", suffix="_after", coalesce=True).sort(keys, maintain_order=True)
    gone, new = pl.col("text_after").is_null(), pl.col("text").is_null()
    relabelled = pl.col("class").ne_missing(pl.col("class_after"))
    change = pl.when(gone).then(pl.lit("removed")).when(new).then(pl.lit("added")).when(relabelled).then(pl.lit("relabelled"))
    differing = both.filter(pl.col("text").ne_missing(pl.col("text_after")))
    return differing.select(
        change.otherwise(pl.lit("changed")).alias("change"),
        pl.lit("annotation").alias("what"),
        pl.coalesce("path", "path_after").alias("path"),
        pl.col("text").alias("before"),
        pl.col("text_after").alias("after"),
    )


def _described(dataset: Dataset, files: pl.DataFrame, config: DiffConfig) -> pl.DataFrame:
    """One row an annotation: its picture and id as keys, its class and a short text of its content."""
    names = dataset.classes.select(pl.col("id").alias("class"), pl.col("name"))
    rows = dataset.annotations.join(files, on="image", how="left", maintain_order="left").join(
        names, on="class", how="left", maintain_order="left"
    )
    box = pl.concat_str([pl.col(c).round(3).cast(pl.String) for c in ("x1", "y1", "x2", "y2")], separator=" ", ignore_nulls=True)
    shape = pl.struct("points", "parts", "mask", "rotation").hash().cast(pl.String).str.slice(0, 6)
    detailed = pl.when(pl.col("points").is_not_null() | pl.col("mask").is_not_null()).then(pl.lit(" #") + shape).otherwise(pl.lit(""))
    rows = rows.join(_told_attributes(dataset), on="id", how="left", maintain_order="left")
    flags = [_word(pl.col(flag).fill_null(value=False), flag) for flag in ("outside", "occluded", "crowd")]
    track = pl.when(pl.col("track").is_not_null()).then(pl.format(" #{}", "track")).otherwise(pl.lit(""))
    named = pl.concat_str([pl.col("name").fill_null("no class"), track, pl.lit(" "), pl.col("kind").cast(pl.String), pl.lit(" ")])
    text = pl.concat_str([named, box, detailed, *flags, pl.col("told").fill_null("")])
    picture = pl.col("path") if config.by == "path" else pl.col("image").cast(pl.String)
    return rows.select(picture.alias("picture"), "id", "path", pl.col("name").alias("class"), text.str.strip_chars().alias("text"))


def _word(is_so: pl.Expr, word: str) -> pl.Expr:
    return pl.when(is_so).then(pl.lit(f" {word}")).otherwise(pl.lit(""))


def _told_attributes(dataset: Dataset) -> pl.DataFrame:
    """`id` of each annotation with attributes, and `told`: its attributes in alphabetical order."""
    pairs = dataset.attributes.select("annotation", pair=pl.format(" {}={}", "name", pl.col("value").fill_null("")))
    return pairs.group_by(id="annotation").agg(told=pl.col("pair").sort().str.join(""))


def _line(row: dict[str, Any]) -> str:
    sign = {"added": "+", "removed": "-"}.get(row["change"], "~")
    if row["change"] in {"added", "removed"} and row["what"] != "annotation":
        return f"{sign} {row['what']} {row['path']}"
    change = " -> ".join(text for text in (row["before"], row["after"]) if text is not None)
    return f"{sign} {row['path']}: {change}"
