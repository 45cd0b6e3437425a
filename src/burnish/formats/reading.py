"""What every reader needs: text, paths, listings, picture sizes, and the tables of media, images and classes.

Nothing here decodes pixels, and nothing stops at a bad file: what cannot be read becomes a finding.
"""

from __future__ import annotations

import os
import posixpath
import re
import unicodedata
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import polars as pl

from burnish.data import tables
from burnish.data.findings import join_findings
from burnish.data.schema import CLASSES, IMAGES, MEDIA
from burnish.engine.names import natural_key
from burnish.errors import FormatError
from burnish.media.images import UnreadableImage, probe_image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

PICTURE_SUFFIXES: Final = frozenset(
    {".avif", ".bmp", ".dib", ".gif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".mpo", ".pgm", ".png", ".pnm", ".ppm"}
    | {".tif", ".tiff", ".webp"}
)
"""File name endings, in lower case, by which a listing knows a picture."""

_UNTIDY: Final = ("\\", "//", "/.", "\n.", "\n/", "/\n", "\n\n", ":/")
"""One of these is in a list of paths, line by line, wherever one of them is not written as the tables keep it."""


class PictureTables(NamedTuple):
    """The `media` and `images` tables of a list of pictures, and what was wrong with their files."""

    media: pl.DataFrame
    images: pl.DataFrame
    findings: pl.DataFrame


def read_text(path: Path, *, encodings: Sequence[str] = ("utf-8",)) -> str:
    """Read a text file: a byte order mark is obeyed and dropped, and every line ends with a bare newline.

    Args:
        path: The file.
        encodings: Tried in order where there is no byte order mark.

    Raises:
        FormatError: The file is missing, or its bytes are text in none of the encodings.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise FormatError(f"The file cannot be read: {error.strerror}.", path=path) from error
    for encoding in _marked_encoding(raw) or tuple(encodings):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        return text.replace("\r\n", "\n").replace("\r", "\n")
    tried = " or ".join(encodings)
    raise FormatError(f"The file is not {tried} text; save it as UTF-8.", path=path)


def is_picture(name: str | Path) -> bool:
    """Whether a file name ends as a picture's does; hidden files (of macOS archives, for instance) are none."""
    path = PurePosixPath(name)
    return path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith(".")


def list_files(folder: Path, suffixes: frozenset[str] | None = None) -> list[str]:
    """Paths of the files below a folder relative to it, with '/', in natural order; hidden files and folders are left out.

    Args:
        folder: Where to look, at any depth.
        suffixes: Endings in lower case that are wanted; None takes all files.
    """
    found: list[str] = []
    for parent, folders, names in os.walk(folder, followlinks=True):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        below = Path(parent).relative_to(folder).as_posix()
        prefix = "" if below == "." else below + "/"
        found += [prefix + n for n in names if not n.startswith(".") and (suffixes is None or _suffix(n) in suffixes)]
    return sorted(found, key=lambda path: (natural_key(path), path))


def list_pictures(folder: Path) -> list[str]:
    """Paths of the pictures below a folder, known by their endings, relative to it and in natural order."""
    return list_files(folder, PICTURE_SUFFIXES)


def walk_some(folder: Path, limit: int = 200) -> Iterator[Path]:
    """The first entries below a folder, level by level, for recognising: never more than `limit`, hidden ones left out."""
    waiting, seen = [folder], 0
    while waiting:
        try:
            entries = sorted(waiting.pop(0).iterdir())
        except OSError:
            continue
        for entry in entries:
            if entry.name.startswith("."):
                continue
            yield entry
            seen += 1
            if seen >= limit:
                return
            if entry.is_dir():
                waiting.append(entry)


def normal_path(text: str, root: Path | None = None) -> str:
    """A path as the tables keep it: '/' between parts, no './' or 'a/../', relative to the root where it lies inside.

    A path that leads outside keeps its leading '../' or '/': ask `is_outside`.
    """
    slashed = text.replace("\\", "/")
    if root is not None and PurePosixPath(slashed).is_absolute():
        for base in (root, root.resolve()):
            if PurePosixPath(slashed).is_relative_to(base.as_posix()):
                slashed = PurePosixPath(slashed).relative_to(base.as_posix()).as_posix()
                break
    return posixpath.normpath(slashed)


def normal_paths(paths: Sequence[str], root: Path | None = None) -> list[str]:
    """Many paths as `normal_path` gives each; long lists are looked through as one text, for nearly none needs a change."""
    together = "\n".join(["", *paths, ""])
    if not any(mark in together for mark in _UNTIDY):
        return list(paths)
    return [normal_path(path, root) for path in paths]


def is_outside(path: str) -> bool:
    """Whether a path in the tables' form leads out of the dataset's folder."""
    return path.startswith(("../", "/")) or path == ".." or re.match(r"[A-Za-z]:/", path) is not None


def existing_paths(root: Path, paths: Sequence[str]) -> list[str | None]:
    """For each path the one under which its file exists, or None; each folder is listed once.

    A name that differs only in its Unicode normal form is found too: archives made on macOS hold decomposed names.
    """
    listing = cache(lambda folder: _listing(root / folder))
    if not any(map(listing, {path[: path.rfind("/") + 1] for path in paths})) and "".join(paths).isascii():
        return [None] * len(paths)
    cut = [path.rpartition("/") for path in paths]
    real = [listing(head + slash).get(name) for head, slash, name in cut]
    return [
        head + slash + name if name is not None else None if path.isascii() else _existing_below(path, listing)
        for name, path, (head, slash, _) in zip(real, paths, cut, strict=True)
    ]


def picture_tables(
    root: Path,
    paths: Sequence[str],
    *,
    ids: Sequence[int] | None = None,
    sizes: Sequence[tuple[int, int] | None] | None = None,
    columns: Mapping[str, Sequence[Any]] | None = None,
    check: bool = True,
) -> PictureTables:
    """Build `media` and `images` from picture paths, one image a path, in the given order.

    A path that stands twice gives two images of one media row and the finding "duplicate_path". A file that is not there,
    leads outside, cannot be read, or is not as large as its source says, is a finding; the row is kept.

    Args:
        root: The dataset's folder.
        paths: Picture paths, relative to the root where they lie inside.
        ids: Image ids; 1, 2, ... where not given.
        sizes: Width and height as the source declares them; where None, they are read from the file.
        columns: Further columns of the images table, for instance split, subset or scene.
        check: Whether to open existing files whose size is declared, to compare.
    """
    normal = normal_paths(paths, root)
    found = existing_paths(root, normal)
    kept = [there or path for there, path in zip(found, normal, strict=True)]
    told = sizes if sizes is not None else [None] * len(kept)
    images = pl.DataFrame(
        {
            "id": pl.Series(ids if ids is not None else range(1, len(kept) + 1), dtype=pl.Int64),
            "path": pl.Series(kept, dtype=pl.String),
            "there": pl.Series([path is not None for path in found], dtype=pl.Boolean),
            "width": pl.Series([size and size[0] for size in told], dtype=pl.Int32),
            "height": pl.Series([size and size[1] for size in told], dtype=pl.Int32),
            **{name: pl.Series(name, values, strict=False) for name, values in (columns or {}).items()},
        }
    )
    wanted = images.filter("there") if check else images.filter(pl.col("there") & pl.col("width").is_null())
    measured = _measured(root, wanted["path"].unique(maintain_order=True).to_list())
    findings = join_findings(_path_findings(images), _size_findings(images, measured))
    return PictureTables(*_rows(images, measured), findings)


def measured_size(path: Path) -> tuple[int, int] | None:
    """Width and height as a picture's header says, None where it cannot be read (told where the tables are made)."""
    width, height, _ = _size_of(path)
    return None if width is None or height is None else (width, height)


def class_table(names: Iterable[str], *, first: int = 0) -> pl.DataFrame:
    """A `classes` table with ids first, first + 1, ... in the order of the names."""
    return tables.from_rows(CLASSES, [{"id": first + number, "name": name} for number, name in enumerate(names)])


def _marked_encoding(raw: bytes) -> tuple[str, ...]:
    marks = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
    return tuple(encoding for mark, encoding in marks.items() if raw.startswith(mark))


def _suffix(name: str) -> str:
    """As `PurePath.suffix`, in lower case, and ten times as fast: listings are long."""
    dot = name.rfind(".")
    return name[dot:].lower() if dot > 0 else ""


def _listing(folder: Path) -> dict[str, str]:
    try:
        names = [entry.name for entry in os.scandir(folder)]
    except OSError:
        return {}
    return {unicodedata.normalize("NFC", name): name for name in names} | {name: name for name in names}


def _existing_below(path: str, listing: Callable[[str], Mapping[str, str]]) -> str | None:
    """Look for a path any of whose parts may be written in the other normal form."""
    here = "/" if path.startswith("/") else ""
    for part in PurePosixPath(path.lstrip("/")).parts:
        real = listing(here).get(unicodedata.normalize("NFC", part)) if part != ".." else part
        if real is None:
            return None
        here += ("" if here in {"", "/"} else "/") + real
    return here


def _measured(root: Path, paths: Sequence[str]) -> pl.DataFrame:
    """Size of each file as shown, from its header alone, or the reason why it has none."""
    sizes = [_size_of(root / path) for path in paths]
    schema = {"path": pl.String, "real_width": pl.Int32, "real_height": pl.Int32, "reason": pl.String}
    return pl.DataFrame([(path, *size) for path, size in zip(paths, sizes, strict=True)], schema=schema, orient="row")


def _size_of(path: Path) -> tuple[int | None, int | None, str | None]:
    try:
        info = probe_image(path)
    except UnreadableImage as error:
        return None, None, f"The picture cannot be read: {error.reason}."
    return info.width, info.height, None


def _path_findings(images: pl.DataFrame) -> pl.DataFrame:
    rows = images.lazy().select("path", "there", pl.col("id").alias("image"))
    outside = rows.filter(pl.col("path").str.contains(r"^(/|\.\./|\.\.$|[A-Za-z]:/)"))
    again = rows.filter(~pl.col("path").is_first_distinct())
    parts = [
        _findings_at(outside, "outside_path", pl.lit("The path leads out of the dataset's folder.")),
        _findings_at(rows.filter(~pl.col("there")), "missing_file", pl.lit("There is no such file.")),
        _findings_at(again, "duplicate_path", pl.lit("The same file stands in the list more than once.")),
    ]
    return pl.concat(parts).collect()


def _size_findings(images: pl.DataFrame, measured: pl.DataFrame) -> pl.DataFrame:
    joined = images.lazy().join(measured.lazy(), on="path", maintain_order="left").with_columns(image="id")
    told, held = pl.format("{} x {}", "width", "height"), pl.format("{} x {}", "real_width", "real_height")
    other = (pl.col("width") != pl.col("real_width")) | (pl.col("height") != pl.col("real_height"))
    reason = pl.format("The picture is {} pixels as shown, and its labels say {}.", held, told)
    parts = [
        _findings_at(joined.filter(pl.col("reason").is_not_null()), "unreadable_picture", pl.col("reason")),
        _findings_at(joined.filter(other), "size_differs", reason, given=told, suggestion=held),
    ]
    return pl.concat(parts, how="diagonal").collect()


def _findings_at(rows: pl.LazyFrame, kind: str, reason: pl.Expr, **more: pl.Expr) -> pl.LazyFrame:
    said = {"kind": pl.lit(kind), "score": pl.lit(1.0), "is_issue": pl.lit(True), "reason": reason}
    return rows.select("path", "image", **said, **more)


def _rows(images: pl.DataFrame, measured: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The two tables: an image has the size that its source declares, its media row that of the file."""
    joined = images.join(measured, on="path", how="left", maintain_order="left") if len(measured) else images
    real = [pl.coalesce(f"real_{side}", side).alias(side) if len(measured) else pl.col(side) for side in ("width", "height")]
    media = joined.unique("path", keep="first", maintain_order=True).select("path", *real).with_row_index("id", 1)
    told = [pl.coalesce(side, f"real_{side}").alias(side) if len(measured) else pl.col(side) for side in ("width", "height")]
    numbers = media.select("path", pl.col("id").alias("media"))
    listed = joined.with_columns(*told).join(numbers, on="path", how="left", maintain_order="left")
    return tables.conform(MEDIA, media), tables.conform(IMAGES, listed.select([c.name for c in IMAGES if c.name in listed.columns]))
