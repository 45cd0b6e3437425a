"""Why a file is no readable picture, in words that say what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from burnish.errors import DataError

_HEAD: Final = 512
_KNOWN_BEGINNINGS: Final[tuple[tuple[bytes, str], ...]] = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG", "PNG"),
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"RIFF", "WebP"),
    (b"P4", "PPM"),
    (b"P5", "PPM"),
    (b"P6", "PPM"),
)
_FOREIGN: Final[tuple[tuple[bytes, str], ...]] = (
    (b"version https://git-lfs", "it is a Git LFS pointer, the picture itself was never fetched; run: git lfs pull"),
    (b"%pdf", "it is a PDF document; export its pages as PNG"),
    (b"pk\x03\x04", "it is a ZIP archive; unpack it"),
    (b"<svg", "it is an SVG drawing; export it as PNG"),
    (b"<!doctype html", "it is a web page, perhaps a failed download; download it again"),
    (b"<html", "it is a web page, perhaps a failed download; download it again"),
)
_HEIC: Final = (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftyphevc")


class UnreadableImage(DataError):  # noqa: N818 - named for what was met, as a finding's reason reads
    """A picture that cannot be read; `path` and `reason` say which one and why."""

    def __init__(self, path: Path | str, reason: str) -> None:
        super().__init__(f"{path}: {reason}.")
        self.path = path
        self.reason = reason

    def __reduce__(self) -> tuple[Any, ...]:
        """Rebuild from both parts, so that it can come back from a worker process."""
        return type(self), (self.path, self.reason)


def why_unreadable(path: Path | str, error: Exception) -> str:
    """The reason for which reading a file failed, without a full stop.

    Args:
        path: The file.
        error: What the decoder raised.
    """
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, MemoryError):
        return "its pixels do not fit into the memory that is left"
    if isinstance(error, PermissionError | IsADirectoryError):
        return "it is a folder" if Path(path).is_dir() else "this user has no right to read it"
    try:
        with Path(path).open("rb") as stream:
            head = stream.read(_HEAD)
    except OSError as unread:
        return f"the file cannot be read: {unread.strerror or unread}"
    return _why_by_content(head, error)


def foreign_content(head: bytes, wanted: str) -> str | None:
    """What a file is that is surely not what was wanted, by its first bytes; None where they do not tell.

    Args:
        head: The first bytes of the file, a few hundred.
        wanted: What was expected, with its article, for instance "a video".
    """
    if not head:
        return "the file is empty (0 bytes); copy or download it again"
    foreign = next((said for start, said in _FOREIGN if head.lstrip().lower().startswith(start)), None)
    return foreign or (f"it holds text, not {wanted}" if _is_text(head) else None)


def _why_by_content(head: bytes, error: Exception) -> str:
    known = next((name for start, name in _KNOWN_BEGINNINGS if head.startswith(start)), None)
    foreign = foreign_content(head, "a picture") if known is None else None
    if foreign:
        return foreign
    if head[4:12] in _HEIC:
        return "it is a HEIC picture, which is not supported; convert it to JPEG"
    if known is None:
        return f"it is no picture of a known format ({_said(error)})"
    cut = "truncated" in str(error).lower()
    return f"the {known} file is cut short; copy or download it again" if cut else f"the {known} file is damaged ({_said(error)})"


def _is_text(head: bytes) -> bool:
    try:
        text = head.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character.isspace() for character in text)


def _said(error: Exception) -> str:
    """The decoder's own words, without the path and the address of a buffer that they may hold."""
    text = str(error).strip().rstrip(".")
    if not text or "cannot identify image file" in text:
        return "its header is not understood"
    return text[:1].lower() + text[1:120]
