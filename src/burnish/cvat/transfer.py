"""Files up and down: in pieces, with progress in bytes, and continued where the connection broke."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any, Final

from burnish.cvat.connection import Busy, LostConnection
from burnish.engine.files import atomic_path
from burnish.engine.progress import Progress, silent
from burnish.engine.retry import retried
from burnish.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from burnish.cvat.connection import Connection

Json = dict[str, Any]

_PIECE: Final = 8 * 2**20
_READ: Final = 2**18
_TRIES: Final = 6
_PARTIAL: Final = 206
_TUS: Final = {"Tus-Resumable": "1.0.0"}


def download(connection: Connection, url: str, target: Path, *, label: str, progress: Progress = silent) -> Path:
    """Download a file; it appears whole or not at all, and a broken connection is continued at the byte where it broke.

    Raises:
        ServiceError: The server refuses, or the connection breaks again and again.
        DataError: The disk is full.
    """
    with atomic_path(target) as temporary, progress.task(label) as advance:
        retried(lambda: _fetch(connection, url, temporary, advance), on=(LostConnection, Busy), tries=_TRIES, sleep=connection.sleep)
    return target


def _fetch(connection: Connection, url: str, path: Path, advance: Callable[[int], None]) -> None:
    import urllib3  # noqa: PLC0415 - comes with the extra

    have = path.stat().st_size
    answer = connection.open("GET", url, headers={"Range": f"bytes={have}-"} if have else {})
    begins = have if answer.status == _PARTIAL else 0
    expected = begins + int(answer.headers["Content-Length"]) if "Content-Length" in answer.headers else None
    try:
        with path.open("r+b" if begins else "wb") as file:
            file.seek(begins)
            for piece in answer.stream(_READ):
                file.write(piece)
                advance(len(piece))
    except urllib3.exceptions.HTTPError as error:
        raise LostConnection(f"{connection.address.host} broke off a download after {path.stat().st_size:,} bytes ({error}).") from error
    finally:
        answer.release_conn()
    if expected is not None and path.stat().st_size != expected:
        raise LostConnection(f"{connection.address.host} sent {path.stat().st_size:,} of {expected:,} bytes.")


def upload(
    connection: Connection, path: str, file: Path, *, label: str, progress: Progress = silent, query: Mapping[str, Any] | None = None
) -> Json:
    """Upload one file for an import or a restoration, and say that it is complete.

    Returns:
        The server's answer, with the number of the background request.
    """
    asked = dict(query or {})
    connection.request("POST", path, query=asked | {"filename": file.name}, headers={"Upload-Start": ""})
    name = upload_file(connection, path, file, file.name, label=label, progress=progress)
    return connection.request("POST", path, query=asked | {"filename": name}, headers={"Upload-Finish": ""}).json()


def upload_file(connection: Connection, path: str, file: Path, name: str, *, label: str, progress: Progress = silent) -> str:
    """Upload one file in pieces (the tus protocol); the name under which the server keeps it."""
    size = file.stat().st_size
    told = {"Upload-Length": str(size), "Upload-Metadata": f"filename {b64encode(name.encode()).decode()}"}
    made = connection.request("POST", path, headers={**_TUS, **told})
    place = made.headers["Location"]
    with progress.task(label, size) as advance, file.open("rb") as stream:
        offset = 0
        while offset < size:
            stream.seek(offset)
            piece = stream.read(_PIECE)
            now = _send_piece(connection, place, piece, offset)
            advance(now - offset)
            offset = now
    return made.headers.get("Upload-Filename") or name


def _send_piece(connection: Connection, place: str, piece: bytes, offset: int) -> int:
    """Send one piece; where the answer got lost or the offset was wrong, the server is asked how far it is."""
    headers = {**_TUS, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
    try:
        found = connection.request("PATCH", place, body=piece, headers=headers)
    except LostConnection:
        found = connection.request("HEAD", place, headers=_TUS)
    except ServiceError as error:
        if error.status != 409:  # noqa: PLR2004 - not where the last piece ended
            raise
        found = connection.request("HEAD", place, headers=_TUS)
    return int(found.headers["Upload-Offset"])
